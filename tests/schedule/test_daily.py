"""The days of a window: which are measured, what of them is known, and that the mean of days is the window."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.accuracy import EVERY_FORMULA, Accuracy
from checks.contract import Check, Measurement, Metric, Needs, Window
from checks.profile import Layout, Profile, Slice
from monitor.schedule.daily import days_to_measure, fingerprint_of, measured_days
from monitor.schedule.plan import tiles

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = datetime(2026, 1, 5, tzinfo=UTC)


def profile(right: int, wrong: int) -> Profile:
    confusion = {("1", "1"): right, ("1", "0"): wrong}
    return Profile(Layout({}), {"": Slice(rows=right + wrong, labelled=right + wrong, confusion=confusion)})


def window(start: datetime, *profiles: Profile) -> Window:
    return Window(start, start + len(profiles) * DAY, "binary", profiles)


@pytest.mark.parametrize(
    ("bucket", "every", "read", "measured"),
    [
        (DAY, DAY, [6], [6]),  # the newest day alone
        (DAY, DAY, [], [6]),  # a revision reads nothing, and measures the day it ends with
        (DAY, DAY, [2, 6], [2, 6]),  # outcomes came late
        (DAY, DAY, [-3, 6], [-3, 6]),  # also for a day before the window
        (DAY, 7 * DAY, [], [0, 1, 2, 3, 4, 5, 6]),  # a window a week ends with seven new days
        (HOUR, HOUR, [6 * 24 + 23], [6]),  # the newest hour makes the newest day another one
        (HOUR, HOUR, [5, 6 * 24 + 23], [0, 6]),
    ],
)
def test_which_days_are_measured(bucket: timedelta, every: timedelta, read: list[int], measured: list[int]) -> None:
    found = days_to_measure(START, START + 7 * DAY, bucket, every, {START + place * bucket for place in read})

    assert sorted(found) == [START + place * DAY for place in measured]
    assert all(list(buckets) == list(tiles(at, at + DAY, bucket)) for at, buckets in found.items())


def test_days_are_counted_back_from_the_end_of_the_window() -> None:
    end = START + 2 * DAY + 14 * HOUR

    assert sorted(days_to_measure(end - 2 * DAY, end, HOUR, HOUR, ())) == [end - DAY]


def test_a_day_is_measured_with_its_error() -> None:
    (day,) = measured_days(Accuracy(), [window(START, profile(360, 40))], {"accuracy"}, 0.95)

    assert (day.metric, day.column, day.segment, day.start, day.value, day.rows) == (
        *("accuracy", "", "", START),
        *(0.9, 400),
    )
    assert day.error == pytest.approx(0.015, abs=0.001)


def test_a_day_without_rows_or_with_a_check_that_raises_says_nothing() -> None:
    assert list(measured_days(Accuracy(), [window(START, profile(0, 0))], {"accuracy"}, 0.95)) == []
    assert list(measured_days(Broken(), [window(START, profile(1, 0))], {"broken"}, 0.95)) == []


class Broken(Check):
    """Raises after its first number."""

    kind = "broken"
    metrics = (Metric("broken", "nothing", "high"),)

    def needs(self) -> Needs:
        return Needs()

    def measure(self, window: Window) -> Iterator[Measurement]:
        yield Measurement("broken", 1.0, rows=1)
        raise ZeroDivisionError


def test_parameters_make_another_metric_and_the_level_of_intervals_does_not() -> None:
    assert fingerprint_of(Accuracy()) == fingerprint_of(Accuracy(confidence=0.8))
    assert fingerprint_of(Accuracy()) != fingerprint_of(Accuracy(positive="2"))


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=7))
def test_the_value_of_a_window_is_the_mean_of_its_days_weighted_by_their_rows(days: list[tuple[int, int]]) -> None:
    averages = {formula.metric.name for formula in EVERY_FORMULA if formula.metric.averages}
    profiles = [profile(right, wrong) for right, wrong in days]
    each = [window(START + place * DAY, one) for place, one in enumerate(profiles)]
    found = list(measured_days(Accuracy(), each, averages, 0.95))

    for whole in Accuracy().measure(window(START, *profiles)):
        if whole.metric in averages and whole.value is not None:
            mine = [day for day in found if day.metric == whole.metric]
            rows = sum(day.rows for day in mine)
            assert sum(day.rows * day.value for day in mine) / rows == pytest.approx(whole.value)
            assert rows == whole.rows
