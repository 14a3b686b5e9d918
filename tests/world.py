"""A hand-written world of films: 8 users, 12 items, 12 entities, 40 events. Small enough to work out answers on paper.

ann, bob     crime and Tarantino; ann is followed by bob and hal
cid, dee     science fiction and Scott
eve          action and Willis
fay          no events; stated tastes: Tarantino (weight 2) and science fiction (weight 1)
gus          no events; only a static profile: age band 20-29, like ann and bob
hal          no events, no profile; follows ann
jackie       a film without events, with a director and a genre
blank        a film without anything
armageddon   no longer available
Actor:x1     a person without a name, in dogs and heat
Genre:romance is joined to nothing
"""

import numpy as np

from domain.declarations import COMMON_EVENT_KINDS, Declaration, EntityType, Property, RelationType
from domain.snapshot import object_column
from domain.tables import Dataset, EventTable, NodeTable, RelationTable

DAY_MS = 86_400_000
START_MS = 1_577_836_800_000  # 2020-01-01T00:00:00Z; event at day d: START_MS + d * DAY_MS

DECLARATION = Declaration(
    name="world",
    entity_types=(
        EntityType(label="Director", noun="director", description="Who made a film."),
        EntityType(label="Actor", noun="actor", description="Who plays in a film."),
        EntityType(label="Genre", noun="genre", description="What kind of film it is."),
        EntityType(label="AgeBand", noun="age", description="Years of age, in bands."),
    ),
    relation_types=(
        RelationType(
            type="DIRECTED_BY",
            head="Item",
            tail="Director",
            description="Who made the film.",
            same="director",
            phrase="directed by",
        ),
        RelationType(
            type="ACTED_BY",
            head="Item",
            tail="Actor",
            description="Who plays in the film.",
            same="actor",
            phrase="with",
        ),
        RelationType(
            type="HAS_GENRE",
            head="Item",
            tail="Genre",
            description="What kind of film it is.",
            same="genre",
            phrase="of the genre",
        ),
        RelationType(
            type="SEQUEL_OF",
            head="Item",
            tail="Item",
            description="The film that it continues.",
            same="story",
            phrase="continues",
        ),
        RelationType(
            type="IN_AGE_BAND",
            head="User",
            tail="AgeBand",
            description="How old the user is.",
            same="age",
            phrase="aged",
        ),
    ),
    event_kinds=COMMON_EVENT_KINDS,
    user_properties=(Property(name="country", description="Where the user lives."),),
    item_properties=(
        Property(name="year", description="When the film came out."),
        Property(name="tags", description="Words that describe the film."),
    ),
)

USERS: dict[str, str | None] = {  # user id -> country
    "ann": "NL",
    "bob": "NL",
    "cid": "FR",
    "dee": None,
    "eve": "FR",
    "fay": None,
    "gus": "NL",
    "hal": None,
}
ITEMS: dict[str, tuple[str, int | None]] = {  # item id -> name, year
    "pulp": ("Pulp Fiction", 1994),
    "dogs": ("Reservoir Dogs", 1992),
    "kill": ("Kill Bill", 2003),
    "kill2": ("Kill Bill 2", 2004),
    "jackie": ("Jackie Brown", 1997),
    "diehard": ("Die Hard", 1988),
    "armageddon": ("Armageddon", 1998),
    "alien": ("Alien", 1979),
    "blade": ("Blade Runner", 1982),
    "thelma": ("Thelma & Louise", 1991),
    "heat": ("Heat", 1995),
    "blank": ("Untitled", None),
}
UNAVAILABLE = ("armageddon",)
ENTITIES: dict[str, str | None] = {  # entity id -> name
    "Director:tarantino": "Quentin Tarantino",
    "Director:scott": "Ridley Scott",
    "Director:mann": "Michael Mann",
    "Actor:willis": "Bruce Willis",
    "Actor:thurman": "Uma Thurman",
    "Actor:x1": None,
    "Genre:crime": "crime",
    "Genre:action": "action",
    "Genre:scifi": "science fiction",
    "Genre:romance": "romance",
    "AgeBand:20-29": "20 to 29",
    "AgeBand:50-59": "50 to 59",
}
RELATIONS: dict[str, tuple[tuple[str, str], ...]] = {  # type -> (head, tail) pairs
    "DIRECTED_BY": (
        ("pulp", "Director:tarantino"),
        ("dogs", "Director:tarantino"),
        ("kill", "Director:tarantino"),
        ("kill2", "Director:tarantino"),
        ("jackie", "Director:tarantino"),
        ("alien", "Director:scott"),
        ("blade", "Director:scott"),
        ("thelma", "Director:scott"),
        ("heat", "Director:mann"),
    ),
    "ACTED_BY": (
        ("pulp", "Actor:willis"),
        ("pulp", "Actor:thurman"),
        ("kill", "Actor:thurman"),
        ("kill2", "Actor:thurman"),
        ("diehard", "Actor:willis"),
        ("armageddon", "Actor:willis"),
        ("dogs", "Actor:x1"),
        ("heat", "Actor:x1"),
    ),
    "HAS_GENRE": (
        ("pulp", "Genre:crime"),
        ("dogs", "Genre:crime"),
        ("jackie", "Genre:crime"),
        ("thelma", "Genre:crime"),
        ("heat", "Genre:crime"),
        ("kill", "Genre:action"),
        ("kill2", "Genre:action"),
        ("diehard", "Genre:action"),
        ("armageddon", "Genre:action"),
        ("armageddon", "Genre:scifi"),
        ("alien", "Genre:scifi"),
        ("blade", "Genre:scifi"),
    ),
    "SEQUEL_OF": (("kill2", "kill"),),
    "IN_AGE_BAND": (
        ("ann", "AgeBand:20-29"),
        ("bob", "AgeBand:20-29"),
        ("gus", "AgeBand:20-29"),
        ("cid", "AgeBand:50-59"),
    ),
    "FOLLOWS": (("bob", "ann"), ("hal", "ann")),
    "PREFERS": (("fay", "Director:tarantino"), ("fay", "Genre:scifi")),
}
WEIGHTS: dict[str, tuple[float, ...]] = {"PREFERS": (2.0, 1.0)}
EVENTS: tuple[tuple[str, str, str, float | None, int], ...] = (  # user, item, kind, value, day; ids e01, e02, ...
    ("ann", "pulp", "rate", 5.0, 1),
    ("ann", "dogs", "rate", 5.0, 2),
    ("ann", "kill", "view", None, 3),
    ("ann", "kill", "rate", 4.0, 4),
    ("ann", "heat", "rate", 4.0, 5),
    ("ann", "heat", "view", None, 6),
    ("ann", "alien", "skip", None, 7),
    ("ann", "thelma", "purchase", None, 8),
    ("bob", "pulp", "rate", 5.0, 1),
    ("bob", "dogs", "rate", 4.0, 2),
    ("bob", "heat", "rate", 3.0, 3),
    ("bob", "heat", "rate", 5.0, 30),  # a second rating: the newest counts
    ("bob", "kill", "rate", 5.0, 5),
    ("bob", "kill2", "view", None, 6),
    ("bob", "thelma", "view", None, 7),
    ("bob", "pulp", "share", None, 8),
    ("cid", "alien", "rate", 5.0, 2),
    ("cid", "blade", "rate", 5.0, 3),
    ("cid", "armageddon", "rate", 4.0, 4),
    ("cid", "diehard", "rate", 3.0, 5),
    ("cid", "alien", "view", None, 6),
    ("cid", "alien", "view", None, 7),
    ("cid", "thelma", "like", None, 8),
    ("cid", "pulp", "view", None, 9),
    ("dee", "alien", "rate", 5.0, 3),
    ("dee", "blade", "rate", 4.0, 4),
    ("dee", "thelma", "like", None, 5),
    ("dee", "pulp", "rate", 2.0, 6),
    ("dee", "armageddon", "view", None, 7),
    ("dee", "blade", "view", None, 8),
    ("dee", "heat", "dislike", None, 9),
    ("eve", "diehard", "rate", 5.0, 4),
    ("eve", "armageddon", "rate", 5.0, 5),
    ("eve", "kill", "rate", 4.0, 6),
    ("eve", "kill2", "rate", 4.0, 7),
    ("eve", "pulp", "purchase", 9.5, 8),
    ("eve", "pulp", "purchase", 9.5, 9),
    ("eve", "diehard", "view", None, 10),
    ("eve", "kill2", "cart", None, 11),
    ("eve", "blade", "view", None, 12),
)


def world_dataset() -> Dataset:
    """The world as a source would bring it."""
    return Dataset(
        name="world",
        declaration=DECLARATION,
        users=NodeTable("User", object_column(list(USERS)), {"country": object_column(list(USERS.values()))}),
        items=_items(),
        entities=tuple(_entities(kind.label) for kind in DECLARATION.entity_types),
        relations=tuple(_relations(name) for name in RELATIONS),
        events=_events(),
    )


def world_event_id(number: int) -> str:
    """The id of EVENTS[number]."""
    return f"e{number + 1:02}"


def world_time(day: int) -> int:
    """Milliseconds since 1970 UTC at which an event of that day happened."""
    return START_MS + day * DAY_MS


def _items() -> NodeTable:
    created = [None if item == "blank" else START_MS for item in ITEMS]
    tags = [["cult", "90s"] if item == "pulp" else None for item in ITEMS]
    return NodeTable(
        "Item",
        object_column(list(ITEMS)),
        {
            "name": object_column([name for name, _ in ITEMS.values()]),
            "item_kind": object_column(["film"] * len(ITEMS)),
            "available": np.array([item not in UNAVAILABLE for item in ITEMS]),
            "created_at": object_column(created),
            "year": object_column([year for _, year in ITEMS.values()]),
            "tags": object_column(tags),
        },
    )


def _entities(label: str) -> NodeTable:
    chosen = [entity for entity in ENTITIES if entity.startswith(f"{label}:")]
    return NodeTable(label, object_column(chosen), {"name": object_column([ENTITIES[entity] for entity in chosen])})


def _relations(name: str) -> RelationTable:
    declared = {kind.type: (kind.head, kind.tail) for kind in DECLARATION.relation_types}
    ends = {**declared, "FOLLOWS": ("User", "User"), "PREFERS": ("User", "Entity")}[name]
    weights = np.array(WEIGHTS[name], dtype=np.float32) if name in WEIGHTS else None
    heads, tails = zip(*RELATIONS[name], strict=True)
    return RelationTable(name, *ends, object_column(heads), object_column(tails), weights)


def _events() -> EventTable:
    users, items, kinds, values, days = zip(*EVENTS, strict=True)
    return EventTable(
        event_ids=object_column([world_event_id(number) for number in range(len(EVENTS))]),
        user_ids=object_column(users),
        item_ids=object_column(items),
        kinds=object_column(kinds),
        values=np.array([np.nan if value is None else value for value in values]),
        at=np.array([world_time(day) for day in days], dtype=np.int64),
        session_ids=object_column([f"s-{user}" if user == "ann" else None for user in users]),
    )
