"""Ids of users, items and entities: text outside, dense rows inside."""

import unicodedata

from domain.errors import InvalidId

MAX_ID_LENGTH = 256
_FORBIDDEN_CATEGORIES = ("Cc", "Cs")  # control characters, surrogates


def clean_id(value: object, *, field: str = "id") -> str:
    """The id as NFC text of 1 to 256 characters. Integers become decimal text.

    Raises: InvalidId for floats, booleans, null, empty or long text, control or surrogate characters, "." and "..".
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise InvalidId(f"{field} must be text or a whole number, not {type(value).__name__}", field=field)
    text = unicodedata.normalize("NFC", value)
    if not 1 <= len(text) <= MAX_ID_LENGTH:
        raise InvalidId(f"{field} must have 1 to {MAX_ID_LENGTH} characters, it has {len(text)}", field=field)
    if text in (".", ".."):
        raise InvalidId(f"{field} must not be {text!r}: it would change a URL's path", field=field)
    if any(unicodedata.category(character) in _FORBIDDEN_CATEGORIES for character in text):
        raise InvalidId(f"{field} must not hold control or surrogate characters", field=field)
    return text


def entity_id(entity_type: str, key: str) -> str:
    """The id of an entity: "Type:key"."""
    return f"{entity_type}:{key}"


def split_entity_id(value: str) -> tuple[str, str]:
    """The type and the key of an entity id.

    Raises: InvalidId when there is no ":" with text on both sides.
    """
    entity_type, colon, key = value.partition(":")
    if not (colon and entity_type and key):
        raise InvalidId(f"an entity id has the form Type:key, got {value!r}", field="entity_id")
    return entity_type, key
