"""For those who run the server: is it alive, is it ready, how is it doing."""

from fastapi import APIRouter, Response

from api.auth import Presented, may, needs
from api.documents import Liveness, Readiness
from api.health import dead_letters, ledger_counts, profile_values, readiness
from api.json import send
from api.openapi import READ, answers_with, problems_of
from api.state import Use, UseMetrics, UseWatch

router = APIRouter(tags=["operations"])


@router.get("/health/live", summary="Does the process answer", responses=answers_with(Liveness, "It does."))
async def live() -> Response:
    """Open to everybody."""
    return send(Liveness())


@router.get(
    "/health/ready",
    summary="Can it serve, and how well",
    responses={
        **answers_with(Readiness, "ready, or degraded: Neo4j or the model is missing, lists are served all the same."),
        **answers_with(Readiness, "unready: the log cannot be read.", status=503),
    },
)
def ready(services: Use, watch: UseWatch, presented: Presented) -> Response:
    """The parts (Neo4j, model, log, how far the writer is behind) are told to callers with a read key."""
    found = readiness(services, watch)
    status = 503 if found.status == "unready" else 200
    return send(found if may(services, presented, "read") else Readiness(status=found.status), status)


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    dependencies=[needs("read")],
    responses={200: {"description": "Text.", "content": {"text/plain": {}}}, **problems_of(*READ)},
)
def metrics(services: Use, watch: UseWatch, counters: UseMetrics) -> Response:
    """Requests and their times by route, events by verdict, the log's offset, the writer's lag, the model, profiles."""
    found = readiness(services, watch)
    lag = found.graph.writer_lag if found.graph else None
    page = counters.page(
        log_offset=found.log_offset or 0,
        writer_lag=lag,
        writer_lag_s=found.graph.writer_lag_s if found.graph else None,
        model_version=found.model_version,
        profiles=profile_values(found),
        dead=dead_letters(services),
        ledger=ledger_counts(services),
    )
    return Response(page, media_type="text/plain; version=0.0.4; charset=utf-8")
