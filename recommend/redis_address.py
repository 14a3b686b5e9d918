"""The address of profiles that are shared: redis://[:password@]host[:port][/db][?name=NAME]."""

from urllib.parse import parse_qs, urlsplit

from domain.errors import InvalidSettings

FORM = "redis://[:password@]host[:port][/db][?name=NAME]"


def redis_address(address: str) -> tuple[str, str]:
    """The address without ?name=, and the name. Raises: InvalidSettings."""
    try:
        parts = urlsplit(address)
        query, _ = parse_qs(parts.query, strict_parsing=bool(parts.query)), parts.port
    except ValueError as error:
        raise InvalidSettings(f"CLEW_PROFILES is not {FORM}: {error}", field="CLEW_PROFILES") from error
    database = parts.path.strip("/")
    if (
        parts.scheme not in ("redis", "rediss")
        or not parts.hostname
        or set(query) - {"name"}
        or not (database == "" or database.isdecimal())
    ):
        raise InvalidSettings(f"CLEW_PROFILES is not {FORM}", field="CLEW_PROFILES")
    return parts._replace(query="").geturl(), query.get("name", ["clew"])[-1]
