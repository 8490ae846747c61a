"""Simulated years of a model near its threshold, and drops below it, with the kinds of chance that real logs have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.alarm_quality.logs import Log
from monitor.release.days import Day, Days

START = datetime(2020, 1, 6, tzinfo=UTC)
THRESHOLD = 0.75
ROWS = 200
ROWS_AN_HOUR = 10
REFERENCE_DAYS = 60

Chance = Literal["independent", "day-clustered", "bad days in a row", "weekly season", "yearly season"]
CHANCES: tuple[Chance, ...] = ("independent", "day-clustered", "bad days in a row", "weekly season", "yearly season")

Floats = NDArray[np.float64]


def quiet(random: np.random.Generator, chance: Chance, days: int, margin: float = 0.0) -> Log:
    """A model whose accuracy never falls below its threshold plus *margin*, but by chance."""
    return _log(random, chance, np.full(days, THRESHOLD + margin))


def dropping(random: np.random.Generator, chance: Chance, at: int, days: int, points: float) -> Log:
    """A model three points above its threshold that falls *points* below it at day *at*."""
    level = np.full(days, THRESHOLD + 0.03)
    level[at:] = THRESHOLD - points / 100
    return _log(random, chance, level)


def quiet_hours(random: np.random.Generator, chance: Chance, days: int, margin: float) -> Log:
    """The same with the day before each hour, where a day's chance is that of all its hours."""
    accuracy = np.repeat(THRESHOLD + margin + _strayed(random, chance, days), 24)
    found = random.binomial(ROWS_AN_HOUR, np.clip(accuracy, 0.001, 0.999))
    total = np.concatenate([[0], np.cumsum(found)])
    rows = ROWS_AN_HOUR * 24
    values = (total[24:] - total[:-24]) / rows
    return Log(chance, "min", THRESHOLD, Days(()), Days(_days(values, rows, timedelta(hours=1))))


def _log(random: np.random.Generator, chance: Chance, level: Floats) -> Log:
    before = np.full(REFERENCE_DAYS, THRESHOLD + 0.05)
    accuracy = np.concatenate([before, level]) + _strayed(random, chance, len(before) + len(level))
    found = random.binomial(ROWS, np.clip(accuracy, 0.001, 0.999)) / ROWS
    known = list(_days(found, ROWS, timedelta(days=1)))
    return Log(chance, "min", THRESHOLD, Days(known[:REFERENCE_DAYS]), Days(known[REFERENCE_DAYS:]))


def _days(values: Floats, rows: int, step: timedelta) -> Iterator[Day]:
    errors = np.sqrt(values * (1 - values) / (rows - 1))
    for place, (value, error) in enumerate(zip(values.tolist(), errors.tolist(), strict=True)):
        yield Day(START + place * step, value, rows, error)


def _strayed(random: np.random.Generator, chance: Chance, days: int) -> Floats:
    """How far each day is from the model's own level, in accuracy. Seasons never lead below it, and models begin
    anywhere in their year."""
    place = np.arange(days)
    match chance:
        case "independent":
            return np.zeros(days)
        case "day-clustered":
            return random.normal(0, 0.08, days)
        case "bad days in a row":
            return np.array(list(_lingering(random, days)))
        case "weekly season":
            return np.where(place % 7 >= 5, -0.125, 0.05)
        case "yearly season":
            return 0.03 * (1 - np.sin(2 * np.pi * (place + random.integers(365)) / 365)) + random.normal(0, 0.04, days)


def _lingering(random: np.random.Generator, days: int) -> Iterator[float]:
    """Days of deviation 0.08, each half like the one before."""
    value = random.normal(0, 0.08)
    for _ in range(days):
        value = 0.5 * value + random.normal(0, 0.08 * np.sqrt(0.75))
        yield value
