"""Parts of a snapshot for training and for testing: by time, or per user. Nothing is fitted before the split."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from domain.snapshot import Interactions, Snapshot
from embeddings.weighting import weigh_pairs


@dataclass(frozen=True)
class Split:
    """train: the snapshot with the events of the training part only.

    targets: user row -> item rows to find, ascending; none of them is in the user's training part.
    """

    train: Snapshot
    targets: dict[int, NDArray[np.int64]]


def split_by_time(snapshot: Snapshot, from_ms: int, until_ms: int | None = None) -> Split:
    """Events before from_ms train; items with a positive weight from then on, and new to the user, are to be found.

    Users without any event before from_ms have no targets.
    """
    at = snapshot.interactions.at
    later = (at >= from_ms) & (at < (until_ms if until_ms is not None else np.iinfo(np.int64).max))
    return _split(snapshot, at < from_ms, later)


def split_per_user(snapshot: Snapshot, *, share: float = 0.1, seed: int = 0) -> Split:
    """A random share of each user's events (at least one where there are two) is held out."""
    events = snapshot.interactions
    draws = np.random.default_rng(seed).random(len(events))
    order = np.lexsort((draws, events.user_rows))
    sizes = np.bincount(events.user_rows, minlength=len(snapshot.user_ids))
    starts = np.append(0, np.cumsum(sizes))[:-1]
    rank = np.arange(len(events)) - starts[events.user_rows[order]]
    held = np.zeros(len(events), np.bool_)
    size = sizes[events.user_rows[order]]
    held[order] = (size >= 2) & (rank < np.maximum(1, np.floor(share * size)))
    return _split(snapshot, ~held, held)


def _split(snapshot: Snapshot, first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Split:
    train = replace(snapshot, interactions=_part(snapshot.interactions, first))
    num_items = len(snapshot.item_ids)
    known = np.unique(_keys(train.interactions, num_items))
    later = _part(snapshot.interactions, second)
    columns = (later.user_rows, later.item_rows, later.kinds, later.values, later.at)
    pairs = weigh_pairs(snapshot.declaration, *columns)
    keys = pairs.user_rows.astype(np.int64) * num_items + pairs.item_rows
    fresh = (pairs.weights > 0) & ~np.isin(keys, known) & np.isin(pairs.user_rows, train.interactions.user_rows)
    users, items = pairs.user_rows[fresh], pairs.item_rows[fresh].astype(np.int64)
    return Split(train, {int(user): items[users == user] for user in np.unique(users)})


def _part(events: Interactions, rows: NDArray[np.bool_]) -> Interactions:
    return Interactions(
        events.user_rows[rows], events.item_rows[rows], events.kinds[rows], events.values[rows], events.at[rows]
    )


def _keys(events: Interactions, num_items: int) -> NDArray[np.int64]:
    return events.user_rows.astype(np.int64) * num_items + events.item_rows
