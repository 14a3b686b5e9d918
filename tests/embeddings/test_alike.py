"""What a new item borrows from the items it is like."""

import numpy as np
import pytest
import scipy.sparse as sp

from embeddings.alike import NEAREST, RIDGE, Alike
from embeddings.assemble import calibrate, lent

FEATURES = sp.csr_array(np.array([[1, 1, 0, 0], [1, 0, 0, 1], [0, 0, 1, 0], [1, 1, 0, 0], [0, 0, 1, 0]], np.float32))
IDF = np.array([1.0, 4.0, 1.0, 9.0], np.float32)


def alike(*known: int) -> Alike:
    return Alike.of(FEATURES, IDF, np.isin(np.arange(5), known))


def test_features_are_weighted_by_idf_and_those_of_one_item_say_nothing() -> None:
    unit = alike(0, 1, 2).unit.toarray()
    np.testing.assert_allclose(unit[0], np.array([1, 2, 0, 0]) / 5**0.5, rtol=1e-6)
    np.testing.assert_allclose(unit[1], [1, 0, 0, 0], rtol=1e-6)  # its other feature is of no other item


def test_weights_are_kernel_ridge_regression() -> None:
    found = alike(0, 1, 2).borrow(np.array([0, 1]))
    cosine = 1 / 5**0.5
    kernel = np.array([[1 + RIDGE, cosine], [cosine, 1 + RIDGE]])
    assert found.rows.tolist() == [0, 1]  # nothing is shared with the third
    np.testing.assert_allclose(found.weights, np.linalg.solve(kernel, [1, cosine]), rtol=1e-5)


def test_nothing_is_borrowed_from_items_that_nobody_took_nor_from_the_item_itself() -> None:
    assert alike(1, 2).borrow(np.array([0, 1])).rows.tolist() == [1]
    assert alike(0, 1, 2).of_row(0).rows.tolist() == [1]


def test_an_item_that_is_like_none_borrows_nothing() -> None:
    found = alike(0, 1, 2).borrow(np.array([], np.int64))
    assert (len(found.rows), len(found.weights)) == (0, 0)


def test_only_the_nearest_lend() -> None:
    many = sp.csr_array(np.ones((NEAREST + 20, 1), np.float32))
    all_known = Alike.of(many, np.ones(1, np.float32), np.ones(NEAREST + 20, np.bool_))
    assert len(all_known.borrow(np.array([0])).rows) == NEAREST


def test_slopes_make_up_for_what_the_ridge_takes_away() -> None:
    twins = Alike.of(sp.csr_array(np.ones((2, 1), np.float32)), np.ones(1, np.float32), np.ones(2, np.bool_))
    rest = np.zeros((2, 2), np.float32)
    slopes = calibrate(twins, np.array([3.0, 3.0], np.float32), rest)
    assert slopes[0] == pytest.approx(1 + RIDGE)  # each guesses 3 / (1 + RIDGE) for the other
    assert slopes[1] == 1  # no residual to learn from


def test_a_new_item_gets_the_weighted_columns_of_those_it_is_like_in_every_form_of_r() -> None:
    rest = np.random.default_rng(0).random((5, 5), np.float32)
    borrowed = [alike(0, 1, 2).of_row(3), alike(0, 1, 2).of_row(4)]
    assert [each.rows.tolist() for each in borrowed] == [[0, 1], [2]]
    expected = rest.copy()
    for row, each in zip((3, 4), borrowed, strict=True):
        expected[:, row] = 2 * rest[:, each.rows] @ each.weights
        expected[row, row] = 0
    new, slope = np.array([3, 4]), np.float32(2)
    np.testing.assert_allclose(lent(rest, new, borrowed, slope), expected, rtol=1e-6)
    untaken = rest.copy()
    untaken[:, [3, 4]] = 0  # as it is where nobody took them: a sparse form is added to
    found = lent(sp.csr_array(untaken), new, borrowed, slope)
    assert isinstance(found, sp.csr_array)
    np.testing.assert_allclose(found.toarray(), expected, rtol=1e-6)
