"""One window of one model: its alerts move on, and its incidents with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from monitor.alerts.alert import Alert, alert_key, new_alert
from monitor.alerts.blind import blind_steps
from monitor.alerts.grouping import Rules
from monitor.alerts.incident import Changes, Incident, ModelFacts, Transition
from monitor.alerts.life import Step, advance
from monitor.alerts.rule import JudgedWindow, Rule
from monitor.alerts.story import Change
from monitor.alerts.telling import changed_incidents
from monitor.release.verdict import Verdict


def advance_model(
    facts: ModelFacts,
    alerts: Mapping[str, Alert],
    incidents: Sequence[Incident],
    window: JudgedWindow,
    rule: Rule,
) -> Changes:
    """Apply the verdicts on one window of a model to its alerts and incidents.

    *incidents* are the open ones, and of each group the newest and the newest that paged. A bound with a pending time
    of its own overrides that of *rule*. However much changes in the window, at most one notification of each group
    follows. Raises ValueError where two verdicts are about one and the same alert.
    """
    rules = Rules(rule, incidents)
    steps = _steps(facts.name, alerts, window, rules)
    changed = {key: step.alert for key, step in steps.items() if step.alert != alerts.get(key)}
    moves = [move for key, step in steps.items() if (move := _move(alerts.get(key), step, window.end, rules))]
    moves = _with_relapses(facts.name, moves, window, rules)
    return Changes(
        alerts=tuple(changed.values()),
        incidents=changed_incidents(facts, alerts, {**alerts, **changed}, rules, moves, window.end, window.seen),
        transitions=tuple(_transitions(alerts, steps.values(), window.end)),
        steps=tuple(steps.values()),
    )


def _steps(model: str, alerts: Mapping[str, Alert], window: JudgedWindow, rules: Rules) -> dict[str, Step]:
    steps: dict[str, Step] = {}
    for verdict in window.verdicts:
        fresh = new_alert(model, verdict)
        if fresh.key in steps:
            raise ValueError(_twice(model, verdict))
        known = alerts.get(fresh.key, fresh)
        waiting = verdict.bound.pending_for
        rule = replace(rules.of(known), pending_for=waiting) if waiting else rules.of(known)
        steps[fresh.key] = advance(known, verdict, window.end, rule, window_start=window.start)
    judged = {**alerts, **{key: step.alert for key, step in steps.items()}}
    return steps | {step.alert.key: step for step in blind_steps(model, judged, window, rules)}


def _twice(model: str, verdict: Verdict) -> str:
    about = (verdict.bound.metric, verdict.column, verdict.segment, verdict.bound.side)
    key = alert_key(model, *about)[:12]
    return (
        f"Two verdicts of model '{model}' are about the same alert {about} ({key}). "
        "One window holds one verdict per metric, column, segment and side."
    )


def _move(old: Alert | None, step: Step, window_end: datetime, rules: Rules) -> Change | None:
    """What a step means to an incident, if anything."""
    alert = step.alert
    if old is None or not old.in_incident:
        if not alert.in_incident:
            return None
        return Change("reopened" if _goes_on(old, step, window_end, rules) else "opened", alert)
    if not alert.in_incident:
        return Change("revised" if step.revised and step.reason != "resolved" else "resolved", alert)
    if alert.flapping != old.flapping:
        return Change("flapping" if alert.flapping else "steady", alert)
    return Change("raised", alert) if (old.severity, alert.severity) == ("warn", "page") else None


def _with_relapses(model: str, moves: Sequence[Change], window: JudgedWindow, rules: Rules) -> list[Change]:
    """The moves, those that open known as relapses where days decided and an incident has not been over for long."""
    by_days = {new_alert(model, verdict).key for verdict in window.verdicts if verdict.bound.pages_by_days}
    found: list[Change] = []
    for move in moves:
        opens = move.kind == "opened" and move.alert.key in by_days
        last = rules.relapse_of(move.alert, window.end) if opens else None
        found.append(move if last is None else Change("relapsed", move.alert, ended_at=last.resolved_at))
    return found


def _goes_on(old: Alert | None, step: Step, window_end: datetime, rules: Rules) -> bool:
    """Whether the last episode goes on: it breached again soon after, or its end is taken back by a revision."""
    if step.reason == "reopened":
        return True
    return old is not None and old.ended_at == window_end and rules.last_incident(old) is not None


def _transitions(alerts: Mapping[str, Alert], steps: Iterable[Step], window_end: datetime) -> Iterator[Transition]:
    for step in steps:
        old = alerts.get(step.alert.key)
        before = "inactive" if old is None else old.condition
        if step.alert.condition != before:
            yield Transition(step.alert, window_end, before, step.reason)
