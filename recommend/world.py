"""What a serving process knows: snapshot + model + every log record since, kept up to date from the log.

`catch_up` costs microseconds when the log has not grown, so that each request can call it and reads its own writes.
Readers take a `view()` and keep it: catalogue and scorer are replaced, never changed, and users are immutable records.
"""

import threading
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from domain.declarations import COMMON_EVENT_KINDS, Declaration
from domain.errors import LogReplaced
from domain.records import (
    Event,
    Record,
    RelationDeleted,
    RelationPut,
    RuleDeleted,
    RulePut,
    UserErased,
    UserMerged,
    UserPut,
)
from domain.snapshot import Interactions, Snapshot, object_column
from embeddings.artifact import Artifact
from recommend.align import aligned
from recommend.catalogue import Catalogue
from recommend.catalogue_draft import CatalogueDraft
from recommend.changes import PeopleRecord
from recommend.history import Histories
from recommend.people import People
from recommend.popularity import Popularity
from recommend.ports import LogReader
from recommend.profiles import Profiles, Room, UserRecord
from recommend.rules import RuleBook, RuleRecord
from recommend.score import NewItem, Scorer
from recommend.trend import EVERY, Trend

BATCH = 10_000


@dataclass(frozen=True)
class View:
    """One consistent moment. scorer: None without a model; its rows are the catalogue's rows.

    Knows of the log up to `offset`; what lies above `snapshot.log_offset` may not be in Neo4j yet.
    session_share: how much of a user's taste is what they did last; see recommend.adapt.
    """

    snapshot: Snapshot
    catalogue: Catalogue
    scorer: Scorer | None
    profiles: Profiles
    histories: Histories
    popularity: Popularity
    people: People
    rules: RuleBook
    model_version: str | None
    offset: int
    session_share: float = 0.0

    @property
    def declaration(self) -> Declaration:
        return self.catalogue.declaration

    @cached_property
    def popular_counts(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(I,) people who took each item of late, and (I,) ever; not to be written to."""
        return self.popularity.counts(self.catalogue.item_rows, len(self.catalogue))

    def user(self, user_id: str) -> UserRecord | None:
        return self.profiles.get(user_id)

    def followed(self, record: UserRecord) -> tuple[str, ...]:
        """Whom a user follows, but for those who were erased since."""
        return tuple(other for other in record.follows if self.user(other) is not None)


class World:
    """The in-memory projections of one process. Safe to share between threads.

    Starts from `snapshot`, or without one from that of the artifact; with neither it is empty.
    """

    def __init__(
        self,
        log: LogReader,
        *,
        snapshot: Snapshot | None = None,
        artifact: Artifact | None = None,
        room: Room | None = None,
        session_share: float = 0.0,
    ) -> None:
        self._log = log
        self._session_share = session_share
        self._room = room or Room()
        self._lock = threading.RLock()
        self._state = self._started(snapshot, artifact)

    def view(self) -> View:
        """What is known now. Call `catch_up` first to read your own writes."""
        return self._state.view

    @property
    def offset(self) -> int:
        """The log offset up to which everything is known."""
        return self._state.view.offset

    @property
    def model_version(self) -> str | None:
        return self._state.view.model_version

    def catch_up(self) -> int:
        """Applies what the log has gained. Returns the number of records applied.

        When the log was replaced, what is known goes on being served: a write says so, and /health/ready.
        """
        try:
            if self._log.last_offset() <= self._state.view.offset:
                return 0
            with self._lock:
                return self._state.catch_up(self._log)
        except LogReplaced:
            return 0

    def beside(self, *, snapshot: Snapshot | None = None, artifact: Artifact | None = None) -> "World":
        """Another world of the same log, to be warmed up and adopted.

        With another model, and that one's snapshot; or with a newer snapshot, and this world's model.
        """
        return World(
            self._log,
            snapshot=snapshot,
            artifact=artifact or self._state.artifact,
            room=self._room,
            session_share=self._session_share,
        )

    def replay(self) -> None:
        """Reads the log again from the snapshot on: what was left to Redis is lost, or may be."""
        state = _State(self._state.view.snapshot, self._state.artifact, self._room, self._session_share)
        state.catch_up(self._log)
        self._replace(state)

    def adopt(self, other: "World") -> None:
        """Goes on with what the other world knows. Requests in flight keep what they have."""
        self._replace(other._state)

    def _replace(self, state: "_State") -> None:
        state.catch_up(self._log)  # most of it before requests have to wait
        with self._lock:
            state.catch_up(self._log)
            self._state = state

    def _started(self, snapshot: Snapshot | None, artifact: Artifact | None) -> "_State":
        if artifact is not None:
            snapshot = artifact.snapshot if snapshot is None else aligned(snapshot, artifact.snapshot)
        state = _State(snapshot or _nothing(), artifact, self._room, self._session_share)
        state.catch_up(self._log)
        return state


class _State:
    """A snapshot, perhaps with a model, and the log applied to it. One thread at a time may write.

    The snapshot's first rows and codes are those of the one that the model was trained on.
    """

    def __init__(self, snapshot: Snapshot, artifact: Artifact | None, room: Room, session_share: float) -> None:
        self.artifact = artifact
        self._trained = Scorer(_declaring(artifact, snapshot.declaration)) if artifact else None
        self._new_items: list[NewItem] = []
        self._grown = self._trained
        self._trend = Trend.of(artifact) if artifact else None
        self._factors: NDArray[np.float32] | None = None
        catalogue = Catalogue.of(snapshot)
        scorer = self._scorer_for(catalogue)
        self.view = View(
            snapshot=snapshot,
            catalogue=catalogue,
            scorer=scorer,
            profiles=Profiles(snapshot, room),
            histories=Histories(snapshot.interactions, len(snapshot.user_ids)),
            popularity=Popularity(snapshot),
            people=People(snapshot, scorer),
            rules=RuleBook.of(snapshot.rules, catalogue),
            model_version=artifact.version if artifact else None,
            offset=snapshot.log_offset,
            session_share=session_share,
        )
        if self._trend is not None and artifact is not None and snapshot is not artifact.snapshot:
            self._follow(self._trend)  # it may be newer than the model

    def catch_up(self, log: LogReader) -> int:
        applied = 0
        while True:
            newest = log.last_offset()  # asked first: erased rows leave gaps, which count as read
            records = log.read(self.view.offset, BATCH)
            offset = records[-1][0] if len(records) == BATCH else max(newest, records[-1][0] if records else 0)
            if offset <= self.view.offset:
                return applied
            turn = offset - offset % EVERY
            if self._trend is not None and self.view.offset < turn:
                self._apply([entry for entry in records if entry[0] <= turn], turn)
                self._follow(self._trend)
            self._apply([entry for entry in records if entry[0] > self.view.offset], offset)
            applied += len(records)

    def _follow(self, trend: Trend) -> None:
        catalogue = self.view.catalogue
        _, ever = self.view.popularity.counts(catalogue.item_rows, len(catalogue))
        self._factors = trend.factors(ever)
        self.view = replace(self.view, scorer=self._scorer_for(catalogue))

    def _apply(self, records: list[tuple[int, Record]], offset: int) -> None:
        draft: CatalogueDraft | None = None
        changes: list[tuple[int, RuleRecord]] = []
        for place, record in records:
            if isinstance(record, RulePut | RuleDeleted):
                changes.append((place, record))
            elif isinstance(record, Event | UserPut | UserErased | UserMerged) or self._is_of_users(record):
                self._apply_to_people(place, record)
                draft = self._with_ends(record, draft)
            else:
                draft = draft or CatalogueDraft(self.view.catalogue)
                draft.apply(record)
        catalogue = draft.freeze() if draft else self.view.catalogue
        scorer = self._scorer_for(catalogue) if draft else self.view.scorer
        rules = self._rules_after(changes, draft, catalogue)
        self.view = replace(self.view, catalogue=catalogue, scorer=scorer, rules=rules, offset=offset)

    def _rules_after(
        self, changes: list[tuple[int, RuleRecord]], draft: CatalogueDraft | None, catalogue: Catalogue
    ) -> RuleBook:
        rules = self.view.rules
        if draft is not None:
            rules = rules.moved(catalogue, draft.changed_rows, changes_links=draft.changes_links)
        return rules.after(changes) if changes else rules

    def _with_ends(self, record: Record, draft: CatalogueDraft | None) -> CatalogueDraft | None:
        """Makes the items and entities that a record of a user names and the catalogue does not have."""
        items, entities = _ends_of(record)
        catalogue = self.view.catalogue
        known = catalogue.item_rows.keys() >= set(items) and catalogue.entity_rows.keys() >= set(entities)
        if draft is None and known:
            return None
        draft = draft or CatalogueDraft(catalogue)
        for item_id in items:
            draft.ensure_item(item_id)
        for entity_id in entities:
            draft.ensure_entity(entity_id)
        return draft

    def _apply_to_people(self, offset: int, record: PeopleRecord) -> None:
        before, popularity = self.view.profiles.apply(offset, record), self.view.popularity
        if before is None:
            return
        match record:
            case Event():
                popularity.add(record, before[0])
            case UserErased():
                popularity.forget(record.user_id, before[0])
            case UserMerged():
                popularity.join(record.user_id, before[0], record.from_id, before[1])
            case _:
                return

    def _is_of_users(self, record: Record) -> TypeGuard[RelationPut | RelationDeleted]:
        if not isinstance(record, RelationPut | RelationDeleted):
            return False
        code = self.view.declaration.relation_code.get(record.type)
        if code is None:
            return record.type in ("FOLLOWS", "PREFERS")
        return self.view.declaration.relation_types[code].head == "User"

    def _scorer_for(self, catalogue: Catalogue) -> Scorer | None:
        """The trained scorer with every item that came after training, in the catalogue's order, and today's trend."""
        if self._trained is None or self.artifact is None:
            return None
        first, entities = len(self.artifact.snapshot.item_ids), len(self.artifact.snapshot.entity_ids)
        new_items = [
            NewItem(
                item_id=catalogue.item_ids[row],
                relations=[link for link in catalogue.knowledge.of_left(row) if link[1] < entities],
            )
            for row in range(first, len(catalogue))
        ]
        if new_items != self._new_items:
            self._new_items, self._grown = new_items, self._trained.with_items(new_items)
        if self._grown is None or self._factors is None:
            return self._grown
        return self._grown.trending(self._factors)


def _declaring(artifact: Artifact, declaration: Declaration) -> Artifact:
    """The artifact with a declaration that has more than its own, and all of that with the same codes."""
    return replace(artifact, snapshot=replace(artifact.snapshot, declaration=declaration))


def _ends_of(record: Record) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The items and the entities that a record of a user names."""
    match record:
        case Event():
            return (record.item_id,), ()
        case UserPut():
            return (), tuple(end.entity_id for end in (*record.relations, *record.preferences))
        case RelationPut() if record.type != "FOLLOWS":
            return (), (record.tail_id,)
        case _:
            return (), ()


def _nothing() -> Snapshot:
    """A graph into which nothing was loaded yet."""
    ids = object_column([])
    none = np.empty(0, np.int32)
    return Snapshot(
        version="empty",
        log_offset=0,
        declaration=Declaration(name="empty", event_kinds=COMMON_EVENT_KINDS),
        user_ids=ids,
        item_ids=ids,
        entity_ids=ids,
        item_names=ids,
        item_kinds=ids,
        item_available=np.empty(0, np.bool_),
        item_created_at=np.empty(0, np.int64),
        entity_names=ids,
        entity_types=np.empty(0, np.int16),
        interactions=Interactions(none, none, np.empty(0, np.int16), np.empty(0, np.float32), np.empty(0, np.int64)),
        relations=(),
    )
