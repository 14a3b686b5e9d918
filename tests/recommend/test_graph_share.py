"""The graph share on the hand-written model: c1 took Pulp Fiction and Die Hard, each with weight 1."""

from dataclasses import replace

import numpy as np
import pytest

from recommend.evaluate.graph_share import GraphShare, graph_share, with_items_permuted, without_graph
from recommend.score import Scorer
from tests.recommend.small_model import small_artifact

HALF = 0.5**0.5


def share_of(*items: str, behaviour: dict[tuple[str, str], float] | None = None) -> GraphShare:
    """Of the list of these items for c1; behaviour: entries of R to change."""
    artifact = small_artifact()
    snapshot = artifact.snapshot
    assert artifact.weights.behaviour_rows is not None
    rows = artifact.weights.behaviour_rows.copy()
    for (event, item), value in (behaviour or {}).items():
        rows[snapshot.item_row[event], snapshot.item_row[item]] = value
    scorer = Scorer(replace(artifact, weights=replace(artifact.weights, behaviour_rows=rows)))
    return graph_share(
        scorer, snapshot, {snapshot.user_row["c1"]: np.array([snapshot.item_row[item] for item in items])}
    )


def test_what_no_behaviour_adds_to_is_all_graph() -> None:
    found = share_of("dogs")  # the director gives 4, the genre 1
    assert found.share == pytest.approx(1)
    assert found.by_relation == pytest.approx({"DIRECTED_BY": 4 / 5, "HAS_GENRE": 1 / 5})


def test_sums_run_over_the_whole_list() -> None:
    found = share_of("dogs", "diehard")  # pulp -> diehard: one actor of pulp's two gives √½, behaviour 2
    assert found.share == pytest.approx((5 + HALF) / (5 + HALF + 2))
    assert found.by_relation["ACTED_BY"] == pytest.approx(HALF / (5 + HALF + 2))
    assert found.of(frozenset({"ACTED_BY", "DIRECTED_BY"})) == pytest.approx((4 + HALF) / (7 + HALF))


def test_a_prior_that_the_residual_takes_back_counts_for_what_is_left() -> None:
    found = share_of("dogs", "diehard", behaviour={("pulp", "dogs"): -3.0})  # 5 − 3 = 2 of graph
    assert found.share == pytest.approx((2 + HALF) / (2 + HALF + 2))
    assert found.by_relation["DIRECTED_BY"] == pytest.approx(4 / 5 * 2 / (4 + HALF))


def test_what_is_taken_back_whole_counts_nothing_and_lowers_nothing_else() -> None:
    found = share_of("dogs", "diehard", behaviour={("pulp", "dogs"): -9.0})
    assert found.share == pytest.approx(HALF / (HALF + 2))


def test_no_lists_have_no_share() -> None:
    assert share_of() == GraphShare(0.0, {})


def test_net_of_the_control_by_relation() -> None:
    net = GraphShare(0.5, {"a": 0.4, "b": 0.1}).net_of(GraphShare(0.2, {"b": 0.05, "c": 0.15}))
    assert net.share == pytest.approx(0.3)
    assert net.by_relation == pytest.approx({"a": 0.4, "b": 0.05, "c": -0.15})


def test_the_control_moves_whole_items_and_the_other_has_no_items_in_its_graph() -> None:
    snapshot = small_artifact().snapshot
    permuted = with_items_permuted(snapshot, seed=1)
    for before, after in zip(snapshot.relations, permuted.relations, strict=True):
        assert after.tails.tolist() == before.tails.tolist()
        if (before.head_kind, before.tail_kind) == ("item", "entity"):
            pairs = set(zip(before.heads.tolist(), after.heads.tolist(), strict=True))
            assert len(pairs) == len({old for old, _ in pairs}) == len({new for _, new in pairs})
    assert any(
        before.heads.tolist() != after.heads.tolist()
        for before, after in zip(snapshot.relations, permuted.relations, strict=True)
    )
    kinds = {(one.head_kind, one.tail_kind) for one in without_graph(snapshot).relations}
    assert ("item", "entity") not in kinds
