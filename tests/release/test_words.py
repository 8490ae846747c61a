"""Numbers, durations and names as people read them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.release import words


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.6681234, "0.668"),
        (0.2, "0.2"),
        (1.0, "1"),
        (0.00012345, "0.000123"),
        (12.3456, "12.35"),
        (999.96, "1,000"),
        (18511.4, "18,511"),
        (-1234567.0, "-1,234,567"),
        (0.0, "0"),
        (None, "no value"),
        (float("nan"), "not a number"),
        (float("inf"), "infinite"),
    ],
)
def test_a_number_is_written_in_a_few_digits(value: float | None, expected: str) -> None:
    assert words.number(value) == expected


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
@example(0.0, -0.0)
def test_numbers_that_differ_look_different(one: float, other: float) -> None:
    digits = words.told_apart(one, other)
    same = words.number(one, digits) == words.number(other, digits)
    assert same == (one == other) or digits == 15


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (14400.0, "seconds", "4h"),
        (20000.4, "seconds", "5h 33m 20s"),
        (1.5, "seconds", "1.5s"),
        (float("nan"), "seconds", "not a number"),
        (12.5, "EUR", "12.5 EUR"),
        (None, "EUR", "no value"),
        (0.5, "", "0.5"),
    ],
)
def test_a_number_carries_its_unit(value: float | None, unit: str, expected: str) -> None:
    assert words.measured(value, unit) == expected


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (timedelta(days=7), "7d"),
        (timedelta(days=1, hours=12), "1d 12h"),
        (timedelta(minutes=90), "1h 30m"),
        (timedelta(seconds=0.5), "0.5s"),
        (timedelta(0), "0s"),
        (timedelta(hours=-1), "-1h"),
    ],
)
def test_a_duration_is_written_as_the_settings_take_it(length: timedelta, expected: str) -> None:
    assert words.duration(length) == expected


def test_names_rows_and_intervals() -> None:
    assert words.display_name("drift", "temp", "origin=EWR") == "drift.temp [origin=EWR]"
    assert words.display_name("accuracy") == "accuracy"
    assert (words.rows(1), words.rows(18511)) == ("1 row", "18,511 rows")
    assert words.interval(0.655, 0.681) == "[0.655, 0.681]"
    assert words.interval(None, 0.681) == "[-∞, 0.681]"
    assert words.interval(None, None) == ""
