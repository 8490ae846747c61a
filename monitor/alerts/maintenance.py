"""Maintenance: weekly times in which nobody is told, by the clock on the wall of a time zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from monitor.settings import Maintenance

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time of a calendar: ``[begins, ends)`` in UTC."""

    name: str
    begins: datetime
    ends: datetime


def covers(calendar: Maintenance, model: str) -> bool:
    """Whether the calendar is about a model."""
    return any(fnmatchcase(model, pattern) for pattern in calendar.models)


def running(calendar: Maintenance, now: datetime) -> Occurrence | None:
    """The occurrence that *now* lies in."""
    return next((each for each in _newest_first(calendar, now) if each.begins <= now < each.ends), None)


def ended(calendar: Maintenance, now: datetime) -> Occurrence | None:
    """The newest occurrence that is over."""
    return next((each for each in _newest_first(calendar, now) if each.ends <= now), None)


def _newest_first(calendar: Maintenance, now: datetime) -> Iterator[Occurrence]:
    """Those that begin today or up to eight days ago: one that is over is among them, for they come weekly."""
    zone = ZoneInfo(calendar.timezone)
    begins, ends = time.fromisoformat(calendar.begins), time.fromisoformat(calendar.ends)
    today = now.astimezone(zone).date()
    for back in range(9):
        day = today - back * _A_DAY
        if _DAYS[day.weekday()] in calendar.days:
            last_day = day + _A_DAY if ends <= begins else day
            yield Occurrence(calendar.name, _first(day, begins, zone), _last(last_day, ends, zone))


def _first(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


def _last(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The later of two: of a time that the clock shows twice the second, of one that it skips an hour after."""
    local = datetime.combine(day, at, zone)
    return max(local.astimezone(UTC), local.replace(fold=1).astimezone(UTC))
