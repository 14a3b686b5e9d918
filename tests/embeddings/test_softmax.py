"""Which items a step's softmax compares."""

import numpy as np
import pytest
import torch

from embeddings.softmax import LEAST_OTHERS, compare, cover


def test_few_items_are_all_compared() -> None:
    taken = np.array([2, 5, 7], np.int64)
    covered = cover(np.array([7, 2, 7], np.int32), taken, 3, np.random.default_rng(0))
    assert covered.items.tolist() == [2, 5, 7]
    assert covered.log_share.tolist() == [0, 0, 0]
    assert covered.places.tolist() == [2, 0, 2]


def test_of_many_items_the_wanted_are_compared_and_others_that_stand_for_the_rest() -> None:
    taken, wanted = np.arange(10_000, dtype=np.int64), np.array([9_000, 3, 9_000], np.int32)
    covered = cover(wanted, taken, 2_002, np.random.default_rng(0))
    assert len(covered.items) == len(set(covered.items.tolist())) == 2_002
    assert covered.items[covered.places].tolist() == wanted.tolist()
    assert covered.log_share[:2].tolist() == [0, 0]
    assert covered.log_share.exp().sum().item() == pytest.approx(10_000, rel=1e-4)


def test_some_others_are_always_compared() -> None:
    covered = cover(np.arange(500), np.arange(5_000, dtype=np.int64), 100, np.random.default_rng(0))
    assert len(covered.items) == 500 + LEAST_OTHERS


def test_the_sum_over_sampled_items_is_right_on_average() -> None:
    rng, taken = np.random.default_rng(0), np.arange(4_000, dtype=np.int64)
    scores = torch.from_numpy(rng.standard_normal(4_000))
    sums = [
        (scores[covered.items] + covered.log_share).exp().sum().item()
        for covered in (cover(np.array([1, 2]), taken, 1_500, rng) for _ in range(200))
    ]
    assert np.mean(sums) == pytest.approx(scores.exp().sum().item(), rel=0.01)


def test_cosines_over_a_temperature() -> None:
    users, targets = torch.tensor([[3.0, 4.0]]), torch.tensor([[8.0, 6.0], [-3.0, -4.0]])
    assert compare(users, targets, None).tolist() == [[48, -25]]
    assert compare(users, targets, 0.5).flatten().tolist() == pytest.approx([2 * 48 / 50, -2])
