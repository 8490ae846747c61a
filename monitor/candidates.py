"""A candidate's rows, or the reference's, judged as one window by the same checks, bounds and verdicts as live ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from checks.contract import Check, Measurement
from monitor.app import App, build_app
from monitor.by_hand import Evaluated, job_now, past
from monitor.history.releases import Frozen
from monitor.release.contract import Bound, ReleaseContract
from monitor.release.verdict import Key, Verdict
from monitor.schedule.daybook import Memory
from monitor.schedule.due import DueWindow
from monitor.schedule.evaluation import BaselineTaken
from monitor.schedule.frozen import freeze, frozen
from monitor.schedule.plan import tile_start
from monitor.schedule.pool import Worker
from monitor.schedule.recording import verdicts_of
from monitor.schedule.watch import Watch
from monitor.settings import ModelSettings, Source
from monitor.settings.terms import measures


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of some rows: the window they lie in, its evaluation by each plan, and the bounds not asked of rows."""

    start: datetime
    end: datetime
    evaluated: tuple[Evaluated, ...]
    left_out: tuple[Bound, ...]

    @property
    def rows(self) -> int:
        return max((each.result.rows for each in self.evaluated), default=0)

    @property
    def outcomes(self) -> int:
        return max((each.result.outcomes for each in self.evaluated), default=0)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        return tuple(verdict for each in self.evaluated for verdict in each.verdicts)

    @property
    def source_failure(self) -> str | None:
        return next((each.result.source_failure for each in self.evaluated if each.result.source_failure), None)

    @property
    def measured(self) -> Mapping[Key, Measurement]:
        """Everything that was measured, by metric, column and segment."""
        found = (event for each in self.evaluated for event in each.result.measured.values())
        return {(one.metric, one.column, one.segment): one for event in found for one in event.measurements}


def judge_rows(app: App, watch: Watch, source: Source, role: str, tell: Callable[[str], None]) -> Judged:
    """Judge the rows of *source*, which hold the columns of predictions and outcomes, as one window.

    Bounds that no rows but those of the running model can answer are left out. Raises SourceProblem.
    """
    from monitor.data.candidate import columns_of, model_on, span_of

    known = columns_of(watch.model, source, role, app.base)
    model = model_on(_of_rows(watch), source, known)
    span = span_of(model, role, app.base)
    start = tile_start(span.first, model.bucket)
    end = tile_start(span.last, model.bucket) + model.bucket
    as_of = max(end, span.known or end) + timedelta(seconds=1)
    there = build_app(app.settings.model_copy(update={"models": (model,)}), app.base)
    candidate = there.watches[0]
    with past(app.settings, app.base) as store:
        recorded = [] if store is None else frozen(store, watch)
    evaluated = _evaluated(there, candidate, (start, end, as_of), recorded, tell)
    asked = {bound.name for bound in candidate.contract.bounds}
    left_out = tuple(bound for bound in watch.contract.bounds if bound.name not in asked)
    return Judged(start, end, tuple(evaluated), left_out)


def _evaluated(
    app: App,
    watch: Watch,
    window: tuple[datetime, datetime, datetime],
    recorded: Sequence[Frozen],
    tell: Callable[[str], None],
) -> Iterator[Evaluated]:
    """Each plan over the window (start, end, as of when), which is judged as a whole: nobody asks whether a candidate
    changed from day to day."""
    start, end, as_of = window
    worker = Worker(memory=app.settings.schedule.memory, check_timeout=app.settings.schedule.check_timeout)
    baseline: BaselineTaken | None = None
    try:
        for plan in watch.plans:
            tell(plan.name)
            due = DueWindow(plan, start, end, 0, "new", as_of)
            result = worker.run(job_now(None, watch, due, baseline))
            baseline = baseline or result.baseline
            freeze(result, recorded)
            yield Evaluated(plan, due, result, verdicts_of(watch, due, replace(result, days=()), Memory()))
    finally:
        worker.close()


def recorded_values(app: App, watch: Watch) -> dict[Key, Measurement]:
    """What was measured of the deployed version when it was released; nothing where that is not recorded."""
    with past(app.settings, app.base) as store:
        known = [] if store is None else frozen(store, watch)
    return {
        (one.metric, one.column, one.segment): Measurement(
            one.metric, one.value, one.low, one.high, one.rows, one.segment, one.column
        )
        for one in known
    }


def _of_rows(watch: Watch) -> ModelSettings:
    """The model with nothing but the bounds and checks that any rows of predictions and outcomes can answer."""
    contract = watch.contract
    kept = {bound.name for bound in contract.bounds if _is_of_rows(_check_of(contract, bound), bound.metric)}
    release = {name: threshold for name, threshold in watch.model.release.items() if name in kept}
    configured = zip(watch.model.checks, contract.checks, strict=False)  # those that thresholds imply come after
    bounds = [bound for bound in contract.bounds if bound.name in kept]
    checks = tuple(
        settings
        for settings, planned in configured
        if any(measures(planned.check, bound.metric, bound.column) for bound in bounds)
    )
    return watch.model.model_copy(update={"release": release, "checks": checks})


def _check_of(contract: ReleaseContract, bound: Bound) -> Check:
    return next(one.check for one in contract.checks if measures(one.check, bound.metric, bound.column))


def _is_of_rows(check: Check, metric: str) -> bool:
    """Whether it is a number of predictions and outcomes: not of a population, a training, or the passing of time."""
    needs = check.needs()
    if needs.population or needs.trainings or needs.outcome_times:
        return False
    return all(known.of_rows for known in check.metrics if known.name == metric)
