"""Why an item is not in a user's list."""

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query, Response

from api.auth import needs
from api.json import decoded, send
from api.openapi import READ_ONE, answers_with
from api.schemas import Name
from api.shape import Shape
from api.state import Use
from api.types import Id, ItemId, UserId
from domain.errors import InvalidRequest
from domain.why_not import WhyNot
from recommend.request import MAX_N, RecommendRequest

router = APIRouter(tags=["recommendations"], dependencies=[needs("read")])


@router.get(
    "/v1/users/{user_id}/items/{item_id}/why-not",
    summary="Why not this item",
    responses=answers_with(WhyNot, "What kept it out, how far away it is, and what would bring it in.", *READ_ONE),
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
        **shape,
    )
    return send(services.recommender.why_not(request, item_id, lang))


def _filter(text: str) -> dict[str, object]:
    """Raises: InvalidRequest for a text that is no JSON object."""
    try:
        value: object = decoded(text.encode("utf-8", "surrogatepass"))
    except HTTPException as error:
        raise InvalidRequest(f"filter is not JSON: {error.detail}", field="filter") from error
    if not isinstance(value, dict):
        raise InvalidRequest("a filter is a JSON object", field="filter")
    return value
