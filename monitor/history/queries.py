"""Questions people and programs ask of the history; each walks an index, so that a long history answers as fast."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, or_, select

from monitor.history.engine import Readable, reading
from monitor.history.in_force import in_force, latest_verdicts
from monitor.history.rows import ArtifactRow, EpisodeRow, HistoryRow, ModelRow, display_name
from monitor.history.search import history
from monitor.history.spells import spells
from monitor.history.tables import alerts as alert_table
from monitor.history.tables import artifacts as artifact_table
from monitor.history.tables import episodes, evaluations, verdicts
from monitor.history.tables import incidents as incident_table
from monitor.history.tables import models as model_table
from monitor.history.values import unpacked

__all__ = [
    "ArtifactRow",
    "EpisodeRow",
    "HistoryRow",
    "ModelRow",
    "artifact",
    "artifacts",
    "artifacts_of_evaluation",
    "history",
    "incidents",
    "latest_verdicts",
    "model_names",
    "models",
    "open_alerts",
]

WORST_FIRST = ("breach", "error", "unknown", "ok")


def models(engine: Readable, model: str | None = None) -> list[ModelRow]:
    """Every model that was ever evaluated, or the one of that name, with the worst of its verdicts in force."""
    judged: dict[str, set[tuple[str, str]]] = {}
    columns = [evaluations.c.model, verdicts.c.verdict, verdicts.c.reason]
    with reading(engine) as connection:
        for name, verdict, reason in in_force(connection, None if model is None else [model], columns):
            judged.setdefault(name, set()).add((verdict, reason))
        newest = list(connection.execute(_newest_evaluations(model)))
        opened = connection.execute(_open_incidents()).all()
        since = {identity: found[-1].began for identity, found in spells(connection, opened).items()}
    open_now = {row.model: row for row in opened}
    return [_model(row, judged.get(row.model, set()), open_now.get(row.model), since) for row in newest]


def model_names(engine: Engine) -> list[str]:
    """Every model that was ever worked on, by name."""
    with reading(engine) as connection:
        return list(connection.scalars(select(model_table.c.name).order_by(model_table.c.name)))


def incidents(
    engine: Readable, model: str | None = None, since: datetime | None = None, *, open_only: bool = False
) -> list[EpisodeRow]:
    """What fell below its threshold, oldest first; with *since* what was open at that time or later."""
    columns = [episodes.c[name] for name in ("segment", "severity", "opened_at", "resolved_at", "value", "threshold")]
    asked = select(incident_table.c.model, episodes.c.metric, episodes.c.column, *columns).join_from(
        episodes, incident_table, episodes.c.incident_id == incident_table.c.id
    )
    if model is not None:
        asked = asked.where(incident_table.c.model == model)
    if since is not None:
        asked = asked.where(or_(episodes.c.resolved_at.is_(None), episodes.c.resolved_at >= since))
    if open_only:
        asked = asked.where(episodes.c.resolved_at.is_(None))
    with reading(engine) as connection:
        found = connection.execute(asked.order_by(episodes.c.opened_at, episodes.c.id))
        return [EpisodeRow(row.model, display_name(row.metric, row.column), *row[3:]) for row in found]


def open_alerts(engine: Engine) -> list[dict[str, Any]]:
    """The state of each alert that fires or has not recovered, as data, by its key."""
    open_now = alert_table.c.condition.in_(("firing", "recovering"))
    with reading(engine) as connection:
        return list(connection.scalars(select(alert_table.c.state).where(open_now).order_by(alert_table.c.key)))


def artifacts(
    engine: Readable,
    model: str | None = None,
    incident: int | None = None,
    limit: int = 1000,
    before: int | None = None,
) -> list[ArtifactRow]:
    """The newest *limit* documents that checks left, oldest first, without their content; *before* an id."""
    asked = _artifacts().order_by(artifact_table.c.id.desc()).limit(limit)
    if model is not None:
        asked = asked.where(evaluations.c.model == model)
    if incident is not None:
        asked = asked.where(artifact_table.c.incident_id == incident)
    if before is not None:
        asked = asked.where(artifact_table.c.id < before)
    with reading(engine) as connection:
        return [ArtifactRow(*row) for row in reversed(connection.execute(asked).all())]


def artifacts_of_evaluation(connection: Connection, evaluation_id: int) -> list[ArtifactRow]:
    """The documents that checks left with one evaluation, oldest first."""
    asked = _artifacts().where(artifact_table.c.evaluation_id == evaluation_id).order_by(artifact_table.c.id)
    return [ArtifactRow(*row) for row in connection.execute(asked)]


def artifact(engine: Engine, artifact_id: int) -> tuple[ArtifactRow, bytes] | None:
    """One document with its content; None where there is none of that id, or no more."""
    asked = _artifacts().add_columns(artifact_table.c.content).where(artifact_table.c.id == artifact_id)
    with reading(engine) as connection:
        found = connection.execute(asked).first()
    return None if found is None else (ArtifactRow(*found[:-1]), unpacked(found[-1]))


def _artifacts() -> Select[Any]:
    own = [artifact_table.c[name] for name in ("check", "name", "media_type", "size", "created_at", "incident_id")]
    whose = [evaluations.c[name] for name in ("model", "version", "window_start", "window_end")]
    return select(artifact_table.c.id, *whose, *own).join_from(artifact_table, evaluations)


def _newest_evaluations(model: str | None) -> Select[Any]:
    newest = (
        select(evaluations.c.id)
        .where(evaluations.c.model == model_table.c.name)
        .order_by(evaluations.c.window_end.desc(), evaluations.c.id.desc())
        .limit(1)
        .correlate(model_table)
        .scalar_subquery()
    )
    columns = [evaluations.c[name] for name in ("model", "version", "window_end", "evaluated_at")]
    joined = model_table.join(evaluations, evaluations.c.id == newest)
    asked = select(*columns).select_from(joined).order_by(evaluations.c.model)
    return asked if model is None else asked.where(model_table.c.name == model)


def _open_incidents() -> Select[Any]:
    columns = [incident_table.c[name] for name in ("id", "model", "opened_at", "severity")]
    return select(*columns).where(incident_table.c.resolved_at.is_(None)).order_by(incident_table.c.id)


def _model(
    newest: Row[Any], verdicts: set[tuple[str, str]], incident: Row[Any] | None, since: Mapping[int, datetime]
) -> ModelRow:
    """A model without any verdict in force is ``unknown``."""
    states, reasons = ({judged[place] for judged in verdicts} for place in (0, 1))
    return ModelRow(
        newest.model,
        newest.version,
        next((verdict for verdict in WORST_FIRST if verdict in states), "unknown"),
        newest.window_end,
        newest.evaluated_at,
        incident_id=None if incident is None else incident.id,
        incident_since=None if incident is None else since[incident.id],
        incident_severity=None if incident is None else incident.severity,
        watch="watch" in reasons,
    )
