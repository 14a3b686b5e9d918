"""Lists that any program wrote: what they find, and what they are like; against closed forms and the outside scorer."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from clew.bench_score import Against, compare, score
from domain.errors import InvalidSource
from recommend.evaluate.beyond import catalogue_coverage, gini, intra_list_diversity, novelty, taker_vectors
from recommend.evaluate.data import pair_matrix
from recommend.evaluate.slices import activity_slices, popularity_groups, recall_of_group

SHARED = Path(__file__).parents[3] / "shared" / "data" / "ml-100k-splits"


def test_gini_is_0_when_all_items_get_as_much_and_nearly_1_when_one_gets_all() -> None:
    assert gini(np.array([[0, 1], [2, 3]]), 4) == 0
    assert gini(np.array([[0, -1], [0, -1]]), 4) == 3 / 4
    assert gini(np.array([[0, 1], [0, 1]]), 4) == pytest.approx((2 * 3 - 5 + 2 * 4 - 5) * 2 / (4 * 4))
    assert gini(np.array([[-1]]), 4) == 0


def test_coverage_counts_each_item_once() -> None:
    assert catalogue_coverage(np.array([[0, 1, -1], [1, 2, 0]]), 6) == 3 / 6


def test_novelty_is_the_mean_of_bits() -> None:
    takers = np.array([4, 2, 1, 0])
    values = novelty(np.array([[0, 1], [2, 3], [2, -1], [-1, -1]]), takers, 4)
    assert values.tolist() == [(0 + 1) / 2, (2 + 2) / 2, 2, 0]  # nobody took item 3: as if one had


def test_diversity_of_the_same_and_of_strangers() -> None:
    vectors = sp.csr_array(np.array([[1.0, 0], [1, 0], [0, 1]]))
    values = intra_list_diversity(np.array([[0, 1, -1], [0, 2, -1], [0, 1, 2], [0, -1, -1]]), vectors)
    assert values.tolist() == pytest.approx([0, 1, 2 / 3, 0])


def test_items_are_described_by_their_takers() -> None:
    taken = pair_matrix(np.array([0, 1, 0]), np.array([0, 0, 1]), (2, 3))
    cosines = (taker_vectors(taken) @ taker_vectors(taken).T).toarray()
    assert cosines[0, 1] == pytest.approx(1 / np.sqrt(2))
    assert cosines[2].tolist() == [0, 0, 0]


def test_users_are_sliced_in_quarters_and_those_without_events_apart() -> None:
    slices = activity_slices(np.array([0, 1, 2, 3, 4, 5, 6, 7, 8]))
    assert {name: int(chosen.sum()) for name, chosen in slices.items()} == {
        "0 events": 1,
        "1-2 events": 2,
        "3-4 events": 2,
        "5-6 events": 2,
        "7-8 events": 2,
    }


def test_items_are_grouped_by_thirds_of_the_events() -> None:
    groups = popularity_groups(np.array([6, 3, 3, 2, 2, 2, 0]))
    assert {name: np.flatnonzero(group).tolist() for name, group in groups.items()} == {
        "head": [0],
        "middle": [1, 2],
        "tail": [3, 4, 5],
        "cold": [6],
    }


def test_recall_of_a_group_counts_only_those_who_want_it() -> None:
    targets = pair_matrix(np.array([0, 0, 1]), np.array([0, 1, 2]), (2, 3))
    lists = np.array([[0, 2], [2, 0]])
    assert recall_of_group(lists, targets, np.array([True, True, False])).tolist() == [0.5]


def write(path: Path, rows: list[tuple[object, ...]], header: str = "user_id\titem_id") -> Path:
    path.write_text("\n".join([header, *("\t".join(map(str, row)) for row in rows)]) + "\n")
    return path


@pytest.fixture
def run(tmp_path: Path) -> tuple[Path, Against]:
    """40 users, 60 items; lists of 25 with items of train and valid among them; two users without a list."""
    rng = np.random.default_rng(5)
    items = [f"i{place}" for place in range(60)]
    parts: dict[str, list[tuple[object, ...]]] = {"train": [], "valid": [], "test": []}
    ranks: list[tuple[object, ...]] = []
    for user in range(40):
        shuffled = list(rng.permutation(items))
        for name, (low, high) in {"train": (0, 12), "valid": (12, 15), "test": (15, 15 + 1 + user % 7)}.items():
            parts[name] += [(f"u{user}", item) for item in shuffled[low:high]]
        if user > 1:
            ranks += [(f"u{user}", rank, item) for rank, item in enumerate(rng.permutation(items)[:25], start=1)]
    train, valid, test = (write(tmp_path / name, rows) for name, rows in parts.items())
    return write(tmp_path / "recs", ranks, "user_id\trank\titem_id"), Against(test, train, valid)


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data/ml-100k-splits")
def test_equal_to_the_outside_scorer_with_what_was_had_before_struck(run: tuple[Path, Against]) -> None:
    spec = importlib.util.spec_from_file_location("outside_scorer", SHARED / "score.py")
    assert spec is not None
    assert spec.loader is not None
    outside = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(outside)
    recs, against = run
    theirs, facts = outside.score(against.train, against.valid, against.test, recs, ks=(10, 20))
    ours = score(recs, against, [10, 20])
    assert ours.users == facts["users"] == 40
    assert ours.rows_had_before == facts["masked_items_dropped"] > 0
    for name, value in theirs.items():
        assert ours.metrics[name].mean == pytest.approx(value, abs=1e-12)


def test_a_run_compared_with_itself_differs_by_nothing(run: tuple[Path, Against]) -> None:
    recs, against = run
    told = compare(recs, recs, against, [10], seed=0)
    assert all((each.difference, each.low, each.high) == (0, 0, 0) for each in told.metrics.values())


def test_a_perfect_run_beats_an_empty_one_by_1(run: tuple[Path, Against], tmp_path: Path) -> None:
    _, against = run
    wanted = [line.split("\t") for line in against.test.read_text().splitlines()[1:]]
    ranks = [(user, place, item) for place, (user, item) in enumerate(wanted, start=1)]
    perfect = write(tmp_path / "perfect", ranks, "user_id\trank\titem_id")
    empty = write(tmp_path / "empty", [("u0", 1, "of no one")], "user_id\trank\titem_id")
    told = compare(perfect, empty, against, [10], seed=0)
    assert (told.metrics["ndcg@10"].first, told.metrics["ndcg@10"].difference) == (1, 1)


def test_an_item_twice_for_a_user_is_an_error(run: tuple[Path, Against], tmp_path: Path) -> None:
    twice = write(tmp_path / "twice", [("u0", 1, "i1"), ("u0", 2, "i1")], "user_id\trank\titem_id")
    with pytest.raises(InvalidSource, match="user 'u0' gets the item 'i1' twice"):
        score(twice, run[1], [10])
