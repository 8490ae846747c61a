"""Suggested thresholds: near the level, quiet enough for the budget, and never better than the days allow."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from monitor.release.contract import Side
from monitor.release.days import Day, Days
from monitor.release.suggestion import BEFORE, PATIENCE, Seen, rounded, seen, suggest
from monitor.release.variation import Variation

START = datetime(2026, 1, 5, tzinfo=UTC)
YEAR = timedelta(days=365)
ROWS = 1000


def known(level: float = 0.8, spread: float = 0.02, error: float = 0.0) -> Seen:
    """A metric of which days stray by *spread* beside what their rows explain."""
    return Seen(
        level, error, Variation(within=level * (1 - level), between=spread**2, lingering=1.0, days=60), ROWS, 60
    )


def days(count: int, level: float = 0.8, spread: float = 0.02) -> Days:
    chance = random.Random(3)
    return Days(Day(START + timedelta(days=day), chance.gauss(level, spread), ROWS, 0.0126) for day in range(count))


def test_the_same_days_suggest_the_same() -> None:
    assert suggest(known(), "min", YEAR, 1, [0.05]) == suggest(known(), "min", YEAR, 1, [0.05])


def test_a_suggestion_keeps_the_budget_and_finds_what_lies_clearly_beyond_it() -> None:
    found = suggest(known(), "min", YEAR, 1, [0.01, 0.02, 0.05, 0.2])
    delays = [one.days for one in found.found if one.days is not None]

    assert 0.7 < found.threshold < 0.8
    assert found.false_pages <= 1
    assert found.found[-1].share == 1
    assert [one.share for one in found.found] == sorted(one.share for one in found.found), (
        "larger drops are found surer"
    )
    assert delays == sorted(delays, reverse=True), "and sooner"
    assert all(1 <= delay <= PATIENCE for delay in delays)


@pytest.mark.parametrize(
    ("near", "far"),
    [
        # the more days stray, the further away
        (known(spread=0.01), known(spread=0.08)),
        # the less is known of the level, the further away
        (known(error=0.0), known(error=0.02)),
    ],
)
def test_what_is_less_sure_is_held_to_less(near: Seen, far: Seen) -> None:
    assert suggest(near, "min", YEAR, 1, []).threshold > suggest(far, "min", YEAR, 1, []).threshold


def test_an_error_is_held_to_more_than_it_was() -> None:
    low = Seen(10.0, 0.0, Variation(within=100.0, between=0.25, lingering=1.0, days=60), ROWS, 60)

    assert suggest(low, "max", YEAR, 1, []).threshold > 10.0


def test_the_level_is_that_of_the_reference_and_the_spread_that_of_the_longer_log() -> None:
    few, many = days(40, 0.8, 0.02), days(200, 0.7, 0.06)

    found = seen(few, many)
    alone = seen(few, Days([]))

    assert found is not None
    assert alone is not None
    assert found.level == alone.level == pytest.approx(0.8, abs=0.01)
    assert (found.days, alone.days) == (200, 40)
    assert found.spread == pytest.approx(0.06, abs=0.01)
    assert alone.spread == pytest.approx(0.02, abs=0.01)


def test_few_days_suggest_nothing() -> None:
    assert seen(days(20), Days([])) is None
    assert seen(Days([]), days(200)) is None


@pytest.mark.parametrize(
    ("value", "side", "expected"),
    [
        (0.72894, "min", 0.728),
        (0.72894, "max", 0.729),
        (12345.0, "min", 12300.0),
        (12345.0, "max", 12400.0),
        (0.001234, "max", 0.00124),
        (-0.5551, "min", -0.556),
        (0.0, "min", 0.0),
    ],
)
def test_a_threshold_is_rounded_away_from_the_level(value: float, side: Side, expected: float) -> None:
    assert rounded(value, side) == expected


def test_a_simulated_model_is_known_for_longer_than_the_alarm_waits() -> None:
    assert BEFORE >= 56, "the longest stretch that a page may rest on"
