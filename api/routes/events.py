"""What users do."""

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from api.auth import needs
from api.documents import EventReceipt
from api.json import JSON, send
from api.openapi import ASK, answers_with
from api.posted import Posted, posted_events
from api.schemas import EVENTS_SCHEMA
from api.state import UseAdmission, UseWrites

router = APIRouter(tags=["events"], dependencies=[needs("write")])


@router.post(
    "/v1/events",
    status_code=202,
    summary="Post events",
    responses=answers_with(EventReceipt, "What was taken, durably.", *ASK, 507, status=202),
    openapi_extra={"requestBody": {"required": True, "content": {JSON: {"schema": EVENTS_SCHEMA}}}},
)
async def post_events(request: Request, admission: UseAdmission, writes: UseWrites) -> Response:
    """Answers when the events are on disk; the next list already knows them.

    One event, a list, or `{"events": [...]}`, up to 1,000 at a time; or, as `application/x-ndjson`, one a line. With
    `Content-Encoding: gzip` too. The same `event_id` counts once. Each event is judged by itself: one that is rejected
    does not keep the others out. When every event was rejected the answer is 422, with the reasons.
    """

    def take(posted: Posted) -> EventReceipt:
        writes.refuse_backlog()
        return admission.post(posted)

    return send(await run_in_threadpool(take, await posted_events(request)), 202)
