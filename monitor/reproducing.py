"""An incident judged again: its recorded windows are measured anew, as their rows were known then, and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from monitor.app import App, build_app, job_now
from monitor.history.judged import RecordedEvaluation, RecordedVerdict, judged_by
from monitor.history.releases import listed
from monitor.history.store import Store
from monitor.release.verdict import Verdict
from monitor.release.written import PROMISE
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

    recorded: RecordedEvaluation
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


def _again(
    app: App, store: Store, recorded: RecordedEvaluation, worker: Worker, tell: Callable[[str], None]
) -> Reproduced:
    tell(f"the window up to {recorded.end:%Y-%m-%d %H:%M}")
    present = app.watch(recorded.model)
    if present is None:
        return _untold(recorded, f"{recorded.model} is not in config.toml any more, or retired.")
    watch = _watch_of_then(app, store, recorded, present)
    plan = next((plan for plan in watch.plans if plan.name == recorded.plan), None)
    if plan is None:
        return _untold(recorded, f"The contract changed: {recorded.plan!r} is not evaluated any more.")
    as_of = datetime.fromisoformat(recorded.detail.get("as_of", recorded.evaluated_at.isoformat()))
    due = DueWindow(plan, recorded.start, recorded.end, recorded.revision, "new", as_of)
    result = worker.run(job_now(store, watch, due, _baseline(store, watch)))
    freeze(result, frozen(store, watch))
    verdicts = {_key(one): one for one in map(_told, verdicts_of(watch, due, result))}
    pairs = tuple(Pair(then, verdicts.get(_key(then))) for then in recorded.verdicts)
    equal = all(pair.equal for pair in pairs)
    causes = list(_causes(recorded, present, watch, result, equal=equal))
    return Reproduced(recorded, pairs, tuple(causes))


def _untold(recorded: RecordedEvaluation, why: str) -> Reproduced:
    return Reproduced(recorded, tuple(Pair(then, None) for then in recorded.verdicts), (why,))


def _watch_of_then(app: App, store: Store, recorded: RecordedEvaluation, present: Watch) -> Watch:
    """The model under the contract of then, where the history holds it whole; else under the present one."""
    if present.contract.hash == recorded.contract_hash:
        return present
    for release in listed(store.engine, recorded.model, recorded.version):
        if release.contract_hash == recorded.contract_hash:
            said = {name: release.contract[name] for name in PROMISE if name in release.contract}
            data = {**present.model.model_dump(by_alias=True, exclude=set(PROMISE)), **said}
            model = ModelSettings.model_validate({**data, "version": recorded.version})
            then = build_app(app.settings.model_copy(update={"models": (model,)}), app.base)
            return then.watches[0]
    return present


def _baseline(store: Store, watch: Watch) -> BaselineTaken | None:
    kept = store.baseline(watch.name, watch.model.version, watch.fingerprint)
    return BaselineTaken(kept.layout, kept.profile, kept.outcome_delay) if kept else None


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


def _causes(recorded: RecordedEvaluation, present: Watch, then: Watch, result: Result, *, equal: bool) -> Iterator[str]:
    """What else is different from then; nothing else explains a difference but the program itself."""
    known = then.contract.hash == recorded.contract_hash
    counts = (recorded.rows, recorded.outcomes) == (result.rows, result.outcomes)
    if result.source_failure:
        yield f"The rows could not be read: {result.source_failure}"
    elif not counts:
        yield (
            f"The rows changed: {recorded.rows:,} with {recorded.outcomes:,} outcomes then; what was known at that "
            f"moment are {result.rows:,} with {result.outcomes:,} by now."
        )
    if present.contract.hash != recorded.contract_hash:
        of_then = "It was judged by the one of then." if known else "The history does not hold the one of then."
        hashes = f"then {recorded.contract_hash[:8]}, now {present.contract.hash[:8]}"
        yield f"The contract changed since ({hashes}). {of_then}"
    if recorded.newest_revision > recorded.revision:
        newest = recorded.newest_revision
        yield f"Late rows or outcomes came since: the window was judged again, revision {newest} is the newest."
    if not equal and counts and known and not result.source_failure:
        yield "Neither rows nor contract changed: the program or a check measures otherwise than it did."
