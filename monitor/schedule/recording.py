"""From a result to history: judge, advance alerts, and write everything in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from monitor.alerts.incident import Incident, advance_model, notification_key
from monitor.alerts.life import Alert
from monitor.history.recording import Recording
from monitor.history.records import (
    AlertRecord,
    BucketState,
    EpisodeRecord,
    EvaluationRecord,
    IncidentRecord,
    MeasurementRecord,
    OutboxRecord,
    ProfileRecord,
    VerdictRecord,
)
from monitor.history.store import Store
from monitor.release.contract import Severity
from monitor.release.verdict import Verdict, judge_all
from monitor.schedule.due import DueWindow, inputs_fingerprint
from monitor.schedule.pool import Result
from monitor.schedule.watch import Watch
from monitor.settings.terms import measures


@dataclass(frozen=True, slots=True)
class Hold:
    """The right to write a model's history: its lease token."""

    token: int
    baseline_id: int | None


def record_result(
    store: Store,
    hold: Hold,
    watch: Watch,
    due: DueWindow,
    result: Result,
    *,
    states: dict[datetime, BucketState],
    receivers: Sequence[str],
    now: datetime,
    wall: datetime,
) -> tuple[Verdict, ...]:
    """Write one evaluation with all its consequences, or nothing.

    Raises LeaseLost, AlreadyEvaluated or HistoryUnavailable.
    """
    verdicts = verdicts_of(watch, due, result)
    known = states | {at: BucketState(0, new.rows, new.outcomes, due.as_of) for at, new in result.buckets.items()}
    with store.recording(watch.name, hold.token, wall) as recording:
        inputs = inputs_fingerprint(due.plan, watch.model.bucket, due.start, due.end, known)
        evaluation = recording.evaluation(_evaluation(watch, due, result, inputs, now))
        recording.measurements(evaluation, list(_measurements(result)))
        recording.verdicts(evaluation, [_verdict(verdict, due) for verdict in verdicts])
        if hold.baseline_id is not None:
            recording.profiles(hold.baseline_id, _profiles(watch, due, result))
        _advance(recording, watch, due, verdicts, receivers, wall)
    return verdicts


def record_skipped(store: Store, hold: Hold, watch: Watch, due: DueWindow, *, now: datetime, wall: datetime) -> None:
    """Remember that a window was too old to be caught up with."""
    reason = "It fell due while nothing was running, longer ago than schedule.catch_up reaches back."
    with store.recording(watch.name, hold.token, wall) as recording:
        recording.evaluation(
            EvaluationRecord(
                version=watch.model.version,
                plan=due.plan.name,
                start=due.start,
                end=due.end,
                revision=due.revision,
                state="skipped",
                reason=reason,
                contract_hash=watch.contract.hash,
                evaluated_at=now,
            )
        )


def verdicts_of(watch: Watch, due: DueWindow, result: Result) -> tuple[Verdict, ...]:
    """Judge what was measured against the bounds of the plan."""
    return judge_all(
        watch.bounds(due.plan),
        [measurement for event in result.measured.values() for measurement in event.measurements],
        released=result.released,
        failures=_failures(watch, due, result),
        source_failure=result.source_failure,
        rows=result.rows,
        outcomes=result.outcomes,
    )


def _failures(watch: Watch, due: DueWindow, result: Result) -> dict[str, str]:
    """The sentence of the failed check, by each bound on what it would have measured."""
    return {
        bound.name: failed.sentence
        for bound in watch.bounds(due.plan)
        for place, failed in result.failures.items()
        if measures(due.plan.checks[place].check, bound.metric, bound.column)
    }


def _evaluation(watch: Watch, due: DueWindow, result: Result, inputs: str, now: datetime) -> EvaluationRecord:
    failures = {
        failed.kind: {"sentence": failed.sentence, "detail": failed.detail} for failed in result.failures.values()
    }
    return EvaluationRecord(
        version=watch.model.version,
        plan=due.plan.name,
        start=due.start,
        end=due.end,
        revision=due.revision,
        state="failed" if result.source_failure else "done",
        reason=result.source_failure or "",
        inputs=inputs,
        contract_hash=watch.contract.hash,
        evaluated_at=now,
        seconds=result.seconds,
        rows=result.rows,
        outcomes=result.outcomes,
        detail={"why": due.reason, "as_of": due.as_of.isoformat(), "failures": failures},
    )


def _measurements(result: Result) -> Iterable[MeasurementRecord]:
    for event in result.measured.values():
        for measured in event.measurements:
            yield MeasurementRecord(
                check=event.kind,
                metric=measured.metric,
                column=measured.column,
                segment=measured.segment,
                value=measured.value,
                low=measured.low,
                high=measured.high,
                rows=measured.rows,
                detail=dict(measured.detail),
            )


def _verdict(verdict: Verdict, due: DueWindow) -> VerdictRecord:
    return VerdictRecord(
        check=due.plan.check_of(verdict.bound.metric),
        metric=verdict.bound.metric,
        column=verdict.column,
        segment=verdict.segment,
        verdict=verdict.state,
        reason=verdict.reason,
        sentence=verdict.sentence,
        severity=verdict.bound.severity,
        side=verdict.bound.side,
        threshold=verdict.threshold,
        released_value=verdict.released,
        value=verdict.value,
        low=verdict.low,
        high=verdict.high,
        rows=verdict.rows,
        comparisons=verdict.comparisons,
    )


def _profiles(watch: Watch, due: DueWindow, result: Result) -> dict[datetime, ProfileRecord]:
    return {
        at: ProfileRecord(at + watch.model.bucket, new.rows, new.outcomes, new.data, read_at=due.as_of)
        for at, new in result.buckets.items()
    }


def _advance(
    recording: Recording,
    watch: Watch,
    due: DueWindow,
    verdicts: Sequence[Verdict],
    receivers: Sequence[str],
    wall: datetime,
) -> None:
    """Move the model's alerts and incident by these verdicts; what people are to hear goes into the outbox."""
    alerts = {key: Alert.from_data(data) for key, data in recording.alerts().items()}
    incident = _incident(watch, recording.open_incident())
    changes = advance_model(watch.facts, alerts, incident, verdicts, due.start, due.end, watch.rule)
    recording.save_alerts([_alert(alert, due) for alert in changes.alerts])
    if not changes.notifications or changes.incident is None:
        return
    incident_id = _save_incident(recording, changes.incident)
    for opened in changes.opened:
        recording.open_episode(incident_id, EpisodeRecord(**asdict(opened)))
    for resolved in changes.resolved:
        recording.resolve_episode(incident_id, resolved.alert_key, resolved.resolved_at)
    for notification in changes.notifications:
        for receiver in receivers:
            recording.enqueue(
                OutboxRecord(
                    key=notification_key(incident_id, notification.sequence, receiver),
                    incident_id=incident_id,
                    receiver=receiver,
                    reason=notification.reason,
                    message=notification.message.to_data(),
                    created_at=wall,
                )
            )


def _incident(watch: Watch, stored: IncidentRecord | None) -> Incident | None:
    if stored is None:
        return None
    severity: Severity = "page" if stored.severity == "page" else "warn"
    return Incident(
        stored.id, watch.name, stored.version, severity, stored.opened_at, stored.resolved_at, stored.sequence
    )


def _save_incident(recording: Recording, incident: Incident) -> int:
    if incident.id is None:
        return recording.open_new_incident(
            version=incident.version,
            severity=incident.severity,
            opened_at=incident.opened_at,
            sequence=incident.sequence,
        )
    recording.update_incident(
        incident.id, severity=incident.severity, resolved_at=incident.resolved_at, sequence=incident.sequence
    )
    return incident.id


def _alert(alert: Alert, due: DueWindow) -> AlertRecord:
    return AlertRecord(
        key=alert.key,
        metric=alert.metric,
        side=alert.side,
        condition=alert.condition,
        window_end=alert.window_end or due.end,
        state=alert.to_data(),
        column=alert.column,
        segment=alert.segment,
    )
