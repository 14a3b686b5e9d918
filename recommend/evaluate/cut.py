"""A validation part cut from the training events, for data that bring none."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from domain.snapshot import Snapshot
from recommend.evaluate.data import of_events, pair_matrix, shape_of

SHARE = 0.1  # of a user's items, at least one
LEAST_ITEMS = 3  # of a user of whom some are held out


@dataclass(frozen=True)
class Problem:
    """fit: the events that a model may see; targets (U, I): ones at the items that each user is to find."""

    fit: Snapshot
    targets: sp.csr_array


def cut_validation(snapshot: Snapshot, *, seed: int) -> Problem:
    """A tenth of the items of each user, the newest where the events have times, else a random part.

    All events of a held-out pair are held out. Users with fewer than 3 items are left whole.
    """
    events = snapshot.interactions
    num_items = len(snapshot.item_ids)
    keys = events.user_rows.astype(np.int64) * num_items + events.item_rows
    pairs, first = np.unique(keys, return_index=True)
    users = pairs // num_items
    draws = np.random.default_rng(seed).random(len(pairs))
    at = np.full(len(pairs), np.iinfo(np.int64).min)
    np.maximum.at(at, np.searchsorted(pairs, keys), events.at)
    order = np.lexsort((draws, -at, users))
    sizes = np.bincount(users, minlength=len(snapshot.user_ids))
    place = np.empty(len(pairs), np.int64)
    place[order] = np.arange(len(pairs)) - np.searchsorted(users[order], users[order])
    held = (sizes[users] >= LEAST_ITEMS) & (place < np.maximum(1, np.floor(SHARE * sizes[users])))
    out = events.item_rows[first[held]]
    targets = pair_matrix(users[held], out, shape_of(snapshot))
    return Problem(of_events(snapshot, ~np.isin(keys, pairs[held])), targets)


def seen_pairs(snapshot: Snapshot) -> sp.csr_array:
    """(U, I) ones at the pairs of the snapshot's events."""
    events = snapshot.interactions
    return pair_matrix(events.user_rows, events.item_rows, shape_of(snapshot))


def users_with(targets: sp.csr_array) -> NDArray[np.int64]:
    """The rows of the users that have something to find."""
    return np.flatnonzero(np.diff(targets.indptr)).astype(np.int64)
