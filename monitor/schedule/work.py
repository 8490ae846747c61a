"""The work on one model: evaluate and record its due windows, oldest first, until none is left."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from monitor import traces
from monitor.alerts.routing import Routing
from monitor.clock import monotonic, wall_now
from monitor.history.past import Pasts
from monitor.history.records import BaselineRecord, BucketState, WindowRecord
from monitor.history.store import Store
from monitor.release.lag import LagCurve
from monitor.release.maturity import delay_learned
from monitor.schedule.arrivals import curve_of
from monitor.schedule.due import DueWindow, due_windows, next_due_at
from monitor.schedule.evaluation import BaselineTaken, Job, StoredBucket
from monitor.schedule.frozen import freeze, frozen
from monitor.schedule.plan import tile_start
from monitor.schedule.pool import Result, Worker
from monitor.schedule.recording import Hold, Recorded, record_result, record_skipped
from monitor.schedule.report import Opened, make_report
from monitor.schedule.vitals import UnderWay, Vitals
from monitor.schedule.watch import Watch

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What the work needs around it."""

    store: Store
    routing: Routing
    vitals: Vitals
    catch_up: timedelta
    stopping: threading.Event
    artifact_size: int
    """How many bytes a document may have that a check leaves beside its numbers."""
    report: bool
    """Whether an incident that opens gets a report."""
    played_from: datetime | None = None
    """Where a played clock began; a real clock looks back *catch_up* at its very first evaluation."""

    def earliest(self, now: datetime) -> datetime:
        """How far back the very first evaluation of a model reaches."""
        return now - self.catch_up if self.played_from is None else self.played_from


@dataclass(frozen=True, slots=True)
class Known:
    """What the history knows of a model when its next window is chosen."""

    baseline: BaselineRecord | None
    outcome_delay: timedelta
    newest: Mapping[str, datetime | None]
    evaluated: Mapping[str, Sequence[WindowRecord]]
    buckets: Mapping[datetime, BucketState]


def drain(desk: Desk, watch: Watch, now: datetime, token: int, worker: Worker) -> datetime:
    """Do everything due at *now*, then the reports; return when there will be more.

    Raises what the store and the worker raise.
    """
    opened: list[Opened] = []
    while True:
        known = look(desk.store, watch, now)
        due = _first_due(desk, watch, now, known)
        hold = Hold(token, known.baseline.id if known.baseline else None)
        if due is None or desk.stopping.is_set():
            _report(desk, watch, opened, known, hold, now, worker)
            return _next_due(desk, watch, now, known)
        opened += _do(desk, watch, due, known, hold, now, worker)


def look(store: Store, watch: Watch, now: datetime) -> Known:
    """Read what decides which window is next."""
    baseline = store.baseline(watch.name, watch.model.version, watch.fingerprint)
    longest = max(plan.window for plan in watch.plans)
    since = tile_start(now - watch.model.revise_for - 2 * longest, watch.model.bucket)
    buckets = {} if baseline is None else store.bucket_states(baseline.id, since, now)
    return Known(
        baseline,
        outcome_delay(watch, baseline.outcome_delay if baseline else None, curve_of(baseline)),
        {plan.name: store.newest_window_end(watch.name, plan.name) for plan in watch.plans},
        {plan.name: store.evaluated(watch.name, plan.name, now - watch.model.revise_for) for plan in watch.plans},
        buckets,
    )


def outcome_delay(watch: Watch, released: timedelta | None, curve: LagCurve | None) -> timedelta:
    """How long after a window's end its outcomes are taken to be in: as configured, else as learned."""
    configured = watch.outcome_delay
    return delay_learned(released, curve) if configured is None else configured


def _first_due(desk: Desk, watch: Watch, now: datetime, known: Known) -> DueWindow | None:
    found = [
        due
        for plan in watch.plans
        for due in due_windows(
            now,
            plan,
            bucket=watch.model.bucket,
            outcome_delay=known.outcome_delay,
            newest=known.newest[plan.name],
            evaluated=known.evaluated[plan.name],
            buckets=known.buckets,
            earliest=desk.earliest(now),
            catch_up=desk.catch_up,
        )
    ]
    return min(found, key=lambda due: (due.as_of, due.end, due.plan.name), default=None)


def _next_due(desk: Desk, watch: Watch, now: datetime, known: Known) -> datetime:
    return min(
        next_due_at(
            now,
            plan,
            outcome_delay=known.outcome_delay,
            newest=known.newest[plan.name],
            evaluated=known.evaluated[plan.name],
            earliest=desk.earliest(now),
        )
        for plan in watch.plans
    )


def _report(
    desk: Desk, watch: Watch, opened: Sequence[Opened], known: Known, hold: Hold, now: datetime, worker: Worker
) -> None:
    """A report on each incident that was opened; it waits until nothing is due, and what is due never waits for it."""
    for one in opened:
        if desk.report and not desk.stopping.is_set():
            job = job_of(desk.store, watch, one.due, known)
            make_report(desk.store, watch, hold, one, job, worker, size=desk.artifact_size, now=now)


def _do(
    desk: Desk, watch: Watch, due: DueWindow, known: Known, hold: Hold, now: datetime, worker: Worker
) -> list[Opened]:
    """Evaluate and record one window; return the incidents that this opened."""
    if due.reason == "too_old":
        record_skipped(desk.store, hold, watch, due, now=now, wall=wall_now())
        desk.vitals.count("evaluations", watch.name, "skipped")
        return []
    about = {"model": watch.name, "plan": due.plan.name, "window_end": due.end.isoformat(), "why": due.reason}
    with traces.span("evaluation", **about):
        result = _evaluated(desk, watch, due, job_of(desk.store, watch, due, known), worker)
        freeze(result, frozen(desk.store, watch))
        recorded = _record(desk, watch, due, known, hold, now, result)
        if result.source_failure:
            traces.note(error=result.source_failure)
    _tell(desk.vitals, watch, due, result, sum(verdict.state == "breach" for verdict in recorded.verdicts))
    if due.reason == "new":
        desk.vitals.note("lag", watch.name, value=(now - due.as_of).total_seconds() + result.seconds)
    # One report tells of the window, however many incidents it opened.
    return [Opened(incident_id, recorded.evaluation_id, due) for incident_id in recorded.opened[:1]]


def _record(
    desk: Desk, watch: Watch, due: DueWindow, known: Known, hold: Hold, now: datetime, result: Result
) -> Recorded:
    if result.baseline is not None:
        hold = Hold(hold.token, _save_baseline(desk.store, watch, result.baseline, now))
    return record_result(
        desk.store,
        hold,
        watch,
        due,
        result,
        states=dict(known.buckets),
        curve=curve_of(known.baseline),
        routing=desk.routing,
        artifact_size=desk.artifact_size,
        now=now,
        wall=wall_now(),
    )


def _evaluated(desk: Desk, watch: Watch, due: DueWindow, job: Job, worker: Worker) -> Result:
    """The result of a job, while whoever looks is shown how far it is."""
    now = UnderWay(watch.name, due.plan.name, due.start, due.end, len(due.plan.checks), monotonic())
    desk.vitals.at_work(now)
    try:
        result = worker.run(job, lambda one: desk.vitals.at_work(replace(now, check=one.kind, done=one.place)))
    finally:
        desk.vitals.at_rest(watch.name)
    freeze(result, frozen(desk.store, watch))
    return result


def job_of(store: Store, watch: Watch, due: DueWindow, known: Known) -> Job:
    """The job for one due window, with the stored profiles it will merge."""
    baseline = known.baseline
    stored = {at: StoredBucket(state.rows, state.outcomes) for at, state in known.buckets.items()}
    if baseline is not None:
        for at, profile in store.bucket_profiles(baseline.id, due.start, due.end).items():
            stored[at] = StoredBucket(profile.rows, profile.outcomes, profile.data)
    return replace(
        bare_job(watch, due, past_of_window(store, watch, due)),
        survey=due.reason != "revision",
        layout=baseline.layout if baseline else None,
        reference=baseline.profile if baseline else None,
        stored=stored,
    )


def bare_job(watch: Watch, due: DueWindow, past: Pasts) -> Job:
    """The job for a window that is read anew from the source, whatever the history holds of its buckets."""
    return Job(
        model=watch.model,
        base=watch.base,
        checks_dir=watch.checks_dir,
        confidence=watch.confidence,
        plan=due.plan.name,
        start=due.start,
        end=due.end,
        as_of=due.as_of,
        survey=False,
        past=past,
        by_days=watch.by_days(due.plan),
    )


def past_of_window(store: Store, watch: Watch, due: DueWindow) -> Pasts:
    """What the plan of a window measured in windows whole weeks before it."""
    return store.past(watch.name, due.plan.name, due.plan.seasonal, due.start, due.end, due.plan.reach)


def _save_baseline(store: Store, watch: Watch, taken: BaselineTaken, now: datetime) -> int:
    return store.save_baseline(
        BaselineRecord(
            model=watch.name,
            version=watch.model.version,
            fingerprint=watch.fingerprint,
            layout=taken.layout,
            recorded_at=now,
            profile=taken.reference,
            outcome_delay=taken.outcome_delay,
        )
    )


def _tell(vitals: Vitals, watch: Watch, due: DueWindow, result: Result, breaches: int) -> None:
    state = "failed" if result.source_failure else "done"
    vitals.count("evaluations", watch.name, state)
    vitals.count("evaluation_seconds", watch.name, by=result.seconds)
    vitals.count("rows_read", watch.name, by=sum(bucket.rows for bucket in result.buckets.values()))
    for failed in result.failures.values():
        vitals.count("checks_failed", watch.name, failed.kind)
        log.warning("check_failed", message=failed.sentence, model=watch.name, check=failed.kind, detail=failed.detail)
    if result.source_failure:
        log.warning(
            "source_failed", message=result.source_failure, model=watch.name, detail=result.source_detail or None
        )
    log.debug(
        "window_evaluated",
        message=f"{watch.name}: {due.start:%Y-%m-%d %H:%M} to {due.end:%Y-%m-%d %H:%M}, {breaches} in breach.",
        model=watch.name,
        plan=due.plan.name,
        revision=due.revision,
        seconds=round(result.seconds, 3),
    )
