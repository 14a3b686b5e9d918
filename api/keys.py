"""API keys: their names, their scopes and the hashes by which they are known. The keys are stored nowhere."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import InvalidSettings

SCOPES = ("read", "write", "analyst", "admin")
# What each scope may do. An analyst reads, and will ask the graph; only an admin erases people.
ALLOWS = {
    "read": frozenset({"read"}),
    "write": frozenset({"read", "write"}),
    "analyst": frozenset({"read", "analyst"}),
    "admin": frozenset(SCOPES),
}
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True)
class ApiKey:
    """A key as the settings know it. digest: SHA-256 of the key, in hexadecimal."""

    name: str
    scope: str
    digest: str

    def allows(self, scope: str) -> bool:
        return scope in ALLOWS[self.scope]

    def as_setting(self) -> str:
        return f"{self.name}:{self.scope}:{self.digest}"


def parse_keys(text: str) -> tuple[ApiKey, ...]:
    """The keys of CLEW_API_KEYS: name:scope:sha256 with commas between them; empty text is no keys.

    Raises: InvalidSettings for a part that is no key, without repeating it.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    keys: list[ApiKey] = []
    for place, part in enumerate(parts, start=1):
        name, _, rest = part.partition(":")
        scope, _, digest = rest.partition(":")
        if not (_NAME.match(name) and scope in SCOPES and _DIGEST.match(digest)):
            raise InvalidSettings(
                f"CLEW_API_KEYS: part {place} is not name:scope:sha256 with a scope of {', '.join(SCOPES)}; "
                "`clew keys new NAME` makes one",
                field="CLEW_API_KEYS",
            )
        keys.append(ApiKey(name, scope, digest))
    return tuple(keys)


def new_key(name: str, scope: str) -> tuple[str, ApiKey]:
    """A random key of 256 bits, and what the settings must hold for it.

    Raises: InvalidSettings for a name with other characters than letters, digits, _ and -, or an unknown scope.
    """
    key = "clew_" + secrets.token_urlsafe(32)
    known = parse_keys(f"{name}:{scope}:{digest_of(key)}")
    if not known:
        raise InvalidSettings("a key needs a name", field="name")
    return key, known[0]


def digest_of(key: str) -> str:
    # One round of SHA-256 is enough: the key is 256 random bits, not a password that could be guessed.
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def find_key(keys: Sequence[ApiKey], presented: str) -> ApiKey | None:
    """The key with this text, or None. The time it takes says nothing about which one, or how near."""
    digest = digest_of(presented)
    found = [key for key in keys if hmac.compare_digest(key.digest, digest)]
    return found[0] if found else None
