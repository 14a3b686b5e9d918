"""What kinds of entities, relations and events a graph holds, declared once.

Constraints, documentation, the Cypher checks, the event weights and the texts of reasons read these declarations.
A source brings its own; it is stored in the graph, in each snapshot and in each model artifact.
"""

import hashlib
import re
from functools import cached_property

import msgspec

from domain.errors import InvalidMapping

OPT_OUT = "opt_out"  # a property that every user may have: true, and nothing is made of what they do
IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
RESERVED_LABELS = frozenset({"User", "Item", "Entity", "Model", "Clew", "Rule", "RuleVersion"})
RESERVED_RELATIONS = frozenset({"INTERACTED", "FOLLOWS", "PREFERS"})


class EntityType(msgspec.Struct, frozen=True, kw_only=True):
    """A label that entities carry beside :Entity. `noun` is used in texts: "director", "genre"."""

    label: str
    noun: str
    description: str
    sensitive: bool = False


class RelationType(msgspec.Struct, frozen=True, kw_only=True):
    """A relationship type and what it joins. `head` and `tail` are "User", "Item" or an entity label.

    `same` completes "Same ___ as Pulp Fiction" ("director"); `phrase` goes with the entity's name ("directed by").
    """

    type: str
    head: str
    tail: str
    description: str
    same: str
    phrase: str
    sensitive: bool = False


class EventKind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of event and what it says about taste.

    weight: 1 is a plain positive signal; 0 counts as seen only; below 0 counts against.
    steps: ((least_value, factor), ...) from high to low; the first whose least value is reached multiplies the weight.
        Without steps, the value plays no part. Below the last step the factor is 0.
    repeat: how several events of one user, item and kind add up: "newest" counts once, "count" grows with log(1 + n).
    verb: completes "which you ___": "bought", "rated {value}".
    hides_days: a negative event keeps the item out of the user's lists for so long. 0: it does not hide.
    fades: below 1, the item was only shown. That says nothing about taste and does not make it "seen", but each showing
        since the user's last event with the item multiplies its score by this.
    """

    name: str
    verb: str
    description: str
    weight: float = 1.0
    steps: tuple[tuple[float, float], ...] = ()
    repeat: str = "newest"
    hides_days: float = 0.0
    fades: float = 1.0

    @property
    def is_impression(self) -> bool:
        """Whether it tells that an item was shown, and not what the user did with it."""
        return self.fades < 1


class Property(msgspec.Struct, frozen=True, kw_only=True):
    """A property of users or items beyond those every user and item has."""

    name: str
    description: str
    sensitive: bool = False


class Declaration(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Everything a graph is declared to hold. Order matters: the place in a tuple is the type's code in a snapshot."""

    name: str
    entity_types: tuple[EntityType, ...] = ()
    relation_types: tuple[RelationType, ...] = ()
    event_kinds: tuple[EventKind, ...] = ()
    user_properties: tuple[Property, ...] = ()
    item_properties: tuple[Property, ...] = ()

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that change with any part of the declaration."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]

    @cached_property
    def entity_code(self) -> dict[str, int]:
        return {kind.label: code for code, kind in enumerate(self.entity_types)}

    @cached_property
    def relation_code(self) -> dict[str, int]:
        return {kind.type: code for code, kind in enumerate(self.relation_types)}

    @cached_property
    def event_code(self) -> dict[str, int]:
        return {kind.name: code for code, kind in enumerate(self.event_kinds)}

    def check(self) -> None:
        """Raises: InvalidMapping for names that are no identifiers, are reserved, double, or name an unknown label."""
        labels = [kind.label for kind in self.entity_types]
        types = [kind.type for kind in self.relation_types]
        for name in labels + types + [kind.name for kind in self.event_kinds]:
            if not IDENTIFIER.match(name):
                raise InvalidMapping(f"{name!r} must be letters, digits and _, and begin with a letter", field=name)
        for names, reserved, what in ((labels, RESERVED_LABELS, "label"), (types, RESERVED_RELATIONS, "relation")):
            for name in names:
                if name in reserved:
                    raise InvalidMapping(f"the {what} {name} is Clew's own; choose another name", field=name)
                if names.count(name) > 1:
                    raise InvalidMapping(f"the {what} {name} is declared twice", field=name)
        known = {"User", "Item", *labels}
        for kind in self.relation_types:
            for end in (kind.head, kind.tail):
                if end not in known:
                    raise InvalidMapping(f"relation {kind.type} joins {end}, which is not declared", field=kind.type)


COMMON_EVENT_KINDS = (
    EventKind(name="view", verb="viewed", description="Opened the item's page.", weight=0.3, repeat="count"),
    EventKind(name="cart", verb="put in your basket", description="Put the item in a basket.", weight=0.6),
    EventKind(name="purchase", verb="bought", description="Bought the item.", weight=1.0, repeat="count"),
    EventKind(
        name="rate",
        verb="rated {value}",
        description="Gave 0.5 to 5 stars; 4 and more count for the item, the rest as seen only.",
        steps=((5.0, 1.0), (4.0, 0.8)),
    ),
    EventKind(name="like", verb="liked", description="Marked the item as liked.", weight=1.0),
    EventKind(name="share", verb="shared", description="Sent the item to others.", weight=1.0, repeat="count"),
    EventKind(name="enrol", verb="enrolled in", description="Joined the course or group.", weight=1.0),
    EventKind(name="skip", verb="skipped", description="Passed over the item.", weight=-0.2, hides_days=7),
    EventKind(name="dislike", verb="disliked", description="Marked the item as disliked.", weight=-1.0, hides_days=365),
    EventKind(name="return", verb="sent back", description="Returned a purchase.", weight=-0.7, hides_days=90),
    EventKind(
        name="impression",
        verb="were shown",
        description="The item was in a list that the user saw; ignored ones fade.",
        weight=0.0,
        repeat="count",
        fades=0.9,
    ),
)
