"""What is near an item, a user or an entity."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.auth import needs
from api.documents import NeighbourList
from api.json import send
from api.language import HeaderLanguage, Lang
from api.openapi import READ_ONE, answers_with
from api.state import Use
from api.types import EntityId, ItemId, UserId
from domain.answers import RankedList

router = APIRouter(tags=["neighbours"], dependencies=[needs("read")])
NEAR = answers_with(NeighbourList, "Nearest first.", *READ_ONE)
N = Annotated[int, Query(ge=1, le=1000, description="How many.")]


@router.get("/v1/items/{item_id}/similar", summary="Items like this one", responses=NEAR)
def similar_items(item_id: ItemId, services: Use, n: N = 10) -> Response:
    """By the model's vectors; `shared` names entities that both have."""
    return send(NeighbourList(id=item_id, neighbours=services.recommender.similar_items(item_id, n)))


@router.get("/v1/users/{user_id}/similar", summary="Users like this one", responses=NEAR)
def similar_users(user_id: UserId, services: Use, n: N = 10) -> Response:
    """By what they did, composed to vectors. Empty without a model."""
    return send(NeighbourList(id=user_id, neighbours=services.recommender.similar_users(user_id, n)))


@router.get("/v1/users/{user_id}/entities", summary="Entities near a user", responses=NEAR)
def user_entities(user_id: UserId, services: Use, n: N = 10) -> Response:
    """The directors, genres, brands … nearest to what the user took."""
    return send(NeighbourList(id=user_id, neighbours=services.recommender.user_entities(user_id, n)))


@router.get(
    "/v1/entities/{entity_id}/items",
    summary="Items of an entity",
    responses=answers_with(RankedList, "A ranked list.", *READ_ONE),
)
def entity_items(
    entity_id: EntityId, services: Use, language: HeaderLanguage, n: N = 10, lang: Lang = None
) -> Response:
    """A topic page: the items of an entity, those that most people took first."""
    return send(services.recommender.entity_items(entity_id, n, lang or language))
