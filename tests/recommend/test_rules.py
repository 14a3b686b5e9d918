"""Rules on lists of the hand-written world. Ann's scores are worked out in test_recommender: jackie 16.5, kill2 15.6,
alien 5.05, blade 4.3, diehard 3.8; dogs, heat, kill, pulp and thelma are seen, armageddon is not available.
"""

from math import log
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from domain.errors import InvalidRequest
from domain.records import EntityPut, ItemPut, ItemRetired, Properties, RelationEnd, RuleDeleted, RulePut
from domain.rules import Rule
from ingest.log import Log
from recommend.recommender import Recommender
from recommend.request import MaxPerEntity, Preference, RecommendRequest, SessionEvent
from recommend.rule_checks import check_rule, warnings_for
from recommend.world import World
from tests.recommend.small_model import small_artifact

NOON = 1_796_126_400_000  # 2026-12-01T12:00:00Z, a Tuesday


class Shop:
    """A world, a log to write rules to, and the lists that come of them."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.now = NOON
        self.world = World(log, artifact=small_artifact())
        self.recommender = Recommender(self.world, None, now_ms=lambda: self.now)

    def put(self, rule_id: str, consequence: dict[str, Any], based_on: int | None = None, **rest: Any) -> None:
        rule = msgspec.convert({"consequence": consequence, **rest}, Rule)
        self.world.catch_up()
        check_rule(self.world.view(), rule)
        self.log.append([RulePut(rule_id=rule_id, rule=rule, at=NOON, by="test", based_on=based_on)])

    def items(self, user_id: str = "ann", **asked: Any) -> list[str]:
        return [item.item_id for item in self.answer(user_id, **asked).items]

    def answer(self, user_id: str = "ann", **asked: Any) -> Any:
        subject = {} if "session" in asked or "preferences" in asked else {"user_id": user_id}
        return self.recommender.recommend(RecommendRequest(**subject, **asked))


@pytest.fixture
def shop(log: Log) -> Shop:
    return Shop(log)


PLAIN = ["jackie", "kill2", "alien", "blade", "diehard"]
ALIEN = {"item_ids": ["alien"]}
TARANTINO = {"path": ["DIRECTED_BY"], "to": "Director:tarantino"}


def test_without_rules_and_dials_a_list_is_what_it_was(shop: Shop) -> None:
    plain = shop.answer()
    shop.put("off", {"effect": "hide", "target": ALIEN}, enabled=False)
    shop.put("elsewhere", {"effect": "boost", "factor": 9, "target": ALIEN}, condition={"placements": ["basket"]})
    again = shop.answer(diversity=0.0, calibration=0.0)
    assert again.items == plain.items
    assert [item.item_id for item in plain.items] == PLAIN


def test_a_hidden_item_is_in_no_list_and_is_left_out_of_asked_for_ones(shop: Shop) -> None:
    shop.put("gone", {"effect": "hide", "target": ALIEN})
    assert shop.items() == ["jackie", "kill2", "blade", "diehard"]
    asked = shop.answer(item_ids=("alien", "blade"))
    assert [(one.item_id, one.code) for one in asked.left_out] == [("alien", "rule")]
    assert shop.items(preferences=(Preference("Director:scott"),), user_id="") == ["blade", "thelma"]


def test_a_rule_that_is_deleted_does_nothing_any_more(shop: Shop) -> None:
    shop.put("gone", {"effect": "hide", "target": ALIEN})
    shop.items()
    shop.log.append([RuleDeleted(rule_id="gone", at=NOON, by="test")])
    assert shop.items() == PLAIN


def test_a_change_based_on_another_version_than_there_is_does_nothing(shop: Shop) -> None:
    shop.put("gone", {"effect": "hide", "target": ALIEN}, based_on=0)
    shop.items()
    version = shop.world.view().rules.stored["gone"].version
    shop.put("gone", {"effect": "hide", "target": {"item_ids": ["blade"]}}, based_on=version + 5)
    assert "alien" not in shop.items()
    shop.put("gone", {"effect": "hide", "target": {"item_ids": ["blade"]}}, based_on=version)
    assert "alien" in shop.items()
    assert "blade" not in shop.items()


def test_a_boost_adds_the_logarithm_times_the_deviation_of_the_lists_scores(shop: Shop) -> None:
    plain = shop.answer()
    sigma = float(np.std([item.score for item in plain.items]))
    shop.put("up", {"effect": "boost", "factor": 3, "target": {"item_ids": ["diehard"]}})
    shop.put("down", {"effect": "bury", "factor": 2, "target": {"item_ids": ["diehard", "alien"]}})
    after = {item.item_id: item for item in shop.answer().items}
    before = {item.item_id: item.score for item in plain.items}
    assert after["diehard"].score == pytest.approx(before["diehard"] + (log(3) - log(2)) * sigma, abs=1e-5)
    assert after["alien"].score == pytest.approx(before["alien"] - log(2) * sigma, abs=1e-5)
    assert [(e.rule_id, e.effect, pytest.approx(e.value, abs=1e-5)) for e in after["diehard"].rules] == [
        ("down", "bury", -log(2) * sigma),
        ("up", "boost", log(3) * sigma),
    ]
    assert after["jackie"].rules == ()


def test_a_pinned_item_takes_its_place_with_its_own_score(shop: Shop) -> None:
    shop.put("pin", {"effect": "pin", "item_id": "blank", "position": 2})  # no evidence for it, and none is needed
    answer = shop.answer(n=3)
    assert [item.item_id for item in answer.items] == ["jackie", "blank", "kill2"]
    assert answer.items[1].score == 0.0
    assert [(effect.rule_id, effect.effect, effect.value) for effect in answer.items[1].rules] == [("pin", "pin", 2.0)]


def test_an_explanation_tells_the_rank_of_the_list_with_its_rules(shop: Shop) -> None:
    shop.put("lift", {"effect": "boost", "factor": 20, "target": {"item_ids": ["diehard"]}})
    shop.put("first", {"effect": "pin", "item_id": "blade", "position": 1})
    listed = shop.items()
    assert listed[:2] == ["blade", "diehard"]
    ranks = [shop.recommender.explain("ann", item).rank for item in listed]
    assert ranks == list(range(1, len(listed) + 1))


def test_a_pin_that_is_out_of_stock_is_not_shown_and_says_so(shop: Shop) -> None:
    shop.put("pin", {"effect": "pin", "item_id": "armageddon", "position": 1})
    shop.put("later", {"effect": "pin", "item_id": "unborn", "position": 1})
    answer = shop.answer(user_id="bob")
    assert "armageddon" not in [item.item_id for item in answer.items]
    assert answer.notes == (
        "rule later: unborn is pinned to place 1, but does not exist",
        "rule pin: armageddon is pinned to place 1, but is not available",
    )


def test_of_two_pins_of_one_place_the_higher_priority_gets_it_and_the_other_the_next(shop: Shop) -> None:
    shop.put("a", {"effect": "pin", "item_id": "blade", "position": 1})
    shop.put("b", {"effect": "pin", "item_id": "diehard", "position": 1}, priority=5)
    assert shop.items(n=3) == ["diehard", "blade", "jackie"]


def test_hiding_and_having_been_seen_go_before_a_pin_and_availability_too(shop: Shop) -> None:
    shop.put("pin", {"effect": "pin", "item_id": "alien", "position": 1})
    shop.put("seen", {"effect": "pin", "item_id": "pulp", "position": 1})
    shop.put("gone", {"effect": "hide", "target": ALIEN})
    assert shop.items() == ["jackie", "kill2", "blade", "diehard"]


def test_filters_let_in_or_keep_out_by_attribute_and_by_relation(shop: Shop) -> None:
    shop.put("only", {"effect": "filter_in", "target": TARANTINO}, condition={"placements": ["one"]})
    shop.put("old", {"effect": "filter_out", "target": {"filter": {"field": "year", "op": "lt", "value": 1985}}})
    assert shop.items(placement="one") == ["jackie", "kill2"]
    assert shop.items() == ["jackie", "kill2", "diehard"]


def test_a_target_may_be_two_relations_away_and_follows_the_catalogue(shop: Shop) -> None:
    shop.put(
        "sequels", {"effect": "hide", "target": {"path": ["SEQUEL_OF", "DIRECTED_BY"], "to": "Director:tarantino"}}
    )
    assert shop.items() == ["jackie", "alien", "blade", "diehard"]  # kill2 continues kill, by Tarantino
    shop.put("like", {"effect": "hide", "target": {"path": ["DIRECTED_BY", "DIRECTED_BY"], "to": "blade"}})
    assert shop.items() == ["jackie", "blade", "diehard"]
    film = ItemPut(
        item_id="kill2",
        name="Kill Bill 2",
        item_kind="film",
        available=True,
        created_at=None,
        properties=Properties(),
        relations=(RelationEnd(type="DIRECTED_BY", entity_id="Director:tarantino"),),
    )
    shop.log.append([film])  # and continues nothing any more
    assert "kill2" in shop.items()


def test_a_new_item_falls_under_the_rules_that_there_are(shop: Shop) -> None:
    shop.put("out", {"effect": "hide", "target": TARANTINO})
    shop.put("gone", {"effect": "hide", "target": {"item_ids": ["romance"]}})
    shop.items()
    relations = (RelationEnd(type="DIRECTED_BY", entity_id="Director:scott"),)
    new = ItemPut(
        item_id="romance",
        name="R",
        item_kind="film",
        available=True,
        created_at=None,
        properties={},
        relations=relations,
    )
    shop.log.append([new, msgspec.structs.replace(new, item_id="other")])
    assert "other" in shop.items()
    assert "romance" not in shop.items()
    shop.log.append([ItemRetired(item_id="other"), EntityPut(entity_id="Director:new", name=None)])
    assert "other" not in shop.items()


@pytest.mark.parametrize(
    ("condition", "holding", "others"),
    [
        ({"placements": ["home"]}, {"placement": "home"}, {"placement": "basket"}),
        ({"segments": ["regular"]}, {}, {"user_id": "hal"}),
        ({"profile": {"country": ["NL", "BE"]}}, {}, {"user_id": "eve"}),
        ({"entities": ["Director:tarantino"]}, {}, {"user_id": "hal"}),
        ({"entities": ["Genre:scifi"]}, {"user_id": "fay"}, {}),
        ({"context_items": ["heat"]}, {"context_item_id": "heat"}, {"context_item_id": "pulp"}),
        ({"context_entities": ["Director:mann"]}, {"context_item_id": "heat"}, {"context_item_id": "pulp"}),
        ({"queries": ["Ridley  SCOTT"]}, {"query": "films of ridley scott"}, {"query": "scott"}),
        ({"segments": ["regular"], "placements": ["home"]}, {"placement": "home"}, {}),
    ],
)
def test_a_rule_holds_where_its_condition_does(shop: Shop, condition: Any, holding: Any, others: Any) -> None:
    shop.put("pin", {"effect": "pin", "item_id": "blank", "position": 1}, condition=condition)
    assert shop.items(**holding)[:1] == ["blank"]
    assert "blank" not in shop.items(**others)


@pytest.mark.parametrize(
    ("times", "hours_from_noon", "holds"),
    [
        ({"zone": "Europe/Amsterdam", "from": "2026-12-01T13:00"}, 0, True),  # noon in UTC
        ({"zone": "Europe/Amsterdam", "from": "2026-12-01T13:00"}, -1 / 3600, False),
        ({"zone": "Europe/Amsterdam", "until": "2026-12-01T13:00"}, 0, False),
        ({"zone": "UTC", "weekdays": ["tue"]}, 11.9, True),
        ({"zone": "UTC", "weekdays": ["tue"]}, 12, False),
        ({"zone": "UTC", "hours": ["12:00", "13:00"]}, 0, True),
        ({"zone": "UTC", "hours": ["12:00", "13:00"]}, 1, False),
        ({"zone": "UTC", "weekdays": ["tue"], "hours": ["22:00", "02:00"]}, 13.5, True),  # past midnight
        ({"zone": "UTC", "weekdays": ["wed"], "hours": ["22:00", "02:00"]}, 13.5, False),
    ],
)
def test_a_rule_holds_from_its_first_moment_to_before_its_last(
    shop: Shop, times: Any, hours_from_noon: float, holds: bool
) -> None:
    shop.put("pin", {"effect": "pin", "item_id": "blank", "position": 1}, condition={"times": times})
    shop.items()
    shop.now = NOON + round(hours_from_noon * 3_600_000)
    assert (shop.items()[:1] == ["blank"]) == holds


def test_a_rule_is_valid_from_and_until(shop: Shop) -> None:
    shop.put("gone", {"effect": "hide", "target": ALIEN}, validity={"from": NOON, "until": NOON + 10})
    found = []
    for shop.now in (NOON - 1, NOON, NOON + 9, NOON + 10):
        found.append("alien" in shop.items())
    assert found == [True, False, False, True]


def test_a_cap_lets_the_best_of_each_entity_through(shop: Shop) -> None:
    shop.put("cap", {"effect": "cap", "entity_type": "Director", "most": 1})
    choice = shop.answer()
    assert [item.item_id for item in choice.items] == ["jackie", "alien", "diehard"]
    assert shop.items(item_ids=("jackie", "kill2")) == ["jackie", "kill2"]  # none that was asked for is left out


def test_a_request_has_a_cap_of_its_own(shop: Shop) -> None:
    assert shop.items(max_per_entity=MaxPerEntity("Genre", 1)) == ["jackie", "kill2", "alien"]
    with pytest.raises(InvalidRequest, match="no entity type 'Colour'"):
        shop.items(max_per_entity=MaxPerEntity("Colour", 1))


def test_a_minimum_share_is_kept_and_takes_the_last_places(shop: Shop) -> None:
    shop.put("scifi", {"effect": "min_share", "entity_id": "Genre:scifi", "share": 0.5})
    answer = shop.answer(n=2)
    assert [item.item_id for item in answer.items] == ["jackie", "alien"]
    assert [(effect.rule_id, effect.effect) for effect in answer.items[1].rules] == [("scifi", "min_share")]
    assert shop.items(n=4) == PLAIN[:4]  # two of four are science fiction already
    assert (
        "too few items of Genre:scifi" in shop.answer(n=5, filter={"field": "year", "op": "gt", "value": 1985}).notes[0]
    )


def test_a_rule_at_odds_with_another_one_is_warned_of(shop: Shop) -> None:
    shop.put("gone", {"effect": "hide", "target": ALIEN})
    shop.put("one", {"effect": "pin", "item_id": "blade", "position": 1})
    shop.world.catch_up()
    view = shop.world.view()

    def warned(consequence: dict[str, Any], **rest: Any) -> tuple[str, ...]:
        return warnings_for(view, "new", msgspec.convert({"consequence": consequence, **rest}, Rule))

    (pinned,) = warned({"effect": "boost", "factor": 2, "target": ALIEN})
    assert pinned == "rule gone (hide) and this one (boost) disagree over 1 items; hiding counts"
    (place,) = warned({"effect": "pin", "item_id": "diehard", "position": 1})
    assert place.startswith("rule one pins blade to the same place")
    assert warned({"effect": "boost", "factor": 2, "target": ALIEN}, validity={"from": 1, "until": 2}) == (pinned,)
    assert warned({"effect": "pin", "item_id": "armageddon", "position": 9}) == (
        "armageddon is not available; it is pinned when it is",
    )
    assert warned({"effect": "hide", "target": {"item_ids": ["nothing"]}}) == (
        "no item is a target of this rule at present",
    )


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"consequence": {"effect": "pin", "item_id": "a"}}, "consequence.position"),
        ({"consequence": {"effect": "hide", "target": {}}}, "consequence.target"),
        ({"consequence": {"effect": "hide", "target": {"path": ["DIRECTED_BY"]}}}, "consequence.target"),
        ({"consequence": {"effect": "hide", "target": {"path": ["X"], "to": "pulp"}}}, "consequence.target.path"),
        ({"consequence": {"effect": "hide", "target": {"path": ["DIRECTED_BY"], "to": "?"}}}, "consequence.target.to"),
        ({"consequence": {"effect": "hide", "target": {"filter": {"field": "x", "value": 1}}}}, "filter"),
        ({"consequence": {"effect": "boost", "factor": 0.5, "target": ALIEN}}, "consequence.factor"),
        ({"consequence": {"effect": "hide", "target": ALIEN, "most": 1}}, "consequence.most"),
        ({"consequence": {"effect": "cap", "entity_type": "X", "most": 1}}, "consequence.entity_type"),
        ({"consequence": {"effect": "min_share", "entity_id": "X:1", "share": 0.5}}, "consequence.entity_id"),
        ({"condition": {"segments": ["rich"]}}, "condition.segments"),
        ({"condition": {"profile": {"shoe": [1]}}}, "condition.profile"),
        ({"condition": {"queries": ["?!"]}}, "condition.queries"),
        ({"condition": {"entities": ["Genre:none"]}}, "condition.entities"),
        ({"condition": {"times": {"zone": "Mars/Base"}}}, "condition.times"),
        ({"condition": {"times": {"zone": "../../etc"}}}, "condition.times"),
        ({"condition": {"times": {"zone": "UTC", "from": "2026-12-01T00:00Z"}}}, "condition.times"),
        ({"condition": {"times": {"zone": "UTC", "from": "yesterday"}}}, "condition.times"),
        ({"condition": {"times": {"zone": "UTC", "hours": ["9", "25:00"]}}}, "condition.times"),
        ({"condition": {"times": {"zone": "UTC", "weekdays": ["someday"]}}}, "condition.times"),
        ({"validity": {"from": 2, "until": 1}}, "validity"),
    ],
)
def test_a_rule_that_cannot_work_is_refused_with_the_field_at_fault(shop: Shop, rule: Any, field: str) -> None:
    whole = msgspec.convert({"consequence": {"effect": "hide", "target": ALIEN}, **rule}, Rule)
    with pytest.raises(InvalidRequest) as refused:
        check_rule(shop.world.view(), whole)
    assert refused.value.field == field


def test_what_kept_an_item_out_is_told_rule_by_rule(shop: Shop) -> None:
    from recommend.ranking import choose
    from recommend.strategies import strategy_for
    from recommend.subject import subject_of

    shop.put("gone", {"effect": "hide", "target": ALIEN})
    shop.put("cap", {"effect": "cap", "entity_type": "Director", "most": 1})
    shop.put("pin", {"effect": "pin", "item_id": "blank", "position": 1})
    shop.world.catch_up()
    view, request = shop.world.view(), RecommendRequest(user_id="ann", n=3)
    subject = subject_of(view, request, NOON)
    choice = choose(view, subject, request, strategy_for(view, subject, None)[0], NOON)
    row = view.catalogue.item_rows
    assert [str(view.catalogue.item_ids[one]) for one in choice.item_rows] == ["blank", "jackie", "blade"]
    told = {name: choice.removal_of(row[name]) for name in ("alien", "pulp", "armageddon", "kill2", "diehard", "blank")}
    codes = {name: removal and (removal.code, removal.rule_id, removal.detail) for name, removal in told.items()}
    assert codes == {
        "alien": ("rule", "gone", None),
        "pulp": ("seen", None, None),
        "armageddon": ("unavailable", None, None),
        "kill2": ("cap", "cap", "Director:tarantino"),
        "diehard": None,
        "blank": None,
    }
    assert choice.removed[row["kill2"]].code == "cap"
    assert choice.applied_rules == ("cap", "gone", "pin")


def test_rules_of_a_snapshot_hold_without_their_records(log: Log, tmp_path: Path) -> None:
    from dataclasses import replace

    from domain.rules import StoredRule
    from domain.snapshot import load_snapshot, save_snapshot

    rule = msgspec.convert({"consequence": {"effect": "hide", "target": ALIEN}}, Rule)
    artifact = small_artifact()
    stored = StoredRule(rule_id="gone", version=7, at=1, by="x", rule=rule)
    save_snapshot(replace(artifact.snapshot, rules=(stored,)), tmp_path / "snapshot.npz")
    world = World(log, artifact=replace(artifact, snapshot=load_snapshot(tmp_path / "snapshot.npz")))
    shown = Recommender(world, None).recommend(RecommendRequest(user_id="ann"))
    assert "alien" not in [item.item_id for item in shown.items]
    assert Recommender(world, None).recommend(RecommendRequest(session=(SessionEvent("thelma"),))).items
