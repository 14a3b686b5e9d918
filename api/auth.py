"""Who may call what: a key in X-API-Key, and the scope that a route asks for."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Security
from fastapi.security import APIKeyHeader

from api.keys import find_key
from api.services import Services
from api.state import Use
from domain.errors import AccessError, Forbidden, Unauthorized

_header = APIKeyHeader(
    name="X-API-Key",
    auto_error=False,
    description="Needed when the server has keys (CLEW_API_KEYS). `clew keys new NAME --scope read` makes one.",
)
Presented = Annotated[str | None, Security(_header)]


def check_key(services: Services, presented: str | None, scope: str) -> None:
    """Raises: Unauthorized without a known key, Forbidden when the key's scope is not enough. No keys: all may."""
    if not services.keys:
        return
    key = find_key(services.keys, presented) if presented else None
    if key is None:
        raise Unauthorized("send a key of this server in X-API-Key")
    if not key.allows(scope):
        raise Forbidden(f"the key {key.name} has the scope {key.scope}; this needs {scope}")


def may(services: Services, presented: str | None, scope: str) -> bool:
    """Whether a caller with this key, or none, may do something."""
    try:
        check_key(services, presented, scope)
    except AccessError:
        return False
    return True


def needs(scope: str) -> Any:
    """The dependency of a route that needs a scope."""
    return Depends(_checker(scope))


def _checker(scope: str) -> Callable[..., Coroutine[Any, Any, None]]:
    async def check(services: Use, presented: Presented) -> None:
        check_key(services, presented, scope)

    return check
