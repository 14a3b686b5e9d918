"""`clew profile`: the lines that say who a user is."""

from pathlib import Path

from clew.commands_profile import headline
from domain.records import UserPut
from ingest.log import Log
from recommend.recommender import Recommender
from recommend.world import World
from tests.recommend.small_model import small_artifact
from tests.recommend.test_recommend_world import append, event


def test_a_profile_is_told_in_a_few_lines(tmp_path: Path) -> None:
    with Log(tmp_path / "log.db") as log:
        append(log, event("ann", "jackie", "impression"))
        recommender = Recommender(World(log, artifact=small_artifact()), None)
        assert headline(recommender.profile("ann")) == [
            "ann: regular, 8 events with 6 items, last seen 2020-01-09 00:00",
            "is: country NL, age band 20 to 29",
            "did: 4 x rate, 2 x view, 1 x skip, 1 x purchase",
            "shown of late and ignored: 1 items, which fade",
        ]
        assert headline(recommender.profile("fay"))[1] == "says they like: Quentin Tarantino (2), science fiction (1)"
        append(log, UserPut(user_id="ann", properties={"opt_out": True}))
        assert headline(recommender.profile("ann")) == ["ann has opted out: nothing is made of what they do"]
