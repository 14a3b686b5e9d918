"""Requests that nobody waits for, so that no caller waits for plans, pages, code or what is worked out once."""

import itertools
import logging
import time

from domain.answers import RankedList
from domain.errors import ClewError
from domain.snapshot import Snapshot
from recommend.recommender import Recommender
from recommend.request import Preference, RecommendRequest
from recommend.world import World

WARM_REQUESTS = 20
WARM_ROW = 10  # lists confirmed one after the other
WARM_S = 5.0
TOUCHED = 5  # users whose lists a world makes before it serves
logger = logging.getLogger("clew.serve")


def warm_up(recommender: Recommender) -> None:
    """Has Neo4j plan its statements, and asks for lists: no caller waits for plans, pages or code.

    While Neo4j answers, until a row of lists has been confirmed in time, for WARM_S at most.
    """
    confirms = recommender.warm_up()
    view = recommender.world.view()
    users = _users(view.snapshot)
    requests = [RecommendRequest(user_id=user_id) for user_id in users]
    requests += [
        RecommendRequest(preferences=(Preference(entity_id),)) for entity_id in view.snapshot.entity_ids[:1].tolist()
    ]
    deadline, confirmed = time.monotonic() + WARM_S, 0
    for place, request in enumerate(itertools.cycle(requests)):
        if place >= len(requests) and (not confirms or confirmed >= WARM_ROW or time.monotonic() > deadline):
            break
        try:
            confirmed = confirmed + 1 if _is_confirmed(recommender.rehearse(request)) else 0
        except ClewError as error:
            logger.info("warming up: %s", error.message)


def _users(snapshot: Snapshot) -> list[str]:
    """The first of them; the row of an erased user has no id."""
    return [user_id for user_id in snapshot.user_ids.tolist() if user_id][:WARM_REQUESTS]


def _is_confirmed(answer: RankedList) -> bool:
    paths = (reason.path for item in answer.items for reason in item.reasons if reason.path)
    return all(path.verified for path in paths)


def touch(world: World) -> None:
    """Has a world that does not serve yet work out what it works out once, while another one serves.

    Neo4j is not asked: it has planned its statements already.
    """
    recommender, snapshot = Recommender(world, None), world.view().snapshot
    users = _users(snapshot)[:TOUCHED]
    for user_id in users:
        recommender.rehearse(RecommendRequest(user_id=user_id))
    for item_id in snapshot.item_ids[:1].tolist():
        recommender.similar_items(item_id)
    for user_id in users[:1]:
        recommender.similar_users(user_id)
        recommender.user_entities(user_id)
