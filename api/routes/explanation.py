"""Why an item: the score of one item for one user, split exactly, as JSON, text, a graph or a picture."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Response

from api.auth import Presented, check_key, needs
from api.json import JSON, send
from api.language import HeaderLanguage, Lang
from api.openapi import READ_ONE, REFERENCE, answers_with
from api.state import Use
from api.types import ItemId, Time, UserId, Without
from domain.answers import Explanation
from recommend.formats import DEFAULT, MEDIA_TYPES, accepted, rendered
from recommend.request import MAX_N, ExplainRequest

router = APIRouter(tags=["recommendations"], dependencies=[needs("read")])
Format = Literal["json", "text", "graphml", "node-link", "svg", "png"]


def _answers() -> dict[int | str, dict[str, Any]]:
    responses = answers_with(Explanation, "The score, split exactly, with paths.", *READ_ONE)
    either = [{"$ref": REFERENCE + name} for name in ("Explanation", "PastExplanation")]
    responses[200]["content"][JSON] = {"schema": {"anyOf": either}}
    for name, media_type in MEDIA_TYPES.items():
        if name != DEFAULT:
            schema = {"type": "string", "format": "binary"} if name == "png" else {"type": "string"}
            schema = {"type": "object"} if name == "node-link" else schema
            responses[200]["content"][media_type.split(";")[0]] = {"schema": schema}
    return responses


@router.get("/v1/users/{user_id}/items/{item_id}/explanation", summary="Why this item", responses=_answers())
def explain(
    user_id: UserId,
    item_id: ItemId,
    services: Use,
    presented: Presented,
    language: HeaderLanguage,
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
    format: Annotated[Format | None, Query(description="Left out: by the Accept header, else JSON.")] = None,
    lang: Lang = None,
    n: Annotated[int, Query(ge=1, le=MAX_N, description="Length of the list that `rank` is of.")] = 10,
    without: Without = (),
    counterfactual: Annotated[
        bool, Query(description="Find the fewest of the user's items without which it is not among the first n.")
    ] = False,
    witness: Annotated[bool, Query(description="Name one of the others on a path; needs an admin key.")] = False,
    as_of: Annotated[
        Time | None, Query(description="Why it was recommended then: JSON, from the newest answer up to this time.")
    ] = None,
) -> Response:
    """Every part of the score, down to (event, entity), each path with the Cypher that opens it in Neo4j Browser.

    With `as_of`: as it was told in the newest answer up to that time that showed the item to the user, with its edges
    looked up now; 404 `answer_not_kept` when there is none.
    """
    if as_of is not None:
        return send(services.recommender.explained_then(user_id, item_id, as_of))
    if witness:
        check_key(services, presented, "admin")
    request = ExplainRequest(
        user_id=user_id,
        item_id=item_id,
        lang=lang or language,
        n=n,
        without=tuple(without),
        has_counterfactual=counterfactual,
        has_witness=witness,
    )
    name = format or accepted(accept or "")
    found = services.recommender.explain_fully(request)
    return Response(rendered(found, name), media_type=MEDIA_TYPES[name], headers={"Vary": "Accept, Accept-Language"})
