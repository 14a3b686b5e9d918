"""Rows of a choice as the items of a ranked list."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from domain.answers import RankedItem, Reason, RuleEffect
from recommend.world import View


def listed(
    view: View,
    rows: Sequence[int],
    scores: NDArray[np.float64],
    reasons: Sequence[tuple[Reason, ...]] | None = None,
    effects: Mapping[int, tuple[RuleEffect, ...]] | None = None,
) -> tuple[RankedItem, ...]:
    """The rows in their order, ranked from 1. scores: (I,). reasons: per row, None for a list without any."""
    return tuple(
        RankedItem(
            item_id=view.catalogue.item_ids[row],
            rank=place,
            score=float(scores[row]),
            name=view.catalogue.item_names[row],
            reasons=given,
            rules=(effects or {}).get(row, ()),
        )
        for place, (row, given) in enumerate(zip(rows, reasons or [()] * len(rows), strict=True), start=1)
    )
