"""How many people took two items both."""

import numpy as np
import pytest

from recommend import company
from recommend.company import Company
from recommend.request import RecommendRequest
from recommend.subject import subject_of
from recommend.world import World


@pytest.fixture
def bob(world: World) -> tuple[Company, list[int], dict[str, int]]:
    """The company of a user with pulp, diehard and thelma, and the rows of items."""
    view = world.view()
    rows = dict(view.catalogue.item_rows)
    assert view.scorer is not None
    subject = subject_of(view, RecommendRequest(user_id="bob"), 0)
    events = [rows["pulp"], rows["diehard"], rows["thelma"]]
    return Company(view, subject, view.scorer.weights, np.array(events, np.int32)), events, rows


def test_counts_are_those_of_sets(world: World, bob: tuple[Company, list[int], dict[str, int]]) -> None:
    asked, events, rows = bob
    view = world.view()
    assert view.scorer is not None
    weights, me = view.scorer.weights, view.snapshot.user_row["bob"]
    takers = [set(each.tolist()) - {me} for each in np.split(weights.takers_rows, weights.takers_indptr[1:-1])]
    for item_row in rows.values():
        expected = [len(takers[event] & takers[item_row]) for event in events]
        assert asked.counts(item_row, np.zeros(3)).tolist() == expected
    assert asked.others(rows["pulp"], rows["diehard"]).count == len(takers[rows["pulp"]] & takers[rows["diehard"]])


def test_of_a_user_with_very_many_items_those_with_the_largest_terms_are_looked_at(
    bob: tuple[Company, list[int], dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, _, rows = bob
    whole = asked.counts(rows["diehard"], np.zeros(3))
    monkeypatch.setattr(company, "MOST_LOOKED_AT", 12)  # ten took pulp, seven diehard
    counts = asked.counts(rows["diehard"], np.array([3.0, 2.0, 1.0]))
    assert counts.tolist() == [whole[0], 0, 0]
