"""The days of a window, measured one by one with the same checks: what the alarm looks at."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from math import inf, isfinite

from checks.contract import Check, Measurement, Window
from checks.statistics.quantiles import normal
from monitor.history.records import DayRecord
from monitor.schedule.plan import tiles

DAY = timedelta(days=1)


def length_of_day(bucket: timedelta) -> timedelta:
    """A day, or a bucket where that is longer."""
    return max(bucket, DAY)


def days_to_measure(
    start: datetime, end: datetime, bucket: timedelta, every: timedelta, read: Collection[datetime]
) -> dict[datetime, Sequence[datetime]]:
    """The buckets of each day that is to be measured (anew), by the day's start.

    Days are counted back from the window's end, so the newest is whole at any hour. They are those that no window
    before ended with, and those with a bucket that was just *read*; where no day has several buckets, also the days
    before the window that were.
    """
    length = length_of_day(bucket)
    found: dict[datetime, Sequence[datetime]] = {at: [at] for at in read if at < start} if bucket >= DAY else {}
    for place in range((end - start) // length):
        first = end - (place + 1) * length
        buckets = tiles(first, first + length, bucket)
        if place * length < every or any(at in read for at in buckets):
            found[first] = buckets
    return found


def measured_days(
    check: Check, days: Iterable[Window], metrics: Collection[str], confidence: float
) -> Iterator[DayRecord]:
    """The values of *check*'s *metrics* in each of *days*, of the whole and of each segment.

    Where it cannot tell of a day, or raises, nothing is known of that day; the check on the window says why.
    """
    kind, level = fingerprint_of(check), getattr(check, "confidence", confidence)
    for day in days:
        for one in _measured(check, day):
            if one.metric in metrics and one.value is not None and isfinite(one.value) and one.rows > 0:
                about = (kind, one.metric, one.column, one.segment, day.start)
                yield DayRecord(*about, one.value, one.rows, _error(one, level))


def _measured(check: Check, day: Window) -> Iterator[Measurement]:
    try:
        yield from [one for one in check.measure(day) if isinstance(one, Measurement)]
    except Exception:  # noqa: BLE001  # a check is anybody's code; what it says of the window is what people are told
        return


def _error(of: Measurement, confidence: float) -> float:
    """Half the interval of one bucket's rows, in standard errors; an open interval tells nothing."""
    if of.low is None or of.high is None or of.high - of.low == inf:
        return 0.0
    return (of.high - of.low) / 2 / normal(0.5 + confidence / 2)


def fingerprint_of(check: Check) -> str:
    """Of the check and its parameters, but the level of its intervals, which does not change a value."""
    parameters = check.model_dump_json(exclude={"confidence"})
    return hashlib.sha256(f"{check.kind} {parameters}".encode()).hexdigest()[:32]
