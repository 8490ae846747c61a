"""Grouping: which incident an alert belongs to, and whether it can still go on with its last one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from monitor.alerts.alert import Alert
from monitor.alerts.incident import Incident
from monitor.alerts.rule import GroupBy, Rule

LONGEST = 400
"""Characters of a group's name in the history."""


def group_of(alert: Alert, group_by: GroupBy) -> str:
    """What the alerts of one incident have in common: the metric, the segment ("" is the whole), or just the model."""
    if group_by == "model":
        return ""
    name = alert.metric if group_by == "metric" else alert.segment
    return name if len(name) <= LONGEST else sha256(name.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Rules:
    """The rule as it is for each alert; *incidents* are the open ones of the model, and of each group the newest and
    the newest that paged."""

    rule: Rule
    incidents: Sequence[Incident]

    def of(self, alert: Alert) -> Rule:
        """Without reopening, where another incident has opened since the alert's own."""
        if self.last_incident(alert) is not None:
            return self.rule
        return replace(self.rule, reopen_for=timedelta(0))

    def last_incident(self, alert: Alert) -> Incident | None:
        """The incident of the alert's last episode, if none of its group has opened since."""
        group = group_of(alert, self.rule.group_by)
        newest = max((one for one in self.incidents if one.group == group), key=_id, default=None)
        return newest if newest is not None and newest.id == alert.incident else None

    def relapse_of(self, alert: Alert, window_end: datetime) -> Incident | None:
        """The last incident of the alert's group that paged, if it was resolved so lately that it goes on."""
        group = group_of(alert, self.rule.group_by)
        paged = (one for one in self.incidents if one.group == group and one.severity == "page")
        last = max(paged, key=_id, default=None)
        if last is None or last.resolved_at is None or last.end_reason != "resolved":
            return None
        return last if window_end - last.resolved_at <= self.rule.relapse_for else None


def _id(incident: Incident) -> int:
    return incident.id or 0
