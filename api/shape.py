"""What shapes a list, as the query of a GET names it."""

from typing import Annotated, Any

from fastapi import Depends, Query

from api.schemas import Name
from domain.errors import InvalidRequest
from recommend.request import MAX_N, MaxPerEntity


async def _shape(
    query: Annotated[Name | None, Query(description="Only items that this text finds, by names.")] = None,
    placement: Annotated[Name | None, Query(description="Where the list is shown, for rules that ask for it.")] = None,
    diversity: Annotated[float | None, Query(ge=0, le=1, description="0: the best. 1: as unlike as can be.")] = None,
    calibration: Annotated[float | None, Query(ge=0, le=1, description="1: the mix of the user's own items.")] = None,
    max_per_entity: Annotated[
        Name | None, Query(description="Type:most, such as Director:2.", examples=["Genre:3"])
    ] = None,
) -> dict[str, Any]:
    return {
        "query": query,
        "placement": placement,
        "diversity": diversity,
        "calibration": calibration,
        "max_per_entity": None if max_per_entity is None else _cap(max_per_entity),
    }


def _cap(text: str) -> MaxPerEntity:
    """Raises: InvalidRequest for what is not Type:most."""
    label, _, most = text.rpartition(":")
    if not (label and most.isascii() and most.isdigit() and len(most) < 6 and 1 <= int(most) <= MAX_N):
        raise InvalidRequest(f"max_per_entity is Type:most, such as Director:2, not {text!r}", field="max_per_entity")
    return MaxPerEntity(label, int(most))


Shape = Annotated[dict[str, Any], Depends(_shape)]  # fields of a RecommendRequest
