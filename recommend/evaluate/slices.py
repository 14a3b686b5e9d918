"""The same figures for parts of the users, by how much they had done, and of the items, by how many took them."""

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommend.evaluate.metrics import Counts, Values

GROUPS = ("head", "middle", "tail")


def activity_slices(activity: Counts) -> dict[str, NDArray[np.bool_]]:
    """Users by their events in the training part: those without any, and the others in quarters of equal size.

    Names say the range: "1-12 events". Empty slices are left out.
    """
    slices: dict[str, NDArray[np.bool_]] = {}
    if np.any(activity == 0):
        slices["0 events"] = activity == 0
    active = activity[activity > 0]
    bounds = np.unique(np.quantile(active, [0.25, 0.5, 0.75, 1.0], method="lower")) if len(active) else np.empty(0)
    low = 1
    for high in bounds.astype(int).tolist():
        chosen = (activity >= low) & (activity <= high)
        if chosen.any():
            slices[f"{low}-{high} events"] = chosen
        low = high + 1
    return slices


def popularity_groups(takers: Counts) -> dict[str, NDArray[np.bool_]]:
    """Items by popularity: the most popular ones that hold a third of the training events, the next, the rest; and
    those that nobody took ("cold")."""
    order = np.argsort(-takers, kind="stable")
    before = np.cumsum(takers[order]) - takers[order]
    third = np.empty(len(takers), np.int64)
    third[order] = np.minimum(3 * before // max(int(takers.sum()), 1), 2)
    groups = {name: (third == place) & (takers > 0) for place, name in enumerate(GROUPS)}
    return {name: group for name, group in (*groups.items(), ("cold", takers == 0)) if group.any()}


def recall_of_group(lists: NDArray[np.int64], targets: sp.csr_array, group: NDArray[np.bool_]) -> Values:
    """(U',) found in the lists (U, k) / wanted, over the group's items only, for the users who want any of them."""
    wanted = sp.csr_array(targets.multiply(group.astype(np.float32)))
    wanted.eliminate_zeros()
    counts = np.diff(wanted.indptr)
    found = np.zeros(len(lists))
    for row in np.flatnonzero(counts):
        found[row] = np.isin(wanted.indices[wanted.indptr[row] : wanted.indptr[row + 1]], lists[row]).sum()
    return found[counts > 0] / counts[counts > 0]
