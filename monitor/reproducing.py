"""An incident judged again: its recorded windows are measured anew, as their rows were known then, and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from monitor.alerts.alert import Alert
from monitor.app import App, build_app
from monitor.by_hand import job_now
from monitor.history.judged import Recorded, RecordedVerdict, conditions_before, judged_by
from monitor.history.rows import EvaluationStory
from monitor.history.store import Store
from monitor.release.maturity import Usual
from monitor.release.verdict import Verdict
from monitor.release.written import PROMISE
from monitor.schedule.daybook import Memory, days_before
from monitor.schedule.due import DueWindow
from monitor.schedule.evaluation import BaselineTaken
from monitor.schedule.frozen import freeze, frozen
from monitor.schedule.pool import Result, Worker
from monitor.schedule.recording import verdicts_of
from monitor.schedule.watch import Watch
from monitor.settings import ModelSettings


@dataclass(frozen=True, slots=True)
class Pair:
    """A recorded verdict, and the one on the same metric now; None where it is not given any more."""

    then: RecordedVerdict
    now: RecordedVerdict | None

    @property
    def equal(self) -> bool:
        return self.then == self.now


@dataclass(frozen=True, slots=True)
class Reproduced:
    """One window judged again; *causes* say, where something differs, what else is different."""

    recorded: Recorded
    pairs: tuple[Pair, ...]
    causes: tuple[str, ...]

    @property
    def equal(self) -> bool:
        return all(pair.equal for pair in self.pairs)


def reproduced(app: App, store: Store, incident: int, tell: Callable[[str], None]) -> list[Reproduced] | None:
    """Each window that changed an alert of the incident; None where there is no such incident.

    Raises HistoryUnavailable.
    """
    found = judged_by(store.engine, incident)
    if found is None:
        return None
    worker = Worker(memory=app.settings.schedule.memory, check_timeout=app.settings.schedule.check_timeout)
    try:
        return [_again(app, store, one, worker, tell) for one in found]
    finally:
        worker.close()


def _again(app: App, store: Store, recorded: Recorded, worker: Worker, tell: Callable[[str], None]) -> Reproduced:
    window = recorded.story.evaluation
    tell(f"the window up to {window.window_end:%Y-%m-%d %H:%M}")
    present = app.watch(window.model)
    if present is None:
        return _untold(recorded, f"{window.model} is not in config.toml any more, or retired.")
    watch = _watch_of_then(app, recorded.story, present)
    plan = next((plan for plan in watch.plans if plan.name == window.plan), None)
    if plan is None:
        return _untold(recorded, f"The contract changed: {window.plan!r} is not evaluated any more.")
    as_of = datetime.fromisoformat(recorded.story.as_of) if recorded.story.as_of else window.evaluated_at
    due = DueWindow(plan, window.window_start, window.window_end, window.revision, "new", as_of)
    kept = store.baseline(watch.name, watch.model.version, watch.fingerprint)
    baseline = BaselineTaken(kept.layout, kept.profile, kept.outcome_delay) if kept else None
    result = worker.run(job_now(store, watch, due, baseline))
    freeze(result, frozen(store, watch))
    memory = _memory_of_then(store, kept.id if kept else None, watch, due, recorded.story)
    judged = verdicts_of(watch, due, result, memory)
    verdicts = {_key(one): one for one in map(_told, judged)}
    pairs = tuple(Pair(then, verdicts.get(_key(then))) for then in recorded.verdicts)
    equal = all(pair.equal for pair in pairs)
    causes = list(_causes(recorded, present, watch, result, equal=equal))
    return Reproduced(recorded, pairs, tuple(causes))


def _untold(recorded: Recorded, why: str) -> Reproduced:
    return Reproduced(recorded, tuple(Pair(then, None) for then in recorded.verdicts), (why,))


def _watch_of_then(app: App, story: EvaluationStory, present: Watch) -> Watch:
    """The model under the contract of then, where the history holds it whole; else under the present one."""
    if present.contract.hash == story.contract_hash or story.contract is None:
        return present
    said = {name: story.contract[name] for name in PROMISE if name in story.contract}
    data = {**present.model.model_dump(by_alias=True, exclude=set(PROMISE)), **said}
    model = ModelSettings.model_validate({**data, "version": story.evaluation.version})
    then = build_app(app.settings.model_copy(update={"models": (model,)}), app.base).watches[0]
    return then if then.contract.hash == story.contract_hash else present


def _memory_of_then(
    store: Store, baseline_id: int | None, watch: Watch, due: DueWindow, story: EvaluationStory
) -> Memory:
    """What was known of days, alerts and outcomes when the window was judged."""
    said = story.maturity
    return Memory(
        days=days_before(store, baseline_id, watch, due, story.evaluation.id),
        alerts=_alerts_of_then(store, watch.name, due.end),
        usual=None if said is None else Usual(said.usual, said.enough),
        waiting=frozenset() if said is None else frozenset(said.waiting),
    )


def _alerts_of_then(store: Store, model: str, end: datetime) -> list[Alert]:
    """The alerts as the windows before the one that ends at *end* had left them."""
    then = conditions_before(store.engine, model, end)
    alerts = [Alert.from_data(data) for data in store.alerts(model).values()]
    return [
        replace(
            alert,
            before=None,
            window_end=None,
            condition=then[alert.key].condition if alert.key in then else "inactive",
            since=then[alert.key].since if alert.key in then else None,
            opened_at=then[alert.key].opened_at if alert.key in then else None,
            fired_at=tuple(at for at in alert.fired_at if at < end),
        )
        for alert in alerts
    ]


def _told(verdict: Verdict) -> RecordedVerdict:
    return RecordedVerdict(
        verdict.bound.metric,
        verdict.column,
        verdict.segment,
        verdict.bound.side,
        verdict.state,
        verdict.reason,
        verdict.value,
        verdict.low,
        verdict.high,
        verdict.threshold,
    )


def _key(verdict: RecordedVerdict) -> tuple[str, str, str, str]:
    return verdict.metric, verdict.column, verdict.segment, verdict.side


def _causes(recorded: Recorded, present: Watch, then: Watch, result: Result, *, equal: bool) -> Iterator[str]:
    """What else is different from then; where nothing is, only the days before or the program can explain it."""
    window, story = recorded.story.evaluation, recorded.story
    known = then.contract.hash == story.contract_hash
    counts = (window.rows, window.outcomes) == (result.rows, result.outcomes)
    if result.source_failure:
        yield f"The rows could not be read: {result.source_failure}"
    elif not counts:
        yield (
            f"The rows changed: {window.rows:,} with {window.outcomes:,} outcomes then; what was known at that "
            f"moment are {result.rows:,} with {result.outcomes:,} by now."
        )
    if present.contract.hash != story.contract_hash:
        of_then = "It was judged by the one of then." if known else "The history does not hold the one of then."
        hashes = f"then {story.contract_hash[:8]}, now {present.contract.hash[:8]}"
        yield f"The contract changed since ({hashes}). {of_then}"
    if newer := [each.revision for each in story.revisions if each.revision > window.revision]:
        yield f"Late rows or outcomes came since: the window was judged again, revision {max(newer)} is the newest."
    if not equal and counts and known and not result.source_failure:
        yield (
            "Neither its rows nor the contract changed: the program or a check measures otherwise than it did, or the "
            "source no longer tells when a row of the days before came."
        )
