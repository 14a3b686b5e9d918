"""Merchandising rules as requests hold them."""

from typing import Annotated, Any

import msgspec
from pydantic import ConfigDict, Field

from api.schemas import Body, Name
from api.types import Id, Time
from domain.rules import Effect, Rule

MAX_LIST = 1_000
MAX_USERS = 20
Names = Annotated[list[Name], Field(max_length=100)]
Ids = Annotated[list[Id], Field(max_length=MAX_LIST)]
Value = str | int | float | bool


class TimesIn(Body):
    """Hours of a place. Local times, without a zone, because `zone` says which."""

    zone: Name = Field(description="Of the IANA database, such as Europe/Amsterdam.")
    from_: Name | None = Field(default=None, alias="from", description="Local time, such as 2026-12-01T00:00.")
    until: Name | None = Field(default=None, description="Local time at which it no longer holds.")
    weekdays: Annotated[list[Name], Field(max_length=7, description="mon, tue, wed, thu, fri, sat, sun.")] = Field(
        default_factory=list[str]
    )
    hours: Annotated[list[Name], Field(min_length=2, max_length=2)] | None = Field(
        default=None, description='["18:00", "23:00"]: from the first to before the second, each day.'
    )


class ConditionIn(Body):
    """All that is given has to hold; of a list, one entry is enough. Nothing: the rule always holds."""

    placements: Names = Field(default_factory=list[str], description="Where the list is shown, as requests say.")
    segments: Names = Field(
        default_factory=list[str], description="How active the user is: new, beginner, regular, heavy."
    )
    profile: Annotated[dict[str, Annotated[list[Value], Field(max_length=100)]], Field(max_length=20)] = Field(
        default_factory=dict[str, list[Value]], description="Property of the user -> values."
    )
    entities: Ids = Field(default_factory=list[str], description="A stated taste, or one of the ten nearest entities.")
    queries: Names = Field(
        default_factory=list[str], description="All words of one of them are in the request's query."
    )
    context_items: Ids = Field(default_factory=list[str], description="The item that is being looked at.")
    context_entities: Ids = Field(
        default_factory=list[str], description="An entity of the item that is being looked at."
    )
    times: TimesIn | None = None


class TargetIn(Body):
    """Items: those that all given parts say."""

    item_ids: Ids = Field(default_factory=list[str])
    filter: dict[str, Any] | None = Field(default=None, description="As in a request for a list.")
    path: Annotated[list[Name], Field(max_length=2)] = Field(
        default_factory=list[str], description="One or two relation types that lead from the item to `to`, either way."
    )
    to: Id | None = Field(default=None, description="The entity or item where the path ends.")


class ConsequenceIn(Body):
    """What the rule does, and the fields that go with that."""

    effect: Effect
    target: TargetIn | None = Field(default=None, description="For boost, bury, hide, filter_in and filter_out.")
    item_id: Id | None = Field(default=None, description="For pin.")
    position: int | None = Field(default=None, ge=1, le=1_000, description="For pin: the place in the list, from 1.")
    factor: float | None = Field(default=None, ge=1, le=1e6, description="For boost and bury: ± ln(factor) · σ.")
    entity_type: Name | None = Field(default=None, description="For cap: a label, such as Director.")
    most: int | None = Field(default=None, ge=1, le=1_000, description="For cap: items of each entity of the type.")
    entity_id: Id | None = Field(default=None, description="For min_share.")
    share: float | None = Field(default=None, gt=0, le=1, description="For min_share: of the places of the list.")


class ValidityIn(Body):
    """When the rule holds at all; outside of it, it is as if it were not there."""

    from_: Time | None = Field(default=None, alias="from")
    until: Time | None = None


class RuleIn(Body):
    """The whole rule: what is not named is removed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "description": "Christmas films on the front page",
                    "condition": {
                        "placements": ["home"],
                        "times": {"zone": "Europe/Amsterdam", "from": "2026-12-01T00:00", "until": "2027-01-01T00:00"},
                    },
                    "consequence": {
                        "effect": "boost",
                        "factor": 2,
                        "target": {"path": ["HAS_GENRE"], "to": "Genre:Comedy"},
                    },
                },
                {"consequence": {"effect": "pin", "item_id": "50", "position": 1}, "priority": 10},
                {"consequence": {"effect": "cap", "entity_type": "Genre", "most": 3}},
            ]
        }
    )

    consequence: ConsequenceIn
    condition: ConditionIn = Field(default_factory=ConditionIn)
    description: str = Field(default="", max_length=1_000)
    author: Name | None = Field(default=None, description="Who thought of it.")
    enabled: bool = True
    priority: int = Field(default=0, ge=-1_000_000, le=1_000_000, description="Higher goes first.")
    validity: ValidityIn = Field(default_factory=ValidityIn)

    def as_rule(self) -> Rule:
        return msgspec.convert(self.model_dump(by_alias=True, exclude_none=True), Rule)


class PreviewIn(Body):
    """A draft, and whose lists to look at. Nothing is stored."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"rule": {"consequence": {"effect": "pin", "item_id": "50", "position": 1}}, "n": 5}]
        }
    )

    rule: RuleIn
    rule_id: Id = Field(default="draft", description="The rule that it would replace.")
    user_ids: Annotated[list[Id], Field(max_length=MAX_USERS)] | None = Field(
        default=None,
        description="Left out: five users of the last load, evenly spread, for whom the rule holds if it does for any.",
    )
    n: Annotated[int, Field(ge=1, le=100)] = 10
    placement: Name | None = None
    query: Name | None = None
    context_item_id: Id | None = None
    at: Time | None = Field(default=None, description="As if it were then. Left out: now.")
