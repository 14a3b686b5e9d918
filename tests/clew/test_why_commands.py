"""clew why-not and clew ledger, as processes of their own, and how they tell what they found."""

import json
import subprocess
from collections.abc import Callable

from clew.commands_why import candidate_row, further
from domain.answers import RuleEffect
from domain.ledger import LedgerCandidate, LedgerRemoval
from domain.why_not import StatedHelper, Together, WhyNot

Clew = Callable[..., subprocess.CompletedProcess[str]]


def test_an_answer_of_the_command_line_is_kept_for_the_next_command(clew: Clew) -> None:
    given = json.loads(clew("recommend", "nobody", "--json").stdout)
    shown = clew("ledger", "show", given["recommendation_id"], "--json")
    assert shown.returncode == 0, shown.stderr
    entry = json.loads(shown.stdout)
    assert (entry["user_id"], entry["strategy"]) == ("nobody", given["strategy"])
    listed = json.loads(clew("ledger", "list", "--user", "nobody", "--json").stdout)
    assert [line["recommendation_id"] for line in listed] == [given["recommendation_id"]]
    assert json.loads(clew("ledger", "list", "--user", "else", "--json").stdout) == []


def test_without_days_nothing_is_kept_and_it_says_so(clew: Clew) -> None:
    done = clew("ledger", "list", CLEW_LEDGER_DAYS="0")
    assert done.returncode == 1
    assert done.stderr.startswith("clew: unknown_recommendation: no answers are kept; see CLEW_LEDGER_DAYS")


def test_errors_are_one_line(clew: Clew) -> None:
    assert "clew: unknown_user:" in clew("why-not", "nobody", "x").stderr
    assert "clew: answer_not_kept:" in clew("explain", "nobody", "x", "--as-of", "2026-01-01T00:00:00Z").stderr
    assert clew("why-not", "nobody", "x", "--lang", "xx").returncode == 2


def test_a_candidate_is_told_by_its_place_or_by_what_kept_it_out() -> None:
    common = {"item_id": "a", "name": "A", "source": "model", "model_rank": 7, "model_score": 1.0, "parts": {}}
    effect = RuleEffect(rule_id="summer", effect="pin", value=1.0)
    shown = LedgerCandidate(**common, score=1.5, rank=1, moved=6, rules=(effect,))
    assert candidate_row(shown) == ("1", "a", "A", "1.000", "1.500", "7", "+6", "pin by summer")
    removed = LedgerCandidate(**common, score=1.0, removed=LedgerRemoval(code="rule", rule_id="no-ads"))
    assert candidate_row(removed) == ("", "a", "A", "1.000", "1.000", "7", "", "rule no-ads")


def test_what_would_bring_an_item_in_is_told_in_words() -> None:
    told = WhyNot(
        user_id="u",
        item_id="a",
        name="A",
        code="score",
        text="",
        n=10,
        strategy="preferences",
        model_version=None,
        tastes=(StatedHelper(entity_id="Genre:x", entity="crime", adds=1.0, rank=3, brings_in=True),),
        together=Together(item_ids=("b", "c"), rank=12, brings_in=False),
    )
    assert further(told) == [
        "stating a taste for crime would put it at place 3 of the list",
        "all of b, c together would put it at place 12",
    ]
