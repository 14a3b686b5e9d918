"""What lists show of the catalogue, counted by hand in the hand-written world."""

from recommend import catalogue_health
from recommend.recommender import Recommender
from recommend.world import World


def test_items_in_no_list_are_named_and_counted(world: World) -> None:
    view = world.view()
    rows = view.catalogue.item_rows
    found = catalogue_health.report(view, [(rows["pulp"], rows["dogs"]), (rows["pulp"],)], 2)
    assert (found.items, found.available, found.shown) == (12, 11, 2)  # armageddon is not available
    assert found.coverage == 2 / 11
    assert found.never == 9
    assert {"pulp", "dogs", "armageddon"}.isdisjoint(item.id for item in found.never_items)
    assert [(item.item_id, item.lists, item.share) for item in found.most_shown] == [("pulp", 2, 1.0), ("dogs", 1, 0.5)]


def test_the_tenth_that_most_people_took_is_told_by_what_it_holds_of_the_lists(world: World) -> None:
    view = world.view()
    rows = view.catalogue.item_rows
    found = catalogue_health.report(view, [(rows["pulp"], rows["dogs"]), (rows["heat"], rows["pulp"])], 2)
    assert found.popular_shown_share == 2 / 4  # a tenth of 11 items is one: Pulp Fiction, in 2 of 4 places
    _, people = view.popular_counts
    available = [row for item, row in rows.items() if item != "armageddon"]
    assert found.popular_taken_share == people[rows["pulp"]] / people[available].sum()


def test_what_joins_most_items_and_what_stands_alone(world: World) -> None:
    found = catalogue_health.report(world.view(), [], 10)
    assert [(hub.id, hub.count) for hub in found.hubs[:2]] == [("Director:tarantino", 5), ("Genre:crime", 5)]
    assert [item.id for item in found.bare_items] == ["blank"]
    assert (found.coverage, found.popular_shown_share) == (0, 0)


def test_the_sample_is_spread_over_those_with_events_and_always_the_same(world: World) -> None:
    view = world.view()
    everybody = catalogue_health.sample(view, 100)
    assert {"fay", "gus", "hal"}.isdisjoint(everybody)  # took nothing
    assert catalogue_health.sample(view, 2) == [everybody[0], everybody[-1]]


def test_the_lists_of_the_report_are_those_that_users_get(world: World) -> None:
    recommender = Recommender(world, None)
    found = recommender.catalogue_health(users=2, n=3)
    assert (found.lists, found.n) == (2, 3)
    assert found.shown == len({item.item_id for item in found.most_shown})
