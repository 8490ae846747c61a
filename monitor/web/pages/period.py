"""Which time a page is about, as its address says it: ``since=30d``, ``since=2013-07-01&until=2013-07-14``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from monitor.alerts.words import moment
from monitor.settings import parse_time

USUAL = "30d"
PRESETS = ("7d", "30d", "90d", "365d")
_DAY = timedelta(days=1)
_END = datetime(9999, 1, 1, tzinfo=UTC)
"""Later than any window, and not so late that nothing can be added."""
_A_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Period:
    """From when to when, both included; and the texts that said so, to be said again in links."""

    since: datetime
    until: datetime
    since_text: str
    until_text: str
    problem: str = ""


def period_of(since: str, until: str, now: datetime) -> Period:
    """What was asked for; the usual one, with the problem as a sentence, where it makes no sense."""
    try:
        end = _last(until, now) if until else now
        begin = parse_time(since or USUAL, end)
    except ValueError as problem:
        return _usual(now, str(problem))
    if begin >= end:
        return _usual(now, f"{moment(begin)} is not before {moment(end)}.")
    return Period(begin, end, since or USUAL, until)


def _usual(now: datetime, problem: str) -> Period:
    return Period(parse_time(USUAL, now), now, USUAL, "", f"{problem} Shown are the last {USUAL}.")


def _last(text: str, now: datetime) -> datetime:
    """A day is meant with all of its windows."""
    at = min(parse_time(text, now), _END)
    return at + _DAY if _A_DAY.fullmatch(text) else at
