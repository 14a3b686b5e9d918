"""Guides for Neo4j Browser: open to everybody, for they hold no data, and to pages of any origin."""

import re

from fastapi import APIRouter, HTTPException, Request, Response

from api.guides import STYLE, as_asciidoc, as_html, guide_names, read_guide, style_of
from api.state import Use

router = APIRouter(tags=["guides"], include_in_schema=False)  # pages, like /docs
ANYONE = {"Access-Control-Allow-Origin": "*"}
_HEADER_NAMES = re.compile(r"[A-Za-z0-9-]{1,64}(\s*,\s*[A-Za-z0-9-]{1,64}){0,31}\Z")


@router.get("/guides/{file}")
def get_guide(file: str, request: Request, services: Use) -> Response:
    """NAME.html for the Browser that comes with Neo4j, NAME.adoc for the newest one, style.grass for either."""
    if file == STYLE:
        labels = [kind.label for kind in services.world.view().declaration.entity_types]
        return Response(style_of(labels), headers=ANYONE, media_type="text/plain; charset=utf-8")
    name, _, ending = file.rpartition(".")
    if name not in guide_names() or ending not in ("html", "adoc"):
        raise HTTPException(404)
    url = f"{request.url.scheme}://{request.url.netloc}/guides"
    if ending == "html":
        return Response(as_html(read_guide(name), url), headers=ANYONE, media_type="text/html; charset=utf-8")
    return Response(as_asciidoc(read_guide(name), url), headers=ANYONE, media_type="text/plain; charset=utf-8")


@router.options("/guides/{file}")
async def allow_guide(request: Request) -> Response:
    """Neo4j Browser asks before it fetches a guide, for it sends headers of its own."""
    asked = request.headers.get("access-control-request-headers", "")
    headers = {
        **ANYONE,
        "Access-Control-Allow-Methods": "GET, OPTIONS",
        "Access-Control-Allow-Headers": asked if _HEADER_NAMES.match(asked) else "*",
        "Access-Control-Allow-Private-Network": "true",
        "Access-Control-Max-Age": "600",
    }
    return Response(status_code=200, headers=headers)
