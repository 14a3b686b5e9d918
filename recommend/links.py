"""Relations between two kinds of rows, seen from both ends; changed by copying, so that readers keep what they hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Link = tuple[int, int]  # (relation code, row at the other end)
Numbers = NDArray[np.int32]


@dataclass(frozen=True)
class _Side:
    """Links grouped by row: those of row i are codes[starts[i]:starts[i + 1]] and others[...]."""

    starts: NDArray[np.int64]
    codes: Numbers
    others: Numbers

    @classmethod
    def of(cls, rows: Numbers, codes: Numbers, others: Numbers, num_rows: int) -> "_Side":
        order = np.lexsort((others, codes, rows))
        starts = np.searchsorted(rows[order], np.arange(num_rows + 1))
        return cls(starts.astype(np.int64), codes[order], others[order])

    def __getitem__(self, row: int) -> tuple[Link, ...]:
        if row + 1 >= len(self.starts):
            return ()
        part = slice(int(self.starts[row]), int(self.starts[row + 1]))
        return tuple(zip(self.codes[part].tolist(), self.others[part].tolist(), strict=True))


@dataclass(frozen=True)
class Links:
    """(code, left row, right row) triples, each once. A right row that was never linked has none."""

    left: _Side
    right: _Side
    changed_left: Mapping[int, tuple[Link, ...]]
    changed_right: Mapping[int, tuple[Link, ...]]

    @classmethod
    def of(cls, triples: Sequence[tuple[int, Numbers, Numbers]], num_left: int, num_right: int) -> "Links":
        """triples: (code, lefts (m,), rights (m,)) per relation type."""
        lefts, rights, codes = (np.empty(0, np.int32) for _ in range(3))
        if triples:
            lefts = np.concatenate([left for _, left, _ in triples])
            rights = np.concatenate([right for _, _, right in triples])
            codes = np.concatenate([np.full(len(left), code, np.int32) for code, left, _ in triples])
        return cls(_Side.of(lefts, codes, rights, num_left), _Side.of(rights, codes, lefts, num_right), {}, {})

    def of_left(self, row: int) -> tuple[Link, ...]:
        """The (code, right row) links of a left row, ordered."""
        return self.changed_left[row] if row in self.changed_left else self.left[row]

    def of_right(self, row: int) -> tuple[Link, ...]:
        """The (code, left row) links of a right row, ordered."""
        return self.changed_right[row] if row in self.changed_right else self.right[row]

    def count_right(self, row: int) -> int:
        """How many links a right row has."""
        if row in self.changed_right:
            return len(self.changed_right[row])
        return int(self.right.starts[row + 1] - self.right.starts[row]) if row + 1 < len(self.right.starts) else 0

    def counts_right(self, num_right: int) -> NDArray[np.int64]:
        """(num_right,) how many links each right row has."""
        counts = np.zeros(num_right, np.int64)
        known = np.diff(self.right.starts)[:num_right]
        counts[: len(known)] = known
        for row, links in self.changed_right.items():
            if row < num_right:
                counts[row] = len(links)
        return counts

    def replaced(self, changes: Mapping[int, Sequence[Link]]) -> "Links":
        """New links in which each left row of `changes` has exactly the links given there."""
        changed_left, changed_right = dict(self.changed_left), dict(self.changed_right)
        for row, links in changes.items():
            before, after = set(self.of_left(row)), set(links)
            changed_left[row] = tuple(sorted(after))
            for code, other in before ^ after:
                current = set(changed_right[other] if other in changed_right else self.right[other])
                changed_right[other] = tuple(sorted(current ^ {(code, row)}))
        return replace(self, changed_left=changed_left, changed_right=changed_right)
