"""Users' changes in Redis, for every machine that serves: the only module that speaks to Redis.

`clew writer` writes them with the offset of the log up to which they are whole; API processes read a user whom they
have no room for. What is in Redis can be made again from the log, so that losing it loses nothing.
Keys: NAME:offset, and NAME:user:HASH for each user.
"""

import hashlib
import logging
import re
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import cast
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from domain.errors import ProfilesUnavailable
from domain.records import Record, RelationDeleted, RelationPut, UserErased, UserMerged
from ingest.log_erasure import person_of
from recommend.changes import NOTHING, PeopleRecord, UserChanges, after, joined, without
from recommend.redis_address import redis_address
from recommend.shelf import DECODER, ENCODER, FileShelf, SharedState

TIMEOUT_S = 0.25
PAGE = 1_000
ANOTHER_LOG = "it is ahead of this log, so it was filled from another; set ?name= in CLEW_PROFILES, or empty it"
NOT_ASKED = SharedState(False, 0, "not asked yet")
logger = logging.getLogger("clew.profiles")


class SharedProfiles:
    """Users' changes in one Redis. Safe to share between threads.

    address: redis://… or rediss://…; ?name= keeps two Clews in one Redis apart (default: clew).
    newest: the log's last offset. A Redis that is ahead of it was filled from another log, and is not used.
    Raises: InvalidSettings when the address has another form.
    """

    def __init__(self, address: str, newest: Callable[[], int]) -> None:
        url, self._name = redis_address(address)
        parts = urlsplit(url)
        self.where = f"{parts.scheme}://{parts.hostname}:{parts.port or 6379}{parts.path}"
        self._redis = redis.Redis.from_url(
            url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=Retry(NoBackoff(), 0)
        )
        self._newest = newest
        self._state = NOT_ASKED
        self._lock = threading.Lock()

    @property
    def state(self) -> SharedState:
        return self._state

    def close(self) -> None:
        self._redis.close()

    def look(self) -> SharedState:
        """Asks Redis how it is. Raises: LogError."""
        try:
            with self._speaking():
                found = cast("bytes | None", self._redis.get(f"{self._name}:offset"))
        except ProfilesUnavailable:
            return self._state  # which says it
        offset, newest = int(found or 0), self._newest()
        self._set(SharedState(offset <= newest, offset, None if offset <= newest else ANOTHER_LOG))
        return self._state

    def get(self, user_id: str) -> UserChanges | None:
        """Raises: ProfilesUnavailable."""
        with self._speaking():
            found = cast("bytes | None", self._redis.get(self._key(user_id)))
        return None if found is None else DECODER.decode(found)

    def write(self, records: Sequence[tuple[int, Record]]) -> bool:
        """Brings users up to the last of these records of the log, all or none.

        False: another writer was faster, or the records do not go on from where Redis is; look, and read again.
        Raises: ProfilesUnavailable.
        """
        people = [(offset, cast(PeopleRecord, record)) for offset, record in records if person_of(record) is not None]
        with self._speaking(), self._redis.pipeline() as pipe:
            pipe.watch(f"{self._name}:offset")
            if int(cast("bytes | None", pipe.get(f"{self._name}:offset")) or 0) != self._state.offset:
                return False
            ids = list(dict.fromkeys(user_id for _, record in people for user_id in _about(record)))
            found = cast("list[bytes | None]", pipe.mget([self._key(user_id) for user_id in ids]) if ids else [])
            known = {one: DECODER.decode(raw) for one, raw in zip(ids, found, strict=True) if raw is not None}
            changed = {self._key(user_id): changes for user_id, changes in _brought_up(known, people).items()}
            erased = [record.user_id for _, record in people if isinstance(record, UserErased)]
            if erased:
                changed = self._without(erased, changed)
            pipe.multi()
            if changed:
                pipe.mset({key: ENCODER.encode(changes) for key, changes in changed.items()})
            pipe.set(f"{self._name}:offset", records[-1][0])
            try:
                pipe.execute()
            except redis.WatchError:
                return False
        self._set(replace(self._state, offset=records[-1][0]))
        return True

    def _without(self, erased: Sequence[str], changed: dict[str, UserChanges]) -> dict[str, UserChanges]:
        """What is to be written, without erased people, and whoever else names one of them: all of Redis is looked at.

        Erasures are rare, and a note of who names whom would cost every event.
        """
        found = dict(changed)
        scanned = cast("Iterable[bytes]", self._redis.scan_iter(match=f"{_literal(self._name)}:user:*", count=PAGE))
        every = [key.decode() for key in scanned]
        for start in range(0, len(every), PAGE):
            keys = every[start : start + PAGE]
            for key, raw in zip(keys, cast("list[bytes | None]", self._redis.mget(keys)), strict=True):
                if key not in changed and raw and any(user_id.encode() in raw for user_id in erased):
                    found[key] = DECODER.decode(raw)
        for user_id in erased:
            found = {key: without(changes, user_id) for key, changes in found.items()}
        return found

    def _key(self, user_id: str) -> str:
        """Without the id itself: what is left of an erased person tells nobody who it was."""
        return f"{self._name}:user:{hashlib.blake2b(user_id.encode(), digest_size=16).hexdigest()}"

    def _set(self, state: SharedState) -> None:
        """Says once what is wrong with Redis, and once that it is well again."""
        with self._lock:
            before, self._state = self._state, state
        if not state.ok and (before.ok or before is NOT_ASKED):
            logger.warning("Redis at %s is not used, this process goes on alone: %s", self.where, state.error)
        if state.ok and not before.ok:
            logger.info("Redis at %s shares profiles up to record %d", self.where, state.offset)

    @contextmanager
    def _speaking(self) -> Generator[None]:
        try:
            yield
        except redis.RedisError as error:
            self._set(SharedState(False, self._state.offset, str(error)))
            raise ProfilesUnavailable(f"Redis at {self.where} does not answer: {error}") from error


class SharedShelf:
    """Users who do not fit into memory go to Redis where it holds them, else into a file of this process."""

    def __init__(self, shared: SharedProfiles) -> None:
        self._shared = shared
        self._file = FileShelf()
        self.relies_on_shared = False

    def put(self, user_id: str, changes: UserChanges) -> None:
        state = self._shared.state
        if state.ok and changes.offset <= state.offset:
            self.relies_on_shared = True  # Redis has them, as new as this or newer
        else:
            self._file.put(user_id, changes)

    def take(self, user_id: str) -> UserChanges | None:
        changes = self._file.take(user_id)
        if changes is not None or not self.relies_on_shared or not self._shared.state.ok:
            return changes
        try:
            return self._shared.get(user_id)
        except ProfilesUnavailable:
            return None  # said in the state; who watches it has the log read again


def _literal(text: str) -> str:
    """For a pattern of Redis, in which it means itself."""
    return re.sub(r"([*?\[\]\\])", r"\\\1", text)


def _about(record: PeopleRecord) -> tuple[str, ...]:
    if isinstance(record, UserMerged):
        return record.user_id, record.from_id
    return (record.head_id if isinstance(record, RelationPut | RelationDeleted) else record.user_id,)


def _brought_up(known: dict[str, UserChanges], records: Iterable[tuple[int, PeopleRecord]]) -> dict[str, UserChanges]:
    """The users of the records, with them."""
    users = dict(known)
    for offset, record in records:
        ids = _about(record)
        if not isinstance(record, UserMerged):
            users[ids[0]] = after(users.get(ids[0], NOTHING), offset, record)
        elif ids[1] and ids[0] != ids[1]:
            user, visitor = (users.get(one, NOTHING) for one in ids)
            users[ids[0]], users[ids[1]] = joined(user, visitor, offset, ids[1])
    return {user_id: changes for user_id, changes in users.items() if changes is not known.get(user_id)}
