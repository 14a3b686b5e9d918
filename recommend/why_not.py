"""Why an item is not in a list: the first thing that kept it out, how far away it is, and what would bring it in."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from msgspec.structs import replace

from domain.why_not import Helper, StatedHelper, SupposedEvent, Together, WhyNot
from embeddings.weighting import DAY_MS
from recommend import texts
from recommend.adapt import weights_of
from recommend.drafts import iso_time
from recommend.ranking import Floats
from recommend.score import EntityTerm
from recommend.subject import Deed, Subject, strongest_kind
from recommend.supposing import Outcome, Supposing, pulls
from recommend.texts_why_not import why_not_text

MOST_HELPERS = 5  # shown of each kind
MOST_TRIED = 10  # lists that are made to find them, of each kind
MOST_TOGETHER = 5  # events that are supposed at once
BUDGET_S = 1.5
One = TypeVar("One", Helper, StatedHelper)
NEARLY = frozenset({"score", "no_evidence", "cap", "diversity"})  # what more evidence may change


def why_not(supposing: Supposing, subject: Subject, item_id: str, lang: str) -> WhyNot:
    """Answers for the list that the request asks for. lang: en or zh. Raises: InvalidRequest for the filter."""
    outcome = supposing.as_it_is(subject)
    row = supposing.view.catalogue.item_rows.get(item_id)
    return _Case(supposing, outcome, -1 if row is None else row, item_id, lang).answer()


@dataclass
class _Case:
    """One question. row: −1 for an item that does not exist."""

    supposing: Supposing
    outcome: Outcome
    row: int
    item_id: str
    lang: str
    deadline: float = field(default_factory=lambda: time.monotonic() + BUDGET_S)

    def answer(self) -> WhyNot:
        told = self._cause()
        if self.row < 0:
            return told
        scores = [self.outcome.score_of(row) for row in self.outcome.choice.item_rows]
        score, nth = self.outcome.score_of(self.row), min(scores, default=None)
        parts = {name: float(part[self.row]) for name, part in self.outcome.ranking.parts.items()}
        if self.outcome.choice.rules_part is not None:
            parts["rules"] = float(self.outcome.choice.rules_part[self.row])
        changed: dict[str, Any] = {"score": score, "nth_score": nth, "parts": parts}
        if told.code not in ("in_list", "unknown_item") and nth is not None:
            changed["gap"] = nth - score
        return replace(told, **changed, **(self._helpers() if told.code in NEARLY else {}))

    # ---- the cause

    def _cause(self) -> WhyNot:
        view, choice, row = self.supposing.view, self.outcome.choice, self.row
        removal = choice.removal_of(row) if row >= 0 and not self.outcome.shows(row) else None
        code = "unknown_item" if row < 0 else "in_list" if self.outcome.shows(row) else "score"
        code = removal.code if removal else code
        rank = self.outcome.choice.place_of(row) if row >= 0 else None
        until, detail = None, removal.detail if removal else None
        if code in ("seen", "hidden"):
            deed = self._deed(hides=code == "hidden")
            detail = f"{deed.kind.name}, {iso_time(deed.at)[:10]}" if deed else None
            until = iso_time(deed.at + int(deed.kind.hides_days * DAY_MS)) if deed and code == "hidden" else None
        name = view.catalogue.item_names[row] if row >= 0 else None
        nth = min((self.outcome.score_of(shown) for shown in choice.item_rows), default=0.0)
        values = {
            "name": name,
            "item_id": self.item_id,
            "rank": rank,
            "n": self.supposing.request.length,
            "of": len(choice.allowed_rows),
            "score": self.outcome.score_of(row) if row >= 0 else 0.0,
            "gap": nth - self.outcome.score_of(row) if row >= 0 else 0.0,
            "rule_id": removal.rule_id if removal else None,
            "detail": self._named(code, detail),
            "until": (until or "")[:10],
            "code": code,
        }
        return WhyNot(
            user_id=self.outcome.subject.user_id,
            item_id=self.item_id,
            name=name,
            code=code,
            text=why_not_text("cold" if code == "no_evidence" and self._is_cold() else code, self.lang, values),
            n=self.supposing.request.length,
            rank=rank,
            of=len(choice.allowed_rows),
            rule_id=removal.rule_id if removal else None,
            detail=detail,
            until=until,
            strategy=self.outcome.ranking.strategy,
            model_version=view.model_version,
        )

    def _deed(self, *, hides: bool) -> Deed | None:
        """The newest event that made the item hidden or seen; of hiding ones, the one that hides for longest."""
        deeds = [deed for deed in self.outcome.subject.deeds if deed.item_row == self.row]
        if hides:
            deeds = [deed for deed in deeds if deed.kind.weight < 0]
            return max(deeds, key=lambda deed: deed.at + deed.kind.hides_days * DAY_MS, default=None)
        return max((deed for deed in deeds if deed.kind.weight >= 0), key=lambda deed: deed.at, default=None)

    def _named(self, code: str, detail: str | None) -> str | None:
        """The name of the entity that is capped, and whatever else the detail is as it is."""
        row = self.supposing.view.catalogue.entity_rows.get(detail or "") if code == "cap" else None
        return detail if row is None else texts.entity_name(self.supposing.view, row)

    def _is_cold(self) -> bool:
        view = self.supposing.view
        return not view.catalogue.knowledge.of_left(self.row) and view.popular_counts[1][self.row] == 0

    # ---- what would bring it in

    def _helpers(self) -> dict[str, object]:
        if self.outcome.subject.is_opted_out:
            return {}
        amounts = pulls(self.supposing.view, self.row)
        usable = self._usable(amounts)
        kind, value = strongest_kind(self.supposing.view.declaration)
        found: dict[str, object] = {"event": SupposedEvent(kind=kind.name, value=value)}
        items = [self._taking(row) for row in usable[:MOST_TRIED] if self._has_time()]
        found["items"] = _best(items)
        found["entities"] = _best(self._entities(usable))
        if not self.outcome.subject.has_liked:
            found["tastes"] = _best(self._tastes())
        if items and not any(one.brings_in for one in items):
            found["together"] = self._together([one.item_id for one in _best(items, MOST_TOGETHER)])
        return found

    def _usable(self, amounts: Floats) -> list[int]:
        """Items that the user could take and that speak for this one, the strongest first."""
        catalogue, subject = self.supposing.view.catalogue, self.outcome.subject
        could = catalogue.available & (amounts > 0)
        could[list(subject.seen | subject.hidden(self.supposing.now_ms))] = False
        rows = np.flatnonzero(could)
        return rows[np.lexsort((rows, -amounts[rows]))].tolist()

    def _taking(self, row: int) -> Helper:
        changed = self.supposing.taking(self.outcome.subject, [row])
        return Helper(
            item_id=self.supposing.view.catalogue.item_ids[row],
            name=self.supposing.view.catalogue.item_names[row],
            adds=changed.score_of(self.row) - self.outcome.score_of(self.row),
            rank=changed.choice.place_of(self.row),
            brings_in=changed.shows(self.row),
        )

    def _entities(self, usable: list[int]) -> list[Helper]:
        """One for each entity of the item that nothing the user took has, through the item with it that helps most."""
        catalogue = self.supposing.view.catalogue
        place = {row: place for place, row in enumerate(usable)}
        nearest: list[tuple[int, int, int]] = []
        for code, entity_row in self._lacking():
            holders = [place[row] for _, row in catalogue.knowledge.of_right(entity_row) if row in place]
            if holders:
                nearest.append((min(holders), code, entity_row))
        found = [
            self._through(usable[at], code, entity_row)
            for at, code, entity_row in sorted(nearest)[:MOST_TRIED]
            if self._has_time()
        ]
        found.sort(key=lambda one: -(one.adds_by_entity or 0))
        told: dict[str | None, Helper] = {}
        for one in found:
            if one.adds_by_entity:
                told.setdefault(one.entity, one)  # some without a name are told by the same words
        return list(told.values())

    def _through(self, row: int, code: int, entity_row: int) -> Helper:
        view = self.supposing.view
        changed = self.supposing.taking(self.outcome.subject, [row])
        by_entity = 0.0
        if view.scorer is not None:
            terms = view.scorer.entity_terms(weights_of(view, changed.subject), self.row)
            by_entity = sum(one.value for one in terms if _key(one) == (row, code, entity_row))
        return Helper(
            item_id=view.catalogue.item_ids[row],
            name=view.catalogue.item_names[row],
            adds=changed.score_of(self.row) - self.outcome.score_of(self.row),
            rank=changed.choice.place_of(self.row),
            brings_in=changed.shows(self.row),
            entity_id=view.catalogue.entity_ids[entity_row],
            entity=texts.entity_name(view, entity_row),
            relation=view.catalogue.relation(code).type,
            adds_by_entity=by_entity,
        )

    def _lacking(self) -> list[tuple[int, int]]:
        """(relation code, entity row) of the item that no item of the user's has, without sensitive ones."""
        catalogue = self.supposing.view.catalogue
        had = {link for row in self.outcome.subject.seen for link in catalogue.knowledge.of_left(row)}
        return [link for link in catalogue.knowledge.of_left(self.row) if link not in had and catalogue.may_show(*link)]

    def _tastes(self) -> list[StatedHelper]:
        view, stated = self.supposing.view, {taste.entity_row for taste in self.outcome.subject.tastes}
        found: list[StatedHelper] = []
        for entity_row in dict.fromkeys(row for _, row in self._lacking() if row not in stated):
            if self._has_time() and len(found) < MOST_TRIED:
                changed = self.supposing.stating(self.outcome.subject, entity_row)
                one = StatedHelper(
                    entity_id=view.catalogue.entity_ids[entity_row],
                    entity=texts.entity_name(view, entity_row),
                    adds=changed.score_of(self.row) - self.outcome.score_of(self.row),
                    rank=changed.choice.place_of(self.row),
                    brings_in=changed.shows(self.row),
                )
                found.append(one)
        return found

    def _together(self, item_ids: list[str]) -> Together | None:
        """The fewest of the items, in their order, that bring it in; else as many as get it furthest."""
        catalogue = self.supposing.view.catalogue
        best: Together | None = None
        for count in range(2, len(item_ids) + 1):
            if not self._has_time():
                break
            rows = [catalogue.item_rows[item_id] for item_id in item_ids[:count]]
            changed = self.supposing.taking(self.outcome.subject, rows)
            rank = changed.choice.place_of(self.row)
            one = Together(item_ids=tuple(item_ids[:count]), rank=rank, brings_in=changed.shows(self.row))
            if best is None or one.rank < best.rank:
                best = one
            if one.brings_in:
                break
        return best

    def _has_time(self) -> bool:
        return time.monotonic() < self.deadline


def _key(term: EntityTerm) -> tuple[int, int, int]:
    return term.event_item_row, term.relation_code, term.entity_row


def _best(found: Sequence[One], most: int = MOST_HELPERS) -> tuple[One, ...]:
    """Those that lift it, the best place first."""
    lifting = [one for one in found if one.adds > 0]
    return tuple(sorted(lifting, key=lambda one: (not one.brings_in, one.rank, -one.adds))[:most])
