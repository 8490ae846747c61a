"""What a button does, once it was pressed: acknowledge, silence, or show the history. As the commands do it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Engine

from monitor.alerts.buttons import Action, Pressed, Refused, read_value
from monitor.alerts.silence import Silence
from monitor.alerts.words import comparison, moment
from monitor.delivery.reminding import acknowledge
from monitor.history import charts, interactions, silences
from monitor.release.contract import side_of

log = structlog.get_logger(__name__)

LENGTHS: Mapping[Action, timedelta] = {"silence_1h": timedelta(hours=1), "silence_1d": timedelta(days=1)}
_WINDOWS = 10


@dataclass(frozen=True, slots=True)
class Press:
    """A button pressed in Slack: by whom, under which message, and where to answer. *id* tells presses apart."""

    id: str
    value: str
    author: str
    channel_id: str
    message: str
    answer_to: str


def read_press(payload: Mapping[str, Any]) -> Press | None:
    """The press in the payload of an interactive envelope; None where it is something else."""
    if payload.get("type") != "block_actions" or not payload.get("actions"):
        return None
    action, user, container = payload["actions"][0], payload.get("user") or {}, payload.get("container") or {}
    channel, message = str(container.get("channel_id", "")), str(container.get("message_ts", ""))
    identity = "/".join((channel, message, str(user.get("id", "")), str(action.get("action_ts", ""))))
    name = str(user.get("username") or user.get("name") or user.get("id") or "somebody in Slack")
    answer_to = str(payload.get("response_url") or "")
    return Press(identity[:200], str(action.get("value", "")), f"{name} (Slack)", channel, message, answer_to)


class Presses:
    """Does what buttons ask for, each once; *key* signs their values, *answer* tells whoever pressed."""

    def __init__(
        self, engine: Engine, key: bytes, acknowledged_for: timedelta, answer: Callable[[str, str], None]
    ) -> None:
        self._engine = engine
        self._key = key
        self._acknowledged_for = acknowledged_for
        self._answer = answer

    def take(self, payload: Mapping[str, Any], now: datetime) -> None:
        """Keep what was pressed, do it and answer; the same press again does nothing. Raises HistoryUnavailable."""
        press = read_press(payload)
        if press is None:
            return
        if not interactions.receive(self._engine, press.id, payload, now):
            log.warning("button_replayed", message="A button came a second time and was ignored.", press=press.id)
            return
        self._do(press, now)

    def finish(self, now: datetime) -> None:
        """Do what somebody who was killed has left undone: at least once, and doing it twice changes nothing."""
        for _, payload in interactions.left_behind(self._engine, now - timedelta(minutes=1), now - timedelta(days=1)):
            press = read_press(payload)
            if press is not None:
                self._do(press, now)

    def _do(self, press: Press, now: datetime) -> None:
        said = self._outcome(press, now)
        interactions.handled(self._engine, press.id, said, now)
        self._answer(press.answer_to, said)

    def _outcome(self, press: Press, now: datetime) -> str:
        asked = read_value(self._key, press.value, now)
        if isinstance(asked, Refused):
            return self._refused(press, asked.reason, asked.sentence)
        model = interactions.model_under(self._engine, asked.incident_id, press.channel_id, press.message)
        if model is None:
            sentence = "This button does not belong to this message, so nothing was done."
            return self._refused(press, "misplaced", sentence)
        log.info("button_pressed", message=f"{press.author}: {asked.action}.", incident=asked.incident_id)
        return self._done(press, asked, model, now)

    def _done(self, press: Press, asked: Pressed, model: str, now: datetime) -> str:
        if asked.action == "acknowledge":
            lasts = self._acknowledged_for
            return acknowledge(self._engine, asked.incident_id, press.author, "", now, lasts).sentence
        if asked.action == "history":
            return self._history(asked.incident_id, model)
        until = now + LENGTHS[asked.action]
        comment = f"By a button under incident {asked.incident_id}."
        wanted = Silence(0, {"model": model.translate(_LITERAL)}, now, until, press.author, comment)
        made = silences.add(self._engine, wanted, now)
        return (
            f"Silence {made.id} mutes everything about {model} until {moment(until)} UTC. "
            f"To end it before: model-monitor silence end {made.id}"
        )

    def _history(self, incident_id: int, model: str) -> str:
        rows = charts.windows_of(self._engine, incident_id, model)[-_WINDOWS:]
        told = []
        for row in rows:
            side = side_of(row.side)
            told.append(f"{moment(row.window_end)}  {comparison(side, row.value, row.threshold)}  {row.verdict or ''}")
        if not told:
            return f"Nothing is kept of {model} that could be shown."
        name = rows[-1].name + (f" [{rows[-1].segment}]" if rows[-1].segment else "")
        return "\n".join([f"{name} of {model}, newest window last (UTC):", *told])

    def _refused(self, press: Press, reason: str, sentence: str) -> str:
        log.warning("button_refused", message=sentence, reason=reason, by=press.author, press=press.id)
        return sentence


_LITERAL = {ord(sign): f"[{sign}]" for sign in "*?["}
"""A name is a pattern too; its wildcards mean themselves."""
