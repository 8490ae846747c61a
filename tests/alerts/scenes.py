"""Verdicts and windows for the tests of alerts and of delivery."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Literal

from monitor.alerts.advance import advance_model
from monitor.alerts.alert import Alert
from monitor.alerts.incident import Changes, Incident, ModelFacts, at_home
from monitor.alerts.movers import NOTHING_SEEN, Seen
from monitor.alerts.rule import JudgedWindow, Rule
from monitor.release.contract import Bound, Severity
from monitor.release.verdict import Verdict

DAY = timedelta(days=1)
FIRST = datetime(2013, 6, 3, tzinfo=UTC)
FACTS = ModelFacts("flight-delay", "2013-04", "@flights-oncall", "https://wiki.example.org/flights?a=1&b=2")
Kind = Literal["holds", "not_clear", "breach", "inconclusive", "unknown", "waiting", "error"]


def end(day: int) -> datetime:
    """The end of the *day*-th window."""
    return FIRST + DAY * day


def verdict(
    kind: Kind,
    value: float | None = None,
    *,
    metric: str = "accuracy",
    column: str = "",
    segment: str = "",
    severity: Severity = "page",
    pending_for: timedelta = timedelta(0),
    named: bool = False,
    rows: int = 18511,
    unit: str = "",
    averages: bool = False,
) -> Verdict:
    """A verdict on ``accuracy >= 0.728`` or, for other metrics, on ``drift <= 0.2``; *named*: the segment is;
    *averages*: its days are judged together."""
    low_is_bad = metric == "accuracy"
    side: Literal["min", "max"] = "min" if low_is_bad else "max"
    limit = 0.728 if low_is_bad else 0.2
    bound = Bound(
        name=metric,
        metric=metric,
        column=column,
        side=side,
        limit=limit,
        severity=severity,
        segment=segment if named else "",
        segments=() if named or not segment else (segment.partition("=")[0],),
        pending_for=pending_for,
        unit=unit,
        averages=averages,
    )
    if kind == "unknown":
        return Verdict(bound, "unknown", "too_few_rows", "Too few rows.", column, segment)
    if kind == "waiting":
        return Verdict(bound, "unknown", "provisional", "12 % are in, and 90 % are usual.", column, segment)
    if kind == "error":
        return Verdict(bound, "error", "check_failed", "The check failed.", column, segment)
    beyond = limit - 0.06 if low_is_bad else limit + 0.11
    good = limit + 0.05 if low_is_bad else limit - 0.1
    chosen = value if value is not None else good if kind in ("holds", "not_clear") else beyond
    plain = Verdict(bound, "ok", "holds", "It is so.", column, segment, limit, 0.781 if low_is_bad else None, chosen)
    measured = replace(plain, low=chosen - 0.013, high=chosen + 0.013, rows=rows)
    if kind == "breach":
        return replace(measured, state="breach", reason="falls_below" if low_is_bad else "rises_above")
    return replace(measured, reason=kind)


def drift(kind: Kind, column: str = "temp") -> Verdict:
    """A verdict on ``drift.temp <= 0.2``, which warns."""
    return verdict(kind, metric="drift", column=column, severity="warn")


class Model:
    """A model's alerts and incidents as a store would keep them."""

    def __init__(self, rule: Rule | None = None, facts: ModelFacts = FACTS) -> None:
        self.facts = facts
        self.rule = rule or Rule()
        self.alerts: dict[str, Alert] = {}
        self.incidents: dict[int, Incident] = {}

    @property
    def incident(self) -> Incident | None:
        """The newest that is open."""
        return next((one for one in reversed(self.incidents.values()) if one.is_open), None)

    @property
    def ended(self) -> list[Incident]:
        """Those that are over."""
        return [one for one in self.incidents.values() if not one.is_open]

    def see(
        self,
        day: int,
        *verdicts: Verdict,
        plan: str = "7d each 1d",
        source_failure: str | None = None,
        seen: Seen = NOTHING_SEEN,
    ) -> Changes:
        """Apply the verdicts on the window that ends on *day*."""
        window = JudgedWindow(plan, end(day - 7), end(day), verdicts, seen, source_failure)
        return self.keep(advance_model(self.facts, self.alerts, self._loaded(), window, self.rule))

    def keep(self, changes: Changes) -> Changes:
        """Take over what changed, through JSON as a store would."""
        fresh = count(max(self.incidents, default=0) + 1)
        ids = tuple(change.incident.id or next(fresh) for change in changes.incidents)
        for incident_id, change in zip(ids, changes.incidents, strict=True):
            self.incidents[incident_id] = replace(change.incident, id=incident_id)
        homes = changes.homes(ids)
        for alert in changes.alerts:
            self.alerts[alert.key] = Alert.from_data(json.loads(json.dumps(at_home(alert, homes).to_data())))
        return changes

    def _loaded(self) -> list[Incident]:
        lasting = [{one.group: one for one in found}.values() for found in (self.incidents.values(), self._paged())]
        return [one for one in self.incidents.values() if one.is_open or any(one in newest for newest in lasting)]

    def _paged(self) -> list[Incident]:
        return [one for one in self.incidents.values() if one.severity == "page"]
