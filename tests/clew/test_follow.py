"""A serving process follows the log between requests."""

import time
from pathlib import Path

from clew.follow import Follower
from ingest.log import Log
from recommend.world import World
from tests.recommend.small_model import small_artifact
from tests.recommend.test_recommend_world import event


def test_what_the_log_gains_is_known_without_any_request(tmp_path: Path) -> None:
    with Log(tmp_path / "log.db") as log:
        world = World(log, artifact=small_artifact())
        follower = Follower(world)
        follower.start()
        log.append([event("ann", "thelma")])
        deadline = time.monotonic() + 30
        while world.offset < log.last_offset():
            assert time.monotonic() < deadline, "the log was not followed"
            time.sleep(0.01)
        follower.stop()
    assert world.view().user("ann") is not None
