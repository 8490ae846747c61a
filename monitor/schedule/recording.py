"""From a result to history: judge, advance alerts, and write everything in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from monitor.alerts.alert import Alert
from monitor.alerts.movers import DRIFT, Seen
from monitor.alerts.routing import Routing
from monitor.alerts.rule import JudgedWindow
from monitor.history.recording import Recording
from monitor.history.records import (
    BucketState,
    EvaluationRecord,
    MeasurementRecord,
    ProfileRecord,
    VerdictRecord,
)
from monitor.history.store import Store
from monitor.release.lag import LagCurve
from monitor.release.maturity import is_provisional
from monitor.release.paging import judged_by_days
from monitor.release.verdict import Verdict, judge_all
from monitor.schedule.advancing import advance
from monitor.schedule.arrivals import learned
from monitor.schedule.artifacts import artifacts_of
from monitor.schedule.correcting import correct
from monitor.schedule.daybook import Memory, daybook_of, remembered
from monitor.schedule.due import DueWindow, inputs_fingerprint
from monitor.schedule.pool import Result
from monitor.schedule.watch import Watch
from monitor.settings.terms import measures


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was written of one evaluation; *opened* are the incidents that it opened."""

    evaluation_id: int
    verdicts: tuple[Verdict, ...]
    opened: tuple[int, ...] = ()


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
    curve: LagCurve | None,
    routing: Routing,
    artifact_size: int,
    now: datetime,
    wall: datetime,
) -> Recorded:
    """Write one evaluation with all its consequences, or nothing; *curve* is how late outcomes came up to now.

    Raises LeaseLost, AlreadyEvaluated or HistoryUnavailable.
    """
    fresh = {at: BucketState(0, new.rows, new.outcomes, due.as_of, new.lags) for at, new in result.buckets.items()}
    known = states | fresh
    taught = _teaches(due, result) and learned(store, hold.baseline_id, watch, due, fresh)
    memory = remembered(store, hold.baseline_id, watch, due, taught or curve, known)
    artifacts = artifacts_of(result, artifact_size)
    with store.recording(watch.name, hold.token, wall) as recording:
        alerts = tuple(Alert.from_data(data) for data in recording.alerts().values())
        verdicts = verdicts_of(watch, due, result, replace(memory, alerts=alerts))
        inputs = inputs_fingerprint(due.plan, watch.model.bucket, due.start, due.end, known)
        evaluation = recording.evaluation(_evaluation(watch, due, result, inputs, artifacts.dropped, now, memory))
        recording.measurements(evaluation, list(_measurements(result)))
        recording.verdicts(evaluation, [_verdict(verdict, due) for verdict in verdicts])
        recording.artifacts(evaluation, artifacts.kept, now)
        if hold.baseline_id is not None:
            recording.profiles(hold.baseline_id, _profiles(watch, due, result))
            known_days = set(memory.days)
            recording.days(hold.baseline_id, evaluation, [day for day in result.days if day not in known_days])
            if taught:
                recording.lag_curve(hold.baseline_id, taught.shares)
        seen = _seen(recording, due, result, verdicts)
        window = JudgedWindow(due.plan.name, due.start, due.end, verdicts, seen, result.source_failure)
        opened = advance(recording, watch, window, routing, evaluation_id=evaluation, wall=wall)
        correct(recording, watch, due, verdicts, alerts, wall)
    return Recorded(evaluation, verdicts, tuple(opened))


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


def verdicts_of(watch: Watch, due: DueWindow, result: Result, memory: Memory) -> tuple[Verdict, ...]:
    """Judge what was measured against the bounds of the plan; those that page by their days, where enough are known."""
    verdicts = judge_all(
        watch.bounds(due.plan),
        [measurement for event in result.measured.values() for measurement in event.measurements],
        released=result.released,
        failures=_failures(watch, due, result),
        source_failure=result.source_failure,
        rows=result.rows,
        outcomes=result.outcomes,
        usual=memory.usual,
    )
    return judged_by_days(verdicts, daybook_of(watch, due, memory, result.days))


def _teaches(due: DueWindow, result: Result) -> bool:
    """Whether the source was asked how many outcomes are in by now."""
    return due.plan.awaits_outcomes and due.reason != "revision" and result.source_failure is None


def _seen(recording: Recording, due: DueWindow, result: Result, verdicts: Sequence[Verdict]) -> Seen:
    """What was measured in the window; only where something is wrong, what other plans measured of drift in it too."""
    own = [one for event in result.measured.values() for one in event.measurements]
    wrong = any(verdict.state == "breach" for verdict in verdicts)
    beside = recording.beside(due.plan.name, due.start, due.end, DRIFT) if wrong else []
    bounds = {(one.bound.metric, one.column, one.segment): one.threshold for one in verdicts}
    bounds |= {(one.metric, one.column, one.segment): threshold for one, threshold in beside}
    return Seen(
        measurements=(*own, *(one for one, _ in beside)),
        released=result.released,
        thresholds={key: threshold for key, threshold in bounds.items() if threshold is not None},
        rows=result.rows if due.plan.awaits_outcomes else None,
        outcomes=result.outcomes if due.plan.awaits_outcomes else None,
    )


def _failures(watch: Watch, due: DueWindow, result: Result) -> dict[str, str]:
    """The sentence of the failed check, by each bound on what it would have measured."""
    return {
        bound.name: failed.sentence
        for bound in watch.bounds(due.plan)
        for place, failed in result.failures.items()
        if measures(due.plan.checks[place].check, bound.metric, bound.column)
    }


def _evaluation(
    watch: Watch,
    due: DueWindow,
    result: Result,
    inputs: str,
    dropped: Sequence[str],
    now: datetime,
    memory: Memory,
) -> EvaluationRecord:
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
        detail={
            "why": due.reason,
            "as_of": due.as_of.isoformat(),
            "failures": failures,
            "dropped": list(dropped),
            "maturity": memory.maturity,
        },
        provisional=result.source_failure is None and is_provisional(result.rows, result.outcomes, memory.usual),
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
        at: ProfileRecord(at + watch.model.bucket, new.rows, new.outcomes, new.data, due.as_of, lags=new.lags)
        for at, new in result.buckets.items()
    }
