"""How models stand and how that came: the verdict that makes a model's own and the course of its promise, read again
only when it was evaluated again."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from monitor.alerts.digest import Margin
from monitor.clock import monotonic
from monitor.history.overview import Evaluated, Passed, Subject, courses, evaluated_since, newest_id
from monitor.history.queries import WORST_FIRST, latest_verdicts, models
from monitor.history.rows import HistoryRow
from monitor.release.contract import side_of

DAYS = 30
"""Days that a course goes back."""
MOST_ANEW = 20
"""Of more models at once it is quicker to read all."""
LATE = 60.0
"""Seconds after which no evaluation appears any more whose id is smaller than one seen; no transaction is that long."""


@dataclass(frozen=True, slots=True)
class Stand:
    """The worst verdict of a model, the promise that it is on, those that are inconclusive, and those on watch."""

    verdict: str
    worst: HistoryRow | None = None
    doubtful: tuple[str, ...] = ()
    evaluated_at: datetime | None = None
    watched: tuple[str, ...] = ()


NOWHERE = Stand("unknown")


def stand_of(judged: Sequence[HistoryRow], evaluated_at: datetime | None) -> Stand:
    """How a model stands by its verdicts in force."""
    worst = min(judged, key=rank, default=None)
    doubtful, watched = (
        tuple(row.name for row in judged if row.reason == reason) for reason in ("inconclusive", "watch")
    )
    return Stand((worst and worst.verdict) or "unknown", worst, doubtful, evaluated_at, watched)


def rank(row: HistoryRow) -> tuple[int, bool, bool, float, str]:
    """Worst first, of what holds the inconclusive first; the whole that pages before others, then by the margin."""
    doubtful = row.reason != "inconclusive"
    return place(row.verdict or ""), doubtful, row.severity != "page" or row.segment != "", _margin(row), row.name


def place(verdict: str) -> int:
    """Where a verdict comes, the worst first."""
    return WORST_FIRST.index(verdict) if verdict in WORST_FIRST else len(WORST_FIRST)


def _margin(row: HistoryRow) -> float:
    """How far within its bound, as a share of the bound; below zero beyond it."""
    if row.value is None or row.threshold is None:
        return 0.0
    return Margin(row.model, row.name, side_of(row.side), row.value, row.threshold).share


class Standing:
    """The stands of all models. To read thousands of verdicts takes a second, to look for new ones a millisecond."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stands: dict[str, Stand] = {}
        self._seen: dict[int, float] = {}
        self._floor: int | None = None
        self._courses: dict[Subject, Sequence[Passed]] = {}
        self._courses_until: datetime | None = None
        self._changes = 0

    def of_all(self, engine: Engine) -> Mapping[str, Stand]:
        """By model, as of now."""
        with self._lock:
            fresh = self._fresh(engine)
            if fresh is None:
                self._read_all(engine)
            else:
                self._read(engine, {one.model: one.evaluated_at for one in fresh})
            return dict(self._stands)

    def courses(
        self, engine: Engine, subjects: Collection[Subject], until: datetime
    ) -> dict[Subject, Sequence[Passed]]:
        """How each promise went in the last days, for models of which ``of_all`` was just asked."""
        until = until.replace(hour=0, minute=0, second=0, microsecond=0)
        with self._lock:
            if self._courses_until != until:
                self._courses, self._courses_until = {}, until
            known = {each: self._courses[each] for each in subjects if each in self._courses}
            changes = self._changes
        unknown = [each for each in subjects if each not in known]
        found = courses(engine, unknown, until, DAYS)
        read = {each: found.get(each, ()) for each in unknown}
        with self._lock:
            if (changes, until) == (self._changes, self._courses_until):  # what was read meanwhile may be older
                self._courses |= read
        return known | read

    def _forget(self, models: Collection[str]) -> None:
        self._changes += bool(models)
        self._courses = {each: passed for each, passed in self._courses.items() if each[0] not in models}

    def _fresh(self, engine: Engine) -> list[Evaluated] | None:
        """What was evaluated since; None where that is too much, or nothing was ever read."""
        if self._floor is None:
            return None
        found = evaluated_since(engine, self._floor, MOST_ANEW + len(self._seen))
        fresh = None if found is None else [one for one in found if one.id not in self._seen]
        if fresh is None or len(fresh) > MOST_ANEW:
            return None
        now = monotonic()
        self._seen |= {one.id: now for one in fresh}
        self._floor = max((identity for identity, at in self._seen.items() if now - at > LATE), default=self._floor)
        self._seen = {identity: at for identity, at in self._seen.items() if identity > self._floor}
        return fresh

    def _read_all(self, engine: Engine) -> None:
        self._floor = max(newest_id(engine) - MOST_ANEW, 0)
        recent = evaluated_since(engine, self._floor, MOST_ANEW) or []
        self._seen = {one.id: monotonic() for one in recent}
        judged: dict[str, list[HistoryRow]] = {}
        for row in latest_verdicts(engine):
            judged.setdefault(row.model, []).append(row)
        self._stands = {
            known.model: stand_of(judged.get(known.model, ()), known.evaluated_at) for known in models(engine)
        }
        self._forget(self._stands)

    def _read(self, engine: Engine, evaluated: Mapping[str, datetime]) -> None:
        for model, at in evaluated.items():
            self._stands[model] = stand_of(latest_verdicts(engine, model), at)
        self._forget(evaluated)
