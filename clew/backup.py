"""The log as a file, and a log from a file: a backup, or a move between SQLite and Kafka.

The file is JSON lines: a header, then the records in their order. It holds personal data. What was loaded in bulk is
not in the log: load its sources again. Offsets and rejected events are not in the file.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from clew.erasing import erase_again, erased_before
from clew.settings import Settings
from domain.errors import InvalidRequest, InvalidSource
from domain.records import Record, UserErased
from ingest.log_contract import DurableLog
from ingest.log_erasure import persons_in
from ingest.receipts import Receipts

AT_ONCE = 5_000
_DECODER = msgspec.json.Decoder(Record)


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first line. clew_log: the version of the format."""

    clew_log: int = 1


def export_log(log: DurableLog, path: Path, advance: Callable[[int], None]) -> int:
    """Writes the log, whole or not at all. Returns how many records. Raises: InvalidRequest; LogError."""
    part = path.with_name(f"{path.name}.part")
    count = offset = 0
    try:
        with part.open("wb") as file:
            part.chmod(0o600)
            file.write(msgspec.json.encode(Header()) + b"\n")
            while records := log.read(offset):
                file.writelines(msgspec.json.encode(record) + b"\n" for _, record in records)
                offset, count = records[-1][0], count + len(records)
                advance(len(records))
        part.replace(path)
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be written: {error.strerror}", field="file") from error
    return count


def restore_log(settings: Settings, log: DurableLog, path: Path, advance: Callable[[int], None]) -> Counter[str]:
    """Fills an empty log from a file. Nobody comes back whom the log or this home knows to be erased.

    Returns how many records were "accepted" and how many not, by the code of the reason.
    Raises: InvalidRequest for a log with records; InvalidSource naming the line; LogError.
    """
    if log.last_offset():
        raise InvalidRequest(
            f"the log {log.where} has records, and a file goes into an empty one only: set another CLEW_HOME or topic",
            field="file",
        )
    for _ in _pieces(path):
        pass  # all of it can be read, before any of it is written
    told = Counter[str]()
    receipts = Receipts(settings.home / "erasures.db")
    try:
        for records in _pieces(path):
            named = {person for record in records for person in persons_in(record)}
            for user_id in sorted(named):
                if erased_before(user_id, log, receipts):
                    erase_again(user_id, log, receipts)
            rest = [record for record in records if not isinstance(record, UserErased)]
            told.update(verdict.code for verdict in log.append(rest))
            for erasure in records[len(rest) :]:
                assert isinstance(erasure, UserErased)  # as _pieces says
                log.erase_user(erasure.user_id)
                told["accepted"] += 1
            advance(len(records))
    finally:
        receipts.close()
    return told


def _pieces(path: Path) -> Iterator[Sequence[Record]]:
    """The records of a file, some at a time; an erasure is the last of its piece."""
    piece: list[Record] = []
    try:
        with path.open("rb") as file:
            _header(path, file.readline())
            for number, line in enumerate(file, start=2):
                piece.append(_record(path, number, line))
                if len(piece) == AT_ONCE or isinstance(piece[-1], UserErased):
                    yield piece
                    piece = []
    except OSError as error:
        raise InvalidSource(f"{path} cannot be read: {error.strerror}", field="file") from error
    if piece:
        yield piece


def _header(path: Path, line: bytes) -> None:
    try:
        header = msgspec.json.decode(line, type=Header)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidSource(f"{path} is no file of `clew export`", field="file") from error
    if header != Header():
        raise InvalidSource(f"{path} is of a later version of Clew; restore it with that", field="file")


def _record(path: Path, number: int, line: bytes) -> Record:
    try:
        return _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidSource(f"line {number} of {path} is no record: {error}", field="file") from error
