"""What the log says of a user: each record once, in its order, and all of a visitor who turned out to be them."""

import tracemalloc
from collections import OrderedDict

import msgspec
import pytest

from domain.records import Event, RelationEnd, RelationPut, UserErased, UserPut
from recommend import shelf
from recommend.changes import MOST_EVENTS, NOTHING, UserChanges, after, between, joined
from recommend.profiles import Held


def event(number: int, item_id: str = "alien") -> Event:
    return Event(event_id=f"e{number}", user_id="ann", item_id=item_id, kind="view", at=number)


def of(*numbers: int) -> UserChanges:
    found = NOTHING
    for number in numbers:
        found = after(found, number, event(number))
    return found


def test_a_record_that_is_in_already_changes_nothing() -> None:
    known = of(1, 2)
    assert after(known, 2, event(2)) is known
    assert after(known, 1, event(1)) is known


def test_an_event_id_counts_once_at_whatever_offset() -> None:
    again = after(of(1), 7, event(1))
    assert (again.offset, len(again.events)) == (7, 1)


def test_the_newest_thousand_events_are_kept() -> None:
    many = of(*range(1, MOST_EVENTS + 4))
    assert [one.offset for one in (many.events[0], many.events[-1])] == [4, MOST_EVENTS + 3]
    assert len(many.events) == MOST_EVENTS


def test_a_snapshot_takes_over_what_it_holds() -> None:
    known = of(1, 2, 3)
    assert [one.offset for one in between(known, 2, 9).events] == [3]
    assert between(known, 3, 9).is_empty
    assert between(known, 0, 9) is known


def test_what_another_process_read_further_is_cut_off_and_comes_again() -> None:
    known = of(1, 2, 3)
    cut = between(known, 0, 2)
    assert (cut.offset, [one.offset for one in cut.events]) == (2, [1, 2])
    assert after(cut, 3, event(3)) == known


def test_an_erasure_leaves_nothing_but_that() -> None:
    gone = after(of(1, 2), 3, UserErased(user_id="ann"))
    assert gone == UserChanges(offset=3, gone=3)


def test_a_visitor_is_joined_with_events_in_the_order_of_the_log_and_with_tastes() -> None:
    taste = RelationPut(type="PREFERS", head_id="v", tail_id="Genre:crime", weight=2.0)
    visitor = after(of(2, 4), 5, taste)
    user, rest = joined(of(1, 3), visitor, 6, "v")
    assert [one.offset for one in user.events] == [1, 2, 3, 4]
    assert user.merged == ((6, "v"),)
    assert user.tastes == ((6, RelationEnd(type="PREFERS", entity_id="Genre:crime", weight=2.0)),)
    assert rest == UserChanges(offset=6, gone=6)
    assert joined(user, rest, 6, "v") == (user, rest)


def test_a_whole_put_after_a_merge_replaces_the_visitors_tastes() -> None:
    taste = RelationPut(type="PREFERS", head_id="v", tail_id="Genre:crime")
    user, _ = joined(of(1), after(NOTHING, 2, taste), 3, "v")
    assert after(user, 4, UserPut(user_id="ann", properties={})).tastes == ()


@pytest.mark.parametrize("is_reread", [False, True])
@pytest.mark.parametrize("events", [1, 7, 40])
def test_the_size_that_is_counted_is_what_python_holds(events: int, *, is_reread: bool) -> None:
    """To a seventh of what the memory tracer sees of 8,000 events, whatever they did and wherever they come from."""
    encoder, decoder = msgspec.json.Encoder(), msgspec.json.Decoder(Event)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    held = OrderedDict[str, Held]()
    for user in range(8_000 // events):
        found = NOTHING
        for number in range(1_000 * user + 1_000, 1_000 * user + 1_000 + events):
            logged = decoder.decode(encoder.encode(event(number, f"item{number % 50}")))
            found = after(found, number, msgspec.structs.replace(logged, at=1_764_000_000_000 + number))
        held[f"user{user}"] = Held(shelf.DECODER.decode(shelf.ENCODER.encode(found)) if is_reread else found)
    held_bytes = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert sum(one.bytes for one in held.values()) == pytest.approx(held_bytes, rel=0.15)


def test_users_who_come_back_share_the_names_of_items_and_kinds() -> None:
    first, second = (shelf.DECODER.decode(shelf.ENCODER.encode(of(number))).events[0] for number in (1, 2))
    assert first.item_id is second.item_id
    assert first.kind is second.kind
