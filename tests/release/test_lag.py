"""The lag curve: what old and young buckets together tell of how late outcomes come."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from checks.profile import LAG_EDGES
from monitor.release.lag import LEAST, Arrivals, LagCurve, lag_curve
from monitor.release.maturity import delay_learned, is_provisional, stands_still, usual_of

DAY = timedelta(days=1)
START = datetime(2026, 1, 5, tzinfo=UTC)


def counted(lags: list[float]) -> tuple[int, ...]:
    """Lags in days, in the cells of LAG_EDGES."""
    cells = [0] * (len(LAG_EDGES) + 1)
    for lag in lags:
        cells[bisect_right(LAG_EDGES, lag * 86400)] += 1
    return tuple(cells)


def learned(buckets: list[Arrivals]) -> LagCurve:
    curve = lag_curve(buckets)
    assert curve is not None
    return curve


def test_half_are_in_after_a_day_and_all_that_come_after_three() -> None:
    curve = learned([Arrivals(100, counted([0.9] * 45 + [2.5] * 45), 30 * DAY)] * LEAST)

    assert curve.share_at(1 * DAY) == pytest.approx(0.45)
    assert curve.share_at(1.5 * DAY) == pytest.approx(0.45)
    assert curve.share_at(2.5 * DAY) == pytest.approx(0.675), "as if they came evenly between two edges"
    assert curve.final == pytest.approx(0.9)
    assert (curve.age_of(0.4), curve.age_of(0.95)) == (1 * DAY, 3 * DAY)


def test_young_buckets_do_not_make_the_late_ones_look_lost() -> None:
    old = [Arrivals(100, counted([0.9] * 45 + [2.5] * 45), 30 * DAY)] * LEAST
    young = [Arrivals(100, counted([0.9] * 45), 1 * DAY)] * LEAST

    assert learned(old + young).final == pytest.approx(0.9)


def test_too_few_buckets_teach_nothing_and_empty_ones_are_none() -> None:
    bucket = Arrivals(10, counted([1.0] * 10), 30 * DAY)

    assert lag_curve([bucket] * (LEAST - 1)) is None
    assert lag_curve([bucket] * (LEAST - 1) + [Arrivals(0, counted([]), 30 * DAY)]) is None


def test_outcomes_that_took_exactly_as_long_as_a_cell_begins_are_in_by_its_end() -> None:
    curve = learned([Arrivals(10, counted([1.0] * 10), 30 * DAY)] * LEAST)

    assert curve.share_by(1 * DAY) == 1
    assert delay_learned(1 * DAY, curve) == 1 * DAY


@dataclass
class Row:
    lag: float | None
    right: bool


@dataclass
class Judged:
    day: int
    at: int
    accuracy: float


class Life:
    """A model as good as ever, whose outcomes come late from one day on, and the wrong ones first."""

    ROWS, RIGHT, LABELLED, REVISED, DELAY = 200, 0.8, 0.9, 30, 2 * DAY

    def __init__(self, seed: int, *, change: int, slowest: float, labelled: float = LABELLED) -> None:
        chance = random.Random(seed)
        self.days = [
            list(self._rows(chance, *((2.0, self.LABELLED) if day < change else (slowest, labelled))))
            for day in range(change + 60)
        ]

    def _rows(self, chance: random.Random, slowest: float, labelled: float) -> Iterator[Row]:
        for _ in range(self.ROWS):
            right = chance.random() < self.RIGHT
            comes = chance.random() < labelled
            yield Row(slowest * chance.random() ** (1 / 3 if right else 3) if comes else None, right)

    def judged(self) -> list[Judged]:
        """Each judgement of a daily window, looked at once a day; a window counts from the end of its day."""
        judged, counts, changed, ended = list[Judged](), dict[int, int](), dict[int, datetime](), 0
        first: list[tuple[int, int]] = []
        for now in range(1, len(self.days) + 1):
            known = {day: self._known(day, now) for day in range(max(0, now - self.REVISED), now)}
            for day, rows in known.items():
                if counts.get(day) != len(rows):
                    counts[day], changed[day] = len(rows), START + now * DAY
            curve = lag_curve(
                Arrivals(self.ROWS, counted([row.lag or 0.0 for row in rows]), (now - day - 1) * DAY)
                for day, rows in known.items()
            )
            while ended * DAY + DAY + delay_learned(self.DELAY, curve) <= now * DAY:
                first.append((self.ROWS, len(known.get(ended, []))))
                ended += 1
            for day in [day for day in known if day < ended]:
                still = stands_still(START + (day + 1) * DAY, changed[day], START + now * DAY)
                usual = usual_of(first[max(0, day - 28) : day], curve, None, still=still)
                if known[day] and not is_provisional(self.ROWS, counts[day], usual):
                    judged.append(Judged(day, now, sum(row.right for row in known[day]) / counts[day]))
        return judged

    def _known(self, day: int, now: int) -> list[Row]:
        return [row for row in self.days[day] if row.lag is not None and day + 1 + row.lag <= now]


@pytest.mark.parametrize("slowest", [4, 10, 20])
@pytest.mark.parametrize("seed", range(3))
def test_outcomes_that_grow_late_overnight_and_come_with_the_wrong_ones_first_make_no_window_look_bad(
    slowest: float, seed: int
) -> None:
    judged = Life(seed, change=35, slowest=slowest).judged()

    assert min(one.accuracy for one in judged) > 0.65, "at 0.8 in truth, with 180 rows a day"
    since = {one.day: one.at - one.day - 1 for one in reversed(judged) if one.day >= 35}
    assert max(since.values()) <= slowest + 1, "and each is judged as soon as its outcomes are in"
    assert set(range(35, 95 - int(slowest) - 2)) <= set(since)


def test_where_fewer_outcomes_come_for_good_windows_are_judged_all_the_same() -> None:
    judged = Life(1, change=35, slowest=2, labelled=0.6).judged()

    assert {one.day for one in judged} >= set(range(35, 89))
