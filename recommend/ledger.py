"""The ledger: every answer can be fetched again, with what was considered and what became of it.

`keep` costs a request microseconds: one thread packs and writes what waits. Under pressure answers are dropped and
counted; the ledger never holds up or breaks a list.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from domain.errors import AnswerNotKept, Gone, UnknownRecommendation
from domain.ledger import LedgerEntry, LedgerLine
from embeddings.weighting import DAY_MS
from recommend.answer_ids import first_id_at, given_at
from recommend.drafts import iso_time
from recommend.ledger_entry import Answered, NameOf, pack, unpack
from recommend.ledger_file import LedgerFile, Row

WAITING = 1_000  # answers that may wait to be written
BATCH = 200
GATHER_S = 0.05  # one commit for what comes within this time
TRIM_S = 60.0  # without an answer for so long, those that are too old are looked for
FRESH_S, PAUSE_S = 1.0, 0.02  # an answer may still wait, here or in another process
logger = logging.getLogger("clew.ledger")


@dataclass(frozen=True)
class LedgerCounts:
    """Since the start of this process. dropped: not kept, because too many waited or the file failed."""

    kept: int
    dropped: int
    waiting: int


def wall_clock_ms() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


class Ledger:
    """Safe to share between threads, and its file between processes.

    days: older answers are gone. max_bytes: beyond this the oldest go. is_erased: whether a person was erased, asked
    before an answer to them is written. Raises: LedgerError when the file cannot be used.
    """

    def __init__(
        self,
        path: Path,
        *,
        days: float,
        max_bytes: int,
        is_erased: Callable[[str], bool],
        now_ms: Callable[[], int] = wall_clock_ms,
    ) -> None:
        self.path = path
        self._file = LedgerFile(path, max_bytes=max_bytes)
        self._days = days
        self._is_erased = is_erased
        self._now_ms = now_ms
        self._waiting: queue.Queue[Answered | None] = queue.Queue(WAITING)
        self._kept = self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Writes what waits. A second call does nothing."""
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join()
            self._file.close()

    def keep(self, answered: Answered) -> None:
        """Has an answer written soon, or counts it as dropped."""
        try:
            self._waiting.put_nowait(answered)
        except queue.Full:
            self._dropped += 1

    @property
    def counts(self) -> LedgerCounts:
        return LedgerCounts(self._kept, self._dropped, self._waiting.qsize())

    def get(self, answer_id: str, name_of: NameOf) -> LedgerEntry:
        """An answer. Raises: UnknownRecommendation; Gone for one of a time of which none is kept any more."""
        at = given_at(answer_id)
        if at is None:
            raise UnknownRecommendation(f"{answer_id!r} is no id of an answer", field="recommendation_id")
        if at < self._oldest_ms():
            raise Gone(f"answers are kept for {self._days:g} days (CLEW_LEDGER_DAYS)", field="recommendation_id")
        key = int(answer_id, 16).to_bytes(16)
        row = self._file.find(key)
        while row is None and 0 <= self._now_ms() - at < FRESH_S * 1000:
            time.sleep(PAUSE_S)
            row = self._file.find(key)
        if row is None and key < self._file.gone_up_to():
            raise Gone("it made room for newer answers (CLEW_LEDGER_MIB)", field="recommendation_id")
        if row is None:
            why = "it was not given on this machine, was of a person who was erased, or was dropped under pressure"
            raise UnknownRecommendation(f"no answer {answer_id!r} is kept: {why}", field="recommendation_id")
        return unpack(row.payload, name_of)

    def newest(self, limit: int, user_id: str | None = None) -> tuple[LedgerLine, ...]:
        """The newest answers, newest first; with user_id, those to one user."""
        oldest = first_id_at(self._oldest_ms())
        return tuple(_line(row) for row in self._file.newest(limit, user_id) if row.id >= oldest)

    def newest_with(self, user_id: str, item_id: str, up_to_ms: int, name_of: NameOf) -> LedgerEntry:
        """The newest answer, given at or before a time, that showed a user an item. Raises: AnswerNotKept."""
        row = self._file.newest_with(user_id, item_id, first_id_at(up_to_ms + 1))
        if row is None or row.id < first_id_at(self._oldest_ms()):
            raise AnswerNotKept(
                f"no answer up to {iso_time(up_to_ms)} that showed {item_id!r} to {user_id!r} is kept; answers are "
                f"kept for {self._days:g} days",
                field="as_of",
            )
        return unpack(row.payload, name_of)

    def forget(self, user_id: str) -> int:
        """Deletes the answers to a person. Returns how many they were. Have the log erase the person first: what still
        waits, in any process, is then not written. Raises: LedgerError.
        """
        return self._file.forget(user_id)

    def _oldest_ms(self) -> int:
        return max(0, self._now_ms() - int(self._days * DAY_MS))

    def _run(self) -> None:
        is_open = True
        while is_open:
            batch, is_open = self._next_batch()
            try:
                self._write(batch)
                self._file.trim(self._oldest_ms())
            except Exception as error:  # noqa: BLE001 - whatever it is, lists are served and the next batch is tried
                self._dropped += len(batch)
                logger.warning("the ledger dropped %d answers: %s", len(batch), error)

    def _next_batch(self) -> tuple[list[Answered], bool]:
        """What came within a moment; False when there will be no more."""
        batch: list[Answered] = []
        timeout, until = TRIM_S, 0.0
        while len(batch) < BATCH:
            try:
                one = self._waiting.get(timeout=timeout)
            except queue.Empty:
                break
            if one is None:
                return batch, False
            batch.append(one)
            until = until or time.monotonic() + GATHER_S
            timeout = max(0.0, until - time.monotonic())
        return batch, True

    def _write(self, batch: list[Answered]) -> None:
        if not batch:
            return
        rows = [_row(one) for one in batch]
        people = {row.user_id for row in rows if row.user_id is not None}
        self._kept += self._file.write(rows, lambda: {user_id for user_id in people if self._is_erased(user_id)})


def _row(one: Answered) -> Row:
    shown = tuple(item.item_id for item in one.answer.items)
    return Row(int(one.answer.recommendation_id, 16).to_bytes(16), one.answer.user_id, shown, pack(one))


def _line(row: Row) -> LedgerLine:
    at = given_at(row.id.hex()) or 0
    return LedgerLine(recommendation_id=row.id.hex(), at=iso_time(at), user_id=row.user_id, item_ids=row.shown)
