"""Which threshold a metric can be held to: simulated models like the released one, watched by the alarm itself.

A simulated day is the level, a part that the whole day shares and that lingers (autoregressive of order one), and a
part of its rows, all as the days seen so far say. Chance is seeded, so that the same days suggest the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from math import ceil, floor, isfinite, log10, sqrt
from random import Random
from statistics import median

from monitor.release.alarm import CLEARING, Promise, look_at
from monitor.release.contract import Side
from monitor.release.days import Day, Days
from monitor.release.variation import Variation, variation_of

MODELS = 40
"""How many models are simulated, a year of each."""

YEAR, BEFORE, PATIENCE = 365, 60, 90
"""Days of a simulated model that count, days that it is known before, and days in which a drop is to be found."""

MOST_OPEN = 0.1
"""A model as good as at its release may have an incident open on this share of days, however many pages are wished."""

STEPS = 7
"""Halvings of the range that a margin is looked for in, which is eight deviations of a day."""

START = datetime(2020, 1, 6, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a metric: its *level* at the release with its standard *error*, how days stray, rows a day."""

    level: float
    error: float
    variation: Variation
    rows: int
    days: int

    @property
    def spread(self) -> float:
        """The standard deviation of a day."""
        return sqrt(self.variation.between + self.variation.within / self.rows)


@dataclass(frozen=True, slots=True)
class Found:
    """How soon a *drop* is told: the median in *days* of those found in time (None: none was), and their *share*."""

    drop: float
    days: float | None
    share: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A threshold, the false pages a year (relapses included) of a model as good as at its release, and the delays."""

    threshold: float
    false_pages: float
    found: tuple[Found, ...]


def seen(reference: Days, live: Days) -> Seen | None:
    """What *reference* says of the level, and whichever has more days of how they stray; None where both are few."""
    known = live if len(live) > len(reference) else reference
    variation = variation_of(known.days)
    if variation is None or not len(reference):
        return None
    whole = reference.last(len(reference), len(reference))
    rows = known.last(len(known), len(known)).rows // len(known)
    return Seen(whole.mean, variation.error(whole), variation, max(rows, 1), len(known))


def suggest(known: Seen, side: Side, period: timedelta, comparisons: int, drops: Sequence[float]) -> Suggestion:
    """The nearest threshold to the level that pages falsely at most once in *period*, all *comparisons* together."""
    chance = Random(YEAR)  # noqa: S311  # a simulation, no secret
    paths = [_path(known, chance, BEFORE + YEAR) for _ in range(MODELS)]
    levels = [chance.gauss(known.level, known.error) for _ in range(MODELS)]
    promise = partial(Promise, side=side, period=period, comparisons=comparisons)
    allowed = YEAR * DAY / period / max(comparisons, 1)
    low, high = 0.0, 8 * known.spread
    for _ in range(STEPS):
        margin = (low + high) / 2
        pages, share = _quiet(known, paths, levels, promise(_beyond(known.level, side, margin)))
        low, high = (low, margin) if pages <= allowed and share <= may_be_open(period) else (margin, high)
    threshold = rounded(_beyond(known.level, side, high), side)
    pages, _ = _quiet(known, paths, levels, promise(threshold))
    found = tuple(_found(known, paths, promise(threshold), drop, side) for drop in drops)
    return Suggestion(threshold, pages, found)


def may_be_open(period: timedelta) -> float:
    """The share of days with an incident open where each false page keeps it so for as long as its end takes."""
    return min(CLEARING[0] * DAY / period, MOST_OPEN)


def rounded(value: float, side: Side) -> float:
    """Three digits, away from the level."""
    if not value or not isfinite(value):
        return value
    step = 10.0 ** (floor(log10(abs(value))) - 2)
    return round((floor if side == "min" else ceil)(value / step) * step, 12)


def _beyond(level: float, side: Side, by: float) -> float:
    return level - by if side == "min" else level + by


def _path(known: Seen, chance: Random, days: int) -> list[float]:
    """How far each day is from the level."""
    lasting = (known.variation.lingering - 1) / (known.variation.lingering + 1)
    between, within = sqrt(known.variation.between), sqrt(known.variation.within / known.rows)
    shared, path = chance.gauss(0, between), []
    for _ in range(days):
        path.append(shared + chance.gauss(0, within))
        shared = lasting * shared + chance.gauss(0, between * sqrt(1 - lasting**2))
    return path


def _days(known: Seen, path: Sequence[float], level: Callable[[int], float]) -> Days:
    error = sqrt(known.variation.within / known.rows)
    values = [level(place) + off for place, off in enumerate(path)]
    return Days(Day(START + place * DAY, value, known.rows, error) for place, value in enumerate(values))


def _quiet(
    known: Seen, paths: Sequence[Sequence[float]], levels: Sequence[float], promise: Promise
) -> tuple[float, float]:
    """Incidents a year, relapses counted too, and the share of days on which one is open."""
    pages = opened_on = 0
    for path, level in zip(paths, levels, strict=True):
        days = _days(known, path, lambda _, level=level: level)  # type: ignore[misc]  # mypy knows no default in a lambda
        opened: datetime | None = None
        fired: list[datetime] = []
        for end in range(BEFORE + 1, len(days) + 1):
            lately = sum(at > START + end * DAY - promise.period for at in fired)
            was, opened = opened, _watched(days, end, known.variation, promise, opened, lately)
            fired += [opened] if opened is not None and was is None else []
            opened_on += opened is not None
        pages += len(fired)
    return pages / len(paths), opened_on / (len(paths) * YEAR)


def _found(known: Seen, paths: Sequence[Sequence[float]], promise: Promise, drop: float, side: Side) -> Found:
    delays = []
    for path in paths:
        days = _days(
            known,
            path[: BEFORE + PATIENCE],
            lambda place: _beyond(known.level, side, drop if place >= BEFORE else 0.0),
        )
        ends = range(BEFORE + 1, len(days) + 1)
        delay = next((end - BEFORE for end in ends if _watched(days, end, known.variation, promise)), None)
        delays += [] if delay is None else [delay]
    return Found(drop, median(delays) if delays else None, len(delays) / len(paths))


def _watched(
    days: Days, end: int, variation: Variation, promise: Promise, opened: datetime | None = None, fired: int = 0
) -> datetime | None:
    """Since when an incident is open after the day before place *end*; None where none is."""
    found = look_at(days, end, variation, promise, opened, fired)
    if found is None or found.state == "watch":
        return opened
    if found.state == "clear":
        return None
    return opened or START + end * DAY
