"""Ranked lists: for a user, a visitor or stated tastes."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.auth import needs
from api.json import StrictJsonRoute, send
from api.language import HeaderLanguage, Lang
from api.openapi import ASK, READ_ONE, answers_with
from api.schemas import RecommendationRequest, ShortRequest
from api.shape import Shape
from api.state import Use
from api.types import UserId, Without
from domain.answers import RankedList
from recommend.request import MAX_N, MaxPerEntity, Preference, RecommendRequest, SessionEvent

router = APIRouter(route_class=StrictJsonRoute, tags=["recommendations"], dependencies=[needs("read")])
LIST = answers_with(RankedList, "A ranked list, best first, each item with its reasons.", *ASK)


@router.post("/recommend", summary="The short form", responses=LIST)
def recommend(body: ShortRequest, services: Use, language: HeaderLanguage) -> Response:
    """Top n for a user; with `item_ids`, exactly those, ranked. An unknown user gets a popular list, marked as such."""
    item_ids = None if body.item_ids is None else tuple(body.item_ids)
    lang = body.lang or language
    request = RecommendRequest(user_id=body.user_id, n=body.n, item_ids=item_ids, lang=lang)
    return send(services.recommender.recommend(request))


@router.post("/v1/recommendations", summary="The full form", responses=LIST)
def recommend_fully(body: RecommendationRequest, services: Use, language: HeaderLanguage) -> Response:
    """For a user, a visitor's session or stated tastes, with everything that can be asked of a list."""
    return send(services.recommender.recommend(as_request(body, language)))


@router.get(
    "/v1/users/{user_id}/recommendations",
    summary="Top n for a user",
    responses=answers_with(RankedList, "A ranked list.", *READ_ONE),
)
def recommend_to_user(
    user_id: UserId,
    services: Use,
    language: HeaderLanguage,
    shape: Shape,
    n: Annotated[int, Query(ge=1, le=MAX_N, description="Length of the list.")] = 10,
    exclude_seen: Annotated[bool, Query(description="False: also what the user has had.")] = True,
    strict: Annotated[bool, Query(description="True: 404 for an unknown user.")] = False,
    lang: Lang = None,
    without: Without = (),
) -> Response:
    """The convenience form of POST /v1/recommendations."""
    request = RecommendRequest(
        user_id=user_id,
        n=n,
        exclude_seen=exclude_seen,
        strict=strict,
        lang=lang or language,
        without=tuple(without),
        **shape,
    )
    return send(services.recommender.recommend(request))


def as_request(body: RecommendationRequest, language: str) -> RecommendRequest:
    """Raises: InvalidRequest naming the field."""
    session = None if body.session is None else tuple(SessionEvent(**dict(event)) for event in body.session)
    preferences = None if body.preferences is None else tuple(Preference(**dict(one)) for one in body.preferences)
    cap = body.max_per_entity
    return RecommendRequest(
        user_id=body.user_id,
        session=session,
        preferences=preferences,
        n=body.n,
        item_ids=None if body.item_ids is None else tuple(body.item_ids),
        exclude_seen=body.exclude_seen,
        item_kind=body.item_kind,
        filter=body.filter,
        context_item_id=body.context_item_id,
        query=body.query,
        placement=body.placement,
        diversity=body.diversity,
        calibration=body.calibration,
        max_per_entity=None if cap is None else MaxPerEntity(cap.type, cap.max),
        strict=body.strict,
        reasons="reasons" in body.include,
        lang=body.lang or language,
        without=tuple(body.without),
    )
