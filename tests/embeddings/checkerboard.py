"""A world in which taste is a pattern: users of even rows take items of even rows, users of odd rows those of odd rows.

Each user misses the items of their colour with (user + item) divisible by 5. Every item has one colour and one shape.
"""

import numpy as np

from domain.dataset_snapshot import snapshot_of
from domain.declarations import Declaration, EntityType, EventKind, RelationType
from domain.snapshot import Snapshot, object_column
from domain.tables import Dataset, EventTable, NodeTable, RelationTable

USERS, ITEMS, HOUR_MS = 60, 40, 3_600_000

DECLARATION = Declaration(
    name="checkerboard",
    entity_types=(
        EntityType(label="Colour", noun="colour", description="Even or odd."),
        EntityType(label="Shape", noun="shape", description="Five of them, the same for both colours."),
        EntityType(label="Secret", noun="secret", description="Never scored.", sensitive=True),
    ),
    relation_types=(
        RelationType(type="HAS_COLOUR", head="Item", tail="Colour", description="", same="colour", phrase="in"),
        RelationType(type="HAS_SHAPE", head="Item", tail="Shape", description="", same="shape", phrase="like a"),
        RelationType(type="HAS_SECRET", head="Item", tail="Secret", description="", same="secret", phrase="with"),
    ),
    event_kinds=(EventKind(name="take", verb="took", description="Took the item."),),
)


def missed(user: int, item: int) -> bool:
    return (user + item) % 5 == 0


def checkerboard() -> Snapshot:
    """Users u00 to u59, items i00 to i39: rows are numbers."""
    return snapshot_of(checkerboard_dataset())


def checkerboard_dataset() -> Dataset:
    """The same, as a source would bring it."""
    taken = [(u, i) for u in range(USERS) for i in range(ITEMS) if (u - i) % 2 == 0 and not missed(u, i)]
    rng = np.random.default_rng(1)
    items = object_column([f"i{item:02}" for item in range(ITEMS)])
    entities = {
        "Colour": ["Colour:even", "Colour:odd"],
        "Shape": [f"Shape:{shape}" for shape in range(5)],
        "Secret": ["Secret:a", "Secret:b"],
    }
    tails = {
        "HAS_COLOUR": [f"Colour:{'odd' if item % 2 else 'even'}" for item in range(ITEMS)],
        "HAS_SHAPE": [f"Shape:{item // 2 % 5}" for item in range(ITEMS)],
        "HAS_SECRET": [f"Secret:{'ab'[item % 2]}" for item in range(ITEMS)],
    }
    return Dataset(
        name="checkerboard",
        declaration=DECLARATION,
        users=NodeTable("User", object_column([f"u{user:02}" for user in range(USERS)])),
        items=NodeTable("Item", items, {"name": items, "item_kind": object_column(["square"] * ITEMS)}),
        entities=tuple(NodeTable(label, object_column(ids)) for label, ids in entities.items()),
        relations=tuple(
            RelationTable(kind.type, "Item", kind.tail, items, object_column(tails[kind.type]))
            for kind in DECLARATION.relation_types
        ),
        events=EventTable(
            event_ids=object_column([f"e{place}" for place in range(len(taken))]),
            user_ids=object_column([f"u{user:02}" for user, _ in taken]),
            item_ids=object_column([f"i{item:02}" for _, item in taken]),
            kinds=object_column(["take"] * len(taken)),
            values=np.full(len(taken), np.nan),
            at=np.array([user * 1_000 * HOUR_MS for user, _ in taken]) + rng.integers(0, HOUR_MS, len(taken)),
        ),
    )
