"""The body of POST /v1/events as events: JSON or NDJSON, perhaps gzipped. Well-formed batches are read in one step."""

import uuid
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from fastapi import HTTPException, Request

from api.edge import MAX_BODY_BYTES
from api.json import JSON, decoded
from api.schemas import MAX_EVENTS
from domain.errors import InvalidRequest
from domain.ids import MAX_ID_LENGTH, clean_id
from domain.records import Event

NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
PostedId = str | int


class PostedEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """api.schemas.EventIn for a well-formed event: what this refuses, that explains."""

    user_id: PostedId
    item_id: PostedId
    kind: Name
    event_id: PostedId | None = None
    at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    value: Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)] | None = None
    session_id: PostedId | None = None
    recommendation_id: Name | None = None
    position: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None


class _Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    events: list[PostedEvent]


class Unreadable(msgspec.Struct, frozen=True):
    """A line that is not JSON."""

    line: str
    why: str


class Posted:
    """The events of one request, as they were sent. read: they were all well-formed; None: they were not."""

    def __init__(self, body: bytes, *, lines: bool) -> None:
        """lines: the body is NDJSON. Raises: HTTPException when it is no JSON, InvalidRequest for none or too many."""
        self._body = body
        self._lines = lines
        self.read = self._read()
        self._raw: list[Any] | None = None
        count = len(self.raw) if self.read is None else len(self.read)
        if not 1 <= count <= MAX_EVENTS:
            raise InvalidRequest(f"post 1 to {MAX_EVENTS:,} events at a time, not {count:,}", field="events")

    @property
    def raw(self) -> list[Any]:
        """Each event as JSON has it; a line that is no JSON as Unreadable."""
        if self._raw is None:
            self._raw = _raw_lines(self._body) if self._lines else _raw_events(decoded(self._body))
        return self._raw

    def _read(self) -> Sequence[PostedEvent] | None:
        try:
            if self._lines:
                return _EVENT.decode_lines(self._body)
            if self._body.lstrip()[:1] == b"[":
                return _EVENTS.decode(self._body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        for read in (lambda: _BATCH.decode(self._body).events, lambda: [_EVENT.decode(self._body)]):
            try:
                return read()
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
        return None


_EVENT = msgspec.json.Decoder(PostedEvent)
_EVENTS = msgspec.json.Decoder(list[PostedEvent])
_BATCH = msgspec.json.Decoder(_Batch)


async def posted_events(request: Request) -> Posted:
    """Reads the body. Raises: HTTPException 400, 413, 415; InvalidRequest."""
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    lines = sent in NDJSON
    if not lines and sent != JSON and not sent.endswith("+json"):
        raise HTTPException(415, f"send events as {JSON} or {NDJSON[0]}")
    body = await request.body()
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "gzip":
        body = unzipped(body)
    elif encoding not in ("identity", ""):
        raise HTTPException(415, "a body may be compressed with gzip, and with nothing else")
    return Posted(body, lines=lines)


def unzipped(body: bytes, most: int = MAX_BODY_BYTES) -> bytes:
    """The body of a gzipped one, never more than `most` of it in memory.

    Raises: HTTPException 413 for a longer one, InvalidRequest for one that is not gzip or is cut off.
    """
    stream = zlib.decompressobj(wbits=31)
    try:
        found = stream.decompress(body, most + 1)
    except zlib.error as error:
        raise InvalidRequest(f"the body says that it is gzip, and is not: {error}", field="Content-Encoding") from error
    if len(found) > most:
        raise HTTPException(413)
    if not stream.eof or stream.unused_data:
        raise InvalidRequest("the gzipped body is cut off, or something follows it", field="Content-Encoding")
    return found


def event_of(posted: PostedEvent, now_ms: int) -> tuple[Event, bool]:
    """The record, with an id made and the time now where it does not say; and whether it did. Raises: InvalidId."""
    record = Event(
        event_id=uuid.uuid4().hex if posted.event_id is None else checked_id(posted.event_id, "event_id"),
        user_id=checked_id(posted.user_id, "user_id"),
        item_id=checked_id(posted.item_id, "item_id"),
        kind=posted.kind,
        at=now_ms if posted.at is None else round((posted.at - EPOCH) / MILLISECOND),
        value=posted.value,
        session_id=None if posted.session_id is None else checked_id(posted.session_id, "session_id"),
        recommendation_id=posted.recommendation_id,
        position=posted.position,
    )
    return record, posted.at is not None


def checked_id(value: PostedId, field: str) -> str:
    """domain.ids.clean_id, quick where an id is plain ASCII. Raises: InvalidId."""
    if (
        isinstance(value, str)
        and value.isascii()
        and value.isprintable()
        and 0 < len(value) <= MAX_ID_LENGTH
        and value not in (".", "..")
    ):
        return value
    return clean_id(value, field=field)


def _raw_events(value: object) -> list[Any]:
    """{"events": [...]}, a list, or one event. Raises: InvalidRequest for anything else."""
    if isinstance(value, dict) and list(value) == ["events"]:
        value = value["events"]
    elif isinstance(value, dict) and value and "events" not in value:
        value = [value]
    if not isinstance(value, list):
        raise InvalidRequest('send one event, a list of events, or {"events": [...]}', field="events")
    return value


def _raw_lines(body: bytes) -> list[Any]:
    return [_raw_line(line) for line in body.split(b"\n") if line.strip()]


def _raw_line(line: bytes) -> Any:
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Unreadable(line.decode(errors="replace"), str(error))
