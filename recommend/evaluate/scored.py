"""Lists that any program wrote, against what was to be found: `user_id rank item_id`, by the ids of the files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from domain.errors import InvalidSource
from recommend.evaluate.files import Part, read_ranks
from recommend.evaluate.lists import NOBODY, Lists, hits_of
from recommend.evaluate.metrics import METRICS, Counts, Hits, Values


@dataclass(frozen=True)
class Answers:
    """What is known beside the lists: test is what was to be found; train and valid what the users had before."""

    test: Part
    train: Part | None = None
    valid: Part | None = None


@dataclass(frozen=True)
class Scored:
    """U users of the test part, I items of all files. lists (U, k) item rows, −1 where a list is shorter.

    hits (U, k), wanted (U,). taken (U', I): the training part, of all of its users; activity (U,): how much of it is
    each user's own; both None without a training part. left_out: how many rows of the lists were had before.
    """

    user_ids: list[str]
    item_ids: list[str]
    lists: NDArray[np.int64]
    hits: Hits
    wanted: Counts
    targets: sp.csr_array
    taken: sp.csr_array | None
    activity: Counts | None
    left_out: int

    def metric(self, name: str, k: int) -> Values:
        """(U,) one of METRICS at k."""
        return METRICS[name](self.hits, self.wanted, k)


def score_lists(recs: Path, answers: Answers, k: int) -> Scored:
    """The lists of a file. A user without a list scores 0; what a user had before is removed before the cut at k.

    Raises: InvalidSource for a bad file, or one that recommends an item twice to a user.
    """
    ranks = read_ranks(recs)
    test = answers.test
    users = test.users.unique(maintain_order=True).rename("user_id")
    known = [part.items for part in (test, answers.train, answers.valid) if part is not None]
    items = pl.concat([each.rename("item_id") for each in (ranks["item_id"], *known)]).unique().sort()
    keys = _Keys(users, items)
    targets = keys.matrix(test.users, test.items)
    before = [keys.matrix(part.users, part.items) for part in (answers.train, answers.valid) if part is not None]
    lists, left_out = _lists_of(recs, ranks, keys, before, k)
    rows = np.arange(len(users), dtype=np.int64)
    hits, wanted = hits_of(Lists(rows, lists, np.zeros(lists.shape, np.float32)), targets)
    train = answers.train
    return Scored(
        user_ids=users.to_list(),
        item_ids=items.to_list(),
        lists=lists,
        hits=hits,
        wanted=wanted,
        targets=targets,
        taken=None if train is None else _Keys(train.users.unique().sort(), items).matrix(train.users, train.items),
        activity=None if train is None else np.diff(before[0].indptr).astype(np.int64),
        left_out=left_out,
    )


class _Keys:
    """Rows of user ids and item ids."""

    def __init__(self, users: pl.Series, items: pl.Series) -> None:
        self.shape = (len(users), len(items))
        self._users = pl.DataFrame({"user_id": users, "user": pl.int_range(len(users), eager=True)})
        self._items = pl.DataFrame({"item_id": items, "item": pl.int_range(len(items), eager=True)})

    def rows(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with the columns user and item; rows of other users are left out."""
        named = frame.join(self._users, on="user_id", maintain_order="left")
        return named.join(self._items, on="item_id", maintain_order="left")

    def matrix(self, users: pl.Series, items: pl.Series) -> sp.csr_array:
        """(U, I) ones at these pairs, each once."""
        pairs = self.rows(pl.DataFrame({"user_id": users, "item_id": items})).unique(["user", "item"])
        ones = np.ones(len(pairs), np.float32)
        return sp.csr_array((ones, (pairs["user"].to_numpy(), pairs["item"].to_numpy())), shape=self.shape)


def _lists_of(
    path: Path, ranks: pl.DataFrame, keys: _Keys, before: Sequence[sp.csr_array], k: int
) -> tuple[NDArray[np.int64], int]:
    """(U, k) item rows by rank, and how many were left out."""
    twice = ranks.select(pl.struct("user_id", "item_id").is_duplicated()).to_series().arg_true()
    if len(twice):
        user_id, item_id = ranks.row(int(twice[0]), named=True)["user_id"], ranks["item_id"][int(twice[0])]
        raise InvalidSource(f"{path.name}: user {user_id!r} gets the item {item_id!r} twice", field="item_id")
    placed = keys.rows(ranks).sort("user", "rank", maintain_order=True)
    users, items = placed["user"].to_numpy(), placed["item"].to_numpy()
    had = np.zeros(len(users), np.bool_)
    for matrix in before:
        had |= np.asarray(matrix[users, items]).ravel() > 0 if len(users) else False
    users, items = users[~had], items[~had]
    place = np.arange(len(users)) - np.searchsorted(users, users)
    lists = np.full((keys.shape[0], k), NOBODY, np.int64)
    kept = place < k
    lists[users[kept], place[kept]] = items[kept]
    return lists, int(had.sum())
