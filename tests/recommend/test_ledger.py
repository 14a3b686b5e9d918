"""The ledger's file and its thread: what is kept, for how long, and what is forgotten."""

import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from domain.errors import AnswerNotKept, Gone, LedgerError, UnknownRecommendation
from domain.records import UserPut
from embeddings.weighting import DAY_MS
from ingest.log import Log
from recommend import ledger as ledger_module
from recommend.answer_ids import first_id_at, given_at, new_answer_id
from recommend.ledger import Ledger, wall_clock_ms
from recommend.ledger_file import LedgerFile, Row
from recommend.recommender import Recommender
from recommend.request import Preference, RecommendRequest, SessionEvent
from recommend.world import World

MIB = 2**20


class Clock:
    """What counts as now; a test may set it ahead."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        return wall_clock_ms() + self.ahead_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, log: Log, clock: Clock) -> Iterator[Ledger]:
    made = Ledger(tmp_path / "ledger.db", days=30, max_bytes=64 * MIB, is_erased=log.is_erased, now_ms=clock)
    yield made
    made.close()


@pytest.fixture
def keeping(world: World, ledger: Ledger) -> Recommender:
    """A recommender whose answers are kept."""
    return Recommender(world, None, ledger=ledger)


def no_name(_: str) -> None:
    """Of what an item is called: nothing."""


def row_at(at_ms: int, user_id: str | None = "ann", size: int = 100) -> Row:
    return Row(first_id_at(at_ms), user_id, ("pulp",), bytes(size))


# ---- ids


def test_ids_of_answers_say_when_they_were_given_and_sort_by_time() -> None:
    before = wall_clock_ms()
    ids = [new_answer_id() for _ in range(100)]
    assert len(set(ids)) == 100
    assert all(before <= (given_at(one) or 0) <= wall_clock_ms() for one in ids)
    assert min(ids) >= first_id_at(before).hex()


@pytest.mark.parametrize("text", ["", "x" * 32, "0" * 32, "f" * 32, "-" + "1" * 31, "1_1" * 10 + "11", "\ud800" * 32])
def test_a_text_that_is_no_id_of_an_answer_has_no_time(text: str) -> None:
    assert given_at(text) is None


# ---- the file


def test_the_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    LedgerFile(tmp_path / "ledger.db", max_bytes=MIB).close()
    assert stat.S_IMODE((tmp_path / "ledger.db").stat().st_mode) == 0o600


def test_the_oldest_go_when_the_bound_is_reached_and_the_file_stops_growing(tmp_path: Path) -> None:
    file = LedgerFile(tmp_path / "ledger.db", max_bytes=MIB)
    for batch in range(40):
        file.write([row_at(1_000 + batch * 10 + place, size=10_000) for place in range(10)], set)
        file.trim(0)
    assert 0.8 * MIB < file.bytes_used() <= MIB
    kept = file.newest(1_000)
    assert [row.id for row in kept] == [first_id_at(1_399 - place) for place in range(len(kept))]
    assert file.gone_up_to() == (int.from_bytes(first_id_at(1_399 - len(kept))) + 1).to_bytes(16)
    assert (tmp_path / "ledger.db").stat().st_size < 1.5 * MIB
    file.close()


def test_forgetting_a_person_leaves_no_byte_of_them_in_the_file(tmp_path: Path) -> None:
    file = LedgerFile(tmp_path / "ledger.db", max_bytes=MIB)
    secret = b"the path of secretive-sue"
    file.write([Row(first_id_at(1), "secretive-sue", ("pulp",), secret * 50), row_at(2)], set)
    assert file.forget("secretive-sue") == 1
    held = b"".join(one.read_bytes() for one in tmp_path.iterdir())
    assert b"secretive-sue" not in held
    assert [row.user_id for row in file.newest(10)] == ["ann"]
    file.close()


def test_two_processes_share_one_file(tmp_path: Path) -> None:
    one, two = (LedgerFile(tmp_path / "ledger.db", max_bytes=MIB) for _ in range(2))
    writers = [
        threading.Thread(
            target=lambda file=file, first=first: [file.write([row_at(first + i)], set) for i in range(50)]
        )
        for file, first in ((one, 1_000), (two, 2_000))
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert one.count() == two.count() == 100
    one.close()
    two.close()


def test_a_file_that_is_no_ledger_is_named(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"no database" * 1_000)
    with pytest.raises(LedgerError, match=r"ledger\.db failed .* move the file away"):
        LedgerFile(tmp_path / "ledger.db", max_bytes=MIB)


# ---- answers


def test_an_answer_can_be_fetched_again_as_it_was_given(keeping: Recommender, ledger: Ledger) -> None:
    given = keeping.recommend(RecommendRequest(user_id="ann", n=3))
    told = ledger.get(given.recommendation_id, {"blade": "Blade Runner"}.get)
    assert (told.items, told.left_out, told.notes) == (given.items, given.left_out, given.notes)
    assert (told.user_id, told.strategy, told.model_version) == ("ann", "model", "small")
    assert told.request == {"user_id": "ann", "n": 3}
    assert told.graph.snapshot == keeping.world.view().snapshot.version
    assert given_at(given.recommendation_id) is not None


def test_every_candidate_has_its_score_and_rank_or_why_it_has_none(keeping: Recommender, ledger: Ledger) -> None:
    given = keeping.recommend(RecommendRequest(user_id="ann", n=3))
    told = ledger.get(given.recommendation_id, no_name)
    assert len(told.candidates) == 12
    by_id = {one.item_id: one for one in told.candidates}
    for item in given.items:
        one = by_id[item.item_id]
        assert (one.rank, one.removed) == (item.rank, None)
        assert one.score == pytest.approx(item.score, abs=1e-6)
        assert sum(one.parts.values()) == pytest.approx(one.model_score, abs=1e-6)
    codes = {item_id: one.removed.code for item_id, one in by_id.items() if one.removed}
    assert codes["pulp"] == "seen"
    assert codes["armageddon"] == "unavailable"
    assert codes["blank"] == "no_evidence"
    assert [one.model_rank for one in told.candidates] == list(range(1, 13))
    assert all(one.moved == 0 for one in told.candidates if one.rank)


def test_a_session_leaves_its_length_and_nothing_that_was_in_it(keeping: Recommender, ledger: Ledger) -> None:
    session = (SessionEvent("pulp"), SessionEvent("nowhere"))
    given = keeping.recommend(RecommendRequest(session=session, n=3))
    assert any("Pulp Fiction" in reason.text for item in given.items for reason in item.reasons)
    told = ledger.get(given.recommendation_id, no_name)
    assert told.request == {"session": 2, "n": 3}
    shares = [[(reason.code, reason.share) for reason in item.reasons] for item in given.items]
    assert [[(reason.code, reason.share) for reason in item.reasons] for item in told.items] == shares
    assert all(reason.text == "" and reason.path is None for item in told.items for reason in item.reasons)
    assert told.left_out == ()


def test_stated_tastes_are_kept_as_they_were_stated(keeping: Recommender, ledger: Ledger) -> None:
    request = RecommendRequest(preferences=(Preference("Director:scott", 2),), n=2)
    told = ledger.get(keeping.recommend(request).recommendation_id, no_name)
    assert told.request["preferences"] == [{"entity_id": "Director:scott", "weight": 2}]
    assert (told.strategy, told.candidates[0].source) == ("preferences", "preferences")


def test_answers_of_a_user_come_newest_first(keeping: Recommender, ledger: Ledger) -> None:
    ids = [keeping.recommend(RecommendRequest(user_id="ann", n=n)).recommendation_id for n in (1, 2)]
    other = keeping.recommend(RecommendRequest(user_id="cid", n=1)).recommendation_id
    ledger.get(other, no_name)
    assert {line.recommendation_id for line in ledger.newest(10, "ann")} == set(ids)
    assert {line.recommendation_id for line in ledger.newest(10)} == {*ids, other}
    assert len(ledger.newest(1)) == 1


def test_an_answer_that_was_never_given_is_unknown(ledger: Ledger) -> None:
    for answer_id in ("nonsense", first_id_at(wall_clock_ms()).hex(), (7 << 76 | 2 << 62).to_bytes(16).hex()):
        with pytest.raises((UnknownRecommendation, Gone)):
            ledger.get(answer_id, no_name)
    with pytest.raises(UnknownRecommendation, match="is no id of an answer"):
        ledger.get("nonsense", no_name)


def test_an_answer_older_than_retention_is_gone(keeping: Recommender, ledger: Ledger, clock: Clock) -> None:
    answer_id = keeping.recommend(RecommendRequest(user_id="ann")).recommendation_id
    ledger.get(answer_id, no_name)
    clock.ahead_ms = 31 * DAY_MS
    with pytest.raises(Gone, match="30 days"):
        ledger.get(answer_id, no_name)
    assert ledger.newest(10) == ()
    with pytest.raises(AnswerNotKept):
        ledger.newest_with("ann", "blade", clock(), no_name)


def test_an_answer_that_made_room_is_gone_and_not_unknown(tmp_path: Path, world: World, log: Log) -> None:
    ledger = Ledger(tmp_path / "small.db", days=30, max_bytes=100_000, is_erased=log.is_erased)
    recommender = Recommender(world, None, ledger=ledger)
    ids = [recommender.recommend(RecommendRequest(user_id="ann")).recommendation_id for _ in range(200)]
    ledger.get(ids[-1], no_name)
    with pytest.raises(Gone, match="CLEW_LEDGER_MIB"):
        ledger.get(ids[0], no_name)
    ledger.close()


def test_the_newest_answer_with_an_item_up_to_a_time_is_found(keeping: Recommender, ledger: Ledger) -> None:
    first = keeping.recommend(RecommendRequest(user_id="ann", n=4)).recommendation_id
    ledger.get(first, no_name)
    at = given_at(first) or 0
    found = ledger.newest_with("ann", "blade", at, no_name)
    assert found.recommendation_id == first
    for user_id, item_id, up_to in (("ann", "blade", at - 1), ("ann", "pulp", at), ("cid", "blade", at)):
        with pytest.raises(AnswerNotKept):
            ledger.newest_with(user_id, item_id, up_to, no_name)


# ---- people who go


def test_a_forgotten_person_has_no_answers(keeping: Recommender, ledger: Ledger) -> None:
    gone = keeping.recommend(RecommendRequest(user_id="ann")).recommendation_id
    stays = keeping.recommend(RecommendRequest(user_id="cid")).recommendation_id
    ledger.get(gone, no_name), ledger.get(stays, no_name)
    assert ledger.forget("ann") == 1
    assert ledger.forget("ann") == 0
    with pytest.raises(UnknownRecommendation):
        ledger.get(gone, no_name)
    assert ledger.get(stays, no_name).user_id == "cid"


def test_what_waits_while_a_person_is_erased_is_never_written(
    keeping: Recommender, ledger: Ledger, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "GATHER_S", 0.5)
    keeping.recommend(RecommendRequest(user_id="cid"))  # its batch may be gathered already
    keeping.recommend(RecommendRequest(user_id="ann"))
    log.erase_user("ann")
    ledger.forget("ann")
    ledger.close()
    with closing(sqlite3.connect(ledger.path)) as file:
        assert file.execute("SELECT user_id FROM answers").fetchall() == [("cid",)]


def test_one_who_opted_out_is_not_named(keeping: Recommender, ledger: Ledger, log: Log) -> None:
    log.append([UserPut(user_id="ann", properties={"opt_out": True})])
    given = keeping.recommend(RecommendRequest(user_id="ann"))
    told = ledger.get(given.recommendation_id, no_name)
    assert (given.user_id, told.user_id, told.request) == ("ann", None, {})
    assert ledger.newest(10, "ann") == ()


# ---- trouble


def test_under_pressure_answers_are_dropped_and_counted(
    tmp_path: Path, world: World, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "WAITING", 5)
    held = threading.Event()
    ledger = Ledger(tmp_path / "l.db", days=1, max_bytes=MIB, is_erased=lambda _: not held.wait(10))
    recommender = Recommender(world, None, ledger=ledger)
    for _ in range(300):  # 200 make a batch, which waits; 5 queue
        recommender.recommend(RecommendRequest(user_id="ann", reasons=False))
    assert ledger.counts.dropped > 0
    dropped = ledger.counts.dropped
    held.set()
    ledger.close()
    assert ledger.counts.kept + dropped == 300


def test_a_file_that_fails_costs_answers_of_the_ledger_and_no_list(keeping: Recommender, ledger: Ledger) -> None:
    broken = sqlite3.connect(ledger.path)
    broken.execute("DROP TABLE answers")
    broken.commit()
    broken.close()
    assert keeping.recommend(RecommendRequest(user_id="ann")).items
    ledger.close()
    assert (ledger.counts.kept, ledger.counts.dropped) == (0, 1)
