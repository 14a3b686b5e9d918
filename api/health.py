"""How well this process can serve."""

from api.documents import GraphHealth, ProfilesHealth, Readiness, SharedHealth
from api.services import Services
from api.watch import GraphWatch
from domain.errors import LogError


def readiness(services: Services, watch: GraphWatch) -> Readiness:
    """ready; degraded without Neo4j, a model or the Redis that is wanted; unready when the log cannot be read."""
    state = watch.state
    try:
        offset = services.log.last_offset()
    except LogError as error:
        return Readiness(status="unready", error=f"{error.code}: {error.message}")
    lag = None if state.writer_offset is None else max(0, offset - state.writer_offset)
    model_version, profiles = services.world.model_version, _profiles(services, offset)
    is_whole = state.ok and model_version and (profiles.shared is None or profiles.shared.ok)
    return Readiness(
        status="ready" if is_whole else "degraded",
        graph=GraphHealth(
            ok=state.ok, version=state.version, writer_lag=lag, writer_lag_s=state.lag_s, error=state.error
        ),
        profiles=profiles,
        model_version=model_version,
        log_offset=offset,
    )


def profile_values(found: Readiness) -> dict[str, float | None]:
    """What metrics say of profiles; None where there is nothing to say."""
    profiles = found.profiles or ProfilesHealth(users=0, bytes=0, evicted=0)
    shared = profiles.shared
    return {
        "users": profiles.users,
        "bytes": profiles.bytes,
        "evicted": profiles.evicted,
        "shared_up": None if shared is None else float(shared.ok),
        "shared_lag": None if shared is None else shared.lag,
    }


def dead_letters(services: Services) -> dict[str, int]:
    """How many are kept, by code; nothing while the log does not say."""
    try:
        return services.log.dead_counts()
    except LogError:
        return {}


def ledger_counts(services: Services) -> dict[str, int]:
    """What the ledger of this process did; nothing where no answers are kept."""
    counts = services.ledger.counts if services.ledger else None
    return {} if counts is None else {"kept": counts.kept, "dropped": counts.dropped, "waiting": counts.waiting}


def _profiles(services: Services, offset: int) -> ProfilesHealth:
    counts, shared = services.world.view().profiles.counts, None
    if services.shared is not None:
        state = services.shared.state
        lag = max(0, offset - state.offset) if state.ok else None
        shared = SharedHealth(where=services.shared.where, ok=state.ok, lag=lag, error=state.error)
    return ProfilesHealth(users=counts.users, bytes=counts.bytes, evicted=counts.evicted, shared=shared)
