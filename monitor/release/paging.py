"""Bounds that page, judged by the alarm where their days are known; the others keep the verdict of their window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from checks.contract import Measurement
from monitor.release.alarm import Finding, Promise, look
from monitor.release.contract import ONE_A_YEAR, Side
from monitor.release.days import Days
from monitor.release.sentences import Told, sentence
from monitor.release.verdict import STATES, Key, Reason, Verdict, unbroken


@dataclass(frozen=True, slots=True)
class Daybook:
    """What is known of a model's days when a window is judged.

    *days* are those before the window's end, by metric, column and segment; *opened* says since when an alert fires.
    The model may page falsely once in *period*, in the last of which its alerts *fired* so often. *others* counts the
    looks of its bounds that are judged by days elsewhere.
    """

    days: Mapping[Key, Days] = field(default_factory=dict)
    opened: Mapping[tuple[Key, Side], datetime] = field(default_factory=dict)
    fired: int = 0
    period: timedelta = ONE_A_YEAR
    others: int = 0


def judged_by_days(verdicts: Sequence[Verdict], book: Daybook) -> tuple[Verdict, ...]:
    """The verdicts on one window, those of bounds that page by the alarm."""
    comparisons = sum(verdict.bound.looks for verdict in verdicts if _is_for_the_alarm(verdict)) + book.others
    return tuple(_judged(verdict, book, comparisons) for verdict in verdicts)


def _judged(verdict: Verdict, book: Daybook, comparisons: int) -> Verdict:
    key = (verdict.bound.metric, verdict.column, verdict.segment)
    days = book.days.get(key)
    if days is None or verdict.threshold is None or not _is_for_the_alarm(verdict):
        return verdict
    promise = Promise(verdict.threshold, verdict.bound.side, book.period, comparisons)
    found = look(days, promise, book.opened.get((key, verdict.bound.side)), book.fired)
    if found is None:
        return verdict
    return _restated(verdict, found, days.days[-found.days].start)


def _is_for_the_alarm(verdict: Verdict) -> bool:
    """A number without interval is exact, and nothing about it is chance."""
    sampled = verdict.low is not None or verdict.high is not None
    return verdict.bound.pages_by_days and sampled and verdict.state in {"ok", "breach"}


def _restated(verdict: Verdict, found: Finding, since: datetime) -> Verdict:
    match found.reason:
        case "beyond":
            return _told(verdict, found, since, "falls_below" if verdict.bound.side == "min" else "rises_above")
        case "suspicious":
            return _told(verdict, found, since, "watch")
        case "not_back":
            return _told(verdict, found, since, "not_back")
        case "back":
            return verdict if verdict.holds else _told(verdict, found, since, unbroken(verdict, found.value))
        case "within":
            return verdict if verdict.state == "ok" else _told(verdict, found, since, unbroken(verdict, found.value))


def _told(verdict: Verdict, found: Finding, since: datetime, reason: Reason) -> Verdict:
    """The verdict in the figures of the stretch of days that decided, which begins at *since*."""
    about = Measurement(
        verdict.bound.metric, found.value, found.low, found.high, found.rows, verdict.segment, verdict.column
    )
    told = Told(verdict.bound, about, verdict.threshold, verdict.released, days=found.days)
    return replace(
        verdict,
        state=STATES[reason],
        reason=reason,
        sentence=sentence(reason, told),
        value=found.value,
        low=found.low,
        high=found.high,
        rows=found.rows,
        since=since,
    )
