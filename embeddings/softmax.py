"""Which items a step's softmax compares, and by what. Needs torch."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

LEAST_OTHERS = 1_024  # random items in a step, beside those that its users took


@dataclass(frozen=True)
class Covered:
    """items (c,): rows in the softmax. log_share (c,): log of how many items each stands for.

    places (n,): where the wanted items are among them.
    """

    items: Tensor
    log_share: Tensor
    places: Tensor


def cover(wanted: NDArray[np.integer], all_items: NDArray[np.int64], most: int, rng: np.random.Generator) -> Covered:
    """All items (ascending), or where these are more than `most`, the wanted, which are among them, and random others.

    A random other stands for all that were as likely to be drawn: exp(scores + log_share) sums to the same on average.
    """
    if len(all_items) <= most:
        places = np.searchsorted(all_items, wanted)
        return Covered(torch.from_numpy(all_items), torch.zeros(len(all_items)), torch.from_numpy(places))
    own, places = np.unique(wanted.astype(np.int64), return_inverse=True)
    others = np.setdiff1d(all_items, own, assume_unique=True)
    number = min(max(most - len(own), LEAST_OTHERS), len(others))
    drawn = np.sort(rng.choice(others, number, replace=False))
    share = np.zeros(len(own) + number, np.float32)
    share[len(own) :] = np.log(max(len(others), 1) / max(number, 1))
    return Covered(torch.from_numpy(np.append(own, drawn)), torch.from_numpy(share), torch.from_numpy(places))


def compare(users: Tensor, targets: Tensor, temperature: float | None) -> Tensor:
    """(b, c) inner products of users (b, d) and targets (c, d), or cosines / temperature."""
    if temperature is None:
        return users @ targets.T
    return normalize(users, dim=1) @ normalize(targets, dim=1).T / temperature
