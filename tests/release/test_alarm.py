"""The alarm of a bound that pages: what it sees, what it leaves alone, and how the budget moves it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.release.alarm import MIN_ROWS, Finding, Promise, level_of, look
from monitor.release.days import Day, Days
from monitor.release.variation import ENOUGH, variation_of

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
START = datetime(2026, 1, 5, tzinfo=UTC)
YEAR = timedelta(days=365)
AT_LEAST = Promise(0.75, "min", YEAR)


def days(values: Sequence[float], rows: int = 500, error: float = 0.02) -> Days:
    return Days(Day(START + place * DAY, value, rows, error) for place, value in enumerate(values))


def noisy(seed: int, level: float, count: int, spread: float = 0.03) -> list[float]:
    chance = random.Random(seed)
    return [chance.gauss(level, spread) for _ in range(count)]


def seen(
    values: Sequence[float], promise: Promise = AT_LEAST, opened: datetime | None = None, fired: int = 0
) -> Finding:
    found = look(days(values), promise, opened, fired)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("newest", "opened", "state", "reason"),
    [
        ([0.80], None, "clear", "within"),  # as good as ever
        ([0.45], None, "page", "beyond"),  # a collapse shows in one day
        ([0.695], None, "watch", "suspicious"),  # a bad day may be chance
        ([0.70] * 28, None, "page", "beyond"),  # five points for weeks are not
        ([0.60] * 3 + [0.80] * 5, 8, "watch", "not_back"),  # it paged, and a few good days are too few
        ([0.60] * 3 + [0.80] * 40, 40, "clear", "back"),  # weeks of them are enough
        ([0.60] * 3 + [0.80] * 30 + [0.45], 31, "page", "beyond"),  # it broke down again before it had ended
    ],
)
def test_what_the_newest_days_say(newest: list[float], opened: int | None, state: str, reason: str) -> None:
    values = noisy(1, 0.80, 100) + newest
    at = None if opened is None else START + (len(values) - opened) * DAY

    found = seen(values, opened=at)

    assert (found.state, found.reason) == (state, reason)


def test_a_page_says_the_stretch_that_decided_and_its_interval_lies_beyond_the_threshold() -> None:
    found = seen([*noisy(1, 0.80, 100), 0.60, 0.61, 0.59])

    assert found.days == 3
    assert found.value == pytest.approx(0.60)
    assert found.low < found.value < found.high < AT_LEAST.threshold
    assert found.rows == 1500


@pytest.mark.parametrize(
    ("count", "rows"),
    [
        (ENOUGH, 500),  # the newest day is not part of its own variation, so this is one too few
        (60, (MIN_ROWS - 1) // 56),  # not even 56 days have the rows
    ],
)
def test_too_few_days_or_rows_say_nothing(count: int, rows: int) -> None:
    assert look(days([0.1] * count, rows), AT_LEAST) is None


def test_days_that_are_all_alike_page_when_they_are_beyond_and_not_when_they_touch_it() -> None:
    assert seen([0.75] * 30, replace(AT_LEAST)).state == "clear"
    assert look(days([0.74] * 30, error=0.0), AT_LEAST) is not None
    assert seen([1.0] * 30).state == "clear"


@given(seed=st.integers(0, 2**32), margin=st.floats(0.15, 0.25), spread=st.floats(0.0, 0.03))
@settings(max_examples=60)
def test_safety_a_model_comfortably_on_the_promised_side_never_pages(seed: int, margin: float, spread: float) -> None:
    values = noisy(seed, 0.75 + margin, 60, spread)

    assert all(seen(values[:end]).state == "clear" for end in range(ENOUGH + 1, len(values), 5))


def test_liveness_a_drop_of_five_points_below_the_threshold_pages_within_two_weeks() -> None:
    # Chance can hide any drop for a while, so this is about all of many models, not about each.
    def pages(seed: int) -> bool:
        before = 30 + seed % 91
        values = noisy(seed, 0.80, before) + noisy(seed + 1, 0.70, 14)
        return any(seen(values[:end]).state == "page" for end in range(before + 1, len(values) + 1))

    assert sum(pages(seed) for seed in range(1000)) >= 990


@given(seed=st.integers(0, 2**32), shuffle=st.randoms(use_true_random=False))
def test_the_order_in_which_days_were_measured_does_not_matter(seed: int, shuffle: random.Random) -> None:
    read = list(days(noisy(seed, 0.76, 40)).days)
    mixed = shuffle.sample(read, len(read))

    assert look(Days(mixed), AT_LEAST) == look(Days(read), AT_LEAST)


@given(seed=st.integers(0, 2**32), level=st.floats(0.6, 0.8), paged=st.none() | st.integers(0, 60))
def test_at_most_is_at_least_in_a_mirror(seed: int, level: float, paged: int | None) -> None:
    values = noisy(seed, level, 60)
    opened = None if paged is None else START + paged * DAY

    least = seen(values, opened=opened)
    most = seen([-value for value in values], Promise(-0.75, "max", YEAR), opened)

    assert (least.state, least.reason, least.days) == (most.state, most.reason, most.days)
    assert (least.low, least.value, least.high) == pytest.approx((-most.high, -most.value, -most.low))


@given(seed=st.integers(0, 2**32), scale=st.sampled_from([2.0, 64.0, 1024.0]))
def test_the_unit_does_not_matter(seed: int, scale: float) -> None:
    values = noisy(seed, 0.74, 60)
    own = look(days(values), AT_LEAST)
    scaled = Days(Day(day.start, day.value * scale, day.rows, day.error * scale) for day in days(values).days)

    other = look(scaled, replace(AT_LEAST, threshold=0.75 * scale))

    assert own is not None
    assert other is not None
    assert (own.state, own.reason, own.days) == (other.state, other.reason, other.days)


@given(
    seed=st.integers(0, 2**32),
    level=st.floats(0.65, 0.8),
    period=st.integers(30, 3650),
    longer=st.integers(1, 3650),
    comparisons=st.integers(1, 50),
    more=st.integers(0, 50),
    fired=st.integers(0, 5),
)
def test_what_a_tighter_budget_pages_a_wider_one_pages_too(
    seed: int, level: float, period: int, longer: int, comparisons: int, more: int, fired: int
) -> None:
    values = noisy(seed, level, 40)
    wide = replace(AT_LEAST, period=period * DAY, comparisons=comparisons)
    tight = replace(AT_LEAST, period=(period + longer) * DAY, comparisons=comparisons + more)

    assert level_of(tight.period, tight.comparisons) >= level_of(wide.period, wide.comparisons)
    if seen(values, tight, fired=fired).state == "page":
        assert seen(values, wide).state == "page"


@pytest.mark.parametrize(
    ("period", "comparisons", "fired", "level"),
    [
        (timedelta(days=365), 1, 0, 2.07),  # one week in 52
        (timedelta(days=365), 10, 0, 2.90),  # ten bounds share it
        (timedelta(days=3650), 1, 0, 2.90),
        (timedelta(days=30), 1, 0, 1.64),  # one time in twenty is the least that is evidence
        (timedelta(days=365), 1, 1, 2.59),  # the second of a year gets a quarter of the chance
        (timedelta(days=365), 1, 2, 2.86),  # the third a ninth
        (timedelta(days=365), 1, 12, 3.69),  # and a dozen in a year still do not silence it
    ],
)
def test_the_level_follows_from_the_budget_and_what_is_left_of_it(
    period: timedelta, comparisons: int, fired: int, level: float
) -> None:
    assert level_of(period, comparisons, fired) == pytest.approx(level, abs=0.01)


def test_all_pages_of_a_period_together_have_little_more_chance_than_the_first() -> None:
    chances = [1 - NormalDist().cdf(level_of(YEAR, 1, fired)) for fired in range(500)]

    assert sum(chances) <= 1.65 * 7 / 365


@pytest.mark.parametrize(
    ("fired", "opened", "state", "reason"),
    [
        (0, None, "page", "beyond"),
        (2, None, "watch", "suspicious"),  # what paged twice this year must show more
        (2, 20, "page", "beyond"),  # but what is open goes on by what the first took
    ],
)
def test_what_fired_lately_needs_more_evidence_to_fire_again(
    fired: int, opened: int | None, state: str, reason: str
) -> None:
    values = [*noisy(1, 0.80, 100), 0.676]

    found = seen(values, opened=None if opened is None else START + (len(values) - opened) * DAY, fired=fired)

    assert (found.state, found.reason) == (state, reason)


def test_an_incident_ends_by_as_many_good_days_however_often_it_came_back() -> None:
    values = noisy(1, 0.80, 100) + [0.60] * 3 + [0.80] * 40
    opened = START + (len(values) - 40) * DAY

    assert [seen(values, opened=opened, fired=fired).reason for fired in (0, 9)] == ["back", "back"]


@pytest.mark.parametrize(
    ("spread", "between"),
    [
        (0.0, 0.0),  # days that stray no more than their rows explain
        (0.05, 0.05),  # days that stray more
    ],
)
def test_what_rows_do_not_explain_is_the_days(spread: float, between: float) -> None:
    chance = random.Random(3)
    found = variation_of(days([chance.gauss(chance.gauss(0.8, spread), 0.02) for _ in range(365)]).days)

    assert found is not None
    assert found.between**0.5 == pytest.approx(between, abs=0.008)
    assert found.within == pytest.approx(500 * 0.02**2)


def test_days_that_are_alike_for_a_while_make_a_long_mean_less_sure() -> None:
    chance = random.Random(3)
    value, alike = 0.0, []
    for _ in range(365):
        value = 0.6 * value + chance.gauss(0, 0.04)
        alike.append(0.8 + value)
    lingering, alone = variation_of(days(alike).days), variation_of(days(noisy(3, 0.8, 365)).days)

    assert lingering is not None
    assert alone is not None
    assert lingering.lingering > 1.7
    assert alone.lingering < 1.3


def test_a_slow_change_is_not_taken_for_spread() -> None:
    falling = variation_of(days([0.9 - place * 0.001 for place in range(200)], error=0.0).days)

    assert falling is not None
    assert falling.between**0.5 < 0.005
