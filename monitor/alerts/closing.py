"""Closing: what nobody promises any more is not resolved, and it must not stay open for ever either."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.alerts.alert import Alert
from monitor.alerts.blind import blind_key, source_key
from monitor.alerts.grouping import Rules
from monitor.alerts.incident import Changes, Incident, ModelFacts, Transition
from monitor.alerts.movers import NOTHING_SEEN
from monitor.alerts.rule import Rule
from monitor.alerts.story import Change, CloseReason
from monitor.alerts.telling import changed_incidents
from monitor.release.contract import Bound


def promised(model: str, bounds: Sequence[Bound], plans: Sequence[str]) -> Callable[[Alert], bool]:
    """Whether an alert of the model is still about a bound, or about the source of a plan.

    A column or a segment that does not show up in the data is promised as before.
    """
    blind = {blind_key(model, bound) for bound in bounds} | {source_key(model, plan) for plan in plans}

    def still(alert: Alert) -> bool:
        if alert.side == "blind":
            return alert.key in blind
        about = (alert.metric, alert.column, alert.segment)
        return any(bound.side == alert.side and bound.applies_to(*about) for bound in bounds)

    return still


def close_alerts(
    facts: ModelFacts,
    alerts: Mapping[str, Alert],
    incidents: Sequence[Incident],
    keep: Callable[[Alert], bool],
    because: CloseReason,
) -> Changes:
    """Close each alert that is open or pending and not to be kept, as of the newest window of the model.

    *incidents* are at least the open ones. One notification of each incident follows; an alert that was pending is
    closed silently.
    """
    gone = [one for one in alerts.values() if (one.in_incident or one.condition == "pending") and not keep(one)]
    ends = [one.window_end for one in alerts.values() if one.window_end is not None]
    if not gone or not ends:
        return Changes()
    at = max(ends)
    closed = {one.key: _closed(one, at) for one in gone}
    moves = [Change("closed", closed[one.key], because) for one in gone if one.in_incident]
    rules = Rules(Rule(), incidents)
    return Changes(
        alerts=tuple(closed.values()),
        incidents=changed_incidents(facts, alerts, {**alerts, **closed}, rules, moves, at, NOTHING_SEEN),
        transitions=tuple(Transition(closed[one.key], at, one.condition, because) for one in gone),
    )


def _closed(alert: Alert, at: datetime) -> Alert:
    """Without what a revision could bring back to life."""
    return replace(
        alert,
        condition="closed",
        since=at,
        held=timedelta(0),
        ended_at=at if alert.in_incident else alert.ended_at,
        fired_in=(),
        flapping=False,
        before=None,
    )
