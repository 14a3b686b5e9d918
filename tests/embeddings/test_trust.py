"""How far short histories are trusted: by the size alone, and as far as validation users' first events allow."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from embeddings.encoded import Encoded
from embeddings.fit_linear import Linear
from embeddings.fuse import Chosen, Fusion
from embeddings.trust import HALVES, with_trust
from embeddings.validation import Validation
from embeddings.weighting import PairWeights, trust_in

USERS, ITEMS = 8, 60
HITS = range(20, 30)  # most popular but for what users had, and what is to be found in "misled"


def test_trust_is_a_half_at_the_half_size_and_whole_without_one() -> None:
    assert trust_in(3.0, 3.0) == 0.5
    assert trust_in(6.0, 3.0) == pytest.approx(16 / 17)
    assert trust_in(29.9, 3.0) < trust_in(30.0, 3.0) == 1  # what is left costs time
    assert trust_in(0.5, 0.0) == 1
    assert trust_in(0.0, 0.0) == trust_in(0.0, 2.0) == 0


def validation(targets: dict[int, list[int]]) -> Validation:
    """Every user took items 0 to 19 one after the other, the highest number first."""
    users, items = np.repeat(np.arange(USERS), 20), np.tile(np.arange(20), USERS)
    at = 1_000 - items.astype(np.int64)
    pairs = PairWeights(users.astype(np.int32), items.astype(np.int32), np.ones(len(users), np.float32), at, at)
    shape = (USERS, ITEMS)
    matrix = sp.csr_array((pairs.weights, (users, items)), shape=shape)
    wanted = [(user, item) for user, own in targets.items() for item in own]
    found = sp.csr_array((np.ones(len(wanted), np.float32), tuple(zip(*wanted, strict=True))), shape=shape)
    trend = np.ones(ITEMS, np.float32)
    return Validation(pairs, matrix, np.arange(USERS), matrix, matrix, found, trend, whole=False)


def parts() -> tuple[Encoded, Linear]:
    """Each of the items 0 to 19 pulls the items 30 to 39, item 19 the items 40 to 49 much more. The items 20 to 29 are
    popular. No taste, no graph."""
    rest = np.zeros((ITEMS, ITEMS), np.float32)
    rest[:20, 30:40], rest[19, 40:50] = 1.0, 8.0
    bias = np.zeros(ITEMS, np.float32)
    bias[list(HITS)] = 3.0
    none, one = np.zeros((ITEMS, 1), np.float32), np.zeros(1, np.float32)
    encoded = Encoded(none, none, none[:0], none[:0], one[:0], one[:0], bias, one[:0], loss=0.0)
    return encoded, Linear(one[:0], sp.csr_array((ITEMS, 1), dtype=np.float32), rest)


FUSED = Chosen(Fusion(linear=1.0, power=0.0), linear_deviation=1.0, taste_deviation=1.0, ndcg=0.5, recall=0.5)


def test_where_first_events_mislead_popularity_goes_before_them() -> None:
    """Whole histories want 30 to 39, which 20 events pull with 20 together; the first event pulls 40 to 49 with 8."""
    held = validation({user: [*range(30, 40), *HITS] for user in range(USERS)})
    chosen = with_trust(held, *parts(), FUSED, seed=0)
    half = chosen.fusion.half_size
    # of size 1, 8 · 1 / (1 + h²) must come below the 3 of the popular; as early as possible: of size 3 and 5 it is
    # still 8 · 9 / (9 + h²) and 8 · 25 / (25 + h²)
    assert half == 8.0
    assert chosen.ndcg == pytest.approx(1.0)  # whole lists are 30 to 39, then the popular: all of it wanted


def test_where_the_first_event_tells_all_it_is_trusted() -> None:
    held = validation({user: list(range(40, 50)) for user in range(USERS)})
    assert with_trust(held, *parts(), FUSED, seed=0) is FUSED


def test_lists_for_whole_histories_may_not_pay_for_short_ones() -> None:
    """20 events pull 30 to 39 with 20 s² / (s² + h²): with the popular at 19.9 any h costs the whole list."""
    encoded, linear = parts()
    encoded = replace(encoded, bias=encoded.bias * np.float32(19.9 / 3))
    wanted = {0: list(HITS), **{user: list(range(30, 40)) for user in range(1, USERS)}}
    assert with_trust(validation(wanted), encoded, linear, FUSED, seed=0) is FUSED
    assert max(HALVES) > 1  # h = 1: 20 · 400 / 401 is 19.95, h = 2: 19.8


def crowded(targets: dict[int, list[int]], taken: range) -> Validation:
    """As `validation`, and as many other people took those items and the items 50 to 59."""
    held = validation(targets)
    own = [*taken, *range(50, 60)]
    rows, columns = np.repeat(np.arange(USERS, 2 * USERS), len(own)), np.tile(own, USERS)
    others = sp.csr_array((np.ones(len(rows), np.float32), (rows - USERS, columns)), shape=(USERS, ITEMS))
    return replace(held, matrix=sp.csr_array(sp.vstack([held.matrix, others])))


def test_where_first_events_mislead_what_others_took_with_them_goes_first() -> None:
    """The first event pulls 40 to 49, others took 50 to 59 with it; whole histories pull 30 to 39, wanted too."""
    held = crowded({user: [*range(30, 40), *range(50, 60)] for user in range(USERS)}, range(15, 20))
    fusion = with_trust(held, *parts(), FUSED, seed=0).fusion
    assert fusion.half_size > 1
    assert fusion.together_short > 0
    assert fusion.together_whole == 0  # whole lists are right without


def test_what_others_took_may_count_in_whole_histories_too() -> None:
    """Everything that the user took others took with 50 to 59, and only these are wanted; R pulls 20 to 49."""
    held = crowded({user: list(range(50, 60)) for user in range(USERS)}, range(20))
    encoded, linear = parts()
    rest = np.zeros((ITEMS, ITEMS), np.float32)
    rest[:20, 20:50] = 1.0
    encoded, linear = replace(encoded, bias=np.zeros_like(encoded.bias)), replace(linear, rest=rest)
    chosen = with_trust(held, encoded, linear, FUSED, seed=0)
    assert chosen.fusion.together_whole > 0
    assert chosen.ndcg == pytest.approx(1.0)
    assert chosen.together_scale > 0


def test_the_first_items_of_a_user_are_the_oldest() -> None:
    held = validation({0: [30]})
    first = held.first(3, seed=0)
    assert first.shape == (USERS, ITEMS)
    assert all(sorted(first.indices[first.indptr[user] : first.indptr[user + 1]]) == [17, 18, 19] for user in range(8))
    assert held.first(50, seed=0).nnz == held.rows.nnz


def test_among_items_of_one_moment_the_seed_decides() -> None:
    held = validation({0: [30]})
    held = replace(held, fit=replace(held.fit, at=np.zeros_like(held.fit.at)))
    drawn = [set(held.first(3, seed).indices[:3].tolist()) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
