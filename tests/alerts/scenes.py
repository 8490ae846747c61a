"""Verdicts and windows for the tests of alerts and of delivery."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from monitor.alerts.incident import Changes, Incident, ModelFacts, advance_model
from monitor.alerts.life import Alert, Rule
from monitor.alerts.movers import NOTHING_SEEN, Seen
from monitor.release.contract import Bound, Severity
from monitor.release.verdict import Verdict

DAY = timedelta(days=1)
FIRST = datetime(2013, 6, 3, tzinfo=UTC)
FACTS = ModelFacts("flight-delay", "2013-04", "@flights-oncall", "https://wiki.example.org/flights?a=1&b=2")
Kind = Literal["holds", "breach", "inconclusive", "unknown", "error"]


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
    rows: int = 18511,
    unit: str = "",
) -> Verdict:
    """A verdict on ``accuracy >= 0.728`` or, for other metrics, on ``drift <= 0.2``."""
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
        pending_for=pending_for,
        unit=unit,
    )
    if kind == "unknown":
        return Verdict(bound, "unknown", "too_few_rows", "Too few rows.", column, segment)
    if kind == "error":
        return Verdict(bound, "error", "check_failed", "The check failed.", column, segment)
    beyond = limit - 0.06 if low_is_bad else limit + 0.11
    good = limit + 0.05 if low_is_bad else limit - 0.1
    chosen = value if value is not None else good if kind == "holds" else beyond
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
        self.incident: Incident | None = None
        self.ended: list[Incident] = []

    def see(self, day: int, *verdicts: Verdict, seen: Seen = NOTHING_SEEN) -> Changes:
        """Apply the verdicts on the window that ends on *day*."""
        window = (end(day - 7), end(day))
        changes = advance_model(self.facts, self.alerts, self.incident, verdicts, *window, self.rule, seen)
        self.alerts.update({alert.key: Alert.from_data(alert.to_data()) for alert in changes.alerts})
        self.incident = changes.incident
        if self.incident is not None and self.incident.resolved_at is not None:
            self.ended.append(self.incident)
            self.incident = None
        return changes
