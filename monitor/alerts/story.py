"""The words of a message: what happened to an incident in one window, as a person would say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from monitor.alerts.alert import SOURCE, Alert
from monitor.alerts.flapping import STABLE
from monitor.alerts.message import EMOJI, WORD, About, AlertLine, Field, Message, MessageState, NotificationReason
from monitor.alerts.movers import NOTHING_SEEN, Seen, movers
from monitor.alerts.words import at_bound, comparison, digits_apart, moment, shortened, span, with_interval
from monitor.release.contract import Severity, Side
from monitor.release.words import display_name, measured, rows

ChangeKind = Literal["opened", "relapsed", "reopened", "raised", "resolved", "revised", "flapping", "steady", "closed"]
CloseReason = Literal["threshold_removed", "model_removed", "retired"]

_MOST_OTHERS = 50
_MOST_SENTENCES = 3


@dataclass(frozen=True, slots=True)
class Change:
    """What one window did to one alert of the incident.

    ``relapsed`` means that it opened, in an incident that was over at *ended_at*; ``revised`` that its breach was taken
    back, ``steady`` that it flaps no more and is open, ``closed`` that it is not watched any more, *because* of what.
    """

    kind: ChangeKind
    alert: Alert
    because: CloseReason | None = None
    ended_at: datetime | None = None

    @property
    def begins(self) -> bool:
        """Whether a new episode of the alert begins."""
        return self.kind in ("opened", "relapsed")


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything a message is made of: the model, the incident, its alerts and what just changed."""

    model: str
    version: str
    owner: str | None
    runbook: str | None
    reason: NotificationReason
    severity: Severity  # of what is open now
    opened_at: datetime
    window_end: datetime
    alerts: tuple[Alert, ...]
    changes: tuple[Change, ...]
    seen: Seen = NOTHING_SEEN


def tell(scene: Scene) -> Message:
    """The message of a scene; it needs at least one alert."""
    ranked = sorted(scene.alerts, key=_rank)
    lead = ranked[0]
    over = not any(alert.in_incident for alert in scene.alerts)
    state: MessageState = "resolved" if over else scene.severity
    others = [] if state == "resolved" else [AlertLine(_state(alert), _line(alert)) for alert in ranked[1:]]
    changed = _changed(scene)
    return Message(
        reason=scene.reason,
        state=state,
        model=scene.model,
        version=scene.version,
        title=_title(scene, lead, state, sum(alert.in_incident for alert in ranked) - 1),
        fields=() if state == "resolved" else _fields(scene, lead),
        changed=changed,
        others=tuple(others[:_MOST_OTHERS]),
        more=max(len(others) - _MOST_OTHERS, 0),
        owner=scene.owner,
        runbook=scene.runbook,
        thread_line=f"{_thread_emoji(scene, state)} {moment(scene.window_end)} UTC · {changed}",
        opened_at=scene.opened_at,
        window_end=scene.window_end,
        about=_about(scene),
        movers="" if state == "resolved" or lead.side == "blind" else movers(lead, scene.seen),
    )


def about(alerts: Iterable[Alert]) -> tuple[About, ...]:
    """The alerts in the terms that silences match."""
    return tuple(About(_metric(alert), alert.segment, alert.severity) for alert in alerts)


def briefly(alerts: Sequence[Alert]) -> str:
    """``accuracy 0.668 < 0.728, coverage 0.93 < 0.95 and 2 more``: how they stand, the gravest first."""
    told = [f"{_name(alert)} {_compared(alert)}" for alert in sorted(alerts, key=_rank)[:_MOST_SENTENCES]]
    hidden = len(alerts) - len(told)
    return ", ".join(told) + (f" and {hidden} more" if hidden else "")


def _about(scene: Scene) -> tuple[About, ...]:
    return about([change.alert for change in scene.changes] or [alert for alert in scene.alerts if alert.is_open])


def _metric(alert: Alert) -> str:
    return f"{alert.metric}.{alert.column}" if alert.column else alert.metric


def _rank(alert: Alert) -> tuple[bool, bool, bool, str, str]:
    """Open before resolved, page before warn, the whole before its segments, the oldest first."""
    opened = "" if alert.opened_at is None else alert.opened_at.isoformat()
    return not alert.is_open, alert.severity != "page", bool(alert.segment), opened, _name(alert)


def _name(alert: Alert) -> str:
    return display_name(alert.metric, alert.column, alert.segment)


def _state(alert: Alert) -> MessageState:
    return alert.severity if alert.is_open else "resolved"


def _compared(alert: Alert) -> str:
    if alert.side == "blind":
        verb = "read" if alert.metric == SOURCE else "judged"
        return f"cannot be {verb}" if alert.is_open else f"can be {verb} again"
    now = comparison(alert.side, alert.last, alert.threshold, alert.unit)
    return f"flaps, now {now}" if alert.flapping else now


def _title(scene: Scene, lead: Alert, state: MessageState, others: int) -> str:
    """At most 150 characters: names give way, the numbers never do."""
    more = f" (+{others} more)" if others > 0 else ""
    model = f"{shortened(scene.model, 36)} {shortened(scene.version, 16)}"
    closed = scene.reason == "closed" and state == "resolved"
    word = "⚪ CLOSED, NOT RESOLVED" if closed else f"{EMOJI[state]} {WORD[state]}"
    return f"{word} · {model} · {shortened(_name(lead), 36)} {_compared(lead)}{more}"


def _fields(scene: Scene, lead: Alert) -> tuple[Field, ...]:
    label = "Last judged" if lead.side == "blind" else "Days" if lead.by_days else "Window"
    found = [Field(label, _window(lead))]
    if lead.side == "blind":
        found += [] if lead.last is None else [Field("Last value", _value(lead))]
    else:
        found += [Field("Value", _value(lead)), Field("Promised", _promised(scene, lead, lead.side))]
    if lead.rows and lead.side != "blind":  # the duration of a training is a number of no rows
        found.append(Field("Rows", _rows(scene, lead)))
    if lead.segment:
        found.append(Field("Segment", lead.segment))
    if lead.opened_at is not None:
        # Said as a fact that stays true: the parent is not edited each time the alert grows older.
        found.append(Field("Since", f"{moment(lead.opened_at)} UTC"))
    return tuple(found)


def _rows(scene: Scene, lead: Alert) -> str:
    """With the share of the window's outcomes that are in, where it was judged just now and somebody waits for them."""
    seen = scene.seen
    if not seen.rows or seen.outcomes is None or lead.by_days or lead.decided_end != scene.window_end:
        return f"{lead.rows:,}"
    return f"{lead.rows:,}; outcomes are in for {_share(seen.outcomes, seen.rows)} of the window"


def _share(part: int, whole: int) -> str:
    """Never 100 % where one is missing, nor 0 % where one is there."""
    percent = 100 * part / whole
    return f"{'<1' if 0 < percent < 1 else '>99' if 99 < percent < 100 else round(percent)} %"


def _window(alert: Alert) -> str:
    if alert.decided_end is None:
        return "none decided yet"
    if alert.decided_start is None:
        return f"up to {moment(alert.decided_end)} UTC"
    return f"{moment(alert.decided_start)} → {moment(alert.decided_end)} UTC"


def _promised(scene: Scene, alert: Alert, side: Side) -> str:
    released = "" if alert.released is None else f", released at {measured(alert.released, alert.unit)}"
    bound = at_bound(side, alert.threshold, alert.unit, digits_apart(alert.last, alert.threshold))
    return f"{bound} (release {scene.version}{released})"


def _value(alert: Alert) -> str:
    digits = digits_apart(alert.last, alert.threshold)
    return with_interval(alert.last, alert.low, alert.high, alert.unit, digits)


def _line(alert: Alert) -> str:
    since = "" if alert.opened_at is None else f" · since {moment(alert.opened_at)} UTC"
    state = _state(alert)
    return f"{WORD[state]} · {_name(alert)} {_compared(alert)}{since if state != 'resolved' else ''}"


def _changed(scene: Scene) -> str:
    ordered = sorted(scene.changes, key=lambda change: _rank(change.alert))
    told = [_sentence(change, scene.window_end) for change in ordered[:_MOST_SENTENCES]]
    hidden = len(ordered) - len(told)
    return " ".join([*told, _and_more(hidden)] if hidden else told)


def _and_more(hidden: int) -> str:
    return f"{hidden} more {'alert' if hidden == 1 else 'alerts'} changed in this window."


def _sentence(change: Change, window_end: datetime) -> str:
    alert = change.alert
    if change.kind in ("flapping", "steady", "closed"):
        return _quiet(change)
    if change.kind == "raised":
        return f"{_name(alert)} pages now; until now it warned ({_compared(alert)})."
    if change.kind in ("opened", "relapsed", "reopened"):
        told = _unjudged(alert) if alert.side == "blind" else _opened(alert)
        return told if change.kind == "opened" else f"Again{_after(change.ended_at, window_end)}: {told}"
    if change.kind == "resolved" or alert.side == "blind":
        return _resolved(alert, window_end)
    return (
        f"{_name(alert)} is taken back: the window up to {moment(window_end)} UTC was judged again "
        f"with newer data and is no breach ({_compared(alert)})."
    )


def _after(ended_at: datetime | None, window_end: datetime) -> str:
    return "" if ended_at is None else f", {span(window_end - ended_at)} after the incident was over"


def _opened(alert: Alert) -> str:
    verb = "fell below" if alert.side == "min" else "rose above"
    promised = measured(alert.threshold, alert.unit, digits_apart(alert.last, alert.threshold))
    over = f" over {rows(alert.rows)}{_in_days(alert)}" if alert.rows else ""
    told = f"{_name(alert)} {verb} the promised {promised}: {_value(alert)}{over}."
    if alert.last_ok is None or alert.last_ok_end is None:
        return told
    held = measured(alert.last_ok, alert.unit)
    return f"{told} It last held at {held}, in the window up to {moment(alert.last_ok_end)} UTC."


def _in_days(alert: Alert) -> str:
    """Which rows, where they are not those of the window."""
    if not alert.by_days or alert.decided_start is None or alert.decided_end is None:
        return ""
    return f" of the last {span(alert.decided_end - alert.decided_start).removeprefix('1 ')}"


def _unjudged(alert: Alert) -> str:
    told = f"{_name(alert)} {_compared(alert)}. {alert.why}"
    if alert.decided_end is None:
        return f"{told} Nothing was judged before."
    value = "" if alert.last is None else f"{_value(alert)}, "
    return f"{told} Last judged: {value}in the window up to {moment(alert.decided_end)} UTC."


def _quiet(change: Change) -> str:
    """What is said of an alert that is not told window by window, or not at all any more."""
    name = _name(change.alert)
    if change.kind == "flapping":
        return (
            f"{name} fires and is resolved again and again; more is said once it has been stable for {STABLE} windows."
        )
    if change.kind == "steady":
        return f"{name} has been stable for {STABLE} windows, and it is open ({_compared(change.alert)})."
    return f"{name} is closed, not resolved: {_BECAUSE[change.because]} ({_compared(change.alert)})."


_BECAUSE: Mapping[CloseReason | None, str] = {
    "threshold_removed": "config.toml promises it no more",
    "model_removed": "the model is not in config.toml any more",
    "retired": "the model is retired",
}


def _resolved(alert: Alert, window_end: datetime) -> str:
    if alert.side == "blind":
        return f"{_name(alert)} {_compared(alert)}. {alert.why}".rstrip()
    lasted = "" if alert.opened_at is None else f" after {span(window_end - alert.opened_at)}"
    worst = "" if alert.worst is None else f"; at worst it was {measured(alert.worst, alert.unit)}"
    return f"{_name(alert)} holds again{lasted}: {_compared(alert)}{worst}."


def _thread_emoji(scene: Scene, state: MessageState) -> str:
    kinds: Sequence[ChangeKind] = [change.kind for change in scene.changes]
    worsened = any(kind in ("opened", "relapsed", "reopened", "raised") for kind in kinds)
    return EMOJI[scene.severity if worsened and state != "resolved" else "resolved"]
