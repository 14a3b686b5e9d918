"""Ids of answers: UUIDs of version 7, so that an id says when its answer was given and ids sort by time."""

import secrets
import time

_TIME_BITS, _LATER_BITS = 48, 80
_VERSION, _VARIANT = 7 << 76, 0b10 << 62
_RANDOM = ~(0xF << 76 | 0b11 << 62) & ((1 << _LATER_BITS) - 1)
LENGTH = 32


def new_answer_id() -> str:
    """32 hexadecimal digits: 48 bits of milliseconds since 1970 and 74 random bits. Source: RFC 9562, section 5.7."""
    later = secrets.randbits(_LATER_BITS) & _RANDOM | _VERSION | _VARIANT
    return f"{time.time_ns() // 1_000_000 << _LATER_BITS | later:032x}"


def given_at(answer_id: str) -> int | None:
    """When an answer was given, in milliseconds since 1970 UTC; None for a text that is no id of an answer."""
    try:
        value = int(answer_id, 16) if len(answer_id) == LENGTH and answer_id.isalnum() else -1
    except ValueError:
        return None
    is_ours = value >= 0 and value >> 76 & 0xF == 7 and value >> 62 & 0b11 == 0b10
    return value >> _LATER_BITS if is_ours else None


def first_id_at(at_ms: int) -> bytes:
    """(16,) bytes: no id of an answer given at this time or later is smaller."""
    return (at_ms << _LATER_BITS).to_bytes(16)
