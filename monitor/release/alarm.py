"""When a bound that pages is broken: evidence over short and long stretches of days, and a budget of false pages.

A day's value strays by chance, so a threshold alone pages all the time. Here the mean of the last 1, 2, 3 ... 56 days
is each held to the threshold: a collapse shows in a day, a loss of a point in weeks. A page needs one of them beyond
the threshold by a number of standard errors that follows from the budget, more of them where it paged lately, and an
incident ends when the days since then are as clearly back. What that guarantees, and on which assumptions, stands in
docs/alarm-quality.md.
Source of looking at many lengths at once: D. Siegmund, E. S. Venkatraman, Using the generalized likelihood ratio
statistic for sequential detection of a change-point, Annals of Statistics 23 (1995).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from statistics import NormalDist
from typing import Literal

from monitor.release.days import Days, Stretch
from monitor.release.variation import Variation, variation_of

PAGING = (1, 2, 3, 5, 7, 10, 14, 21, 28, 42, 56)
"""How many of the last days a page may rest on."""

CLEARING = (14, 28, 56, 90)
"""How many days since the page its end may rest on."""

MIN_ROWS = 100
"""Rows that a stretch needs: the mean of fewer is not near enough to normal."""

WEEK = timedelta(days=7)
SUSPICIOUS = NormalDist().inv_cdf(0.95)
_SMALLEST_ERROR = 1e-9  # of days that are all alike, as a share of the threshold

AlarmState = Literal["page", "watch", "clear"]
AlarmReason = Literal[
    "beyond",  # page: a stretch is beyond the threshold by more than chance and the budget explain
    "suspicious",  # watch: a stretch is beyond it by more than chance explains one time in twenty
    "not_back",  # watch: it paged, and the days since are not clearly back
    "back",  # clear: it paged, and the days since are clearly back
    "within",  # clear: nothing is suspicious
]


@dataclass(frozen=True, slots=True)
class Promise:
    """What the days are held to. A model at its *threshold* pages at most once in *period*, all its *comparisons*
    (bounds that page, times their segments, columns and looks a day) together."""

    threshold: float
    side: Literal["min", "max"]
    period: timedelta
    comparisons: int = 1


@dataclass(frozen=True, slots=True)
class Finding:
    """What the alarm says, and the stretch of *days* that decided: its mean, its interval and its rows."""

    state: AlarmState
    reason: AlarmReason
    days: int
    value: float
    low: float
    high: float
    rows: int


@dataclass(frozen=True, slots=True)
class _Evidence:
    """How many standard errors a stretch is beyond the threshold (negative: on the promised side)."""

    stretch: Stretch
    error: float
    strength: float


@lru_cache(maxsize=256)
def level_of(period: timedelta, comparisons: int = 1, fired: int = 0) -> float:
    """The standard errors a page takes: a model at its threshold would cross them once in *period*, looked at weekly.

    Comparisons share that chance equally (Bonferroni), and no budget makes one time in twenty enough. What *fired*
    before in the period has spent of the budget: the second page gets a quarter of the chance, the third a ninth, so
    that all of them together have at most 1.65 times (pi squared over six) that of the first.
    """
    chance = WEEK / period / max(comparisons, 1) / (1 + fired) ** 2
    return max(NormalDist().inv_cdf(1 - min(chance, 0.5)), SUSPICIOUS)


def look(days: Days, promise: Promise, opened: datetime | None = None, fired: int = 0) -> Finding | None:
    """What the newest of *days* say; *opened* is when the alert fired, where it is open, and *fired* how often those
    of the model did in the period.

    None where there are too few days, or too few rows in them, to tell.
    """
    variation = variation_of(days.days[:-1])
    return None if variation is None else look_at(days, len(days), variation, promise, opened, fired)


def look_at(
    days: Days, end: int, variation: Variation, promise: Promise, opened: datetime | None = None, fired: int = 0
) -> Finding | None:
    """As ``look``, after the day before place *end*, with the *variation* of the days before that."""
    spent = fired if opened is None else 0  # an open incident goes on by what the first one takes, and ends by it
    level = _for_few_days(level_of(promise.period, promise.comparisons, spent), variation.days)
    found = list(_evidence(days, end, variation, promise, PAGING))
    if not found:
        return None
    strongest = max(found, key=lambda one: one.strength)
    if strongest.strength > level:
        return _finding("page", "beyond", strongest, level)
    if opened is None:
        return _while_closed(strongest, level)
    since = sum(1 for _ in _since(days, end, opened))
    after = list(_evidence(days, end, variation, promise, tuple(count for count in CLEARING if count <= since)))
    surest = min(after, key=lambda one: one.strength, default=strongest)
    if surest.strength < -level:
        return _finding("clear", "back", surest, level)
    return _finding("watch", "not_back", surest, level)


def _while_closed(strongest: _Evidence, level: float) -> Finding:
    if strongest.strength > SUSPICIOUS:
        return _finding("watch", "suspicious", strongest, level)
    return _finding("clear", "within", strongest, level)


def _since(days: Days, end: int, opened: datetime) -> Iterator[datetime]:
    """The days after the page, newest first; more than the longest stretch needs are not counted."""
    for day in days.days[max(end - CLEARING[-1], 0) : end][::-1]:
        if day.start < opened:
            return
        yield day.start


def _evidence(
    days: Days, end: int, variation: Variation, promise: Promise, lengths: tuple[int, ...]
) -> Iterator[_Evidence]:
    sign = 1 if promise.side == "max" else -1
    least = _SMALLEST_ERROR * max(abs(promise.threshold), 1.0)
    for length in lengths:
        if length > end:
            return
        stretch = days.last(length, end)
        if stretch.rows < MIN_ROWS:
            continue
        error = max(variation.error(stretch), least)
        yield _Evidence(stretch, error, sign * (stretch.mean - promise.threshold) / error)


def _for_few_days(level: float, days: int) -> float:
    """Student's quantile for a normal one, where the error itself was learned from few days.

    Source: M. Abramowitz, I. Stegun, Handbook of mathematical functions (1964), 26.7.5, to the first order.
    """
    return level + (level**3 + level) / (4 * (days - 1))


def _finding(state: AlarmState, reason: AlarmReason, on: _Evidence, level: float) -> Finding:
    mean, half = on.stretch.mean, level * on.error
    return Finding(state, reason, on.stretch.days, mean, mean - half, mean + half, on.stretch.rows)
