"""Entities (directors, genres, brands …) and the relations between nodes."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.auth import needs
from api.documents import EntityOut
from api.json import StrictJsonRoute, send
from api.openapi import READ_ONE, WRITE, answers_with, problems_of
from api.schemas import EntityIn, Name, RelationBody
from api.state import UseWrites
from api.types import EntityId, Id
from api.views import entity_out

router = APIRouter(route_class=StrictJsonRoute, tags=["knowledge"])
STORED = answers_with(EntityOut, "The entity as stored.", *WRITE)
GONE = {204: {"description": "It is not there any more."}, **problems_of(*READ_ONE, 507)}


@router.get(
    "/v1/entities/{entity_id}",
    summary="An entity",
    dependencies=[needs("read")],
    responses=answers_with(EntityOut, "The entity.", *READ_ONE),
)
def get_entity(entity_id: EntityId, writes: UseWrites) -> Response:
    """Its name, its type, and how many items it has."""
    return send(entity_out(writes.fresh(), entity_id))


@router.put(
    "/v1/entities/{entity_id}",
    summary="Make or rename an entity",
    dependencies=[needs("write")],
    responses={**STORED, **answers_with(EntityOut, "Made.", status=201)},
)
def put_entity(entity_id: EntityId, body: EntityIn, writes: UseWrites) -> Response:
    """The id is Type:key, and the type is declared. Twice equals once."""
    created = writes.put_entity(entity_id, body)
    return send(entity_out(writes.fresh(), entity_id), 201 if created else 200)


@router.delete(
    "/v1/entities/{entity_id}",
    status_code=204,
    summary="Delete an entity",
    dependencies=[needs("write")],
    responses=GONE,
)
def delete_entity(entity_id: EntityId, writes: UseWrites) -> Response:
    """With all its relations."""
    writes.delete_entity(entity_id)
    return Response(status_code=204)


@router.post(
    "/v1/relations",
    status_code=204,
    summary="Join two nodes",
    dependencies=[needs("write")],
    responses={204: {"description": "They are joined."}, **problems_of(*WRITE)},
)
def post_relation(body: RelationBody, writes: UseWrites) -> Response:
    """By a declared type, or FOLLOWS (user to user) or PREFERS (user to entity). Twice equals once."""
    writes.put_relation(body)
    return Response(status_code=204)


@router.delete(
    "/v1/relations",
    status_code=204,
    summary="Part two nodes",
    dependencies=[needs("write")],
    responses=GONE,
)
def delete_relation(
    type: Annotated[Name, Query(examples=["HAS_GENRE"])],
    head_id: Annotated[Id, Query(examples=["50"])],
    tail_id: Annotated[Id, Query(examples=["Genre:Comedy"])],
    writes: UseWrites,
) -> Response:
    """The ids go in the query. Nothing changes when they were not joined."""
    writes.delete_relation(type, head_id, tail_id)
    return Response(status_code=204)
