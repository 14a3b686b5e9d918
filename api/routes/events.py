"""What users do."""

from fastapi import APIRouter, Response

from api.admission import admit
from api.auth import needs
from api.documents import EventReceipt
from api.json import StrictJsonRoute, send
from api.openapi import ASK, answers_with
from api.schemas import EventsIn
from api.state import Use, UseMetrics, UseWrites

router = APIRouter(route_class=StrictJsonRoute, tags=["events"], dependencies=[needs("write")])


@router.post(
    "/v1/events",
    status_code=202,
    summary="Post events",
    responses=answers_with(EventReceipt, "What was taken, durably.", *ASK, 507, status=202),
)
def post_events(body: EventsIn, services: Use, writes: UseWrites, metrics: UseMetrics) -> Response:
    """Answers when the events are on disk; the next list already knows them.

    The same `event_id` counts once. When every event was rejected the answer is 422, with the reasons.
    """
    writes.refuse_backlog()
    return send(admit(services, metrics, body.events), 202)
