"""How well this process can serve."""

from api.documents import GraphHealth, Readiness
from api.services import Services
from api.watch import GraphWatch
from domain.errors import LogError


def readiness(services: Services, watch: GraphWatch) -> Readiness:
    """ready; degraded without Neo4j or a model; unready when the log cannot be read."""
    state = watch.state
    try:
        offset = services.log.last_offset()
    except LogError:
        return Readiness(status="unready")
    lag = None if state.writer_offset is None else max(0, offset - state.writer_offset)
    model_version = services.world.model_version
    return Readiness(
        status="ready" if state.ok and model_version else "degraded",
        graph=GraphHealth(ok=state.ok, version=state.version, writer_lag=lag, error=state.error),
        model_version=model_version,
        log_offset=offset,
    )
