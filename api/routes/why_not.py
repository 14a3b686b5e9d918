"""Why an item is not in the list of a user, a visitor or stated tastes."""

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query, Response

from api.auth import needs
from api.json import StrictJsonRoute, decoded, send
from api.language import HeaderLanguage
from api.openapi import ASK, READ_ONE, answers_with
from api.routes.recommendations import as_request
from api.schemas import Name, RecommendationRequest
from api.shape import Shape
from api.state import Use
from api.types import Id, ItemId, UserId
from domain.errors import InvalidRequest
from domain.why_not import WhyNot
from recommend.request import MAX_N, RecommendRequest
from recommend.texts_why_not import LANGUAGES

router = APIRouter(route_class=StrictJsonRoute, tags=["recommendations"], dependencies=[needs("read")])
ANSWER = "What kept it out, how far away it is, and what would bring it in."


@router.get(
    "/v1/users/{user_id}/items/{item_id}/why-not",
    summary="Why not this item",
    responses=answers_with(WhyNot, ANSWER, *READ_ONE),
)
def why_not(
    user_id: UserId,
    item_id: ItemId,
    services: Use,
    shape: Shape,
    n: Annotated[int, Query(ge=1, le=MAX_N, description="Length of the list.")] = 10,
    exclude_seen: Annotated[bool, Query(description="False: also what the user has had.")] = True,
    item_kind: Annotated[Name | None, Query(description="Only items of this kind.")] = None,
    context_item_id: Annotated[Id | None, Query(description="The item that is being looked at.")] = None,
    filter: Annotated[
        str | None,
        Query(description="As JSON text.", examples=['{"field": "item_kind", "op": "eq", "value": "movie"}']),
    ] = None,
    lang: Annotated[Literal["en", "zh"], Query(description="Language of the text.")] = "en",
) -> Response:
    """For the list that the same request would give: the first thing in the order of precedence, in one sentence.

    What would bring it in is computed with the event added to the user's own: the rank is what it would truly be.
    """
    request = RecommendRequest(
        user_id=user_id,
        n=n,
        exclude_seen=exclude_seen,
        item_kind=item_kind,
        context_item_id=context_item_id,
        filter=None if filter is None else _filter(filter),
        strict=True,
        **shape,
    )
    return send(services.recommender.why_not(request, item_id, lang))


@router.post(
    "/v1/items/{item_id}/why-not",
    summary="Why not this item, to anyone",
    responses=answers_with(WhyNot, ANSWER, *ASK),
)
def why_not_to_anyone(
    item_id: ItemId, body: RecommendationRequest, services: Use, language: HeaderLanguage
) -> Response:
    """For the list that POST /v1/recommendations gives to the same body: of a user, a visitor's session or tastes.

    Told in English or Chinese. What would bring it in: events that the visitor may add, or tastes. Nothing is stored.
    """
    if body.lang is not None and body.lang not in LANGUAGES:
        raise InvalidRequest(f"no texts in {body.lang!r}; there are {', '.join(LANGUAGES)}", field="lang")
    lang = body.lang or (language if language in LANGUAGES else LANGUAGES[0])
    return send(services.recommender.why_not(as_request(body, lang), item_id, lang))


def _filter(text: str) -> dict[str, object]:
    """Raises: InvalidRequest for a text that is no JSON object."""
    try:
        value: object = decoded(text.encode("utf-8", "surrogatepass"))
    except HTTPException as error:
        raise InvalidRequest(f"filter is not JSON: {error.detail}", field="filter") from error
    if not isinstance(value, dict):
        raise InvalidRequest("a filter is a JSON object", field="filter")
    return value
