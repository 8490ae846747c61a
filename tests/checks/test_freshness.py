"""Freshness: ages at the end of the window, volume, and what past weeks let expect."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.contract import Measurement, Newest, Past, Window
from checks.freshness import Freshness
from checks.outcome_freshness import OutcomeFreshness
from checks.profile import Layout, Profile, Slice
from checks.statistics.seasons import expected

END = datetime(2024, 3, 4, tzinfo=UTC)
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
LAYOUT = Layout({}, {"city": ("Oslo", "Bergen")})
Key = tuple[str, str, str]
NOTHING = Newest()


def window(
    rows: int = 0,
    newest: Newest = NOTHING,
    past: dict[Key, tuple[Past, ...]] | None = None,
    as_of: datetime | None = None,
) -> Window:
    slices = {"": Slice(rows), "city=Oslo": Slice(rows)}
    return Window(
        END - DAY,
        END,
        "binary",
        (Profile(LAYOUT, slices),),
        load_newest=lambda: newest,
        past=past or {},
        as_of=as_of,
    )


def measured(given: Window) -> dict[tuple[str, str], Measurement]:
    return {(one.metric, one.segment): one for one in Freshness().measure(given)}


def weeks(*values: float, breach: tuple[int, ...] = ()) -> tuple[Past, ...]:
    """Past values, the oldest first; *breach* by place."""
    count = len(values)
    return tuple(Past(END - (count - k) * WEEK, value, k in breach) for k, value in enumerate(values))


def test_volume_counts_rows_also_where_there_are_none() -> None:
    found = measured(window(12, Newest(END)))
    assert [found["volume", segment].value for segment in ("", "city=Oslo", "city=Bergen")] == [12, 12, 0]
    assert measured(window())["volume", ""].value == 0


def test_an_age_is_told_at_the_end_of_the_window_or_earlier() -> None:
    newest = Newest(END - 2 * DAY, END - 3 * DAY)
    for as_of, age in ((None, 2), (END + 9 * DAY, 2), (END - DAY, 1)):
        assert measured(window(0, newest, as_of=as_of))["prediction_age", ""].value == age * 86400
        (outcome,) = OutcomeFreshness().measure(window(0, newest, as_of=as_of))
        assert outcome.value == (age + 1) * 86400


def test_without_anything_there_is_no_age() -> None:
    found = measured(window())["prediction_age", ""]
    assert (found.value, found.detail["reason"]) == (None, "No prediction was made up to now.")
    (outcome,) = OutcomeFreshness().measure(window())
    assert outcome.value is None


@pytest.mark.parametrize(
    ("past", "change"),
    [
        # nothing known, or one week
        ((), None),
        (weeks(50), None),
        # the median of two, of three
        (weeks(40, 60), 2),
        (weeks(40, 60, 1000), 100 / 60),
        # a breach is left out, and what is left may be too few
        (weeks(40, 0, 60, breach=(1,)), 2),
        (weeks(40, 0, breach=(1,)), None),
        # nothing is expected
        (weeks(0, 0), None),
    ],
)
def test_volume_is_compared_with_the_weeks_before(past: tuple[Past, ...], change: float | None) -> None:
    found = measured(window(100, Newest(END), {("volume", "", ""): past}))["volume_change", ""]
    assert found.value == change
    assert (found.value is None) == ("reason" in found.detail)


def test_a_week_in_which_the_change_was_a_breach_is_left_out_too() -> None:
    past = {("volume", "", ""): weeks(50, 5, 50), ("volume_change", "", ""): weeks(1, 0.1, 1, breach=(1,))}
    found = measured(window(100, Newest(END), past))["volume_change", ""]
    assert (found.value, found.detail["past_weeks"], found.detail["breaches_left_out"]) == (2, 2, 1)


def test_each_segment_has_its_own_past() -> None:
    past = {("volume", "", "city=Oslo"): weeks(20, 20)}
    found = measured(window(10, Newest(END), past))
    assert (found["volume_change", "city=Oslo"].value, found["volume_change", ""].value) == (0.5, None)


@given(st.lists(st.floats(1, 1e6), min_size=2, max_size=9), st.integers(0, 8), st.floats(0, 1e9))
def test_a_breach_never_moves_what_is_expected(values: list[float], place: int, wild: float) -> None:
    place = min(place, len(values))
    with_breach = weeks(*values[:place], wild, *values[place:], breach=(place,))
    calm = expected(window(past={("volume", "", ""): weeks(*values)}), "volume", "volume_change")
    stormy = expected(window(past={("volume", "", ""): with_breach}), "volume", "volume_change")
    assert (calm.value, calm.weeks) == (stormy.value, stormy.weeks)
