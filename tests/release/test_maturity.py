"""Whether enough outcomes are in, against what is usual."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.release.lag import LagCurve
from monitor.release.maturity import (
    ENOUGH,
    LEAST,
    STANDING,
    Usual,
    delay_learned,
    is_provisional,
    stands_still,
    usual_of,
    usual_share,
)

DAY = timedelta(days=1)
END = datetime(2026, 3, 2, tzinfo=UTC)
USUAL = [(100, 90)] * LEAST
IN_TWO_DAYS = LagCurve((*(0.0,) * 12, 0.3, 0.5, 0.9, 0.9))
"""By each of LAG_EDGES: 0.3 after a day, 0.5 after a day and a half, 0.9 after two days and from then on."""


@pytest.mark.parametrize(
    ("windows", "share"),
    [
        (USUAL, 0.9),
        ([*USUAL, (0, 0)], 0.9),  # a window without rows says nothing
        ([*USUAL, (100, 0), (1000, 1)], 0.9),  # a few whose outcomes are late change nothing
        (USUAL[1:], None),  # one too few
        ([], None),
    ],
)
def test_what_is_usual_is_the_median_of_enough_windows(windows: list[tuple[int, int]], share: float | None) -> None:
    assert usual_share(windows) == share


@pytest.mark.parametrize(
    ("rows", "outcomes", "usual"),
    [
        (100, 50, Usual(1.0, STANDING)),  # just enough
        (0, 0, Usual(0.9, ENOUGH)),  # no rows, and nothing to wait for
        (None, None, Usual(0.9, ENOUGH)),
        (100, 0, None),
        (100, 0, Usual(0.0, ENOUGH)),  # no outcome ever comes
    ],
)
def test_nothing_is_waited_for_where_enough_is_there_or_nothing_is_known(
    rows: int | None, outcomes: int | None, usual: Usual | None
) -> None:
    assert not is_provisional(rows, outcomes, usual)


def test_without_a_delay_of_its_own_a_window_waits_for_all_that_come() -> None:
    assert usual_of([], IN_TWO_DAYS, None, still=False) == Usual(0.9, ENOUGH)


def test_with_a_delay_of_its_own_a_window_waits_for_what_is_usual_by_then() -> None:
    assert usual_of([], IN_TWO_DAYS, 1 * DAY, still=False) == Usual(0.3, ENOUGH)


def test_where_no_more_are_coming_half_of_the_usual_is_enough() -> None:
    assert usual_of([], IN_TWO_DAYS, None, still=True) == Usual(0.9, STANDING)


def test_where_nobody_knows_how_late_they_come_the_windows_before_tell() -> None:
    assert usual_of(USUAL, None, None, still=False) == Usual(0.9, STANDING)
    assert usual_of([], None, None, still=False) is None


def test_windows_that_were_judged_early_do_not_make_few_outcomes_usual() -> None:
    early = [(100, 10)] * LEAST

    assert usual_of(early, IN_TWO_DAYS, None, still=False) == Usual(0.9, ENOUGH)


@pytest.mark.parametrize(
    ("released", "waited"),
    [
        (2 * DAY, 2 * DAY),  # as at the release
        (1.6 * DAY, 1.6 * DAY),  # in the same cell, nobody can tell them apart
        (5 * DAY, 5 * DAY),  # sooner than at the release: nothing is lost by waiting
        (6 * DAY / 24, 2 * DAY),  # much later than at the release
        (None, 2 * DAY),  # the release knew nothing of it
    ],
)
def test_outcomes_that_come_later_than_at_the_release_are_waited_for_longer(
    released: timedelta | None, waited: timedelta
) -> None:
    assert delay_learned(released, IN_TWO_DAYS) == waited


def test_before_anything_is_learned_the_release_says_how_long_to_wait() -> None:
    assert delay_learned(3 * DAY, None) == 3 * DAY
    assert delay_learned(None, None) == timedelta(0)


def test_outcomes_stand_still_when_none_came_for_as_long_as_the_last_one_took() -> None:
    assert stands_still(END, END + 2 * DAY, END + 4 * DAY)
    assert not stands_still(END, END + 2 * DAY, END + 3 * DAY)
