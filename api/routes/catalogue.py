"""The catalogue as a whole: finding things by name, what it may hold, and how healthy it is."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.auth import needs
from api.json import send
from api.openapi import READ, answers_with
from api.state import Use
from domain.answers import CatalogueHealth, SearchAnswer
from domain.declared import DeclaredTypes
from recommend.declared import declared_types
from recommend.search import KINDS, Kind

router = APIRouter(tags=["catalogue"], dependencies=[needs("read")])
Text = Annotated[str, Query(max_length=256, description="Words of a name, or an id. Left out: the best-known.")]
OfKind = Annotated[Kind | None, Query(description="Only these. Left out: items, entities and users.")]
Length = Annotated[int, Query(ge=1, le=100, description="At most so many of each kind.")]
Users = Annotated[int, Query(ge=1, le=1000, description="For so many users, evenly picked, lists are made.")]
Places = Annotated[int, Query(ge=1, le=100, description="Length of each list.")]


@router.get(
    "/v1/search",
    summary="Find users, items and entities by name",
    responses=answers_with(SearchAnswer, "Kind by kind, the best fit first.", *READ),
)
def search(services: Use, q: Text = "", kind: OfKind = None, n: Length = 10) -> Response:
    """Every word has to be in the name; case and accents make no difference. Users are found by their id.

    An entity without a name is found through its items. Answers from memory: as fresh as the next list.
    """
    found = services.recommender.search(q, KINDS if kind is None else (kind,), n)
    return send(SearchAnswer(query=q, found=found))


@router.get(
    "/v1/catalogue/types",
    summary="What the catalogue may hold",
    responses=answers_with(DeclaredTypes, "Entity types, relations, kinds of events, fields and segments.", *READ),
)
def types(services: Use) -> Response:
    """What a filter, a rule, an item or an event may name. What is sensitive is not told."""
    return send(declared_types(services.world.view()))


@router.get(
    "/v1/catalogue/health",
    summary="How healthy the catalogue is",
    responses=answers_with(CatalogueHealth, "Coverage, what is never shown, what joins everything.", *READ),
)
def catalogue_health(services: Use, users: Users = 200, n: Places = 10) -> Response:
    """Makes a list for each of so many users: up to a few seconds on a large catalogue. Nothing is recorded."""
    return send(services.recommender.catalogue_health(users, n))
