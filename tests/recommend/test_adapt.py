"""The newest events weigh more, the whole as much as before, and every score still splits exactly."""

import numpy as np
import pytest

from ingest.log import Log
from recommend.adapt import blended
from recommend.history import Weighted
from recommend.recommender import Recommender
from recommend.request import RecommendRequest
from recommend.world import World
from tests.recommend.small_model import small_artifact
from tests.recommend.test_recommend_world import append, event, listed


def weighted(*weights: float) -> Weighted:
    return Weighted(np.arange(len(weights), dtype=np.int32), np.asarray(weights, np.float32))


def test_half_of_the_taste_is_the_newest_item() -> None:
    """w = (3, 4), |w| = 5, the newest is item 1: ½ (.6, .8) + ½ (0, 1) = (.3, .9), made as long as w."""
    found = blended(weighted(3, 4), np.array([1], np.int32), 0.5)
    assert found.weights == pytest.approx(5 * np.array([0.3, 0.9]) / np.sqrt(0.9), rel=1e-6)


@pytest.mark.parametrize("share", [0.2, 0.9])
def test_the_length_of_the_weights_stays(share: float) -> None:
    found = blended(weighted(1, -2, 0, 3), np.array([0, 1], np.int32), share)
    assert np.linalg.norm(found.weights) == pytest.approx(np.sqrt(14), rel=1e-6)
    assert (np.sign(found.weights) == [1, -1, 0, 1]).all()


@pytest.mark.parametrize(
    ("newest", "share"), [([1], 0.0), ([0, 1], 0.5), ([7], 0.5), ([], 0.5)], ids=["off", "all", "other", "none"]
)
def test_nothing_changes_where_there_is_nothing_to_blend(newest: list[int], share: float) -> None:
    before = weighted(3, 4)
    assert blended(before, np.array(newest, np.int32), share) is before


def test_what_was_done_last_leads_the_list_and_the_parts_still_sum_to_the_score(log: Log) -> None:
    """ann likes crime films; ten science fiction films later she wants those, though they are the smaller part."""
    for number in range(1, 11):
        append(log, event("ann", ("alien", "blade")[number % 2], "like", number=number))
    plain, adapting = (
        Recommender(World(log, artifact=small_artifact(), session_share=share), None) for share in (0.0, 0.6)
    )
    before, after = listed(plain, "ann"), listed(adapting, "ann")
    assert after["jackie"] < before["jackie"]
    explained = adapting.explain("ann", "jackie")
    assert sum(part.value for part in explained.parts) == pytest.approx(explained.score)
    terms = sum(term.value for term in explained.contributions)
    parts = {part.name: part.value for part in explained.parts}
    assert terms == pytest.approx(parts["entity"] + parts["behaviour"])
    assert adapting.recommend(RecommendRequest(user_id="ann", n=1)).strategy == "model"
