"""What a user's items weigh now: long-term taste, and the visit that is going on, blended.

    w' = |w| · unit((1 − share) · w / |w| + share · r / |r|)      r: w of the newest items of the visit, 0 elsewhere

Only weights of the user's own items move, so that every score still splits exactly into terms of single events.
"""

import numpy as np

from domain.snapshot import Rows
from recommend.history import Weighted, weigh
from recommend.subject import Subject
from recommend.world import View

NEWEST = 10  # items of the visit that stand for what the user wants now


def weights_of(view: View, subject: Subject) -> Weighted:
    """The weights that lists and their reasons are made of. Without a model, without blending."""
    if view.scorer is None:
        return weigh(view.declaration, subject.events)
    newest = np.array(subject.session_rows[:NEWEST], np.int32)
    return blended(view.scorer.weigh(subject.events), newest, view.session_share)


def blended(weighted: Weighted, newest: Rows, share: float) -> Weighted:
    """The weights with those of the newest items raised, as long as before.

    newest: item rows. share: 0 leaves the weights as they are, 1 leaves only the newest items.
    """
    rows, weights = weighted.item_rows, weighted.weights
    recent = np.where(np.isin(rows, newest), weights, np.float32(0))
    length, recent_length = float(np.linalg.norm(weights)), float(np.linalg.norm(recent))
    if share <= 0 or recent_length == 0 or recent_length == length:
        return weighted
    mixed = (1 - share) / length * weights + share / recent_length * recent
    return Weighted(rows, (mixed * (length / np.linalg.norm(mixed))).astype(np.float32))
