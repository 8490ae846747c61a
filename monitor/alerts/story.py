"""The words of a message: what happened to an incident in one window, as a person would say it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from monitor.alerts.life import Alert
from monitor.alerts.message import EMOJI, WORD, About, AlertLine, Field, Message, MessageState, NotificationReason
from monitor.alerts.movers import NOTHING_SEEN, Seen
from monitor.alerts.words import at_bound, comparison, digits_apart, moment, shortened, span, with_interval
from monitor.release.contract import Severity
from monitor.release.words import display_name, number

ChangeKind = Literal["opened", "raised", "resolved", "revised"]

_MOST_OTHERS = 50
_MOST_SENTENCES = 3


@dataclass(frozen=True, slots=True)
class Change:
    """What one window did to one alert of the incident; ``revised`` means that its breach was taken back."""

    kind: ChangeKind
    alert: Alert


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
    state: MessageState = "resolved" if scene.reason == "resolved" else scene.severity
    others = [] if state == "resolved" else [AlertLine(_state(alert), _line(alert)) for alert in ranked[1:]]
    changed = _changed(scene)
    return Message(
        reason=scene.reason,
        state=state,
        model=scene.model,
        version=scene.version,
        title=_title(scene, lead, state, sum(alert.is_open for alert in ranked) - 1),
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
    return comparison(alert.side, alert.last, alert.threshold)


def _title(scene: Scene, lead: Alert, state: MessageState, others: int) -> str:
    """At most 150 characters: names give way, the numbers never do."""
    more = f" (+{others} more)" if others > 0 else ""
    model = f"{shortened(scene.model, 36)} {shortened(scene.version, 16)}"
    return f"{EMOJI[state]} {WORD[state]} · {model} · {shortened(_name(lead), 36)} {_compared(lead)}{more}"


def _fields(scene: Scene, lead: Alert) -> tuple[Field, ...]:
    found = [Field("Window", _window(lead)), Field("Value", _measured(lead))]
    found += [Field("Promised", _promised(scene, lead)), Field("Rows", f"{lead.rows:,}")]
    if lead.segment:
        found.append(Field("Segment", lead.segment))
    if lead.opened_at is not None:
        # Said as a fact that stays true: the parent is not edited each time the alert grows older.
        found.append(Field("Since", f"{moment(lead.opened_at)} UTC"))
    return tuple(found)


def _window(alert: Alert) -> str:
    if alert.decided_end is None:
        return "none decided yet"
    if alert.decided_start is None:
        return f"up to {moment(alert.decided_end)} UTC"
    return f"{moment(alert.decided_start)} → {moment(alert.decided_end)} UTC"


def _promised(scene: Scene, alert: Alert) -> str:
    released = "" if alert.released is None else f", released at {number(alert.released)}"
    bound = at_bound(alert.side, alert.threshold, digits_apart(alert.last, alert.threshold))
    return f"{bound} (release {scene.version}{released})"


def _measured(alert: Alert) -> str:
    return with_interval(alert.last, alert.low, alert.high, digits_apart(alert.last, alert.threshold))


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
    if change.kind == "opened":
        return _opened(alert)
    if change.kind == "raised":
        return f"{_name(alert)} pages now; until now it warned ({_compared(alert)})."
    if change.kind == "resolved":
        return _resolved(alert, window_end)
    return (
        f"{_name(alert)} is taken back: the window up to {moment(window_end)} UTC was judged again "
        f"with newer data and is no breach ({_compared(alert)})."
    )


def _opened(alert: Alert) -> str:
    verb = "fell below" if alert.side == "min" else "rose above"
    promised = number(alert.threshold, digits_apart(alert.last, alert.threshold))
    told = f"{_name(alert)} {verb} the promised {promised}: {_measured(alert)} over {alert.rows:,} rows."
    if alert.last_ok is None or alert.last_ok_end is None:
        return told
    return f"{told} It last held at {number(alert.last_ok)}, in the window up to {moment(alert.last_ok_end)} UTC."


def _resolved(alert: Alert, window_end: datetime) -> str:
    lasted = "" if alert.opened_at is None else f" after {span(window_end - alert.opened_at)}"
    worst = "" if alert.worst is None else f"; at worst it was {number(alert.worst)}"
    return f"{_name(alert)} holds again{lasted}: {_compared(alert)}{worst}."


def _thread_emoji(scene: Scene, state: MessageState) -> str:
    kinds: Sequence[ChangeKind] = [change.kind for change in scene.changes]
    worsened = any(kind in ("opened", "raised") for kind in kinds)
    return EMOJI[scene.severity if worsened and state != "resolved" else "resolved"]
