"""What rules cost: `python -m benchmarks rules` or `python benchmarks/rules.py [--rules 1000] [--items 17000]`.

The cost of one list is that of `choose` with the rules, less that of the same without; both medians over users.
Three books of so many rules: all for other requests, all holding for each list, and a mix of ten kinds.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np

from domain.dataset_snapshot import snapshot_of
from domain.declarations import COMMON_EVENT_KINDS, Declaration, EntityType, Property, RelationType
from domain.records import RulePut
from domain.rules import Rule
from domain.snapshot import object_column
from domain.tables import Dataset, EventTable, NodeTable, RelationTable
from ingest.log import Log
from recommend.ranking import Ranking, choose
from recommend.request import RecommendRequest
from recommend.rules import RuleBook
from recommend.subject import subject_of
from recommend.world import View, World

BRANDS, CATEGORIES, USERS, EVENTS = 500, 40, 200, 4_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, default=1_000)
    parser.add_argument("--items", type=int, default=17_000)
    parser.add_argument("--lists", type=int, default=400)
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    with TemporaryDirectory() as folder, Log(Path(folder) / "log.db") as log:
        world = World(log, snapshot=snapshot_of(_shop(given.items, rng)))
        view = world.view()
        scores = rng.gamma(0.5, size=given.items).astype(np.float32)
        ranking = Ranking("model", False, {"entity": scores}, scores)
        plain, slow = _took_us(view, ranking, given.lists)
        print(f"{given.rules} rules, {given.items} items: a list without rules {plain:.0f} us, p95 {slow:.0f} us")
        for name, make in (("for others", _for_others), ("holding", _holding), ("mixed", _mixed)):
            started = time.perf_counter()
            book = _book(view, make, given.rules)
            made_ms = (time.perf_counter() - started) * 1000
            median, worst = _took_us(replace(view, rules=book), ranking, given.lists)
            moved_ms = _moved_ms(view, book, rng)
            print(
                f"  {name:10}  +{median - plain:.0f} us a list, p95 +{worst - slow:.0f} us; "
                f"all compiled in {made_ms:.0f} ms, after a change of one item in {moved_ms:.1f} ms"
            )


def _took_us(view: View, ranking: Ranking, lists: int) -> tuple[float, float]:
    """Median and 95th percentile of `choose` alone: the subject is made before. The first tenth is left out."""
    took: list[float] = []
    for place in range(lists):
        request = RecommendRequest(user_id=f"u{place % USERS}", placement="home", context_item_id=f"i{place}")
        subject = subject_of(view, request, 0)
        one = replace(ranking)  # nothing kept from the list before
        _ = one.total
        started = time.perf_counter_ns()
        choose(view, subject, request, one, 1_800_000_000_000)
        took.append((time.perf_counter_ns() - started) / 1000)
    median, slow = np.percentile(took[lists // 10 :], [50, 95]).tolist()
    return median, slow


def _book(view: View, make: Callable[[int], dict[str, Any]], count: int) -> RuleBook:
    rules = [msgspec.convert(make(place), Rule) for place in range(count)]
    records = [(place + 1, RulePut(rule_id=f"r{place:04}", rule=rule, at=0, by="")) for place, rule in enumerate(rules)]
    return RuleBook.of((), view.catalogue).after(records)


def _moved_ms(view: View, book: RuleBook, rng: np.random.Generator) -> float:
    row = int(rng.integers(len(view.catalogue)))
    started = time.perf_counter()
    book.moved(view.catalogue, frozenset({row}), changes_links=True)
    return (time.perf_counter() - started) * 1000


def _for_others(place: int) -> dict[str, Any]:
    return {"consequence": _boost(place), "condition": {"placements": [f"shelf{place}"]}}


def _holding(place: int) -> dict[str, Any]:
    return {"consequence": _boost(place)}


def _boost(place: int) -> dict[str, Any]:
    return {"effect": "boost", "factor": 1.5, "target": {"path": ["MADE_BY"], "to": f"Brand:{place % BRANDS}"}}


def _mixed(place: int) -> dict[str, Any]:
    """One in ten holds for each list; the others ask for something."""
    kinds: list[dict[str, Any]] = [
        {"consequence": {"effect": "hide", "target": {"item_ids": [f"i{place}"]}}},
        {"consequence": _boost(place), "condition": {"placements": [f"shelf{place}"]}},
        {
            "consequence": {"effect": "pin", "item_id": f"i{place}", "position": 3},
            "condition": {"queries": [f"w{place}"]},
        },
        {"consequence": _boost(place), "condition": {"context_items": [f"i{place}"]}},
        {"consequence": _boost(place), "condition": {"context_entities": [f"Brand:{place % BRANDS}"]}},
        {"consequence": _boost(place), "condition": {"profile": {"country": [f"c{place}"]}}},
        {"consequence": _boost(place), "condition": {"segments": ["heavy"]}},
        {"consequence": _boost(place), "validity": {"until": 1}},
        {"consequence": _boost(place), "condition": {"times": {"zone": "Europe/Amsterdam", "weekdays": ["mon"]}}},
        {
            "consequence": {
                "effect": "filter_out",
                "target": {"filter": {"field": "price", "op": "gt", "value": 990 + place % 9}},
            },
            "condition": {"placements": [f"shelf{place}"]},
        },
    ]
    return kinds[place % len(kinds)]


def _shop(items: int, rng: np.random.Generator) -> Dataset:
    """A made-up shop: brands, categories, prices; users with a country."""
    declaration = Declaration(
        name="shop",
        entity_types=tuple(EntityType(label=name, noun=name.lower(), description="") for name in ("Brand", "Category")),
        relation_types=(
            RelationType(type="MADE_BY", head="Item", tail="Brand", description="", same="", phrase=""),
            RelationType(type="IN_CATEGORY", head="Item", tail="Category", description="", same="", phrase=""),
        ),
        event_kinds=COMMON_EVENT_KINDS,
        user_properties=(Property(name="country", description=""),),
        item_properties=(Property(name="price", description=""),),
    )
    ids = object_column([f"i{place}" for place in range(items)])
    users = object_column([f"u{place}" for place in range(USERS)])
    brands, categories = (
        NodeTable(label, object_column([f"{label}:{place}" for place in range(count)]), {})
        for label, count in (("Brand", BRANDS), ("Category", CATEGORIES))
    )
    return Dataset(
        name="shop",
        declaration=declaration,
        users=NodeTable("User", users, {"country": object_column(["NL"] * USERS)}),
        items=NodeTable(
            "Item",
            ids,
            {
                "name": ids,
                "item_kind": object_column(["product"] * items),
                "available": np.ones(items, np.bool_),
                "created_at": object_column([None] * items),
                "price": object_column(rng.integers(1, 1_000, items).tolist()),
            },
        ),
        entities=(brands, categories),
        relations=(
            RelationTable("MADE_BY", "Item", "Brand", ids, brands.ids[rng.integers(0, BRANDS, items)], None),
            RelationTable(
                "IN_CATEGORY", "Item", "Category", ids, categories.ids[rng.integers(0, CATEGORIES, items)], None
            ),
        ),
        events=EventTable(
            event_ids=object_column([f"e{place}" for place in range(EVENTS)]),
            user_ids=users[rng.integers(0, USERS, EVENTS)],
            item_ids=ids[rng.integers(0, items, EVENTS)],
            kinds=object_column(["purchase"] * EVENTS),
            values=np.full(EVENTS, np.nan),
            at=np.arange(EVENTS, dtype=np.int64),
            session_ids=None,
        ),
    )


if __name__ == "__main__":
    main()
