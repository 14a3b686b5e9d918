"""Column checks: which rows stay, and what is said of the others."""

import unicodedata
from hashlib import blake2b
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidId
from domain.ids import clean_id
from ingest.report import RejectedLog
from ingest.validate import LINE, Checks, with_event_ids


def frame(values: list[object], name: str = "id") -> pl.DataFrame:
    return pl.DataFrame({LINE: range(2, len(values) + 2), name: values})


def test_ids_that_break_a_rule_are_rejected_with_the_rule(rejected) -> None:
    decomposed = unicodedata.normalize("NFD", "é")
    rows = frame(["0196", None, "a/b c", ".", "..", "tab\there", "x" * 256, "x" * 257, decomposed])
    kept = Checks("f.csv", rejected).ids(rows, "id")
    assert kept["id"].to_list() == ["0196", "a/b c", "x" * 256, "é"]
    assert [row.line for row in rejected.rows] == [3, 5, 6, 7, 9]
    assert rejected.rows[0].reason == "the id is missing"
    assert "256 characters, it has 257" in rejected.rows[4].reason


@given(st.text(max_size=5) | st.text(st.characters(categories=["Cc", "Mn", "Lo", "Po"]), max_size=5))
def test_the_columns_ids_are_those_of_domain_ids(text: str) -> None:
    kept = Checks("f.csv", RejectedLog(Path("never-written"))).ids(frame([text]), "id")["id"].to_list()
    try:
        assert kept == [clean_id(text)]
    except InvalidId:
        assert kept == []


def test_numbers_are_finite_and_empty_ones_stay_empty(rejected) -> None:
    kept = Checks("f.csv", rejected).numbers(frame(["1.5", " 2 ", None, "x", "nan", "inf", "1,5"], "v"), "v")
    assert kept["v"].to_list() == [1.5, 2.0, None]
    assert [(row.line, row.reason) for row in rejected.rows] == [
        (5, "'x' is no finite number"),
        (6, "'nan' is no finite number"),
        (7, "'inf' is no finite number"),
        (8, "'1,5' is no finite number"),
    ]


def test_flags_are_read_in_the_usual_words(rejected) -> None:
    kept = Checks("f.csv", rejected).flags(frame(["yes", "N", "TRUE", "0", None, "maybe"], "v"), "v")
    assert kept["v"].to_list() == [True, False, True, False, None]
    assert rejected.lines == [("f.csv", 7, "v")]


def test_of_equal_ids_the_first_row_stays(rejected) -> None:
    kept = Checks("f.csv", rejected).first_of_each(frame(["a", "b", "a"]), "id")
    assert kept[LINE].to_list() == [2, 3]
    assert [(row.line, row.reason) for row in rejected.rows] == [(4, "'a' came before, in line 2")]


def test_a_row_that_names_an_unknown_id_is_rejected(rejected) -> None:
    kept = Checks("f.csv", rejected, {"id": "sku"}).known(frame(["a", "z"]), "id", pl.Series(["a"]), "item")
    assert kept["id"].to_list() == ["a"]
    assert [(row.field, row.reason) for row in rejected.rows] == [("sku", "'z' is no item")]


def test_entity_keys_leave_room_for_their_label(rejected) -> None:
    checks = Checks("f.csv", rejected)
    kept = checks.entity_ids(frame([" jazz ", "x" * 250, "x" * 251]), "id", "Genre")
    assert kept["id"].to_list() == ["Genre:jazz", "Genre:" + "x" * 250]
    assert rejected.rows[0].reason == "the key of a Genre may have at most 250 characters"


def test_event_ids_depend_on_source_key_and_place_among_equal_keys_only() -> None:
    rows = pl.DataFrame({"user_id": ["u", "u", "v"], "item_id": ["i", "i", "i"], "value": [1.0, 2.0, 3.0]})
    ids = with_event_ids(rows, "shop", ["user_id", "item_id"])["event_id"].to_list()
    assert len(set(ids)) == 3
    # a bare restatement: BLAKE2b keyed with the source's hash, over the parts with a separator no id can hold
    key = blake2b(b"shop", digest_size=16).digest()
    assert ids[1] == blake2b(b"u\x1fi\x1f1", digest_size=16, key=key).hexdigest()
    alone = with_event_ids(rows.tail(1), "shop", ["user_id", "item_id"])["event_id"].to_list()
    assert alone == ids[2:]
    assert with_event_ids(rows, "other", ["user_id", "item_id"])["event_id"].to_list() != ids


def test_a_missing_part_of_a_key_is_a_part() -> None:
    rows = pl.DataFrame({"a": ["x", None], "b": [None, "x"]}, schema={"a": pl.String, "b": pl.String})
    assert with_event_ids(rows, "shop", ["a", "b"])["event_id"].n_unique() == 2


@pytest.mark.parametrize("count", [0, 1])
def test_checks_take_empty_frames(rejected, count: int) -> None:
    empty = frame(["a"]).head(count).with_columns(v=pl.lit(None, pl.String))
    checks = Checks("f.csv", rejected)
    assert len(checks.first_of_each(checks.numbers(checks.ids(empty, "id"), "v"), "id")) == count
