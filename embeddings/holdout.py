"""The model's own validation part, taken from the training history. NumPy only.

Where most users come back, the newest events are held out and only items new to the user are to be found (a time
split); where they mostly came once, a random tenth of each user's items is.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from domain.snapshot import Interactions, Snapshot
from embeddings.weighting import PairWeights, weigh_pairs

NEWEST_SHARE = 0.09  # of the events, in a time split
RANDOM_SHARE = 0.1  # of a user's items
LEAST_ITEMS = 5  # of a user whose items are split at random


@dataclass(frozen=True)
class Holdout:
    """fit: the pairs to train on; targets (U, I): ones for the items to find, none of which is among the user's fit."""

    fit: PairWeights
    targets: sp.csr_array


def pairs_of(snapshot: Snapshot, events: Interactions, *, half_life_days: float | None) -> PairWeights:
    """The weights of all (user, item) pairs among some of a snapshot's events."""
    columns = (events.user_rows, events.item_rows, events.kinds, events.values, events.at)
    return weigh_pairs(snapshot.declaration, *columns, half_life_days=half_life_days)


def matrix_of(pairs: PairWeights, snapshot: Snapshot) -> sp.csr_array:
    """(U, I) float32 weights; pairs of weight 0 (seen only) are left out."""
    kept = pairs.weights != 0
    shape = (len(snapshot.user_ids), len(snapshot.item_ids))
    return sp.csr_array((pairs.weights[kept], (pairs.user_rows[kept], pairs.item_rows[kept])), shape=shape)


def hold_out(snapshot: Snapshot, *, seed: int, half_life_days: float | None = None) -> Holdout:
    """The split of a snapshot's events. Equal seeds give equal splits; little data gives no targets."""
    events = snapshot.interactions
    if len(events) and users_come_back(events):
        newest = events.at > np.quantile(events.at, 1 - NEWEST_SHARE)
    else:
        newest = _random_part(snapshot, seed, half_life_days)
    fit = pairs_of(snapshot, _part(events, ~newest), half_life_days=half_life_days)
    held = matrix_of(pairs_of(snapshot, _part(events, newest), half_life_days=half_life_days), snapshot)
    return Holdout(fit, _fresh(held, fit))


def _fresh(held: sp.csr_array, fit: PairWeights) -> sp.csr_array:
    """Ones where a user that has a history took an item that is not in it."""
    coo = held.tocoo()
    num_items = held.shape[1] if held.shape else 0
    keys = coo.row.astype(np.int64) * num_items + coo.col
    known = fit.user_rows.astype(np.int64) * num_items + fit.item_rows
    fresh = (coo.data > 0) & ~np.isin(keys, known) & np.isin(coo.row, fit.user_rows)
    rows, columns = coo.row[fresh], coo.col[fresh]
    return sp.csr_array((np.ones(len(rows), np.float32), (rows, columns)), shape=held.shape)


def users_come_back(events: Interactions) -> bool:
    """Whether at least half of the users of the newest events have events on an earlier day before them."""
    cut = np.quantile(events.at, 1 - NEWEST_SHARE)
    late = np.unique(events.user_rows[events.at > cut])
    early = np.unique(events.user_rows[events.at <= cut])
    return len(late) > 0 and len(np.intersect1d(late, early)) >= 0.5 * len(late)


def _random_part(snapshot: Snapshot, seed: int, half_life_days: float | None) -> NDArray[np.bool_]:
    """(n,) the events of a random tenth of the positive items of each user that has enough."""
    events = snapshot.interactions
    pairs = pairs_of(snapshot, events, half_life_days=half_life_days)
    positive = pairs.weights > 0
    users, items = pairs.user_rows[positive], pairs.item_rows[positive]
    draws = np.random.default_rng(seed).random(len(users))
    order = np.lexsort((draws, users))
    starts = np.searchsorted(users, np.arange(len(snapshot.user_ids)))
    sizes = np.bincount(users, minlength=len(snapshot.user_ids))
    rank = np.empty(len(users), np.int64)
    rank[order] = np.arange(len(users)) - starts[users[order]]
    taken = (sizes[users] >= LEAST_ITEMS) & (rank < np.maximum(1, RANDOM_SHARE * sizes[users]))
    num_items = len(snapshot.item_ids)
    keys = users[taken].astype(np.int64) * num_items + items[taken]
    return np.isin(events.user_rows.astype(np.int64) * num_items + events.item_rows, keys)


def _part(events: Interactions, rows: NDArray[np.bool_]) -> Interactions:
    return Interactions(
        events.user_rows[rows], events.item_rows[rows], events.kinds[rows], events.values[rows], events.at[rows]
    )
