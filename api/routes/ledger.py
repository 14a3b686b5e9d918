"""The ledger: answers fetched again, with what was considered for them and what became of it."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api.auth import needs
from api.json import send
from api.openapi import READ_ONE, answers_with
from api.services import Services
from api.state import Use
from api.types import Id
from domain.errors import UnknownRecommendation
from domain.ledger import LedgerEntry, LedgerList
from recommend.ledger import Ledger

MAX_LISTED = 1_000
router = APIRouter(tags=["recommendations"])


@router.get(
    "/v1/recommendations/{recommendation_id}",
    summary="An answer again",
    dependencies=[needs("read")],
    responses=answers_with(LedgerEntry, "The answer as it was given, and how it came about.", *READ_ONE, 410),
)
def get_answer(
    recommendation_id: Annotated[str, Path(description="As in the answer.", max_length=256)], services: Use
) -> Response:
    """What was considered: each candidate with its score, the effects of rules, its rank or what kept it out.

    Kept for CLEW_LEDGER_DAYS and within CLEW_LEDGER_MIB: older answers are 410.
    """
    return send(_ledger(services).get(recommendation_id, services.world.view().catalogue.name_of))


@router.get(
    "/v1/recommendations",
    summary="Answers of late",
    dependencies=[needs("analyst")],
    responses=answers_with(LedgerList, "Answers, newest first.", *READ_ONE),
)
def list_answers(
    services: Use,
    user_id: Annotated[Id | None, Query(description="Only those to this user.", examples=["196"])] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED, description="So many at most.")] = 100,
) -> Response:
    """For keys of the scope analyst or admin: whom was shown what, and when."""
    return send(LedgerList(answers=_ledger(services).newest(limit, user_id)))


def _ledger(services: Services) -> Ledger:
    if services.ledger is None:
        raise UnknownRecommendation("this server keeps no answers; see CLEW_LEDGER_DAYS, and its log when that is set")
    return services.ledger
