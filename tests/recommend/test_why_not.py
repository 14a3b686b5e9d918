"""Why an item is not in a list of the small world, and what would bring it in: answers worked on paper.

ann's best unseen items: jackie 16.5, kill2, alien, blade, diehard 3.8 (see small_model). cid's: dogs 2.8, jackie 2.5.
"""

import time

import pytest

from domain.errors import InvalidRequest, UnknownUser
from domain.records import Event, ItemPut, ItemRetired, RelationEnd, UserPut
from domain.why_not import WhyNot
from embeddings.weighting import DAY_MS
from ingest.log import Log
from recommend import why_not as why_not_module
from recommend.recommender import Recommender, wall_clock_ms
from recommend.request import RecommendRequest
from recommend.score import Scorer
from recommend.texts_why_not import LANGUAGES
from tests.recommend.small_model import small_artifact


def ask(
    recommender: Recommender, user_id: str, item_id: str, *, n: int = 2, lang: str = "en", **rest: object
) -> WhyNot:
    request = RecommendRequest(user_id=user_id, n=n, strict=True, **rest)  # type: ignore[arg-type]
    return recommender.why_not(request, item_id, lang)


def taken(user_id: str, item_id: str, kind: str, *, value: float | None = None) -> Event:
    """An event of now."""
    return Event(event_id="new", user_id=user_id, item_id=item_id, kind=kind, value=value, at=wall_clock_ms())


# ---- the first thing that kept it out


def test_an_item_of_the_list_is_said_to_be_in_it(recommender: Recommender) -> None:
    told = ask(recommender, "ann", "jackie")
    assert (told.code, told.rank, told.gap) == ("in_list", 1, None)
    assert told.text == "Jackie Brown is in the list, at place 1 of 2."
    assert told.items == told.entities == ()


def test_an_unknown_item_is_an_answer_and_an_unknown_user_is_not(recommender: Recommender) -> None:
    assert (ask(recommender, "ann", "nowhere").code, ask(recommender, "ann", "nowhere").name) == ("unknown_item", None)
    with pytest.raises(UnknownUser):
        ask(recommender, "nobody", "pulp")


def test_a_seen_item_says_when_and_where_it_would_be(recommender: Recommender) -> None:
    told = ask(recommender, "ann", "dogs")
    assert (told.code, told.detail) == ("seen", "rate, 2020-01-03")
    with_seen = recommender.recommend(RecommendRequest(user_id="ann", n=1000, exclude_seen=False)).items
    better = [item for item in with_seen if item.score > (told.score or 0) and item.item_id in ("jackie", "kill2")]
    assert told.rank == 1 + len(better)
    assert ask(recommender, "ann", "dogs", exclude_seen=False, n=10).code == "in_list"


def test_an_unavailable_item(recommender: Recommender, log: Log) -> None:
    assert ask(recommender, "ann", "armageddon").code == "unavailable"
    log.append([ItemRetired(item_id="jackie")])
    assert ask(recommender, "ann", "jackie").text == "Jackie Brown is not available."


def test_an_item_hidden_by_a_dislike_says_until_when(recommender: Recommender, log: Log) -> None:
    event = taken("ann", "jackie", "dislike")
    log.append([event])
    told = ask(recommender, "ann", "jackie")
    assert told.code == "hidden"
    assert told.until is not None
    assert told.until[:10] == time.strftime("%Y-%m-%d", time.gmtime(event.at / 1000 + 365 * DAY_MS / 1000))


def test_what_a_filter_or_a_kind_keeps_out_names_it(recommender: Recommender) -> None:
    told = ask(recommender, "ann", "jackie", filter={"field": "year", "op": "lt", "value": 1990})
    assert (told.code, told.detail) == ("filtered", "year")
    assert ask(recommender, "ann", "jackie", item_kind="book").code == "item_kind"
    with pytest.raises(InvalidRequest):
        ask(recommender, "ann", "jackie", filter={"field": "nothing"})


def test_seen_comes_before_the_filter_and_the_filter_before_availability(recommender: Recommender) -> None:
    none = {"field": "year", "op": "lt", "value": 1900}
    assert ask(recommender, "ann", "pulp", filter=none).code == "seen"
    assert ask(recommender, "ann", "armageddon", filter=none).code == "filtered"


def test_an_item_without_relations_and_takers_is_told_apart(recommender: Recommender) -> None:
    cold, lonely = ask(recommender, "ann", "blank"), ask(recommender, "fay", "diehard")
    assert cold.code == lonely.code == "no_evidence"
    assert cold.text.startswith("Untitled has no relation and nobody took it")
    assert lonely.text == "Nothing that is known of the user speaks for Die Hard."


def test_a_score_that_is_too_low_tells_the_rank_and_the_distance(recommender: Recommender) -> None:
    told = ask(recommender, "cid", "jackie", n=1)
    shown = recommender.recommend(RecommendRequest(user_id="cid", n=5)).items
    assert (told.code, told.rank, told.of) == ("score", 2, 5)
    assert (told.score, told.nth_score) == (shown[1].score, shown[0].score)
    assert told.gap == shown[0].score - shown[1].score
    assert sum(told.parts.values()) == pytest.approx(told.score, abs=1e-5)
    assert (
        told.text == "Jackie Brown is at place 2 of 5: its score of 2.500 is 0.300 below that of the last item shown."
    )


# ---- what would bring it in


def test_taking_what_is_suggested_truly_gives_the_rank_that_was_said(recommender: Recommender, log: Log) -> None:
    told = ask(recommender, "cid", "jackie", n=1)
    best = told.items[0]
    assert (best.item_id, best.rank, best.brings_in) == ("dogs", 1, True)
    assert told.event is not None
    log.append([taken("cid", "dogs", told.event.kind, value=told.event.value)])
    item = recommender.recommend(RecommendRequest(user_id="cid", n=1)).items[0]
    assert item.item_id == "jackie"
    assert item.score - (told.score or 0) == pytest.approx(best.adds, abs=1e-4)


def test_an_item_that_does_not_bring_it_in_says_how_far_it_gets(recommender: Recommender, log: Log) -> None:
    told = ask(recommender, "cid", "heat", n=1)
    assert [(one.item_id, one.rank, one.brings_in) for one in told.items] == [("dogs", 4, False), ("jackie", 4, False)]
    assert told.together is not None
    assert (told.together.item_ids, told.together.rank) == (("dogs", "jackie"), 3)


def test_an_entity_that_the_user_lacks_tells_what_it_adds(recommender: Recommender) -> None:
    (one,) = ask(recommender, "cid", "heat", n=1).entities
    # dogs and heat have one actor each, x1: F is 1 for both, and an event of the strongest kind weighs 1
    assert (one.entity_id, one.relation, one.item_id) == ("Actor:x1", "ACTED_BY", "dogs")
    assert one.adds_by_entity == pytest.approx(1.0)
    assert one.adds == pytest.approx(2.0)  # and the genre, of which she has seen a film already


def test_suggestions_are_items_that_the_user_could_take(recommender: Recommender) -> None:
    for user_id in ("ann", "cid", "dee", "eve"):
        for item_id in ("heat", "diehard", "jackie", "blade"):
            told = ask(recommender, user_id, item_id, n=1)
            had = {e.item_id for e in recommender.profile(user_id).recent if e.kind not in ("skip", "dislike")}
            assert not {one.item_id for one in (*told.items, *told.entities)} & {*had, "armageddon", item_id}


def test_a_stated_taste_is_suggested_to_one_who_took_nothing(recommender: Recommender, log: Log) -> None:
    told = ask(recommender, "fay", "diehard")
    assert [one.entity_id for one in told.tastes] == ["Actor:willis", "Genre:action"]
    record = recommender.world.view().user("fay")
    assert record is not None
    stated = RelationEnd(type="PREFERS", entity_id="Actor:willis", weight=1.0)
    log.append([UserPut(user_id="fay", properties={}, preferences=(*record.preferences, stated))])
    shown = recommender.recommend(RecommendRequest(user_id="fay", n=100)).items
    assert {item.item_id: item.rank for item in shown}["diehard"] == told.tastes[0].rank


def test_nothing_is_suggested_for_what_no_event_would_change(recommender: Recommender, log: Log) -> None:
    log.append([UserPut(user_id="eve", properties={"opt_out": True})])
    for user_id, item_id in (("ann", "armageddon"), ("ann", "pulp"), ("eve", "heat")):
        told = ask(recommender, user_id, item_id, n=1)
        assert (told.items, told.entities, told.tastes, told.together) == ((), (), (), None)


def test_a_new_item_is_answered_for_like_any_other(recommender: Recommender, log: Log) -> None:
    new = ItemPut(
        item_id="new", name="New", item_kind="film", available=True, created_at=0, properties={}, relations=()
    )
    log.append([new])
    assert ask(recommender, "ann", "new").text.startswith("New has no relation and nobody took it")


def test_the_search_for_suggestions_keeps_to_its_time(
    recommender: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(why_not_module, "BUDGET_S", 0.0)
    told = ask(recommender, "cid", "heat", n=1)
    assert (told.code, told.items, told.entities) == ("score", (), ())


# ---- words


@pytest.mark.parametrize("item_id", ["jackie", "pulp", "armageddon", "blank", "nowhere", "diehard"])
def test_every_cause_is_told_in_every_language(recommender: Recommender, item_id: str) -> None:
    texts = {lang: ask(recommender, "ann", item_id, lang=lang).text for lang in LANGUAGES}
    assert len(set(texts.values())) == len(LANGUAGES)
    assert all("None" not in text and "{" not in text for text in texts.values())
    assert "。" in texts["zh"]


def test_pulls_are_the_terms_of_one_event() -> None:
    scorer = Scorer(small_artifact())
    row = {item_id: row for row, item_id in enumerate(scorer.item_ids)}
    assert scorer.pulls(row["diehard"])[row["pulp"]] == pytest.approx(2 + 0.5**0.5)  # behaviour, and Willis: √½ · 1
