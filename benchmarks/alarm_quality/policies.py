"""The alarm and its peers: from the days of a log to when an incident is open, and when somebody is paged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import exp
from statistics import NormalDist, fmean, stdev

from benchmarks.alarm_quality.judging import Told, alarm
from benchmarks.alarm_quality.logs import Log
from checks.statistics.intervals import clustered

Policy = Callable[[Log], list[Told]]


def _beyond(log: Log, end: int, count: int, probability: float) -> bool:
    """Whether the interval of the last days, from their spread, lies beyond the threshold (of one day: its rows)."""
    part = log.live.days[end - count : end]
    whole = log.live.last(count, end)
    sign = 1 if log.side == "max" else -1
    if count == 1:
        half = NormalDist().inv_cdf(probability) * part[0].error
        return part[0].error > 0 and sign * (whole.mean - log.threshold) > half
    without = [(whole.mean * whole.rows - day.value * day.rows) / (whole.rows - day.rows) for day in part]
    half = clustered(without, 2 * probability - 1) or 0.0
    return sign * (whole.mean - log.threshold) > half


def _each_day(beyond: Iterable[bool]) -> list[Told]:
    """A rule without memory pages whenever it begins to be broken."""
    told: list[Told] = []
    for now in beyond:
        told.append(Told(now, now and not (told and told[-1].open)))
    return told


def _is_beyond(log: Log, value: float, threshold: float | None = None) -> bool:
    limit = log.threshold if threshold is None else threshold
    return value > limit if log.side == "max" else value < limit


def point(log: Log) -> list[Told]:
    """The day's value against the threshold: what most tools do."""
    return _each_day(_is_beyond(log, day.value) for day in log.live.days)


def three_in_a_row(log: Log) -> list[Told]:
    """The day's value beyond the threshold on three days in a row."""
    beyond = [_is_beyond(log, day.value) for day in log.live.days]
    return _each_day(place >= 2 and all(beyond[place - 2 : place + 1]) for place in range(len(beyond)))


def month(log: Log) -> list[Told]:
    """The mean of 28 days against the threshold."""
    ends = range(1, len(log.live) + 1)
    return _each_day(_is_beyond(log, log.live.last(min(28, end), end).mean) for end in ends)


def robust(log: Log) -> list[Told]:
    """Cluster-robust intervals of 1, 3, 7 and 28 days, one-sided at 1 - 1/365: any of them beyond the threshold."""
    ends = range(1, len(log.live) + 1)
    return _each_day(
        any(_beyond(log, end, count, 1 - 1 / 365) for count in (1, 3, 7, 28) if count <= end) for end in ends
    )


BETS = (0.25, 0.5, 1.0)


def detector(log: Log) -> list[Told]:
    """A Shiryaev-Roberts e-detector of run length 365 days: bets on how far days are beyond, in reference deviations.

    Source: J. Shin, A. Ramdas, A. Rinaldo, E-detectors, New England J. of Statistics in Data Science 2 (2024).
    """
    sign = 1 if log.side == "max" else -1
    spread = stdev([day.value for day in log.reference.days])
    wealth = [0.0] * len(BETS)
    crossed = []
    for day in log.live.days:
        off = sign * (day.value - log.threshold) / spread
        wealth = [(one + 1) * exp(bet * off - bet * bet / 2) for one, bet in zip(wealth, BETS, strict=True)]
        crossed.append(fmean(wealth) >= 365)
        if crossed[-1]:
            wealth = [0.0] * len(BETS)
    return _each_day(crossed)


def evidently(log: Log) -> list[Told]:
    """Evidently 0.7's default test: within 20 % of the reference's accuracy, 10 % of its MAE; worse ones count."""
    value = log.reference.last(len(log.reference), len(log.reference)).mean
    limit = value * (1 + log.tolerance if log.side == "max" else 1 - log.tolerance)
    return _each_day(_is_beyond(log, day.value, limit) for day in log.live.days)


def nannyml(log: Log) -> list[Told]:
    """NannyML 0.13's default threshold on chunks of a day: 3 deviations of the reference's days; worse ones count."""
    values = [day.value for day in log.reference.days]
    off = 3 * stdev(values)
    limit = fmean(values) + (off if log.side == "max" else -off)
    return _each_day(_is_beyond(log, day.value, limit) for day in log.live.days)


POLICIES: dict[str, Policy] = {
    "**model-monitor**, 1 per 365d": alarm,
    "point estimate": point,
    "three days in a row": three_in_a_row,
    "28-day mean": month,
    "cluster-robust intervals, 1/365": robust,
    "e-detector, run length 365 d": detector,
    "Evidently's default": evidently,
    "NannyML's threshold": nannyml,
}


def openings(told: Sequence[Told]) -> Iterator[int]:
    """The days on which an incident opened, whether that was news or a relapse."""
    return (place for place, now in enumerate(told) if now.open and (place == 0 or not told[place - 1].open))
