"""A request as rules see it. What costs something is found when a rule first asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from recommend.nearby import near_entities
from recommend.request import RecommendRequest
from recommend.segments import segment_of
from recommend.subject import Subject
from recommend.words import words_of
from recommend.world import View

NEAREST = 10  # entities that count as near to a user


@dataclass(frozen=True)
class Situation:
    """What rules may ask of a request."""

    view: View
    subject: Subject
    request: RecommendRequest
    now_ms: int

    @property
    def placement(self) -> str | None:
        return self.request.placement

    @property
    def context_item_id(self) -> str | None:
        return self.request.context_item_id

    @cached_property
    def segment(self) -> str:
        return segment_of(len({deed.item_row for deed in self.subject.deeds if deed.source != "context"}))

    @property
    def profile(self) -> Mapping[str, object]:
        """Nothing of a user who opted out."""
        record = self.subject.record
        return record.properties if record is not None and not record.is_opted_out else {}

    @cached_property
    def stated(self) -> frozenset[str]:
        return frozenset(self.view.catalogue.entity_ids[taste.entity_row] for taste in self.subject.tastes)

    @cached_property
    def near(self) -> frozenset[str]:
        rows, _ = near_entities(self.view, self.subject, NEAREST)
        return frozenset(self.view.catalogue.entity_ids[row] for row in rows)

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(words_of(self.request.query or ""))

    @cached_property
    def context_entities(self) -> frozenset[str]:
        catalogue = self.view.catalogue
        row = catalogue.item_rows.get(self.context_item_id or "")
        links = () if row is None else catalogue.knowledge.of_left(row)
        return frozenset(catalogue.entity_ids[entity] for _, entity in links)
