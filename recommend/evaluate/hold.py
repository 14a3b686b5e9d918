"""Parts of a data set taken away on purpose: the events of some items, or of some users."""

from dataclasses import replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from domain.snapshot import Snapshot
from recommend.evaluate.data import Users, of_events, pair_matrix, shape_of
from recommend.evaluate.files import Part

Mask = NDArray[np.bool_]
MANY_NEW = 0.02
LONG_AGO = -(2**53)  # milliseconds


def pairs_in(part: Part, snapshot: Snapshot) -> sp.csr_array:
    """(U, I) ones at the pairs of a file. Raises: KeyError for an id that the snapshot does not know."""
    rows = np.fromiter((snapshot.user_row[user] for user in part.users), np.int64, len(part))
    columns = np.fromiter((snapshot.item_row[item] for item in part.items), np.int64, len(part))
    return pair_matrix(rows, columns, shape_of(snapshot))


def draw(candidates: NDArray[np.int64], share: float, total: int, seed: int) -> Mask:
    """(total,) True for this share of the candidate rows, drawn by seed; at least one where there are any."""
    count = max(1, round(share * len(candidates))) if len(candidates) else 0
    chosen = np.zeros(total, np.bool_)
    chosen[np.random.default_rng(seed).permutation(candidates)[:count]] = True
    return chosen


def without_items(snapshot: Snapshot, held: Mask) -> Snapshot:
    """Without any event of the held-out items, which count as new."""
    return _new(of_events(snapshot, ~held[snapshot.interactions.item_rows]), held)


def with_new_items(snapshot: Snapshot, valid: sp.csr_array | None) -> Snapshot:
    """Items without an event count as new, to be ranked by their attributes, where that is what is asked for.

    It is when at least MANY_NEW of the validation pairs are of such items; without a validation part, when so many of
    the items are. Elsewhere they come last: in data split at random, an item without events has few in the other part.
    """
    taken = np.bincount(snapshot.interactions.item_rows, minlength=len(snapshot.item_ids)) > 0
    of_pairs = ~taken if valid is None else ~taken[valid.indices]
    asked_for = len(of_pairs) > 0 and float(of_pairs.mean()) >= MANY_NEW
    return _new(snapshot, ~taken if asked_for else np.zeros_like(taken))


def _new(snapshot: Snapshot, new: Mask) -> Snapshot:
    """These items came after the newest event, the others long before all of them."""
    newest = int(snapshot.interactions.at.max(initial=0))
    return replace(snapshot, item_created_at=np.where(new, newest + 1, LONG_AGO))


def without_users(snapshot: Snapshot, held: Mask) -> Snapshot:
    """Without any event of the held-out users."""
    return of_events(snapshot, ~held[snapshot.interactions.user_rows])


def first_events(snapshot: Snapshot, users: Mask, count: int | None, seed: int) -> Snapshot:
    """Only these users' events: the first `count` of each by time (equal times by seed), or all of them."""
    events = snapshot.interactions
    own = np.flatnonzero(users[events.user_rows])
    draws = np.random.default_rng(seed).random(len(own))
    order = own[np.lexsort((draws, events.at[own], events.user_rows[own]))]
    sorted_users = events.user_rows[order]
    place = np.arange(len(order)) - np.searchsorted(sorted_users, sorted_users)
    kept = np.zeros(len(events), np.bool_)
    kept[order if count is None else order[place < count]] = True
    return of_events(snapshot, kept)


def only(matrix: sp.csr_array, users: Mask | None = None, items: Mask | None = None) -> sp.csr_array:
    """The same (U, I) ones at these rows and columns, and nothing elsewhere."""
    coo = matrix.tocoo()
    kept = np.ones(len(coo.row), np.bool_)
    if users is not None:
        kept &= users[coo.row]
    if items is not None:
        kept &= items[coo.col]
    num_users, num_items = len(matrix.indptr) - 1, int(np.asarray(matrix.shape)[1])
    return pair_matrix(coo.row[kept], coo.col[kept], (num_users, num_items))


def users_who_want(targets: sp.csr_array, among: Mask) -> Users:
    """Rows of these users with something to find."""
    return np.flatnonzero(among & (np.diff(targets.indptr) > 0)).astype(np.int64)
