"""How single values are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.release.words import duration
from monitor.settings.values import parse_duration, parse_rate, parse_size, parse_time


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("4h", timedelta(hours=4)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(days=14)),
        # several units, with a blank or without
        ("1d 12h", timedelta(days=1.5)),
        ("1d12h", timedelta(days=1.5)),
        # a part of a unit
        ("0.5s", timedelta(milliseconds=500)),
        (" 5 m ", timedelta(minutes=5)),
    ],
)
def test_a_duration_is_read(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    "text", ["", "7", "d", "7 days", "-1d", "7d,", "1d and 2h", "1e3s", 7, 1.5, True, None, ["7d"]]
)
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(
        ValueError, match=r"^must be a duration; write a number with its unit, such as '90s', .*'1d 12h'$"
    ):
        parse_duration(text)


def test_a_duration_has_an_end() -> None:
    with pytest.raises(ValueError, match=r"^must not be longer than a hundred years$"):
        parse_duration("999999999999999w")


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=36524)))
def test_a_duration_reads_back_as_it_was_written(length: timedelta) -> None:
    assert abs(parse_duration(duration(length)) - length) <= timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 per 365d", timedelta(days=365)),
        ("2 per 90d", timedelta(days=45)),  # what one of them has
        (" 12  per 52w ", timedelta(days=364 / 12)),
    ],
)
def test_a_rate_is_read(text: str, expected: timedelta) -> None:
    assert parse_rate(text) == parse_rate(expected) == expected


@pytest.mark.parametrize("text", ["", "365d", "0 per 365d", "1.5 per 365d", "-1 per 365d", "1 in 365d", 1, None])
def test_what_is_no_rate_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"^must say how many in how long, such as '1 per 365d' or '2 per 90d'$"):
        parse_rate(text)


def test_a_rate_is_no_more_than_one_a_day() -> None:
    with pytest.raises(ValueError, match=r"^must not be more than one a day, which is no promise$"):
        parse_rate("25 per 24d")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2GB", 2 * 10**9), ("512MB", 512 * 10**6), ("1.5 gib", 3 * 2**29), ("64KiB", 2**16), (1024, 1024)],
)
def test_a_size_is_read(text: object, expected: int) -> None:
    assert parse_size(text) == expected


@pytest.mark.parametrize("text", ["2", "GB", "2 gigs", "-1GB", True, 1.5, None])
def test_what_is_no_size_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"^must be a size; write a number with its unit, such as '512MB' or '2GB'$"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2013-07-01", datetime(2013, 7, 1, tzinfo=UTC)),
        ("2013-07-01T06:00+02:00", datetime(2013, 7, 1, 4, tzinfo=UTC)),
        ("7d", datetime(2013, 6, 24, tzinfo=UTC)),
        # in UTC it is a day before the first, or after the last
        ("0001-01-01T01:00:00+06:00", datetime.min.replace(tzinfo=UTC)),
        ("9999-12-31T23:00:00-06:00", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_a_time_is_read(text: str, expected: datetime) -> None:
    assert parse_time(text, datetime(2013, 7, 1, tzinfo=UTC)) == expected
