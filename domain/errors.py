"""Every error that Clew raises on purpose.

ClewError
├── InvalidInput                what the caller sent cannot be used
│   ├── InvalidId               an id breaks the rules of domain.ids
│   ├── InvalidRequest          a field of a request is missing, of the wrong type or out of range
│   ├── InvalidMapping          a mapping file is wrong
│   ├── InvalidSource           a source's file is missing, unreadable or without a column it needs
│   ├── InvalidSettings         the environment or .env holds an unknown key or a bad value
│   ├── EventConflict           an event id came before with other content
│   ├── InvalidQuery            a Cypher query cannot be read or run; `position` says where
│   │   ├── QueryRefused        it would write, or uses what is not allowed
│   │   └── QueryTooCostly      it took too long, or too much memory
│   └── AllRejected             every event of a request was rejected
├── NotFound
│   ├── UnknownUser
│   ├── UnknownItem
│   ├── UnknownEntity
│   ├── UnknownRelation
│   ├── UnknownRecommendation
│   ├── UnknownRule
│   └── AnswerNotKept           the ledger has no answer up to that day that held the item
├── VersionMismatch             it was changed since the version that If-Match names
├── Gone                        it was there once, and is no longer kept
├── AccessError
│   ├── Unauthorized            no key, or a wrong one
│   └── Forbidden               a key without the scope
├── ServerError                 the embedded or outside Neo4j
│   ├── PortTaken
│   ├── JavaMissing
│   ├── DownloadFailed          no network, or the registry refused
│   ├── HashMismatch            a jar is not what the lock file says
│   ├── DiskFull
│   ├── StartFailed
│   ├── ServerBusy              another command holds the lock
│   │   └── WriterReplaced      another writer took over the partition
│   ├── GraphUnavailable        Neo4j does not answer
│   ├── GraphRefused            Neo4j answered with an error
│   │   ├── RecordRefused       it cannot store what it was given
│   │   └── BatchTooLarge       a transaction needs more memory than Neo4j gives it
│   ├── ProfilesUnavailable     Redis does not answer
│   └── UnsupportedServer       the server is too old, or is not Neo4j
├── LogError                    the durable log
│   ├── LogFull                 no space is left; nothing was acknowledged
│   ├── LogDamaged
│   ├── LogReplaced             the file or topic is another one than this process opened, or an older copy of it
│   ├── LogUnavailable          Kafka does not answer; nothing was acknowledged
│   └── Backlog                 too far behind; come back later
├── LedgerError                 the file of answers cannot be used; lists are served all the same
├── ModelError
│   ├── NoModel                 nothing has been trained yet
│   ├── DamagedArtifact
│   ├── NothingToTrain          too few users, items or interactions
│   ├── WorseModel              worse than the one that serves, on validation data
│   └── TrainingFailed          the process that trains ended with an error
├── MissingExtra                packages of an extra are not installed; pip install 'clew[…]'
└── LoadInterrupted             an earlier load did not finish

Each class has a stable `code` (snake_case), sent to HTTP clients and shown by the command line.
The message says what happened, to what, and what to do.
"""

from dataclasses import dataclass
from typing import ClassVar


class ClewError(Exception):
    """Base of all errors raised on purpose. `field` names the input at fault, where there is one."""

    code: ClassVar[str] = "clew_error"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InvalidInput(ClewError):
    code = "invalid_input"


class InvalidId(InvalidInput):
    code = "invalid_id"


class InvalidRequest(InvalidInput):
    code = "invalid_request"


class InvalidMapping(InvalidInput):
    code = "invalid_mapping"


class InvalidSource(InvalidInput):
    code = "invalid_source"


class InvalidSettings(InvalidInput):
    code = "invalid_settings"


class EventConflict(InvalidInput):
    code = "event_id_conflict"


@dataclass(frozen=True)
class Position:
    """A place in a text: line and column from 1, offset in characters from 0."""

    line: int
    column: int
    offset: int


class InvalidQuery(InvalidInput):
    code = "invalid_query"

    def __init__(self, message: str, *, position: Position | None = None) -> None:
        where = f" (line {position.line}, column {position.column})" if position else ""
        super().__init__(message + where, field="query")
        self.position = position


class QueryRefused(InvalidQuery):
    code = "query_refused"


class QueryTooCostly(InvalidQuery):
    code = "query_too_costly"


class AllRejected(InvalidInput):
    code = "all_rejected"


class NotFound(ClewError):
    code = "not_found"


class UnknownUser(NotFound):
    code = "unknown_user"


class UnknownItem(NotFound):
    code = "unknown_item"


class UnknownEntity(NotFound):
    code = "unknown_entity"


class UnknownRelation(NotFound):
    code = "unknown_relation"


class UnknownRecommendation(NotFound):
    code = "unknown_recommendation"


class UnknownRule(NotFound):
    code = "unknown_rule"


class AnswerNotKept(NotFound):
    code = "answer_not_kept"


class VersionMismatch(ClewError):
    code = "version_mismatch"


class Gone(ClewError):
    code = "gone"


class AccessError(ClewError):
    code = "access_error"


class Unauthorized(AccessError):
    code = "unauthorized"


class Forbidden(AccessError):
    code = "forbidden"


class ServerError(ClewError):
    code = "server_error"


class PortTaken(ServerError):
    code = "port_taken"


class JavaMissing(ServerError):
    code = "java_missing"


class DownloadFailed(ServerError):
    code = "download_failed"


class HashMismatch(ServerError):
    code = "hash_mismatch"


class DiskFull(ServerError):
    code = "disk_full"


class StartFailed(ServerError):
    code = "start_failed"


class ServerBusy(ServerError):
    code = "server_busy"


class WriterReplaced(ServerBusy):
    code = "writer_replaced"


class GraphUnavailable(ServerError):
    code = "graph_unavailable"


class GraphRefused(ServerError):
    code = "graph_refused"


class RecordRefused(GraphRefused):
    code = "record_refused"


class BatchTooLarge(GraphRefused):
    code = "batch_too_large"


class ProfilesUnavailable(ServerError):
    code = "profiles_unavailable"


class UnsupportedServer(ServerError):
    code = "unsupported_server"


class LogError(ClewError):
    code = "log_error"


class LogFull(LogError):
    code = "log_full"


class LogDamaged(LogError):
    code = "log_damaged"


class LogReplaced(LogError):
    code = "log_replaced"


class LogUnavailable(LogError):
    code = "log_unavailable"


class Backlog(LogError):
    code = "backlog"


class LedgerError(ClewError):
    code = "ledger_error"


class ModelError(ClewError):
    code = "model_error"


class NoModel(ModelError):
    code = "no_model"


class DamagedArtifact(ModelError):
    code = "damaged_artifact"


class NothingToTrain(ModelError):
    code = "nothing_to_train"


class WorseModel(ModelError):
    code = "worse_model"


class TrainingFailed(ModelError):
    code = "training_failed"


class MissingExtra(ClewError):
    code = "missing_extra"


class LoadInterrupted(ClewError):
    code = "load_interrupted"
