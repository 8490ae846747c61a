"""One evaluation by hand: the newest windows of a model, measured and judged as the daemon would, and not recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from monitor.alerts.alert import Alert
from monitor.app import App
from monitor.history.past import Pasts
from monitor.history.problems import HistoryUnavailable
from monitor.history.records import DayRecord
from monitor.history.store import Store
from monitor.release.lag import LagCurve
from monitor.release.variation import ENOUGH
from monitor.release.verdict import Verdict
from monitor.schedule.arrivals import curve_of
from monitor.schedule.daybook import Memory, remembered
from monitor.schedule.due import DueWindow
from monitor.schedule.evaluation import BaselineTaken, Job
from monitor.schedule.frozen import freeze, frozen
from monitor.schedule.plan import Plan, tile_start
from monitor.schedule.pool import Result, Worker
from monitor.schedule.recording import verdicts_of
from monitor.schedule.watch import Watch
from monitor.schedule.work import bare_job, outcome_delay, past_of_window
from monitor.settings import Settings


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One plan of one model over one window, evaluated now; *remark* says where the daemon might judge otherwise."""

    plan: Plan
    due: DueWindow
    result: Result
    verdicts: tuple[Verdict, ...]
    remark: str = ""


def evaluate_now(
    app: App,
    watch: Watch,
    now: datetime,
    window: tuple[datetime, datetime] | None,
    tell: Callable[[str], None],
) -> list[Evaluated]:
    """Evaluate the newest window of each plan (or the one given) as the daemon would judge it; nothing is recorded."""
    worker = Worker(memory=app.settings.schedule.memory, check_timeout=app.settings.schedule.check_timeout)
    try:
        with past(app.settings, app.base) as store:
            return list(_evaluate_plans(watch, now, window, worker, store, tell))
    finally:
        worker.close()


@contextmanager
def past(settings: Settings, base: Path) -> Iterator[Store | None]:
    """The history to read what was measured before from; None where none of this program's answers."""
    from monitor.history.engine import database_url, open_engine
    from monitor.history.migrations import is_current

    try:
        engine = open_engine(database_url(settings, base), read_only=True)
        usable = is_current(engine)
    except HistoryUnavailable:
        yield None
        return
    with Store(engine) as store:
        yield store if usable else None


def _evaluate_plans(
    watch: Watch,
    now: datetime,
    window: tuple[datetime, datetime] | None,
    worker: Worker,
    store: Store | None,
    tell: Callable[[str], None],
) -> Iterator[Evaluated]:
    baseline: BaselineTaken | None = None
    recorded = [] if store is None else frozen(store, watch)
    curve = _curve(store, watch)
    for plan in watch.plans:
        tell(plan.name)
        due = _window_now(plan, now, _delay(watch, baseline, curve), window)
        result = worker.run(job_now(store, watch, due, baseline))
        if baseline is None and result.baseline is not None:
            baseline = result.baseline
            # Only the reference tells how late outcomes come; a plan that waits for them may now want another window.
            late = _window_now(plan, now, _delay(watch, baseline, curve), window)
            if late != due:
                due, result = late, worker.run(job_now(store, watch, late, baseline))
        freeze(result, recorded)
        memory = _memory(store, watch, due)
        verdicts = verdicts_of(watch, due, result, memory)
        yield Evaluated(plan, due, result, verdicts, _remark(watch, plan, [*memory.days, *result.days]))


def _delay(watch: Watch, baseline: BaselineTaken | None, curve: LagCurve | None) -> timedelta:
    return outcome_delay(watch, baseline.outcome_delay if baseline else None, curve)


def _curve(store: Store | None, watch: Watch) -> LagCurve | None:
    """How late the history saw live outcomes come; None where it does not answer."""
    try:
        return None if store is None else curve_of(store.baseline(watch.name, watch.model.version, watch.fingerprint))
    except HistoryUnavailable:
        return None


def _window_now(plan: Plan, now: datetime, delay: timedelta, window: tuple[datetime, datetime] | None) -> DueWindow:
    end = tile_start(now - plan.delay(delay), plan.every)
    start, end = window or (end - plan.window, end)
    return DueWindow(plan, start, end, 0, "new", now)


def job_now(store: Store | None, watch: Watch, due: DueWindow, baseline: BaselineTaken | None) -> Job:
    """The job for a window that is read anew from the source, whatever the history holds of its buckets."""
    return replace(
        bare_job(watch, due, _past_of(store, watch, due)),
        layout=baseline.layout if baseline else None,
        reference=baseline.reference if baseline else None,
    )


def _memory(store: Store | None, watch: Watch, due: DueWindow) -> Memory:
    """What the history knows; nothing where it does not answer."""
    try:
        if store is None:
            return Memory()
        baseline = store.baseline(watch.name, watch.model.version, watch.fingerprint)
        alerts = tuple(Alert.from_data(data) for data in store.alerts(watch.name).values())
        if baseline is None:
            return replace(remembered(store, None, watch, due, None, {}), alerts=alerts)
        known = store.bucket_states(baseline.id, due.end - watch.model.revise_for, due.end)
        return replace(remembered(store, baseline.id, watch, due, curve_of(baseline), known), alerts=alerts)
    except HistoryUnavailable:
        return Memory()


def _remark(watch: Watch, plan: Plan, days: Sequence[DayRecord]) -> str:
    """Why what pages by its days was judged by the window, where it was."""
    known = len({day.start for day in days})
    if not watch.by_days(plan) or known > ENOUGH:
        return ""
    return (
        f"{', '.join(sorted(watch.by_days(plan)))}: {known} days are known, too few to be judged together (it takes "
        f"{ENOUGH + 1}), so the verdict is on the window alone; the daemon judges by the days that its history holds."
    )


def _past_of(store: Store | None, watch: Watch, due: DueWindow) -> Pasts:
    try:
        return {} if store is None else past_of_window(store, watch, due)
    except HistoryUnavailable:
        return {}
