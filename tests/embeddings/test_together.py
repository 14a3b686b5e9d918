"""What was taken by the same people: values by hand, what counts as taken, and how much is kept."""

import numpy as np
import pytest
import scipy.sparse as sp

from embeddings.together import taken_together

A, B, C, D = range(4)


def takers(**taken: list[int]) -> sp.csr_array:
    """(U, 4) ones, from item name -> users."""
    pairs = [(user, "ABCD".index(item)) for item, users in taken.items() for user in users]
    rows, columns = zip(*pairs, strict=True)
    return sp.csr_array((np.ones(len(pairs), np.float32), (rows, columns)), shape=(6, 4))


def test_the_cosine_leans_on_the_item_of_the_event() -> None:
    """A was taken by 4, B by 2 of them: 2² / (2 + 5) over 4^¾ · 2^¼, and over 2^¾ · 4^¼ the other way."""
    found = taken_together(takers(A=[0, 1, 2, 3], B=[0, 1], D=[5])).toarray()
    assert found[A, B] == pytest.approx(4 / 7 / (4**0.75 * 2**0.25))
    assert found[B, A] == pytest.approx(4 / 7 / (2**0.75 * 4**0.25))
    assert np.count_nonzero(found) == 2  # nothing of an item with itself, nor of what nobody took together


def test_what_people_disliked_or_only_saw_they_did_not_take() -> None:
    weights = takers(A=[0, 1], B=[0, 1], C=[0, 1])
    weights.data[weights.indices == B] = -1
    weights.data[weights.indices == C] = 0
    assert taken_together(weights).nnz == 0
    assert weights.nnz == 6  # what was given stays as it is
    weights.data[weights.indices == B] = 0.2  # however little it weighs
    assert taken_together(weights).toarray()[A, B] == pytest.approx(4 / 7 / 2)


def test_each_row_keeps_its_largest() -> None:
    matrix = takers(A=[0, 1, 2, 3], B=[0, 1, 2], C=[0], D=[1])
    kept = taken_together(matrix, neighbours=2)
    whole = taken_together(matrix).toarray()
    assert whole[A, C] == whole[A, D] > 0
    assert kept[[A]].indices.tolist() == [B, C]  # C and D are equal: the lower row
    np.testing.assert_array_equal(kept[[A]].toarray()[0, [B, C]], whole[A, [B, C]])
