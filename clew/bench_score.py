"""`clew bench score` and `clew bench compare`: figures of lists that any program wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import scipy.sparse as sp

from embeddings.features import item_features
from embeddings.scorers.content import attribute_vectors
from recommend.evaluate.beyond import catalogue_coverage, gini, intra_list_diversity, novelty, taker_vectors
from recommend.evaluate.data import bench_data
from recommend.evaluate.files import read_links, read_part, read_triples
from recommend.evaluate.metrics import METRICS, Values, bootstrap_difference, standard_error
from recommend.evaluate.scored import Answers, Scored, score_lists
from recommend.evaluate.slices import activity_slices, popularity_groups, recall_of_group


class Figure(msgspec.Struct, frozen=True):
    """Over users."""

    mean: float
    standard_error: float


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of some of the users, or of the items that some users wanted; items: how many the slice has."""

    users: int
    items: int | None = None
    metrics: dict[str, Figure]


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """metrics: "ndcg@10" and so on. lists: figures of all lists together. slices: kind of slice -> name -> figures.

    rows_had_before: rows of the file that were struck, since the user had the item before.
    """

    users: int
    rows_had_before: int
    metrics: dict[str, Figure]
    lists: dict[str, float]
    slices: dict[str, dict[str, Slice]]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Means of two runs, first − second, and the ends of its 95 % interval."""

    first: float
    second: float
    difference: float
    low: float
    high: float


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    users: int
    metrics: dict[str, Difference]


@dataclass(frozen=True)
class Against:
    """What the lists are measured against. train and valid also say what each user had; kg describes the items."""

    test: Path
    train: Path | None = None
    valid: Path | None = None
    kg: Path | None = None
    link: Path | None = None

    def read(self) -> Answers:
        train, valid = (read_part(path) if path else None for path in (self.train, self.valid))
        return Answers(read_part(self.test), train, valid)


def score(recs: Path, against: Against, ks: Sequence[int]) -> Scores:
    """Means over the users with a standard error, for each k; of the lists as a whole; by slice.

    Novelty, evenness and slices need a training part; diversity that, or a graph.
    """
    answers = against.read()
    scored = score_lists(recs, answers, max(ks))
    beyond = {k: _beyond(scored, against, answers, k) for k in ks}
    return Scores(
        users=len(scored.user_ids),
        rows_had_before=scored.left_out,
        metrics={f"{name}@{k}": figure(scored.metric(name, k)) for k in ks for name in METRICS},
        lists={f"{name}@{k}": value for k in ks for name, value in beyond[k].items()},
        slices=_slices(scored, min(ks)),
    )


def compare(first: Path, second: Path, against: Against, ks: Sequence[int], *, seed: int) -> Comparison:
    """first − second for each metric: the mean difference over users and its 95 % interval by paired bootstrap."""
    answers = against.read()
    ours, theirs = (score_lists(path, answers, max(ks)) for path in (first, second))
    metrics = {
        f"{name}@{k}": difference_of(ours.metric(name, k), theirs.metric(name, k), seed) for k in ks for name in METRICS
    }
    return Comparison(users=len(ours.user_ids), metrics=metrics)


def difference_of(ours: Values, theirs: Values, seed: int) -> Difference:
    difference, low, high = bootstrap_difference(ours, theirs, seed=seed)
    first, second = figure(ours).mean, figure(theirs).mean
    return Difference(first=first, second=second, difference=difference, low=low, high=high)


def figure(values: Values) -> Figure:
    return Figure(float(values.mean()) if len(values) else 0.0, standard_error(values))


def _beyond(scored: Scored, against: Against, answers: Answers, k: int) -> dict[str, float]:
    lists, num_items = scored.lists[:, :k], len(scored.item_ids)
    told = {"coverage": catalogue_coverage(lists, num_items), "gini": gini(lists, num_items)}
    taken = scored.taken
    if taken is not None:
        takers = np.bincount(taken.indices, minlength=num_items)
        told["novelty"] = float(novelty(lists, takers, len(taken.indptr) - 1).mean())
    vectors = _attributes(scored, against, answers)
    if vectors is None and taken is not None:
        vectors = taker_vectors(taken)
    if vectors is not None:
        told["diversity"] = float(intra_list_diversity(lists, vectors).mean())
    return told


def _attributes(scored: Scored, against: Against, answers: Answers) -> sp.csr_array | None:
    """(I, K) what the graph says of the items, in the rows of `scored`; None without one."""
    if against.kg is None:
        return None
    links = read_links(against.link) if against.link else None
    parts = (answers.train or answers.test, answers.valid, answers.test)
    snapshot = bench_data(*parts, triples=read_triples(against.kg), links=links).train
    vectors = attribute_vectors(item_features(snapshot), 1.0)
    rows = np.array([snapshot.item_row.get(item_id, -1) for item_id in scored.item_ids])
    return sp.csr_array(sp.diags_array((rows >= 0).astype(np.float32)) @ vectors[np.maximum(rows, 0)])


def _slices(scored: Scored, k: int) -> dict[str, dict[str, Slice]]:
    """ndcg and recall at k by the users' activity, recall by the items' popularity; nothing without a training part."""
    if scored.taken is None or scored.activity is None:
        return {}
    users = {
        name: Slice(
            users=int(chosen.sum()),
            metrics={f"{each}@{k}": figure(scored.metric(each, k)[chosen]) for each in ("ndcg", "recall")},
        )
        for name, chosen in activity_slices(scored.activity).items()
    }
    takers = np.bincount(scored.taken.indices, minlength=len(scored.item_ids))
    items: dict[str, Slice] = {}
    for name, group in popularity_groups(takers).items():
        values = recall_of_group(scored.lists[:, :k], scored.targets, group)
        items[name] = Slice(users=len(values), items=int(group.sum()), metrics={f"recall@{k}": figure(values)})
    return {"users_by_activity": users, "items_by_popularity": items}
