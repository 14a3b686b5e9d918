"""The kinds of values that requests hold: ids in bodies and in paths, times with a zone."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import unquote

from fastapi import Path, Query
from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from domain.errors import InvalidId
from domain.ids import MAX_ID_LENGTH, clean_id
from recommend.request import MAX_WITHOUT

_ID_TEXT = "1 to 256 characters of Unicode text in NFC, without control characters; not `.` or `..`."


def body_id(value: object) -> str:
    """An id as JSON has it: text, or a whole number that becomes decimal text.

    Raises: PydanticCustomError with the code invalid_id.
    """
    try:
        return clean_id(value)
    except InvalidId as error:
        raise PydanticCustomError("invalid_id", "{why}", {"why": error.message}) from error


def path_id(value: object) -> str:
    """An id as a path has it: percent-encoded, decoded once. Raises: PydanticCustomError with the code invalid_id."""
    try:
        return body_id(unquote(str(value), errors="strict"))
    except UnicodeDecodeError as error:
        message = "an id in a path is percent-encoded UTF-8"
        raise PydanticCustomError("invalid_id", "{why}", {"why": message}) from error


def zoned_time(value: object) -> int:
    """Milliseconds since 1970 UTC of an ISO 8601 time with a zone.

    Raises: PydanticCustomError with the code invalid_time.
    """
    why = "a time is ISO 8601 text with a zone, such as 2026-11-24T09:30:00Z"
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
        if time is not None and time.tzinfo is not None:
            return round((time - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)
    except (ValueError, OverflowError) as error:
        raise PydanticCustomError("invalid_time", "{why}", {"why": why}) from error
    raise PydanticCustomError("invalid_time", "{why}", {"why": why})


def iso(milliseconds: int) -> str:
    """The time as ISO 8601 text in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC).isoformat().replace("+00:00", "Z")


def _id_schema(**extra: object) -> Mapping[str, object]:
    return {"type": "string", "minLength": 1, "maxLength": MAX_ID_LENGTH, "description": _ID_TEXT, **extra}


_BODY_ID = {"anyOf": [_id_schema(), {"type": "integer"}], "description": _ID_TEXT + " A whole number becomes text."}

Id = Annotated[str, BeforeValidator(body_id), WithJsonSchema(_BODY_ID)]
Time = Annotated[
    int,
    BeforeValidator(zoned_time),
    WithJsonSchema({"type": "string", "format": "date-time", "description": "ISO 8601 with a zone."}),
]


PathId = Annotated[str, BeforeValidator(path_id)]
UserId = Annotated[PathId, Path(description="Id of a user, percent-encoded.", examples=["196"])]
ItemId = Annotated[PathId, Path(description="Id of an item, percent-encoded.", examples=["242"])]
EntityId = Annotated[PathId, Path(description="Id of an entity, Type:key, percent-encoded.", examples=["Genre:crime"])]
LANG = "Language of the reasons: en, zh, or one of CLEW_TEXTS. Left out: by Accept-Language, else en."
WITHOUT = "Ids of entities and of the user's events: the answer is made as if they were not there."
Without = Annotated[Sequence[str], Query(max_length=MAX_WITHOUT, description=WITHOUT)]
