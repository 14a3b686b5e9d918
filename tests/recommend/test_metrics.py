"""Metrics against closed forms and against the outside scorer."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from clew.bench_score import Difference, difference_of
from recommend.evaluate.metrics import (
    METRICS,
    bootstrap_difference,
    coverage,
    hit_matrix,
    ndcg,
    standard_error,
)

SHARED = Path(__file__).parents[3] / "shared" / "data" / "ml-100k-splits"


def one(name: str, hits: list[int], wanted: int, k: int) -> float:
    values = METRICS[name](np.array([hits], dtype=bool), np.array([wanted]), k)
    assert values.shape == (1,)
    return float(values[0])


@pytest.mark.parametrize("name", METRICS)
def test_a_list_without_hits_scores_nothing(name: str) -> None:
    assert one(name, [0, 0, 0, 0], 2, 4) == 0


@pytest.mark.parametrize("name", ["recall", "ndcg", "mrr", "map", "hit", "precision"])
def test_a_perfect_list_scores_one(name: str) -> None:
    assert one(name, [1, 1, 1], 3, 3) == 1


def test_ndcg_divides_by_the_best_possible_list() -> None:
    # one of three wanted found, first: 1 / (1 + 1/log2 3 + 1/2), not 1
    assert one("ndcg", [1, 0, 0], 3, 3) == pytest.approx(1 / (1 + 1 / np.log2(3) + 0.5), abs=1e-15)
    # with more wanted than places the ideal list has k hits
    assert one("ndcg", [1, 1], 9, 2) == 1


def test_each_metric_by_hand() -> None:
    hits = [0, 1, 0, 1]  # ranks 2 and 4 of three wanted
    assert one("recall", hits, 3, 4) == pytest.approx(2 / 3)
    assert one("precision", hits, 3, 4) == 2 / 4
    assert one("mrr", hits, 3, 4) == 1 / 2
    assert one("map", hits, 3, 4) == pytest.approx((1 / 2 + 2 / 4) / 3)
    assert one("hit", hits, 3, 1) == 0
    ideal = 1 + 1 / np.log2(3) + 1 / 2
    assert one("ndcg", hits, 3, 4) == pytest.approx((1 / np.log2(3) + 1 / np.log2(5)) / ideal)


def test_short_lists_are_padded_with_misses() -> None:
    hits, wanted = hit_matrix([["a", "b"], []], [{"b"}, {"x", "y"}], 3)
    assert hits.tolist() == [[False, True, False], [False, False, False]]
    assert wanted.tolist() == [1, 2]
    assert ndcg(hits[:, :1], wanted, 3).tolist() == [0, 0]


def test_coverage_counts_each_item_once() -> None:
    assert coverage([["a", "b", "c"], ["a", "d"]], 8, 2) == 3 / 8


def test_standard_error_of_a_half_and_half() -> None:
    assert standard_error(np.array([0.0, 1.0])) == pytest.approx(np.sqrt(0.5) / np.sqrt(2))


def test_bootstrap_of_a_constant_difference_is_that_constant() -> None:
    assert bootstrap_difference(np.full(5, 0.75), np.full(5, 0.5)) == (0.25, 0.25, 0.25)


def test_without_users_there_is_no_difference() -> None:
    nobody = np.zeros(0)
    assert bootstrap_difference(nobody, nobody) == (0.0, 0.0, 0.0)
    assert difference_of(nobody, nobody, 0) == Difference(first=0.0, second=0.0, difference=0.0, low=0.0, high=0.0)


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data/ml-100k-splits")
def test_equal_to_the_outside_scorer(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("outside_scorer", SHARED / "score.py")
    assert spec is not None
    assert spec.loader is not None
    outside = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(outside)
    rng = np.random.default_rng(5)
    items = [f"i{place}" for place in range(60)]
    targets = {f"u{user}": set(rng.choice(items, rng.integers(1, 30), replace=False)) for user in range(40)}
    lists = {user: list(rng.permutation(items)[:25]) for user in targets}
    write(tmp_path / "train", [])
    write(tmp_path / "valid", [])
    write(tmp_path / "test", [(user, item) for user, wanted in targets.items() for item in sorted(wanted)])
    rows = [f"{user}\t{rank}\t{item}" for user, ranked in lists.items() for rank, item in enumerate(ranked, start=1)]
    (tmp_path / "recs").write_text("\n".join(["user_id\trank\titem_id", *rows]) + "\n")
    theirs, _ = outside.score(*(tmp_path / name for name in ("train", "valid", "test", "recs")))
    hits, wanted = hit_matrix(list(lists.values()), list(targets.values()), 20)
    for name in ("recall", "ndcg", "mrr", "hit"):
        for k in (10, 20):
            assert METRICS[name](hits, wanted, k).mean() == pytest.approx(theirs[f"{name}@{k}"], abs=1e-12)


def write(path: Path, rows: list[tuple[str, str]]) -> None:
    path.write_text("\n".join(["user_id\titem_id", *(f"{user}\t{item}" for user, item in rows)]) + "\n")
