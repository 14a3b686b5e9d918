"""Times of files in milliseconds UTC, worked out by hand."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from ingest.times import milliseconds
from ingest.validate import LINE, Checks

NOON_UTC = 1_709_294_400_000  # 2024-03-01T12:00:00Z


def one(value: object, zone: str | None = None, pattern: str | None = None) -> int | None:
    return milliseconds(pl.Series("at", [value]), zone=zone, pattern=pattern).to_list()[0]


@pytest.mark.parametrize(
    "text",
    [
        "1709294400",
        "1709294400.0",
        "1709294400000",
        "2024-03-01T12:00:00Z",
        "2024-03-01 12:00Z",
        "2024-03-01T13:00:00+01:00",
        "2024-03-01T13:00:00+0100",
        "2024-03-01T07:30:00-04:30",
        "2024-03-01t12:00:00.000z",
    ],
)
def test_ways_to_write_noon(text: str) -> None:
    assert one(text) == NOON_UTC


def test_fractions_are_kept_to_the_millisecond() -> None:
    assert one("2024-03-01T12:00:00.25Z") == NOON_UTC + 250
    assert one("2024-03-01T12:00:00,123456Z") == NOON_UTC + 123
    assert one("1709294400.5") == NOON_UTC + 500


def test_a_time_without_an_offset_is_local_time_of_the_zone() -> None:
    assert one("2024-03-01 13:00", zone="Europe/Berlin") == NOON_UTC
    assert one("2024-03-01", zone="UTC") == NOON_UTC - 12 * 3_600_000
    assert one("2024-03-01 13:00") is None


def test_an_hour_that_comes_twice_is_its_first_coming() -> None:
    # New York, 2017-11-05: 01:30 is first EDT (-4), then EST (-5)
    assert one("2017-11-05 01:30", zone="America/New_York") == one("2017-11-05T01:30:00-04:00")


def test_an_hour_that_is_skipped_is_one_hour_later() -> None:
    # New York, 2017-03-12: 02:30 does not exist; 03:30 EDT does
    assert one("2017-03-12 02:30", zone="America/New_York") == one("2017-03-12T03:30:00-04:00")


def test_a_pattern_is_read_in_its_zone() -> None:
    assert one("01/03/2024 13:00", zone="Europe/Berlin", pattern="%d/%m/%Y %H:%M") == NOON_UTC
    assert one("01/03/2024", zone="UTC", pattern="%d/%m/%Y") == NOON_UTC - 12 * 3_600_000
    assert one("2024-03-01 13:00 +0100", pattern="%Y-%m-%d %H:%M %z") == NOON_UTC


def test_epoch_units_can_be_fixed() -> None:
    assert one("5000", pattern="epoch_ms") == 5000
    assert one("5000", pattern="epoch_s") == 5_000_000
    assert one("1709294400", pattern="iso") is None


def test_parquet_times_are_read_as_they_are() -> None:
    assert one(datetime(2024, 3, 1, 12, tzinfo=UTC)) == NOON_UTC
    assert one(datetime(2024, 3, 1, 13), zone="Europe/Berlin") == NOON_UTC
    assert one(date(2024, 3, 1), zone="UTC") == NOON_UTC - 12 * 3_600_000
    assert one(1_709_294_400) == NOON_UTC


def test_before_1970_is_negative() -> None:
    assert one("1969-12-31T23:59:59Z") == -1000


def test_what_is_no_time_is_rejected_and_says_what_is_wrong(rejected) -> None:
    rows = pl.DataFrame({LINE: [2, 3, 4, 5, 6], "at": ["soon", None, "2024-13-01T00:00:00Z", "2024-03-01", "9e99"]})
    assert Checks("f.csv", rejected).times(rows, "at").is_empty()
    reasons = {row.line: row.reason for row in rejected.rows}
    assert reasons[3] == "the time is missing"
    assert reasons[5] == "'2024-03-01' names no time zone, or is no ISO 8601 time"
    assert "neither an ISO 8601 time" in reasons[2]
    assert set(reasons) == {2, 3, 4, 5, 6}
