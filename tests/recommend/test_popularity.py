"""How many people took each item, beside the sets of people that one would write down."""

from collections import defaultdict

import numpy as np

from recommend.popularity import WINDOW_DAYS, event_weight
from recommend.world import World

DAY_MS = 86_400_000


def test_a_person_counts_once_an_item_however_often_they_took_it(world: World) -> None:
    view = world.view()
    kinds, events = view.declaration.event_kinds, view.snapshot.interactions
    ever: dict[int, set[int]] = defaultdict(set)
    recent: dict[int, set[int]] = defaultdict(set)
    for user, item, kind, value, at in zip(
        events.user_rows, events.item_rows, events.kinds, events.values, events.at, strict=True
    ):
        if event_weight(kinds[kind], float(value)) > 0:
            ever[item].add(user)
            if at >= events.at.max() - WINDOW_DAYS * DAY_MS:
                recent[item].add(user)
    rows = range(len(view.snapshot.item_ids))
    counted = view.popularity.counts({}, len(rows))
    np.testing.assert_array_equal(counted, [[len(recent[row]) for row in rows], [len(ever[row]) for row in rows]])
    assert view.popularity.num_users == len(set.union(*ever.values()))
