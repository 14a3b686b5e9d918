"""Diversity and calibration, worked out by hand on four items of two genres; and filters for all items at once."""

from math import log
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from domain.dataset_snapshot import snapshot_of
from recommend.catalogue import Catalogue
from recommend.diversify import SMOOTHING, Diversity, Mix, divergence, mix_of, sorting_type
from recommend.field_index import FieldIndex
from recommend.filter import compile_filter
from recommend.placing import Wishes, left_behind, place
from tests.world import DECLARATION, world_dataset

CATALOGUE = Catalogue.of(snapshot_of(world_dataset()))
ROW = CATALOGUE.item_rows
SCORES = np.zeros(len(CATALOGUE))
for _item, _score in {"alien": 4.0, "blade": 3.0, "heat": 2.0, "diehard": 1.0}.items():
    SCORES[ROW[_item]] = _score
ALLOWED = np.flatnonzero(SCORES > 0)
VECTORS = np.zeros((len(CATALOGUE), 2))
VECTORS[[ROW["alien"], ROW["blade"]]] = (1, 0)
VECTORS[[ROW["heat"], ROW["diehard"]]] = (0, 1)


def placed(dial: float, calibration: float = 0.0, mix: Mix | None = None, n: int = 4) -> list[str]:
    wishes = Wishes(diversity=Diversity(dial, calibration, VECTORS, mix))
    return [str(CATALOGUE.item_ids[row]) for row in place(CATALOGUE, SCORES, ALLOWED, n, wishes).rows]


@pytest.mark.parametrize(
    ("dial", "items"),
    [
        (0.1, ["alien", "blade", "heat", "diehard"]),  # .9 · 2/3 − .1 > .9 · 1/3
        (0.4, ["alien", "heat", "blade", "diehard"]),  # .6 · 2/3 − .4 < .6 · 1/3
        (1.0, ["alien", "heat", "blade", "diehard"]),
    ],
)
def test_the_dial_trades_scores_for_items_unlike_those_chosen(dial: float, items: list[str]) -> None:
    assert placed(dial) == items


def test_an_item_that_gave_way_to_another_kind_was_kept_out_by_diversity() -> None:
    wishes = Wishes(diversity=Diversity(0.4, 0.0, VECTORS, None))
    whole = place(CATALOGUE, SCORES, ALLOWED, 2, wishes)
    kept_out = [left_behind(CATALOGUE, SCORES, ALLOWED, wishes, whole, ROW[item]) for item in ("blade", "diehard")]
    assert [removal and removal.code for removal in kept_out] == ["diversity", None]


def test_a_fully_calibrated_list_has_the_users_own_mix() -> None:
    shares = sp.csr_array(VECTORS)
    half = Mix(shares, np.array([0.5, 0.5]))
    assert placed(0.0, 1.0, half, n=2) == ["alien", "heat"]
    assert placed(0.0, 1.0, Mix(shares, np.array([0.0, 1.0])), n=2) == ["heat", "diehard"]
    assert placed(0.0, 0.0, half, n=2) == ["alien", "blade"]


def test_the_divergence_is_0_for_the_same_mix_and_as_in_steck_for_another() -> None:
    own = np.array([0.5, 0.5])
    same, other = divergence(own, np.array([[0.5, 0.5], [1.0, 0.0]]))
    assert same == pytest.approx(0)
    smooth = (1 - SMOOTHING + SMOOTHING / 2, SMOOTHING / 2)
    assert other == pytest.approx(0.5 * log(0.5 / smooth[0]) + 0.5 * log(0.5 / smooth[1]))


def test_the_mix_is_told_by_the_type_with_most_relations_of_those_that_half_of_the_items_have() -> None:
    assert sorting_type(CATALOGUE) == DECLARATION.entity_code["Genre"]  # 12 relations, against 9 to directors
    mix = mix_of(CATALOGUE, {ROW["alien"]: 3.0, ROW["heat"]: 1.0})
    assert mix is not None
    assert sorted(mix.own.tolist()) == [0.0, 0.25, 0.75]
    assert mix_of(CATALOGUE, {}) is None


VALUES = st.one_of(
    st.sampled_from([None, True, False, 1990, 1994, 1994.0, "Heat", "film", "cult", "90s", "alien", 0, 1]),
    st.integers(1970, 2010),
)
NAMES = st.sampled_from(sorted(CATALOGUE.field_names))
LEAVES = st.one_of(
    st.fixed_dictionaries({"field": NAMES, "op": st.sampled_from(["eq", "ne"]), "value": VALUES}),
    st.fixed_dictionaries({"field": NAMES, "op": st.just("in"), "value": st.lists(VALUES, max_size=3)}),
    st.fixed_dictionaries({"field": NAMES, "op": st.just("exists"), "value": st.booleans()}),
    st.fixed_dictionaries(
        {
            "field": NAMES,
            "op": st.sampled_from(["lt", "le", "gt", "ge"]),
            "value": VALUES.filter(lambda value: value is not None and not isinstance(value, bool)),
        }
    ),
)
FILTERS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"and": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"or": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=6,
)


@given(FILTERS)
def test_a_filter_for_all_items_at_once_says_what_it_says_item_by_item(raw: Any) -> None:
    test = compile_filter(raw, CATALOGUE.field_names)
    one_by_one = [test(lambda name, row=row: CATALOGUE.field(row, name)) for row in range(len(CATALOGUE))]
    assert FieldIndex(CATALOGUE).mask(raw).tolist() == one_by_one
