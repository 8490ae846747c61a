"""Clocks: the played one runs ahead of time, but never of the work."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from monitor.clock import PlayedClock, RealClock, wall_now

START = datetime(2013, 4, 16, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_played_clock_starts_where_it_is_told_and_runs_faster() -> None:
    clock = PlayedClock(START, DAY)

    first = clock.now()
    time.sleep(0.1)
    later = clock.now()

    assert START <= first < START + DAY / 10
    assert later - first >= DAY / 10
    assert not clock.finished()


def test_a_played_clock_stops_at_its_end() -> None:
    clock = PlayedClock(START, 1000 * DAY, START + DAY)
    time.sleep(0.01)

    assert clock.now() == START + DAY
    assert clock.finished()


def test_a_played_clock_waits_for_the_work_and_then_goes_on() -> None:
    clock = PlayedClock(START, 100 * DAY)
    clock.wait_for(START)
    time.sleep(1.1)

    waiting = clock.now()
    clock.wait_for(None)
    time.sleep(0.02)

    assert waiting == START + 100 * DAY, "never more than a second's worth ahead"
    assert waiting < clock.now() < waiting + 100 * DAY, "time spent waiting is not caught up with"


def test_the_real_clock_is_the_one_on_the_wall() -> None:
    assert abs(RealClock().now() - wall_now()) < timedelta(seconds=5)
    assert not RealClock().finished()
