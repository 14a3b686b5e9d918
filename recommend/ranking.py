"""A score for every item as named parts, which items may be shown, and the best of them in order."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from domain.answers import LeftOut, Part, RuleEffect
from domain.errors import InvalidRequest
from recommend.adapt import weights_of
from recommend.choice import Choice, Removal
from recommend.diversify import Diversity, entity_vectors, mix_of
from recommend.exclusions import Exclusions
from recommend.placing import Placed, Wishes, left_behind, place
from recommend.request import RecommendRequest
from recommend.situation import Situation
from recommend.steering import Cap, Pin, Steering
from recommend.subject import Subject
from recommend.world import View

Floats = NDArray[np.float32]
ASKED_CODES = {"item_kind": "filtered"}  # Removal code -> LeftOut code, where they differ


@dataclass(frozen=True)
class Ranking:
    """parts: name -> (I,) that sum to the score. evidence (I,): an item at or below 0 is not worth showing.

    strategy: as in a RankedList. fallback: the answer is about everybody, for want of something better.
    """

    strategy: str
    fallback: bool
    parts: Mapping[str, Floats]
    evidence: Floats

    @cached_property
    def total(self) -> NDArray[np.float64]:
        """(I,) the scores."""
        return np.sum([part.astype(np.float64) for part in self.parts.values()], axis=0)

    def parts_of(self, item_row: int, positive: float) -> tuple[Part, ...]:
        """The parts of one score; positive: what shares are a share of (0: shares are 0)."""
        values = {name: float(part[item_row]) for name, part in self.parts.items()}
        return tuple(Part(name=name, value=value, share=share_of(value, positive)) for name, value in values.items())


def share_of(value: float, positive: float) -> float:
    return value / positive if positive > 0 else 0.0


def choose(view: View, subject: Subject, request: RecommendRequest, ranking: Ranking, now_ms: int) -> Choice:
    """The items of the answer: asked-for ones, or the best that may be shown, in the written order of precedence:

    hard exclusions > availability > evidence > pins (which need no evidence) > boosts and buries > caps and minimum
    shares > diversity. Raises: InvalidRequest for the filter or an entity type.
    """
    steering = view.rules.steering(Situation(view, subject, request, now_ms))
    exclusions = Exclusions(view, subject, request, ranking.evidence, now_ms, steering)
    allowed, model_scores, catalogue = exclusions.allowed_rows, ranking.total, view.catalogue
    part = rules_part(steering, model_scores, allowed)
    scores = model_scores if part is None else model_scores + part
    pins, warnings = _pins(steering, exclusions)
    wishes = _wishes(view, subject, request, steering, pins)
    placed = place(catalogue, scores, allowed, request.length, wishes)
    warnings += tuple(f"rule {one.rule_id}: too few items of {one.entity_id} for its share" for one in placed.short)
    return Choice(
        item_rows=placed.rows,
        left_out=_left_out(view, subject, request, exclusions),
        scores=scores,
        model_scores=model_scores,
        removal_of=lambda row: (
            None
            if row in placed.rows
            else exclusions.removal_of(row) or left_behind(catalogue, scores, allowed, wishes, placed, row)
        ),
        item_ids=catalogue.item_ids,
        length=request.length,
        allowed_rows=allowed,
        asked_rows=exclusions.asked_rows,
        rules_part=part,
        effects={row: found for row in placed.rows if (found := _effects(row, steering, placed, part))},
        applied_rules=steering.rule_ids,
        warnings=warnings,
    )


def rules_part(
    steering: Steering, scores: NDArray[np.float64], allowed: NDArray[np.int64]
) -> NDArray[np.float32] | None:
    """(I,) ± ln(factor) · σ, the standard deviation of the scores of the items that may be shown. None: no boost."""
    if steering.log_boost is None or len(allowed) == 0:
        return None
    return steering.log_boost * np.float32(np.std(scores[allowed]))


def _pins(steering: Steering, exclusions: Exclusions) -> tuple[tuple[Pin, ...], tuple[str, ...]]:
    """The pins whose items may be shown, and what is said of those that are not available."""
    pins: list[Pin] = []
    notes: list[str] = []
    for pin in steering.pins:
        removal = Removal("unknown_item") if pin.row is None else exclusions.bars(pin.row)
        if removal is None:
            pins.append(pin)
        elif removal.code == "unavailable":
            notes.append(f"rule {pin.rule_id}: {pin.item_id} is pinned to place {pin.position}, but is not available")
        elif removal.code == "unknown_item":
            notes.append(f"rule {pin.rule_id}: {pin.item_id} is pinned to place {pin.position}, but does not exist")
    return tuple(pins), tuple(notes)


def _wishes(
    view: View, subject: Subject, request: RecommendRequest, steering: Steering, pins: tuple[Pin, ...]
) -> Wishes:
    """Caps and minimum shares are for lists that Clew picks; none of the asked-for items is left out for them."""
    diversity = diversity_of(view, subject, request)
    if request.item_ids is not None:
        return Wishes(pins=pins, diversity=diversity)
    caps = steering.caps
    if request.max_per_entity is not None:
        code = view.declaration.entity_code.get(request.max_per_entity.type)
        if code is None:
            known = ", ".join(view.declaration.entity_code) or "none"
            raise InvalidRequest(
                f"no entity type {request.max_per_entity.type!r} is declared; declared: {known}", field="max_per_entity"
            )
        caps = (Cap(code, request.max_per_entity.most), *caps)
    return Wishes(pins, caps, steering.shares, diversity)


def diversity_of(view: View, subject: Subject, request: RecommendRequest) -> Diversity | None:
    """What the dials of a request ask for; None with both at 0."""
    dial, calibration = request.diversity or 0.0, request.calibration or 0.0
    if dial == calibration == 0:
        return None
    weighted = weights_of(view, subject)
    taken = {int(row): float(w) for row, w in zip(weighted.item_rows, weighted.weights, strict=True) if w > 0}
    vectors = entity_vectors(view.catalogue) if view.scorer is None else view.scorer.weights.item_vectors
    return Diversity(dial, calibration, vectors, mix_of(view.catalogue, taken) if calibration > 0 else None)


def _effects(row: int, steering: Steering, placed: Placed, part: NDArray[np.float32] | None) -> tuple[RuleEffect, ...]:
    """What rules did to a row that is shown."""
    effects: list[RuleEffect] = []
    pin = placed.pinned.get(row)
    if pin is not None:
        effects.append(RuleEffect(rule_id=pin.rule_id, effect="pin", value=float(pin.position)))
    if part is not None and steering.log_boost is not None and steering.log_boost[row]:
        sigma = float(part[row]) / float(steering.log_boost[row])
        for rule_id, amount in steering.boosts_of(row):
            name = "boost" if amount >= 0 else "bury"
            effects.append(RuleEffect(rule_id=rule_id, effect=name, value=amount * sigma))
    if row in placed.forced:
        effects.append(RuleEffect(rule_id=placed.forced[row], effect="min_share"))
    return tuple(effects)


def _left_out(view: View, subject: Subject, request: RecommendRequest, exclusions: Exclusions) -> tuple[LeftOut, ...]:
    """Asked-for items and items of a session that are not ranked."""
    left_out = [LeftOut(item_id=item_id, code="unknown_item") for item_id in subject.missing]
    for item_id in request.item_ids or ():
        row = view.catalogue.item_rows.get(item_id)
        removal = Removal("unknown_item") if row is None else exclusions.removal_of(row)
        if removal is not None:
            left_out.append(LeftOut(item_id=item_id, code=ASKED_CODES.get(removal.code, removal.code)))
    return tuple(left_out)
