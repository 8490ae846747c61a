"""Recording: everything that follows from one evaluation goes into the history in one transaction, or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from checks.contract import Measurement
from monitor.history import tables
from monitor.history.beside import measured_beside
from monitor.history.problems import AlreadyEvaluated
from monitor.history.records import (
    AlertRecord,
    ArtifactRecord,
    DayRecord,
    EpisodeRecord,
    EvaluationRecord,
    IncidentRecord,
    MeasurementRecord,
    OutboxRecord,
    ProfileRecord,
    TransitionRecord,
    VerdictRecord,
)
from monitor.history.values import insert_many, insert_new, insert_or_replace, number, words

METRIC, COLUMN, SEGMENT = 100, 200, 400
"""How long a metric's, a column's and a segment's name may be; longer ones end in a hash of themselves."""


def alert_states(connection: Connection, model: str) -> dict[str, dict[str, Any]]:
    """The present state of each alert of a model, by its key."""
    asked = select(tables.alerts.c.key, tables.alerts.c.state).where(tables.alerts.c.model == model)
    return {key: state for key, state in connection.execute(asked)}  # noqa: C416  # dict() does not type a row as a pair


@dataclass(frozen=True, slots=True)
class Recording:
    """The open transaction of one evaluation of *model*; made by ``Store.recording`` alone."""

    connection: Connection
    model: str

    def evaluation(self, evaluation: EvaluationRecord) -> int:
        """Record the evaluation and return its id. Raises AlreadyEvaluated; the transaction is lost then."""
        row = {
            "model": self.model,
            "version": evaluation.version,
            "plan": evaluation.plan,
            "window_start": evaluation.start,
            "window_end": evaluation.end,
            "revision": evaluation.revision,
            "state": evaluation.state,
            "reason": words(evaluation.reason),
            "inputs": evaluation.inputs,
            "contract_hash": evaluation.contract_hash,
            "evaluated_at": evaluation.evaluated_at,
            "seconds": evaluation.seconds,
            "rows": int(evaluation.rows),
            "outcomes": int(evaluation.outcomes),
            "detail": dict(evaluation.detail),
            "provisional": evaluation.provisional,
        }
        try:
            return self._insert(tables.evaluations, row)
        except IntegrityError as problem:
            raise AlreadyEvaluated(
                f"{self.model}: {evaluation.plan} over {evaluation.start:%Y-%m-%d %H:%M} to "
                f"{evaluation.end:%Y-%m-%d %H:%M} UTC is recorded in revision {evaluation.revision} already; "
                "nothing was written."
            ) from problem

    def measurements(self, evaluation_id: int, measurements: Sequence[MeasurementRecord]) -> None:
        """Record what was measured; each metric, column and segment once."""
        rows = [
            {
                "evaluation_id": evaluation_id,
                "check": words(each.check, METRIC),
                **_about(each.metric, each.column, each.segment),
                **_interval(each),
                "rows": int(each.rows),
                "detail": dict(each.detail),
            }
            for each in measurements
        ]
        insert_many(self.connection, tables.measurements, rows)

    def verdicts(self, evaluation_id: int, verdicts: Sequence[VerdictRecord]) -> None:
        """Record what was decided; each metric, column, segment and side once."""
        rows = [
            {
                "evaluation_id": evaluation_id,
                "check": words(each.check, METRIC),
                **_about(each.metric, each.column, each.segment),
                **_interval(each),
                "verdict": each.verdict,
                "reason": each.reason,
                "sentence": words(each.sentence),
                "severity": each.severity,
                "side": each.side,
                "threshold": number(each.threshold),
                "released_value": number(each.released_value),
                "rows": int(each.rows),
                "comparisons": int(each.comparisons),
            }
            for each in verdicts
        ]
        insert_many(self.connection, tables.verdicts, rows)

    def artifacts(
        self,
        evaluation_id: int,
        artifacts: Sequence[ArtifactRecord],
        created_at: datetime,
        incident_id: int | None = None,
    ) -> None:
        """Keep documents with their evaluation; one that is there already stays as it is."""
        rows = [
            {
                "evaluation_id": evaluation_id,
                "incident_id": incident_id,
                "check": words(each.check, METRIC),
                "name": words(each.name, COLUMN),
                "media_type": words(each.media_type, METRIC),
                "size": each.size,
                "created_at": created_at,
                "content": each.content,
            }
            for each in artifacts
        ]
        insert_new(self.connection, tables.artifacts, rows)

    def beside(self, plan: str, start: datetime, end: datetime, metric: str) -> list[tuple[Measurement, float | None]]:
        """What other plans than *plan* measured of *metric* in the same window, each with its upper bound."""
        return measured_beside(self.connection, self.model, plan, start, end, metric)

    def profiles(self, baseline_id: int, profiles: Mapping[datetime, ProfileRecord]) -> None:
        """Keep the profile of each bucket, by its start; one that was there is replaced and its revision goes up."""
        rows = [
            {
                "baseline_id": baseline_id,
                "bucket_start": start,
                "bucket_end": profile.bucket_end,
                "revision": 0,
                "rows": int(profile.rows),
                "outcomes": int(profile.outcomes),
                "data": profile.data,
                "read_at": profile.read_at,
                "lags": list(profile.lags),
            }
            for start, profile in profiles.items()
        ]
        insert_or_replace(self.connection, tables.profiles, rows, {"revision": tables.profiles.c.revision + 1})

    def lag_curve(self, baseline_id: int, shares: Sequence[float]) -> None:
        """Keep how late live outcomes come: the share that is in by each of LAG_EDGES."""
        table = tables.baselines
        self.connection.execute(update(table).where(table.c.id == baseline_id).values(lag_curve=list(shares)))

    def days(self, baseline_id: int, evaluation_id: int, days: Sequence[DayRecord]) -> None:
        """Keep what an evaluation found metrics to be in single days, beside what others found of the same days."""
        rows = [
            {
                "baseline_id": baseline_id,
                "check": each.check,
                **_about(each.metric, each.column, each.segment),
                "bucket_start": each.start,
                "evaluation_id": evaluation_id,
                "value": each.value,
                "rows": int(each.rows),
                "error": each.error,
            }
            for each in days
        ]
        insert_many(self.connection, tables.bucket_values, rows)

    def alerts(self) -> dict[str, dict[str, Any]]:
        """The present state of each alert of the model, by its key."""
        return alert_states(self.connection, self.model)

    def save_alerts(self, alerts: Sequence[AlertRecord]) -> None:
        """Keep the present state of alerts, each key once."""
        rows = [
            {
                "key": each.key,
                "model": self.model,
                **_about(each.metric, each.column, each.segment),
                "side": each.side,
                "state": dict(each.state),
                "condition": each.condition,
                "window_end": each.window_end,
            }
            for each in alerts
        ]
        insert_or_replace(self.connection, tables.alerts, rows, {})

    def incidents(self) -> list[IncidentRecord]:
        """The model's open incidents, and of each group the newest and the newest that paged, in order of opening."""
        table = tables.incidents
        names = ("id", "version", "severity", "opened_at", "resolved_at", "sequence", "group", "end_reason")
        newest = select(func.max(table.c.id)).where(table.c.model == self.model).group_by(table.c.group)
        lasting = or_(*(table.c.id.in_(one) for one in (newest, newest.where(table.c.severity == "page"))))
        found = self.connection.execute(
            select(*(table.c[name] for name in names))
            .where(table.c.model == self.model, or_(table.c.resolved_at.is_(None), lasting))
            .order_by(table.c.id)
            .with_for_update()  # a reminder may be about to take the next sequence
        )
        return [IncidentRecord(*row) for row in found]

    def open_new_incident(
        self, *, version: str, severity: str, opened_at: datetime, sequence: int = 0, group: str = ""
    ) -> int:
        """Open an incident and return its id."""
        row = {"model": self.model, "version": version, "severity": severity, "opened_at": opened_at}
        return self._insert(tables.incidents, {**row, "sequence": sequence, "group": words(group, SEGMENT)})

    def update_incident(
        self, incident_id: int, *, severity: str, resolved_at: datetime | None, sequence: int, end_reason: str = ""
    ) -> None:
        """Set what changes in an incident's life."""
        self.connection.execute(
            update(tables.incidents)
            .where(tables.incidents.c.id == incident_id, tables.incidents.c.model == self.model)
            .values(severity=severity, resolved_at=resolved_at, sequence=sequence, end_reason=end_reason)
        )

    def open_episode(self, incident_id: int, episode: EpisodeRecord) -> int:
        """Add an alert that began to fire to the incident and return the episode's id."""
        row = {
            "incident_id": incident_id,
            "alert_key": episode.alert_key,
            **_about(episode.metric, episode.column, episode.segment),
            "severity": episode.severity,
            "opened_at": episode.opened_at,
            "value": number(episode.value),
            "threshold": number(episode.threshold),
        }
        return self._insert(tables.episodes, row)

    def resolve_episode(self, incident_id: int, alert_key: str, at: datetime) -> None:
        """End the open episode of an alert in the incident."""
        table = tables.episodes
        self.connection.execute(
            update(table)
            .where(table.c.incident_id == incident_id, table.c.alert_key == alert_key, table.c.resolved_at.is_(None))
            .values(resolved_at=at)
        )

    def reopen_episode(self, incident_id: int, alert_key: str) -> None:
        """Go on with the last episode of an alert in the incident."""
        table = tables.episodes
        last = select(func.max(table.c.id)).where(table.c.incident_id == incident_id, table.c.alert_key == alert_key)
        self.connection.execute(
            update(table)
            .where(table.c.id == last.scalar_subquery())
            .values(resolved_at=None, reopened=table.c.reopened + 1)
        )

    def transitions(self, transitions: Sequence[TransitionRecord], recorded_at: datetime) -> None:
        """Record how the conditions of alerts changed, and why."""
        rows = [
            {
                "model": self.model,
                "alert_key": each.alert_key,
                **_about(each.metric, each.column, each.segment),
                "side": each.side,
                "incident_id": each.incident_id,
                "evaluation_id": each.evaluation_id,
                "window_end": each.window_end,
                "before": each.before,
                "after": each.after,
                "reason": each.reason,
                "value": number(each.value),
                "recorded_at": recorded_at,
            }
            for each in transitions
        ]
        insert_many(self.connection, tables.transitions, rows)

    def told(self, incident_id: int) -> tuple[str, ...]:
        """Every receiver that has been told of the incident, or is about to be."""
        table = tables.outbox
        asked = select(table.c.receiver).where(table.c.incident_id == incident_id).distinct()
        return tuple(self.connection.execute(asked.order_by(table.c.receiver)).scalars())

    def enqueue(self, notification: OutboxRecord) -> None:
        """Put a notification into the outbox; one whose key is there already is the same one, and stays as it is."""
        enqueue(self.connection, notification)

    def _insert(self, table: Table, row: Mapping[str, Any]) -> int:
        return int(self.connection.execute(insert(table).returning(table.c.id), row).scalar_one())


def enqueue(connection: Connection, notification: OutboxRecord) -> None:
    """Put a notification into the outbox; one whose key is there already is the same one, and stays as it is."""
    row = {
        "key": notification.key,
        "incident_id": notification.incident_id,
        "receiver": notification.receiver,
        "reason": notification.reason,
        "message": dict(notification.message),
        "created_at": notification.created_at,
        "next_at": notification.next_at or notification.created_at,
    }
    insert_new(connection, tables.outbox, [row])


def _about(metric: str, column: str, segment: str) -> dict[str, str]:
    return {"metric": words(metric, METRIC), "column": words(column, COLUMN), "segment": words(segment, SEGMENT)}


def _interval(each: MeasurementRecord | VerdictRecord) -> dict[str, float | None]:
    return {"value": number(each.value), "low": number(each.low), "high": number(each.high)}
