"""What a user's items share with another item, found by index: the same as element by element."""

import numpy as np
import scipy.sparse as sp

from recommend.entity_index import EntityIndex


def test_the_index_finds_what_a_loop_over_all_features_finds_in_the_same_order() -> None:
    rng = np.random.default_rng(0)
    features = rng.random((12, 9), np.float32) * (rng.random((12, 9)) < 0.4)
    rows = np.array([1, 4, 5, 11], np.int32)
    index = EntityIndex(sp.csr_array(features.astype(np.float32)), rows)
    for item_row in range(12):
        plain = [
            (place, column, features[row, column] * features[item_row, column])
            for place, row in enumerate(rows.tolist())
            for column in range(9)
            if row != item_row and features[row, column] * features[item_row, column] > 0
        ]
        assert list(zip(*(each.tolist() for each in index.shared(item_row)), strict=True)) == plain


def test_a_user_without_items_shares_nothing() -> None:
    index = EntityIndex(sp.csr_array(np.ones((3, 2), np.float32)), np.empty(0, np.int32))
    assert [len(each) for each in index.shared(1)] == [0, 0, 0]
