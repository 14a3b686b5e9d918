"""Finding users, items and entities by what they are called, in the hand-written world."""

import dataclasses

import pytest
from msgspec.structs import replace

from domain.records import ItemPut, RelationEnd
from ingest.log import Log
from recommend.recommender import Recommender
from recommend.search import BEGINS, EXACT, INSIDE, WORDS, fit, folded
from recommend.world import World
from tests.recommend.small_model import small_artifact


@pytest.fixture
def recommender(world: World) -> Recommender:
    return Recommender(world, None)


@pytest.fixture
def sensitive_ages(log: Log) -> World:
    """The same world, where age bands are declared sensitive."""
    snapshot = small_artifact().snapshot
    types = [replace(kind, sensitive=kind.label == "AgeBand") for kind in snapshot.declaration.entity_types]
    declaration = replace(snapshot.declaration, entity_types=tuple(types))
    return World(log, snapshot=dataclasses.replace(snapshot, declaration=declaration))


def ids(recommender: Recommender, query: str, kind: str, n: int = 10) -> list[str]:
    return [found.id for found in recommender.search(query, (kind,), n)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "query", "how"),
    [
        ("kill bill", "kill bill", EXACT),
        ("kill bill 2", "kill", BEGINS),
        ("kill bill", "bill kill", WORDS),
        ("kill bill", "il", INSIDE),
        ("kill bill", "bill murray", None),
        ("kill bill", "", BEGINS),
    ],
)
def test_a_name_fits_the_better_the_more_of_its_start_it_shares(name: str, query: str, how: int | None) -> None:
    assert fit(name, query) == how


def test_case_and_accents_make_no_difference() -> None:
    assert folded("Amélie ÉTÉ") == "amelie ete"


def test_the_best_fit_comes_first_and_among_equals_what_more_people_took(recommender: Recommender) -> None:
    assert ids(recommender, "kill bill", "item") == ["kill", "kill2"]  # exact, then the beginning of a name
    assert ids(recommender, "R", "item")[0] == "dogs"  # Reservoir Dogs begins with it
    assert ids(recommender, "", "item", n=1) == ["pulp"]  # everybody took it


def test_an_id_is_found_as_it_is(recommender: Recommender) -> None:
    assert ids(recommender, "kill2", "item") == ["kill2"]
    assert ids(recommender, "Director:mann", "entity")[0] == "Director:mann"


def test_an_entity_without_a_name_is_found_through_its_items(recommender: Recommender) -> None:
    found = recommender.search("reservoir dogs", ("entity",), 10)
    assert [(one.id, one.name) for one in found] == [("Actor:x1", "the actor of Reservoir Dogs and Heat")]


def test_what_is_not_available_is_found_and_says_so(recommender: Recommender) -> None:
    (found,) = recommender.search("armageddon", ("item",), 10)
    assert found.available is False


def test_a_sensitive_entity_is_not_found(recommender: Recommender, sensitive_ages: World) -> None:
    assert ids(recommender, "20 to 29", "entity") == ["AgeBand:20-29"]
    assert ids(Recommender(sensitive_ages, None), "20 to 29", "entity") == []


def test_users_are_found_by_their_id_with_the_number_of_their_events(recommender: Recommender) -> None:
    (ann,) = recommender.search("ann", ("user",), 10)
    assert (ann.id, ann.count) == ("ann", 8)
    assert ids(recommender, "c", "user", n=2) == ["cid", "c1"]  # more events first
    assert ids(recommender, "nobody", "user") == []


def test_a_new_item_is_found_at_once(recommender: Recommender, log: Log) -> None:
    log.append(
        [
            ItemPut(
                item_id="new",
                name="Éloge",
                item_kind="film",
                available=True,
                created_at=None,
                properties={},
                relations=(RelationEnd(type="HAS_GENRE", entity_id="Genre:crime"),),
            )
        ]
    )
    assert ids(recommender, "eloge", "item") == ["new"]


def test_each_kind_has_its_own_length(recommender: Recommender) -> None:
    kinds = [found.kind for found in recommender.search("", n=2)]
    assert kinds == ["item", "item", "entity", "entity", "user", "user"]
