"""Items of the catalogue."""

from fastapi import APIRouter, Response

from api.auth import needs
from api.documents import ItemOut
from api.json import StrictJsonRoute, send
from api.openapi import READ_ONE, WRITE, answers_with, problems_of
from api.schemas import ItemIn, ItemPatch
from api.state import UseWrites
from api.types import ItemId
from api.views import item_out

router = APIRouter(route_class=StrictJsonRoute, tags=["items"])
STORED = answers_with(ItemOut, "The item as stored.", *WRITE)


@router.get(
    "/v1/items/{item_id}",
    summary="An item",
    dependencies=[needs("read")],
    responses=answers_with(ItemOut, "The item.", *READ_ONE),
)
def get_item(item_id: ItemId, writes: UseWrites) -> Response:
    """Its fields and its relations, in the form that PUT takes."""
    return send(item_out(writes.stored_item(item_id)))


@router.put(
    "/v1/items/{item_id}",
    summary="Make or replace an item",
    dependencies=[needs("write")],
    responses={**STORED, **answers_with(ItemOut, "Made.", status=201)},
)
def put_item(item_id: ItemId, body: ItemIn, writes: UseWrites) -> Response:
    """What is not named is removed. A new item gets its vector from its relations: it can be recommended at once."""
    created = writes.put_item(item_id, body)
    return send(item_out(writes.stored_item(item_id)), 201 if created else 200)


@router.patch("/v1/items/{item_id}", summary="Change an item", dependencies=[needs("write")], responses=STORED)
def patch_item(item_id: ItemId, body: ItemPatch, writes: UseWrites) -> Response:
    """The named fields change; properties are merged by name, and null removes one."""
    writes.patch_item(item_id, body)
    return send(item_out(writes.stored_item(item_id)))


@router.delete(
    "/v1/items/{item_id}",
    status_code=204,
    summary="Retire an item",
    dependencies=[needs("write")],
    responses={204: {"description": "It is no longer recommended."}, **problems_of(*READ_ONE, 507)},
)
def retire_item(item_id: ItemId, writes: UseWrites) -> Response:
    """Sets `available` to false. Its history stays, and PUT or PATCH brings it back."""
    writes.retire_item(item_id)
    return Response(status_code=204)
