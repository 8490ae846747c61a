"""Data health: a promise that cannot be judged any more becomes an alert of its own, however the value stood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from monitor.alerts.alert import SOURCE, Alert, alert_key
from monitor.alerts.grouping import Rules
from monitor.alerts.life import Step, move
from monitor.alerts.rule import JudgedWindow
from monitor.release.contract import Bound
from monitor.release.verdict import Verdict

EVALUATIONS = 3
"""So many without an answer make a promise blind, where the rule says nothing."""


def blind_key(model: str, bound: Bound) -> str:
    """Of the blind alert of a threshold: one for all columns and segments that it covers without naming them."""
    return alert_key(model, bound.metric, bound.column, bound.segment, "blind")


def source_key(model: str, plan: str) -> str:
    """Of the alert that the source of a plan cannot be read: each plan has windows of its own to tell it by."""
    return alert_key(model, SOURCE, plan, "", "blind")


def blind_steps(model: str, alerts: Mapping[str, Alert], window: JudgedWindow, rules: Rules) -> list[Step]:
    """What the window does to the blind alerts of the model.

    A promise is blind in a window if no verdict on it is ok or a breach. Of a source that could not be read one alert
    tells: those of the promises, and of other plans, are inhibited meanwhile.
    """
    if not window.verdicts:
        return []
    steps = [_promise_step(model, alerts, window, verdicts, rules) for verdicts in _by_promise(window.verdicts)]
    return [step for step in (_source_step(model, alerts, window, rules), *steps) if step is not None]


def _by_promise(verdicts: Sequence[Verdict]) -> list[list[Verdict]]:
    """The verdicts on each threshold together, be it a min, a max or both."""
    found: dict[tuple[str, str, str], list[Verdict]] = {}
    for verdict in verdicts:
        bound = verdict.bound
        found.setdefault((bound.metric, bound.column, bound.segment), []).append(verdict)
    return list(found.values())


def _promise_step(
    model: str, alerts: Mapping[str, Alert], window: JudgedWindow, verdicts: Sequence[Verdict], rules: Rules
) -> Step | None:
    bound = verdicts[0].bound
    decided = [verdict for verdict in verdicts if verdict.state in ("ok", "breach")]
    key = blind_key(model, bound)
    known = alerts.get(key, Alert(key, model, bound.metric, bound.column, bound.segment, "blind", bound.severity))
    if decided:
        step = move(known, "clear", window.end, rules.of(known)) if key in alerts else None
    else:
        step = _blind(known, window, bound.every, rules, inhibited=window.source_failure is not None)
    among = decided or verdicts
    shown = next((verdict for verdict in among if verdict.segment == bound.segment), among[0])
    return step and _telling(step, shown.sentence, _last_judged(alerts, [bound]), rules)


def _source_step(model: str, alerts: Mapping[str, Alert], window: JudgedWindow, rules: Rules) -> Step | None:
    key = source_key(model, window.plan)
    known = alerts.get(key, Alert(key, model, SOURCE, "", "", "blind", "warn"))
    if window.source_failure is None:
        return _telling(move(known, "clear", window.end, rules.of(known)), "", None, rules) if key in alerts else None
    bounds = [verdict.bound for verdict in window.verdicts]
    told = any(one.metric == SOURCE and one.side == "blind" and one.is_open for one in alerts.values())
    step = _blind(known, window, bounds[0].every, rules, inhibited=told)
    last = _last_judged(alerts, bounds)
    return _telling(step, window.source_failure, last and replace(last, last=None, low=None, high=None), rules)


def _blind(known: Alert, window: JudgedWindow, every: timedelta, rules: Rules, *, inhibited: bool) -> Step:
    """One more window without an answer; already the first one counts as an evaluation without."""
    rule = rules.of(known)
    after = EVALUATIONS * every if rule.blind_after is None else rule.blind_after
    waiting = replace(rule, pending_for=max(after - every, timedelta(0)))
    step = move(known, "breach", window.end, waiting)
    if inhibited and step.alert.is_open and not known.is_open:
        never = replace(rule, pending_for=timedelta.max, reopen_for=timedelta(0))
        return replace(move(known, "breach", window.end, never), reason="inhibited")
    return step


def _last_judged(alerts: Mapping[str, Alert], bounds: Sequence[Bound]) -> Alert | None:
    """The alert of these bounds that was decided last before this window; of several the one about the whole."""
    found = [
        alert
        for alert in alerts.values()
        if alert.side != "blind"
        and alert.decided_end is not None
        and any(bound.applies_to(alert.metric, alert.column, alert.segment) for bound in bounds)
    ]
    return max(found, key=lambda alert: (alert.decided_end, alert.segment == "", alert.key), default=None)


def _telling(step: Step, why: str, judged: Alert | None, rules: Rules) -> Step:
    """The step with what people are told: the verdict's sentence, and the last answer that there was before."""
    if step.reason == "stale":
        return step
    alert = replace(step.alert, why=why, severity=rules.rule.blind_severity)
    if judged is not None:
        figures = {name: getattr(judged, name) for name in ("last", "low", "high", "threshold", "rows", "unit")}
        alert = replace(alert, **figures, decided_start=judged.decided_start, decided_end=judged.decided_end)
    return replace(step, alert=alert)
