"""Delimited text: good rows come through unchanged, each bad row is named by its line."""

from pathlib import Path

import pytest

from domain.errors import InvalidSource
from ingest.report import RejectedLog
from ingest.sources.files import need, read_delimited


def read(tmp_path: Path, text: str | bytes, rejected: RejectedLog, separator: str = ",") -> list[tuple[object, ...]]:
    path = tmp_path / "file.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_delimited(path, rejected, separator=separator).rows()


def test_ids_stay_text_and_empty_fields_are_null(tmp_path: Path, rejected) -> None:
    assert read(tmp_path, "id,name\n0196,\n1e5, a \n", rejected) == [(2, "0196", None), (3, "1e5", " a ")]
    assert rejected.lines == []


def test_rows_with_too_many_or_too_few_fields_are_rejected_and_the_rest_is_not_shifted(
    tmp_path: Path, rejected
) -> None:
    assert read(tmp_path, "a,b\n1,2\n3\n4,5,6\n7,8\n", rejected) == [(2, "1", "2"), (5, "7", "8")]
    assert [(row.line, row.reason) for row in rejected.rows] == [
        (3, "the row has 1 fields, the header has 2"),
        (4, "the row has 3 fields, the header has 2"),
    ]


def test_quoted_fields_may_hold_separators_quotes_and_line_breaks(tmp_path: Path, rejected) -> None:
    text = 'a,b\n"x,y","say ""hi"""\n1,"two\nlines"\n2,3\n'
    assert read(tmp_path, text, rejected) == [(2, "x,y", 'say "hi"'), (3, "1", "two\nlines"), (5, "2", "3")]
    assert rejected.lines == []


def test_an_unclosed_quote_costs_one_row(tmp_path: Path, rejected) -> None:
    text = 'a,b\n1,"open\n2,two\n3,"three"\n4,four\n'
    assert read(tmp_path, text, rejected) == [(3, "2", "two"), (4, "3", "three"), (5, "4", "four")]
    assert rejected.lines == [("file.csv", 2, "")]


def test_a_quote_inside_an_unquoted_field_is_text(tmp_path: Path, rejected) -> None:
    assert read(tmp_path, 'a,b\n1,7" single\n', rejected) == [(2, "1", '7" single')]


def test_windows_line_ends_a_byte_order_mark_and_blank_lines_are_no_matter(tmp_path: Path, rejected) -> None:
    assert read(tmp_path, b"\xef\xbb\xbfa,b\r\n1,2\r\n\r\n3,4", rejected) == [(2, "1", "2"), (4, "3", "4")]


def test_a_line_in_another_encoding_is_rejected_and_the_rest_loads(tmp_path: Path, rejected) -> None:
    assert read(tmp_path, b"a,b\n1,caf\xe9\n2,ok\n", rejected) == [(3, "2", "ok")]
    assert [(row.line, row.reason) for row in rejected.rows] == [(2, "not utf-8: byte 0xe9 at 6")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"a,a\n1,2\n", "names 'a' twice"),
        (b"a,\n1,2\n", "without a name"),
        (b"a,b\n1;2\n3;4\n", "none of its 2 rows has the 2 fields"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        (b"a,b\n\x00,1\n", "zero bytes"),
        (b"n\xe4me,b\n1,2\n", "the header of file.csv is not utf-8"),
    ],
)
def test_files_that_cannot_be_used_say_why(tmp_path: Path, rejected, content: bytes, says: str) -> None:
    with pytest.raises(InvalidSource, match=r"file\.csv") as caught:
        read(tmp_path, content, rejected)
    assert says in caught.value.message


def test_a_missing_file_and_a_missing_column_are_named(tmp_path: Path, rejected) -> None:
    with pytest.raises(InvalidSource, match=r"nowhere\.csv"):
        read_delimited(tmp_path / "nowhere.csv", rejected, separator=",")
    path = tmp_path / "file.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InvalidSource, match="no column 'c'; it has: a, b"):
        need(read_delimited(path, rejected, separator=","), path, "a", "c")
