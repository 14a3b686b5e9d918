"""Newly loaded data under a model that was trained before it: old rows keep their meaning, new items are scored."""

from dataclasses import replace

import numpy as np
import pytest

from domain.dataset_snapshot import snapshot_of
from domain.declarations import EntityType, RelationType
from domain.records import Event
from domain.snapshot import GONE, Snapshot, object_column, without_people
from domain.tables import Dataset, EventTable, NodeTable, RelationTable
from recommend.align import aligned
from recommend.world import World
from tests.recommend.small_model import crowded_dataset, small_artifact


class Records:
    """A log in memory, of a few records."""

    def __init__(self, *records: Event) -> None:
        self._records = list(enumerate(records, start=1))

    def read(self, after: int, limit: int = 1_000) -> list[tuple[int, Event]]:
        return [(offset, record) for offset, record in self._records if offset > after][:limit]

    def last_offset(self) -> int:
        return len(self._records)


def grown(dataset: Dataset) -> Dataset:
    """As a second source leaves the graph: a type before the old ones, and ids that sort before the old ones."""
    colour = EntityType(label="Colour", noun="colour", description="What colour it has.")
    has = RelationType(
        type="HAS_COLOUR", head="Item", tail="Colour", description="Its colour.", same="colour", phrase="in"
    )
    more = replace_types(dataset, colour, has)
    items, users, events = dataset.items, dataset.users, dataset.events
    directed = next(relation for relation in dataset.relations if relation.type == "DIRECTED_BY")
    others = tuple(relation for relation in dataset.relations if relation.type != "DIRECTED_BY")
    new_item = {"name": "A New Film", "item_kind": "film", "available": True, "created_at": None}
    return replace(
        dataset,
        declaration=more,
        users=NodeTable("User", _more(users.ids, "aaron"), {n: _more(c, None) for n, c in users.properties.items()}),
        items=NodeTable(
            "Item", _more(items.ids, "aaa"), {n: _more(c, new_item.get(n)) for n, c in items.properties.items()}
        ),
        entities=(
            NodeTable("Colour", object_column(["Colour:red"]), {"name": object_column(["red"])}),
            *dataset.entities,
        ),
        relations=(
            RelationTable("HAS_COLOUR", "Item", "Colour", object_column(["aaa"]), object_column(["Colour:red"]), None),
            replace(
                directed,
                heads=_more(directed.heads, "aaa"),
                tails=_more(directed.tails, "Director:tarantino"),
            ),
            *others,
        ),
        events=replace(
            events,
            event_ids=_more(events.event_ids, "later"),
            user_ids=_more(events.user_ids, "aaron"),
            item_ids=_more(events.item_ids, "pulp"),
            kinds=_more(events.kinds, "purchase"),
            values=np.append(events.values, np.nan),
            at=np.append(events.at, events.at.max()),
        ),
    )


def replace_types(dataset: Dataset, entity: EntityType, relation: RelationType):
    import msgspec

    declared = dataset.declaration
    return msgspec.structs.replace(
        declared,
        entity_types=(entity, *declared.entity_types),
        relation_types=(relation, *declared.relation_types),
        event_kinds=tuple(reversed(declared.event_kinds)),
    )


def _more(column: np.ndarray, value: object) -> np.ndarray:
    return object_column([*column.tolist(), value])


@pytest.fixture
def newer() -> Snapshot:
    return snapshot_of(grown(crowded_dataset()))


def test_rows_and_codes_of_the_trained_snapshot_come_first(newer: Snapshot) -> None:
    trained = small_artifact().snapshot
    moved = aligned(newer, trained)
    assert moved.item_ids.tolist() == [*trained.item_ids.tolist(), "aaa"]
    assert moved.user_ids.tolist() == [*trained.user_ids.tolist(), "aaron"]
    assert moved.entity_ids.tolist() == [*trained.entity_ids.tolist(), "Colour:red"]
    count = len(trained.declaration.relation_types)
    assert [kind.type for kind in moved.declaration.relation_types] == [
        *(kind.type for kind in trained.declaration.relation_types),
        "HAS_COLOUR",
    ]
    assert moved.declaration.relation_code["HAS_COLOUR"] == count
    assert moved.declaration.event_kinds == trained.declaration.event_kinds
    labels = [moved.declaration.entity_types[code].label for code in moved.entity_types]
    assert labels == [entity.partition(":")[0] for entity in moved.entity_ids]


def test_every_event_is_the_same_event_afterwards(newer: Snapshot) -> None:
    def told(snapshot: Snapshot) -> set[tuple[object, ...]]:
        events = snapshot.interactions
        kinds = [snapshot.declaration.event_kinds[code].name for code in events.kinds]
        people, items = snapshot.user_ids[events.user_rows], snapshot.item_ids[events.item_rows]
        return set(zip(people, items, kinds, np.nan_to_num(events.values).tolist(), events.at.tolist(), strict=True))

    moved = aligned(newer, small_artifact().snapshot)
    assert told(moved) == told(newer)
    assert np.all(np.diff(moved.interactions.user_rows) >= 0)


def test_what_is_gone_keeps_its_row_and_is_found_by_nobody() -> None:
    trained = small_artifact().snapshot
    world = crowded_dataset()
    keep = [place for place, user in enumerate(world.events.user_ids) if user != "c1"]
    events = replace(
        world.events,
        **{name: getattr(world.events, name)[keep] for name in ("event_ids", "user_ids", "item_ids", "kinds")},
        values=world.events.values[keep],
        at=world.events.at[keep],
    )
    left = [place for place, user in enumerate(world.users.ids) if user != "c1"]
    users = NodeTable("User", world.users.ids[left], {n: c[left] for n, c in world.users.properties.items()})
    moved = aligned(snapshot_of(replace(world, users=users, events=events)), trained)
    assert moved.user_ids[trained.user_row["c1"]] == ""
    assert "c1" not in moved.user_row
    assert not np.any(moved.interactions.user_rows == trained.user_row["c1"])


def test_a_bulk_load_shows_while_the_model_stays(newer: Snapshot) -> None:
    """The new film has Tarantino's vector and features; the scores of the old films do not move."""
    later = Event(event_id="x", user_id="aaron", item_id="dogs", kind="purchase", at=int(newer.interactions.at.max()))
    artifact = small_artifact()
    world = World(Records(later), artifact=artifact)
    before = world.view()
    assert before.scorer is not None
    assert before.profiles.get("ann") is not None
    world.adopt(world.beside(snapshot=newer))
    view = world.view()
    assert view.scorer is not None
    assert (view.model_version, view.catalogue.item_names[-1]) == ("small", "A New Film")
    assert view.scorer.item_ids == view.catalogue.item_ids.tolist()
    row = view.profiles.get("ann").user_row  # type: ignore[union-attr]
    old = before.scorer.score(before.scorer.weigh(before.histories[row])).total
    new = view.scorer.score(view.scorer.weigh(view.histories[row]))
    assert np.allclose(new.total[: len(old)], old)
    assert new.entity[-1] > 0  # Tarantino's pulp and dogs
    aaron = view.profiles.get("aaron")
    assert aaron is not None
    assert [event.item_id for event in aaron.events] == ["dogs"]
    assert len(view.histories[aaron.user_row]) == 1  # pulp, of the load
    assert view.people.vectors.shape[0] == len(view.snapshot.user_ids)


def test_a_world_goes_on_with_what_another_was_made_ready_with() -> None:
    log = Records(Event(event_id="x", user_id="zoe", item_id="pulp", kind="view", at=1_600_000_000_000))
    world = World(log)
    fresh = world.beside(artifact=small_artifact())
    assert world.model_version is None
    world.adopt(fresh)
    assert (world.model_version, world.offset) == ("small", 1)
    assert world.view().profiles.get("zoe") is not None


def test_erased_rows_of_a_model_stay_empty_when_new_people_come() -> None:
    trained, _ = without_people(snapshot_of(crowded_dataset()), ("ann", "c1"))
    rows = np.flatnonzero(trained.user_ids == GONE)
    assert len(rows) == 2
    dataset = crowded_dataset()
    ids = ["zoe" if value == "c1" else value for value in dataset.users.ids if value != "ann"]
    users = replace(dataset.users, ids=object_column(ids), properties={"country": object_column([None] * len(ids))})
    newer = snapshot_of(replace(dataset, users=users, relations=(), events=_without_events(dataset)))
    found = aligned(newer, trained)
    assert found.user_ids[: len(trained.user_ids)].tolist() == trained.user_ids.tolist()
    assert found.user_ids[len(trained.user_ids) :].tolist() == ["zoe"]


def _without_events(dataset: Dataset) -> EventTable:
    events = dataset.events
    names = ("event_ids", "user_ids", "item_ids", "kinds", "values", "at")
    return EventTable(*(getattr(events, name)[:0] for name in names))
