"""Why an item: its score for a user, a visitor or stated tastes, split exactly, as JSON, text, a graph or a picture."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Response

from api.auth import Presented, check_key, needs
from api.json import JSON, StrictJsonRoute, send
from api.language import HeaderLanguage, Lang
from api.openapi import ASK, READ_ONE, REFERENCE, answers_with
from api.routes.recommendations import as_request
from api.schemas import RecommendationRequest
from api.state import Use
from api.types import ItemId, Time, UserId, Without
from domain.answers import Explanation
from recommend.formats import DEFAULT, MEDIA_TYPES, accepted, rendered
from recommend.request import MAX_N, ExplainRequest

router = APIRouter(route_class=StrictJsonRoute, tags=["recommendations"], dependencies=[needs("read")])
Accept = Annotated[str | None, Header(include_in_schema=False)]
Format = Annotated[
    Literal["json", "text", "graphml", "node-link", "svg", "png"] | None,
    Query(description="Left out: by the Accept header, else JSON."),
]
Counterfactual = Annotated[
    bool, Query(description="Find the fewest of the user's items without which it is not among the first n.")
]
Witness = Annotated[bool, Query(description="Name one of the others on a path; needs an admin key.")]


def _answers(*problems: int, past: bool) -> dict[int | str, dict[str, Any]]:
    """past: it may be the explanation of an answer of before."""
    responses = answers_with(Explanation, "The score, split exactly, with paths.", *problems)
    if past:
        either = [{"$ref": REFERENCE + name} for name in ("Explanation", "PastExplanation")]
        responses[200]["content"][JSON] = {"schema": {"anyOf": either}}
    for name, media_type in MEDIA_TYPES.items():
        if name != DEFAULT:
            schema = {"type": "string", "format": "binary"} if name == "png" else {"type": "string"}
            schema = {"type": "object"} if name == "node-link" else schema
            responses[200]["content"][media_type.split(";")[0]] = {"schema": schema}
    return responses


@router.get(
    "/v1/users/{user_id}/items/{item_id}/explanation", summary="Why this item", responses=_answers(*READ_ONE, past=True)
)
def explain(
    user_id: UserId,
    item_id: ItemId,
    services: Use,
    presented: Presented,
    language: HeaderLanguage,
    accept: Accept = None,
    format: Format = None,
    lang: Lang = None,
    n: Annotated[int, Query(ge=1, le=MAX_N, description="Length of the list that `rank` is of.")] = 10,
    without: Without = (),
    counterfactual: Counterfactual = False,
    witness: Witness = False,
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
    return _as_asked(services.recommender.explain_fully(request), format or accepted(accept or ""))


@router.post(
    "/v1/items/{item_id}/explanation", summary="Why this item, to anyone", responses=_answers(*ASK, past=False)
)
def explain_to_anyone(
    item_id: ItemId,
    body: RecommendationRequest,
    services: Use,
    presented: Presented,
    language: HeaderLanguage,
    accept: Accept = None,
    format: Format = None,
    counterfactual: Counterfactual = False,
    witness: Witness = False,
) -> Response:
    """For the list that POST /v1/recommendations gives to the same body: of a user, a visitor's session or tastes.

    The parts add up to the score in that list, with what its rules and its query do. Nothing is stored.
    """
    if witness:
        check_key(services, presented, "admin")
    found = services.recommender.explain_in(
        as_request(body, language), item_id, has_counterfactual=counterfactual, has_witness=witness
    )
    return _as_asked(found, format or accepted(accept or ""))


def _as_asked(found: Explanation, name: str) -> Response:
    return Response(rendered(found, name), media_type=MEDIA_TYPES[name], headers={"Vary": "Accept, Accept-Language"})
