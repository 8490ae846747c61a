"""What the history answers people and programs with: the same words for commands, the API and DataFrames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import msgspec

from monitor.history.records import Acknowledgement, Silence
from monitor.history.rows import AlertRow, IncidentRow, IncidentStory, ModelRow, NotificationRow, TransitionRow
from monitor.settings import ModelSettings


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """A model of config.toml with what the history knows of it: ``unknown`` where it was never evaluated.

    *watch* where its days are suspicious, and page nobody.
    """

    model: str
    version: str
    owner: str | None
    verdict: str
    window_end: datetime | None
    evaluated_at: datetime | None
    incident_id: int | None
    incident_since: datetime | None
    incident_severity: str | None
    runbook: str | None
    retired: bool
    watch: bool


@dataclass(frozen=True, slots=True)
class IncidentAnswer:
    """An incident in a line: when it opened and was resolved in window time, and whether anybody was told."""

    id: int
    model: str
    version: str
    severity: str
    opened_at: datetime
    resolved_at: datetime | None
    end_reason: str
    since: datetime
    relapses: int
    alerts: tuple[str, ...]
    told: str
    acknowledged_by: str | None
    acknowledged_until: datetime | None


@dataclass(frozen=True, slots=True)
class SilenceAnswer:
    """A silence, and whether it holds, is over or begins later."""

    id: int
    matchers: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime
    author: str
    comment: str
    state: str


@dataclass(frozen=True, slots=True)
class StoryAnswer:
    """Everything about one incident; its transitions are in window time, notifications in wall time."""

    id: int
    model: str
    version: str
    severity: str
    opened_at: datetime
    resolved_at: datetime | None
    end_reason: str
    since: datetime
    relapses: int
    told: str
    acknowledged_by: str | None
    acknowledged_until: datetime | None
    owner: str | None
    alerts: tuple[AlertRow, ...]
    transitions: tuple[TransitionRow, ...]
    notifications: tuple[NotificationRow, ...]
    acknowledgements: tuple[Acknowledgement, ...]
    silences: tuple[Silence, ...]


def model_answers(models: Iterable[ModelSettings], rows: Iterable[ModelRow]) -> list[ModelAnswer]:
    """Every configured model, in the order of config.toml."""
    known = {row.model: row for row in rows}
    return [_model(model, known.get(model.name)) for model in models]


def incident_answer(row: IncidentRow) -> IncidentAnswer:
    """An incident as it is listed."""
    given = row.acknowledged
    return IncidentAnswer(
        row.id,
        row.model,
        row.version,
        row.severity,
        row.opened_at,
        row.resolved_at,
        row.end_reason,
        row.since,
        row.relapses,
        row.alerts,
        row.told,
        None if given is None else given.author,
        None if given is None else given.expires_at,
    )


def story_answer(story: IncidentStory, silences: Sequence[Silence]) -> StoryAnswer:
    """An incident with *silences*, those that fit it."""
    incident = incident_answer(story.incident)
    shared = {field.name: getattr(incident, field.name) for field in fields(incident) if field.name != "alerts"}
    return StoryAnswer(
        **shared,
        owner=story.owner,
        alerts=story.alerts,
        transitions=story.transitions,
        notifications=story.notifications,
        acknowledgements=story.acknowledgements,
        silences=tuple(silences),
    )


def silence_answer(silence: Silence, now: datetime) -> SilenceAnswer:
    """A silence with its state at *now*, wall time."""
    state = "over" if silence.ends_at <= now else "holds" if silence.starts_at <= now else "begins later"
    return SilenceAnswer(
        silence.id,
        dict(silence.matchers),
        silence.starts_at,
        silence.ends_at,
        silence.author,
        silence.comment,
        state,
    )


def said_of(row: NotificationRow) -> str:
    """What a notification told, or why it did not."""
    if row.state == "suppressed":
        return row.why or ""
    if row.state == "superseded":
        return "In one message with what came after it."
    if row.state == "sent":
        return row.line
    if row.error is None:
        return f"It is sent at {row.next_at:%H:%M:%S} UTC, or as soon as a daemon runs."
    tries = f"{row.attempts} {'attempt' if row.attempts == 1 else 'attempts'}"
    return f"{row.error} ({tries}, the next at {row.next_at:%Y-%m-%d %H:%M:%S} UTC)"


def as_json(answer: Any) -> bytes:
    """Times as RFC 3339 in UTC; an end of an interval that is open is null, for JSON knows no infinity."""
    return msgspec.json.encode(answer, enc_hook=_as_float)


def json_lines(answer: Any) -> str:
    """The same for people to read, a line for each value."""
    return msgspec.json.format(as_json(answer), indent=1).decode() + "\n"


def plain(answer: Any) -> dict[str, Any]:
    """An answer as JSON takes it."""
    told: dict[str, Any] = msgspec.json.decode(as_json(answer))
    return told


def flat(answer: Any) -> dict[str, Any]:
    """The same as CSV takes it: one value in each cell."""
    return {key: _cell(value) for key, value in plain(answer).items()}


def mutes(matchers: Mapping[str, str]) -> str:
    """``model=flight-* severity=warn``."""
    return " ".join(f"{name}={pattern or repr(pattern)}" for name, pattern in matchers.items())


def _model(model: ModelSettings, row: ModelRow | None) -> ModelAnswer:
    own = (model.runbook, model.retired, row is not None and row.watch)
    if row is None:
        return ModelAnswer(model.name, model.version, model.owner, "unknown", None, None, None, None, None, *own)
    newest = (row.verdict, row.window_end, row.evaluated_at)
    incident = (row.incident_id, row.incident_since, row.incident_severity)
    return ModelAnswer(model.name, model.version, model.owner, *newest, *incident, *own)


def _as_float(value: object) -> float:
    """A number of NumPy's, which is a float to everybody but msgspec."""
    if isinstance(value, float):
        return float(value)
    raise TypeError(f"JSON has no word for {type(value).__name__}.")


def _cell(value: Any) -> Any:
    if isinstance(value, Mapping):
        return mutes(value)
    return ", ".join(map(str, value)) if isinstance(value, list) else value
