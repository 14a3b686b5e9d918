"""`clew bench cold-items | cold-users | kg-control`: what is left when part of the data, or the graph, is missing."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import scipy.sparse as sp

from clew.bench import Choice, Files, problem_of, read_files, reading_of, tune
from clew.bench_fused import Served
from clew.bench_score import Difference, Figure, difference_of, figure
from domain.errors import InvalidRequest, NothingToTrain
from domain.progress import Progress, Within
from domain.snapshot import Snapshot
from embeddings.features import item_features
from embeddings.scorers.contract import Fitted, Foldable, Users
from recommend.evaluate.cut import Problem, cut_validation, seen_pairs
from recommend.evaluate.data import with_kind
from recommend.evaluate.files import read_part
from recommend.evaluate.graph_share import with_items_permuted, without_graph
from recommend.evaluate.hold import (
    Mask,
    draw,
    first_events,
    only,
    pairs_in,
    users_who_want,
    without_items,
    without_users,
)
from recommend.evaluate.lists import hits_of, ranked_lists
from recommend.evaluate.metrics import METRICS, Values
from recommend.evaluate.ratings import readings

SHARE = 0.2  # of the items, or of the users, that are held out
MOST_USERS = 2_000  # held-out users that lists are made for
TASTES = 5  # stated by a user who has no events
EVENTS = (0, 1, 2, 3, 5, 10)


class ColdItems(msgspec.Struct, frozen=True, kw_only=True):
    """cold: only held-out items are ranked, for the users who took any; warm: only the others, for the test part.

    overall: all items. warm_of_full: as warm, by the model that saw every item. warm_difference: their ndcg, the first
    minus the second, user by user; warm_loss: 1 − first / second. warm_without_graph: as warm, by the same scorer of
    the same events without any attributes, which cannot rank the held-out items; graph_difference: ndcg of warm minus
    that. Both None for a scorer that cannot do without.
    """

    scorer: str
    held_items: int
    cold: dict[str, Figure]
    warm: dict[str, Figure]
    overall: dict[str, Figure]
    warm_of_full: dict[str, Figure]
    warm_difference: Difference
    warm_loss: float
    warm_without_graph: dict[str, Figure] | None
    graph_difference: Difference | None


class ColdUsers(msgspec.Struct, frozen=True, kw_only=True):
    """by_events: how many events a held-out user is known by ("all" their history, "tastes" their favourite entities
    and no event) -> figures; kept: each one's ndcg as a share of that of "all"."""

    scorer: str
    users: int
    by_events: dict[str, dict[str, Figure]]
    kept: dict[str, float]


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """graph: "true", "shuffled" or "none" -> warm figures, and those among held-out items.

    cold_recall_lost: the share of the cold items' recall that goes when the graph is shuffled.
    """

    scorer: str
    warm: dict[str, dict[str, Figure]]
    cold: dict[str, dict[str, Figure]]
    cold_recall_lost: float


@dataclass(frozen=True)
class Case:
    """A data set as every cold bench sees it. tested: the pairs of the test file; had: of train and valid."""

    train: Snapshot
    problem: Problem
    given: bool
    tested: sp.csr_array
    had: sp.csr_array

    @classmethod
    def read(cls, files: Files, choice: Choice, progress: Progress) -> "Case":
        """Raises: InvalidRequest without a test file, whose pairs are what is to be found."""
        if files.test is None:
            raise InvalidRequest("this bench measures by the pairs of the test file; give it with --test", field="test")
        data = read_files(files, "test")
        problem = problem_of(data, choice.seed)
        kind = readings(problem.fit)[reading_of(problem, choice, progress)]
        tested = pairs_in(read_part(files.test), data.train)
        problem = Problem(with_kind(problem.fit, kind), problem.targets)
        return cls(with_kind(data.train, kind), problem, data.valid is not None, tested, data.left_out)

    def fitted(self, train: Snapshot, targets: sp.csr_array, choice: Choice, progress: Progress) -> Fitted:
        """The scorer, tuned on these targets; where no validation file was given, on a part it cuts from `train`."""
        if self.given:
            problem = Problem(train, targets)
            return tune(train, problem, problem, choice, progress).fitted
        return tune(train, None, cut_validation(train, seed=choice.seed), choice, progress).fitted


def cold_items(files: Files, choice: Choice, progress: Progress, *, share: float = SHARE) -> ColdItems:
    """Some of the trained items lose all of their events, and are ranked by their attributes.

    Raises: NothingToTrain when no item has attributes.
    """
    case = Case.read(files, choice, progress)
    held = held_items(case.train, share, choice.seed)
    fitted = _fit_without(case, case.train, held, choice, Within(progress, "1 of 3, items hidden"))
    full = case.fitted(case.train, case.problem.targets, choice, Within(progress, "2 of 3, all events"))
    without: Fitted | None = None
    with contextlib.suppress(NothingToTrain):
        plain_progress = Within(progress, "3 of 3, items hidden, no attributes")
        without = _fit_without(case, without_graph(case.train), held, choice, plain_progress)
    ours, theirs = (warm_values(model, case, held, choice.k) for model in (fitted, full))
    plain = warm_values(without, case, held, choice.k) if without is not None else None
    ndcg = f"ndcg@{choice.k}"
    compared = difference_of(ours[ndcg], theirs[ndcg], choice.seed)
    return ColdItems(
        scorer=choice.scorer,
        held_items=int(held.sum()),
        cold=cold_figures(fitted, case, held, choice.k),
        warm=_means(ours),
        overall=_means(_values(fitted, case.tested, case.had, np.ones(len(held), np.bool_), choice.k)),
        warm_of_full=_means(theirs),
        warm_difference=compared,
        warm_loss=-compared.difference / compared.second if compared.second else 0.0,
        warm_without_graph=_means(plain) if plain is not None else None,
        graph_difference=difference_of(ours[ndcg], plain[ndcg], choice.seed) if plain is not None else None,
    )


def kg_control(files: Files, choice: Choice, progress: Progress, *, share: float = SHARE) -> Control:
    """The same scorer, tuned anew with the true graph, with the items permuted over their attributes, and with none.

    A scorer that cannot do without a graph has no figures for none.
    """
    case = Case.read(files, choice, progress)
    held = held_items(case.train, share, choice.seed)
    graphs = {
        "true": case.train,
        "shuffled": with_items_permuted(case.train, seed=choice.seed),
        "none": without_graph(case.train),
    }
    warm: dict[str, dict[str, Figure]] = {}
    cold: dict[str, dict[str, Figure]] = {}
    for name, train in graphs.items():
        with contextlib.suppress(*((NothingToTrain,) if name == "none" else ())):
            own = Within(progress, f"graph {name}")
            full = case.fitted(train, case.problem.targets, choice, own)
            warm[name] = _means(_values(full, case.tested, case.had, np.ones(len(held), np.bool_), choice.k))
            fitted = _fit_without(case, train, held, choice, Within(own, "items hidden"))
            cold[name] = cold_figures(fitted, case, held, choice.k)
    recall = f"recall@{choice.k}"
    kept = cold["shuffled"][recall].mean / cold["true"][recall].mean if cold["true"][recall].mean else 1.0
    return Control(scorer=choice.scorer, warm=warm, cold=cold, cold_recall_lost=1 - kept)


def cold_users(files: Files, choice: Choice, progress: Progress, *, share: float = SHARE) -> ColdUsers:
    """Some users are left out of training, and come back with their first events only.

    Raises: InvalidRequest for a scorer that cannot score users it was not trained on.
    """
    case = Case.read(files, choice, progress)
    eligible = users_who_want(case.tested, np.bincount(case.train.interactions.user_rows, minlength=_users(case)) > 0)
    held = draw(eligible, min(share, MOST_USERS / max(len(eligible), 1)), _users(case), choice.seed)
    model = case.fitted(without_users(case.train, held), only(case.problem.targets, users=~held), choice, progress)
    if not isinstance(model, Foldable):
        raise InvalidRequest(f"{choice.scorer} cannot score users it was not trained on", field="scorer")
    users = users_who_want(case.tested, held)
    by_events: dict[str, dict[str, Figure]] = {}
    for count in (*EVENTS, None):
        known = model.fold_in(first_events(case.train, held, count, choice.seed))
        by_events["all" if count is None else str(count)] = _of_users(known, users, case, choice.k)
    if isinstance(model, Served) and item_features(case.train).matrix.nnz:
        by_events["tastes"] = _of_users(StatedTastes.of(model, case.train), users, case, choice.k)
    name = f"ndcg@{choice.k}"
    whole = by_events["all"][name].mean
    kept = {each: figures[name].mean / whole if whole else 0.0 for each, figures in by_events.items()}
    return ColdUsers(scorer=choice.scorer, users=len(users), by_events=by_events, kept=kept)


@dataclass(frozen=True)
class StatedTastes:
    """Users who state the entities that most of their items have, weighed by rarity, and nothing else."""

    model: Served
    favourites: list[list[int]]

    @classmethod
    def of(cls, model: Served, snapshot: Snapshot) -> "StatedTastes":
        features = item_features(snapshot)
        rows = sp.csr_array(sp.csr_array(seen_pairs(snapshot) @ features.matrix) * features.idf)
        favourites: list[list[int]] = []
        for user in range(len(snapshot.user_ids)):
            own = slice(rows.indptr[user], rows.indptr[user + 1])
            best = np.argsort(rows.data[own], kind="stable")[::-1]
            entities = features.entities[rows.indices[own][best]]
            favourites.append(list(dict.fromkeys(entities.tolist()))[:TASTES])
        return cls(model, favourites)

    def score(self, user_rows: Users) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
        scores = [self.model.scorer.from_tastes(own, [1.0] * len(own)).total for own in self._of(user_rows)]
        return np.stack(scores) if scores else np.zeros((0, len(self.model.scorer.item_ids)), np.float32)

    def contributions(self, user_row: int, item_row: int) -> dict[str, float]:
        own = self.favourites[user_row]
        return {"tastes": float(self.model.scorer.from_tastes(own, [1.0] * len(own)).total[item_row])}

    def _of(self, user_rows: Users) -> Sequence[list[int]]:
        return [self.favourites[row] for row in user_rows.tolist()]


def held_items(train: Snapshot, share: float, seed: int) -> Mask:
    """A share of the items that have both events and attributes. Raises: NothingToTrain without any."""
    described = np.diff(item_features(train).matrix.indptr) > 0
    taken = np.bincount(train.interactions.item_rows, minlength=len(train.item_ids)) > 0
    candidates = np.flatnonzero(described & taken).astype(np.int64)
    if len(candidates) == 0:
        raise NothingToTrain("no item has attributes, by which a new one could be ranked; give the graph with --kg")
    return draw(candidates, share, len(train.item_ids), seed)


def cold_figures(fitted: Fitted, case: Case, held: Mask, k: int) -> dict[str, Figure]:
    """Held-out items against each other, for all users who took any of them in any file."""
    taken = sp.csr_array((case.tested + case.had) > 0)
    return _means(_values(fitted, only(taken, items=held), only(taken, items=np.zeros_like(held)), held, k))


def warm_values(fitted: Fitted, case: Case, held: Mask, k: int) -> dict[str, Values]:
    return _values(fitted, only(case.tested, items=~held), case.had, ~held, k)


def _fit_without(case: Case, train: Snapshot, held: Mask, choice: Choice, progress: Progress) -> Fitted:
    return case.fitted(without_items(train, held), only(case.problem.targets, items=~held), choice, progress)


def _values(fitted: Fitted, targets: sp.csr_array, had: sp.csr_array, among: Mask, k: int) -> dict[str, Values]:
    """recall, ndcg and hit at k of lists of these items only, of each user with something to find."""
    users = users_who_want(targets, np.ones(len(targets.indptr) - 1, np.bool_))
    return _of_lists(Among(fitted, among), users, targets, had, k)


@dataclass(frozen=True)
class Among:
    """A scorer whose lists hold some items only."""

    fitted: Fitted
    allowed: Mask

    def score(self, user_rows: Users) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
        scores = self.fitted.score(user_rows)
        scores[:, ~self.allowed] = -np.inf
        return scores

    def contributions(self, user_row: int, item_row: int) -> dict[str, float]:
        return self.fitted.contributions(user_row, item_row)


def _of_users(fitted: Fitted, users: Users, case: Case, k: int) -> dict[str, Figure]:
    return _means(_of_lists(fitted, users, case.tested, case.had, k))


def _of_lists(fitted: Fitted, users: Users, targets: sp.csr_array, had: sp.csr_array, k: int) -> dict[str, Values]:
    hits, wanted = hits_of(ranked_lists(fitted, users, had, k), targets)
    return {f"{name}@{k}": METRICS[name](hits, wanted, k) for name in ("recall", "ndcg", "hit")}


def _means(values: dict[str, Values]) -> dict[str, Figure]:
    return {name: figure(each) for name, each in values.items()}


def _users(case: Case) -> int:
    return len(case.train.user_ids)
