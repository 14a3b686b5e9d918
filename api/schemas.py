"""What requests hold. Unknown fields are refused, and so are values of the wrong type: nothing is guessed."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from api.types import LANG, WITHOUT, Id, Time
from domain.records import Properties
from recommend.request import MAX_ITEM_IDS, MAX_N, MAX_PREFERENCES, MAX_SESSION, MAX_WITHOUT

MAX_EVENTS = 1_000
MAX_RELATIONS = 1_000
MAX_PROPERTIES = 100
MAX_TEXT = 10_000
INT64 = 2**63


def _storable(properties: Properties) -> Properties:
    """Raises: PydanticCustomError for a whole number that the graph cannot hold or a text of more than 10,000."""
    for name, value in properties.items():
        if isinstance(value, int) and not -INT64 <= value < INT64:
            raise PydanticCustomError("out_of_range", "{name} does not fit in 64 bits", {"name": name[:100]})
        texts = value if isinstance(value, list) else [value]
        if any(isinstance(text, str) and len(text) > MAX_TEXT for text in (*texts, name)):
            raise PydanticCustomError("too_long", "{name} is longer than 10,000", {"name": name[:100]})
    return properties


Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
Language = Annotated[str, Field(max_length=16)]
Name = Annotated[str, Field(min_length=1, max_length=256)]
Values = Annotated[Properties, Field(max_length=MAX_PROPERTIES), AfterValidator(_storable)]
OPT_OUT_TEXT = "True: popular lists, nothing made of what the user does, and no part in training."
LENGTH = "Length of the list. Left out: 10, or all of item_ids."
N = Annotated[int, Field(ge=1, le=MAX_N, description=LENGTH)]
Dial = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(gt=0, le=1e6)]


class Body(BaseModel):
    """Base of all request bodies."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class ShortRequest(Body):
    """A user, and what to rank for them."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"user_id": "196", "n": 5}, {"user_id": "196", "item_ids": ["50", "242"]}]}
    )

    user_id: Id
    item_ids: list[Id] | None = Field(
        default=None, max_length=MAX_ITEM_IDS, description="Rank exactly these. Left out: the best of everything."
    )
    n: N | None = Field(default=None, description=LENGTH)
    lang: Language | None = Field(default=None, description=LANG)


def _or_item_id(schema: dict[str, Any]) -> None:
    """A session item may be given as the item's id alone."""
    described = dict(schema)
    schema.clear()
    schema["description"] = described.pop("description")
    schema["anyOf"] = [described, {"type": "string", "minLength": 1, "maxLength": 256}]


class SessionItem(Body):
    """Something that a visitor did a moment ago, or just the item's id. Used for this answer, never stored."""

    model_config = ConfigDict(json_schema_extra=_or_item_id)

    item_id: Id
    kind: Name | None = Field(default=None, description="A declared kind of event. Left out: a plain pick.")
    value: float | None = None
    at: Time | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_id(cls, value: object) -> object:
        return {"item_id": value} if isinstance(value, (str, int)) else value


class StatedTaste(Body):
    """An entity that someone says they like."""

    entity_id: Id
    weight: Weight = 1.0


class MaxPerEntityIn(Body):
    """At most so many items of each entity of a type."""

    type: Name = Field(description="A label, such as Director.")
    max: int = Field(ge=1, le=MAX_N)


class RecommendationRequest(Body):
    """The full form. Exactly one of user_id, session and preferences."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"user_id": "196", "n": 5, "exclude_seen": False},
                {"session": ["50", {"item_id": "181", "kind": "view"}], "n": 5},
                {"preferences": [{"entity_id": "Genre:Comedy"}, {"entity_id": "Genre:Crime", "weight": 2}], "n": 5},
            ]
        }
    )

    user_id: Id | None = Field(default=None, description="A user. One that is not known gets a popular list.")
    session: list[SessionItem] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_SESSION,
        description="A visitor's items, oldest first: ids, or `{item_id, kind, value, at}`. Nothing is stored.",
    )
    preferences: list[StatedTaste] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_PREFERENCES,
        description="Stated tastes: `{entity_id, weight}`; the weight is 1 unless given.",
    )
    n: N | None = Field(default=None, description=LENGTH)
    item_ids: list[Id] | None = Field(
        default=None, max_length=MAX_ITEM_IDS, description="Rank exactly these. Left out: the best of everything."
    )
    context_item_id: Id | None = Field(default=None, description="The item that is being looked at.")
    item_kind: Name | None = Field(default=None, description="Only items of this kind.")
    filter: dict[str, Any] | None = Field(
        default=None,
        description='`{"field", "op", "value"}`, or `{"and": [...]}`, `{"or": [...]}`, `{"not": ...}` around filters.',
        examples=[{"field": "item_kind", "op": "eq", "value": "movie"}],
    )
    query: Name | None = Field(
        default=None, description="Only items that this text finds, by names. Not with item_ids."
    )
    placement: Name | None = Field(default=None, description="Where the list is shown, for rules that ask for it.")
    diversity: Dial | None = Field(default=None, description="0: the best items. 1: items as unlike as can be.")
    calibration: Dial | None = Field(default=None, description="0: the best items. 1: the mix of the user's own items.")
    max_per_entity: MaxPerEntityIn | None = Field(default=None, description="Not with item_ids.")
    exclude_seen: bool = Field(default=True, description="False: also what the user has had, to buy again.")
    strict: bool = Field(default=False, description="True: 404 for an unknown user instead of a popular list.")
    include: list[Literal["reasons"]] = Field(
        default=["reasons"], max_length=1, description="What comes with the items. `[]`: no reasons, which is faster."
    )
    lang: Language | None = Field(default=None, description=LANG)
    without: list[Id] = Field(default_factory=list[str], max_length=MAX_WITHOUT, description=WITHOUT)


class EventIn(Body):
    """Something that a user did with an item."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"event_id": "web-1", "user_id": "196", "item_id": "50", "kind": "rate", "value": 5},
                {"user_id": "196", "item_id": "181", "kind": "view", "at": "2026-11-24T09:30:00+01:00"},
            ]
        }
    )

    event_id: Id | None = Field(
        default=None,
        description="Makes a repeated post count once. Left out: the server makes one.",
    )
    user_id: Id
    item_id: Id
    kind: Name = Field(description="A declared kind of event, such as view, purchase or rate.")
    at: Time | None = Field(default=None, description="When, with a zone. Left out: now.")
    value: float | None = Field(default=None, ge=-1e12, le=1e12, description="The rating of a `rate` event, and so on.")
    session_id: Id | None = None
    recommendation_id: Name | None = Field(default=None, description="The list that led to it.")
    position: int | None = Field(default=None, ge=1, le=1_000_000, description="The rank that was clicked.")


_EVENT: dict[str, JsonValue] = {"$ref": "#/components/schemas/EventIn"}
_EVENT_LIST: dict[str, JsonValue] = {"type": "array", "minItems": 1, "maxItems": MAX_EVENTS, "items": _EVENT}
_EVENT_BATCH: dict[str, JsonValue] = {
    "type": "object",
    "properties": {"events": _EVENT_LIST},
    "required": ["events"],
    "additionalProperties": False,
}
EVENTS_SCHEMA: dict[str, JsonValue] = {"anyOf": [_EVENT_BATCH, _EVENT_LIST, _EVENT]}


class RelationIn(Body):
    """A relation of a declared type to a node."""

    type: Name
    entity_id: Id = Field(description="The id at the other end.")
    weight: Weight | None = None


Relations = Annotated[list[RelationIn], Field(max_length=MAX_RELATIONS)]


class ItemIn(Body):
    """The whole item: what is not named is removed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Toy Story 4",
                    "item_kind": "movie",
                    "relations": [{"type": "HAS_GENRE", "entity_id": "Genre:Animation"}],
                }
            ]
        }
    )

    name: Text
    item_kind: Name = "item"
    available: bool = True
    created_at: Time | None = None
    properties: Values = Field(default_factory=dict, description="Declared properties only.")
    relations: Relations = Field(default_factory=list[RelationIn])


class ItemPatch(Body):
    """The named fields change; properties are merged by name, and null removes one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"available": False}, {"name": "Heat (1995)"}]})

    name: Text | None = None
    item_kind: Name | None = None
    available: bool | None = None
    created_at: Time | None = None
    properties: Values | None = None
    relations: Relations | None = None


class UserIn(Body):
    """The whole user: what is not named is removed. What they did stays: that is events."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"preferences": [{"entity_id": "Genre:Comedy", "weight": 2}]}]}
    )

    properties: Values = Field(default_factory=dict, description="Declared properties only.")
    relations: Relations = Field(default_factory=list[RelationIn], description="Static profile, such as IN_AGE_BAND.")
    preferences: list[StatedTaste] = Field(default_factory=list[StatedTaste], max_length=MAX_PREFERENCES)
    follows: list[Id] = Field(default_factory=list[str], max_length=MAX_RELATIONS)
    opt_out: bool = Field(default=False, description=OPT_OUT_TEXT)


class UserPatch(Body):
    """The named fields change; properties are merged by name, and null removes one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"follows": ["7"]}]})

    properties: Values | None = None
    relations: Relations | None = None
    preferences: list[StatedTaste] | None = Field(default=None, max_length=MAX_PREFERENCES)
    follows: list[Id] | None = Field(default=None, max_length=MAX_RELATIONS)
    opt_out: bool | None = Field(default=None, description=OPT_OUT_TEXT)


class MergeIn(Body):
    """The visitor who turned out to be this user."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"from": "visitor-7"}]})

    from_id: Id = Field(alias="from", description="Their events and stated tastes become the user's.")


class EntityIn(Body):
    """An entity of a declared type."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Comedy"}]})

    name: Text | None = None


class RelationBody(Body):
    """One relation between two nodes that exist."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"type": "HAS_GENRE", "head_id": "50", "tail_id": "Genre:Comedy"}]}
    )

    type: Name
    head_id: Id
    tail_id: Id
    weight: Weight | None = None
