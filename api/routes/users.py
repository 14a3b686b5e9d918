"""Users: what is known of them, and what is stored."""

from fastapi import APIRouter, Response

from api.auth import needs
from api.documents import UserOut
from api.json import StrictJsonRoute, send
from api.openapi import READ_ONE, WRITE, answers_with
from api.schemas import MergeIn, UserIn, UserPatch
from api.state import Use, UseWrites
from api.types import UserId
from api.views import user_out
from domain.answers import Profile
from domain.erasure import ErasureReceipt
from domain.person import PersonExport

router = APIRouter(route_class=StrictJsonRoute, tags=["users"])
STORED = answers_with(UserOut, "The user as stored.", *WRITE)


@router.get(
    "/v1/users/{user_id}",
    summary="A user's profile",
    dependencies=[needs("read")],
    responses=answers_with(Profile, "Static features, and features of what they did.", *READ_ONE),
)
def get_user(user_id: UserId, services: Use) -> Response:
    """What is known: stated, done, and near."""
    return send(services.recommender.profile(user_id))


@router.put(
    "/v1/users/{user_id}",
    summary="Make or replace a user",
    dependencies=[needs("write")],
    responses={**STORED, **answers_with(UserOut, "Made.", status=201)},
)
def put_user(user_id: UserId, body: UserIn, writes: UseWrites) -> Response:
    """Replaces static properties, relations, stated tastes and whom they follow. Events stay. Twice equals once."""
    created = writes.put_user(user_id, body)
    return send(user_out(writes.stored_user(user_id)), 201 if created else 200)


@router.patch("/v1/users/{user_id}", summary="Change a user", dependencies=[needs("write")], responses=STORED)
def patch_user(user_id: UserId, body: UserPatch, writes: UseWrites) -> Response:
    """The named fields change; properties are merged by name, and null removes one."""
    writes.patch_user(user_id, body)
    return send(user_out(writes.stored_user(user_id)))


@router.post(
    "/v1/users/{user_id}/merge",
    summary="A visitor turned out to be this user",
    dependencies=[needs("write")],
    responses=STORED,
)
def merge_user(user_id: UserId, body: MergeIn, writes: UseWrites) -> Response:
    """At login: the visitor's events and stated tastes become the user's, who is made if need be, and the visitor goes.

    Later events under the visitor's id begin a visitor anew; merge again to join those.
    """
    writes.merge_user(user_id, body.from_id)
    return send(user_out(writes.stored_user(user_id)))


@router.delete(
    "/v1/users/{user_id}",
    summary="Erase a person",
    dependencies=[needs("admin")],
    responses=answers_with(ErasureReceipt, "Store by store, when they are gone.", *READ_ONE, 507),
)
def erase_user(user_id: UserId, writes: UseWrites) -> Response:
    """Deletes everything about a person and refuses them from now on. It cannot be undone.

    Waits a moment for Neo4j. What says "gone by" is asked for again at `GET /v1/users/{user_id}/erasure`.
    """
    return send(writes.erase_user(user_id))


@router.get(
    "/v1/users/{user_id}/erasure",
    summary="Where an erasure stands",
    dependencies=[needs("admin")],
    responses=answers_with(ErasureReceipt, "Store by store, as it is now.", *READ_ONE),
)
def get_erasure(user_id: UserId, writes: UseWrites) -> Response:
    """The receipt of an erasure again: Neo4j and Redis are asked now. 404 for somebody who was not erased."""
    return send(writes.erasure_of(user_id))


@router.get(
    "/v1/users/{user_id}/export",
    summary="Everything held of a person",
    dependencies=[needs("admin")],
    responses=answers_with(PersonExport, "Store by store, as one document.", *READ_ONE, 410),
)
def export_user(user_id: UserId, writes: UseWrites) -> Response:
    """Profile, stated tastes, every event and record, dead letters, what the graph holds, answers given.

    Reads the whole log: seconds for millions of records.
    """
    return send(writes.export_user(user_id))
