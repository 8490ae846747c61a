"""A rehearsal: series of values go the way of measurements through the daemon's own code, in a history thrown away."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import NormalDist

from checks.contract import Measurement
from checks.discovery import discover
from checks.profile import Layout
from monitor.alerts.alert import Alert
from monitor.alerts.message import Message
from monitor.alerts.routing import Route, Routing
from monitor.app import NOBODY, App, build_app, open_store
from monitor.expectations import Expectation, Expectations, Series, model_of
from monitor.history.incidents import said
from monitor.history.records import BaselineRecord, DayRecord
from monitor.history.store import Store
from monitor.release.series import Value
from monitor.release.verdict import Verdict
from monitor.release.words import display_name
from monitor.replaying import Told
from monitor.schedule.daily import fingerprint_of, length_of_day
from monitor.schedule.due import DueWindow
from monitor.schedule.evaluation import CheckFailed, CheckMeasured
from monitor.schedule.plan import Plan
from monitor.schedule.pool import Result
from monitor.schedule.recording import Hold, record_result
from monitor.schedule.watch import Watch
from monitor.settings import Problem, Settings, SettingsError
from monitor.settings.problems import suggestion
from monitor.settings.terms import Subject, measures, split_name


@dataclass(frozen=True, slots=True)
class Moment:
    """How things stand after the windows that end at a time: verdicts, what is open, what was told then and before."""

    verdicts: tuple[Verdict, ...]
    open: frozenset[str]
    told: tuple[Message, ...]
    pages: int


@dataclass(frozen=True, slots=True)
class Missed:
    """An expectation that was not met: when, of what, what was expected and what came."""

    at: timedelta
    what: str
    expected: str
    came: str


@dataclass(frozen=True, slots=True)
class _Step:
    """One window of a plan with the values of it."""

    end: datetime
    plan: Plan
    values: tuple[tuple[Series, Subject, Value], ...]


def rehearsal_app(said: Expectations, configured: Callable[[], App], base: Path) -> App:
    """The one model of the rehearsal, promising what the series are about. Raises SettingsError with every problem."""
    if said.release is None:
        app = configured()
    else:
        model = model_of(said, discover())
        app = build_app(Settings(models=(model,), alerts=said.alerts), base)
    if len(app.watches) != 1:
        names = ", ".join(watch.name for watch in app.watches)
        raise SettingsError([Problem("model", f"must say which of the models of config.toml: {names}")])
    watch = app.watches[0]
    about = {one.metric: split_name(one.metric, watch.model.predictions.segments) for one in said.series}
    bounds, promised = watch.contract.bounds, watch.model.release
    problems = [
        Problem(f"series[{place}].metric", f"'{one.metric}' is not promised", suggestion(one.metric, promised))
        for place, one in enumerate(said.series)
        if not any(bound.applies_to(*about[one.metric]) for bound in bounds)
    ]
    if problems:
        raise SettingsError(problems)
    kept = {bound.name for bound in bounds if any(bound.applies_to(*of) for of in about.values())}
    release = {name: threshold for name, threshold in promised.items() if name in kept}
    model = watch.model.model_copy(update={"release": release})
    return build_app(app.settings.model_copy(update={"models": (model,)}), app.base)


def rehearsed(app: App, watch: Watch, start: datetime, series: Sequence[Series]) -> dict[datetime, Moment]:
    """Play the *series* and say how things stood after each window."""
    moments: dict[datetime, Moment] = {}
    folder = tempfile.TemporaryDirectory(prefix="model-monitor-test-")
    with folder as place, open_store(app.settings, app.base, f"sqlite:///{place}/history.db") as store:
        hold = _hold(store, watch, start)
        for step in sorted(_steps(watch, start, series), key=lambda one: (one.end, one.plan.name)):
            verdicts = _played(store, hold, watch, step, start)
            known = moments.get(step.end)
            moments[step.end] = _moment(store, watch, step.end, (*(known.verdicts if known else ()), *verdicts))
    return moments


def missed(moments: Mapping[datetime, Moment], start: datetime, expected: Sequence[Expectation]) -> list[Missed]:
    """What was expected and did not come."""
    return [one for each in expected for one in _missed(moments.get(start + each.at), each)]


def _missed(moment: Moment | None, expected: Expectation) -> Iterator[Missed]:
    if moment is None:
        yield Missed(expected.at, "a window", "one that ends then", "none; at counts from the start")
        return
    for name, verdict in expected.verdicts.items():
        states = [one for one in moment.verdicts if _name(one) == name]
        if not any(verdict in (one.state, one.reason) for one in states):
            came = ", ".join(f"{one.state} ({one.reason}): {one.sentence}" for one in states)
            yield Missed(expected.at, f"verdict on {name}", verdict, came or "none")
    reasons = [one.reason for one in moment.told]
    if expected.open is not None and set(expected.open) != moment.open:
        yield Missed(expected.at, "open alerts", _listed(sorted(expected.open)), _listed(sorted(moment.open)))
    if expected.told is not None and list(expected.told) != reasons:
        yield Missed(expected.at, "told", _listed(expected.told), _listed(reasons))
    said_then = [text for one in moment.told for text in (one.title, one.changed)]
    for words in expected.says:
        if not any(words in text for text in said_then):
            yield Missed(expected.at, "message", words, " / ".join(said_then) or "nothing")
    if expected.pages is not None and expected.pages != moment.pages:
        yield Missed(expected.at, "pages so far", str(expected.pages), str(moment.pages))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"


def _name(verdict: Verdict) -> str:
    return _written(verdict.bound.metric, verdict.column, verdict.segment)


def _written(metric: str, column: str, segment: str) -> str:
    """As config.toml writes it: ``accuracy[origin=JFK]``."""
    return f"{display_name(metric, column)}{f'[{segment}]' if segment else ''}"


def _hold(store: Store, watch: Watch, start: datetime) -> Hold:
    token = store.claim(watch.name, "test", start, timedelta(days=1))
    baseline = BaselineRecord(watch.name, watch.model.version, watch.fingerprint, Layout({}).to_bytes(), start)
    return Hold(token or 0, store.save_baseline(baseline))


def _steps(watch: Watch, start: datetime, series: Sequence[Series]) -> Iterator[_Step]:
    about = [(one, split_name(one.metric, watch.model.predictions.segments)) for one in series]
    for plan in watch.plans:
        mine = [(one, of, one.read()) for one, of in about if _measures(plan, of)]
        for place in range(max((len(values) for _, _, values in mine), default=0)):
            given = tuple((one, of, values[place]) for one, of, values in mine if place < len(values))
            yield _Step(start + (place + 1) * plan.every, plan, given)


def _measures(plan: Plan, of: Subject) -> bool:
    return any(measures(one.check, of.metric, of.column) for one in plan.checks)


def _played(store: Store, hold: Hold, watch: Watch, step: _Step, wall: datetime) -> tuple[Verdict, ...]:
    due = DueWindow(step.plan, step.end - step.plan.window, step.end, 0, "new", step.end)
    recorded = record_result(
        store,
        hold,
        watch,
        due,
        _result(watch, step),
        states={},
        curve=None,
        routing=Routing((Route(NOBODY),)),
        artifact_size=0,
        now=step.end,
        wall=wall,
    )
    return recorded.verdicts


def _result(watch: Watch, step: _Step) -> Result:
    """What a worker would have told of the window."""
    rows = max((one.rows for one, _, _ in step.values), default=0)
    result = Result(rows=rows, outcomes=rows, complete=True, days=tuple(_days(watch, step)))
    for place, planned in enumerate(step.plan.checks):
        mine = [each for each in step.values if measures(planned.check, each[1].metric, each[1].column)]
        kind = planned.check.kind
        if any(value.kind == "failed" for _, _, value in mine):
            result.failures[place] = CheckFailed(place, kind, f"The check {kind} failed.")
            continue
        measured = tuple(_measurement(*each) for each in mine)
        released = {tuple(of): one.released for one, of, _ in mine if one.released is not None}
        result.measured[place] = CheckMeasured(
            place, kind, measured, {(m, c, s): v for (m, c, s), v in released.items()}
        )
    return result


def _measurement(series: Series, of: Subject, value: Value) -> Measurement:
    about = {"rows": series.rows, "segment": of.segment, "column": of.column}
    if value.kind == "untold":
        return Measurement(of.metric, None, **about)  # type: ignore[arg-type]  # mypy takes the dict for one of objects
    ends = (None, None) if value.half is None else (value.value - value.half, value.value + value.half)
    return Measurement(of.metric, value.value, *ends, **about)  # type: ignore[arg-type]  # as above


def _days(watch: Watch, step: _Step) -> Iterator[DayRecord]:
    """Each value as that of the window's newest day, where days are judged together."""
    quantile = NormalDist().inv_cdf(0.5 + watch.confidence / 2)
    for series, of, value in step.values:
        if of.metric in watch.by_days(step.plan) and value.kind == "measured" and series.rows:
            check = next(one.check for one in step.plan.checks if measures(one.check, of.metric, of.column))
            begin = step.end - length_of_day(watch.model.bucket)
            error = (value.half or 0.0) / quantile
            yield DayRecord(fingerprint_of(check), *of, begin, value.value, series.rows, error)


def _moment(store: Store, watch: Watch, end: datetime, verdicts: tuple[Verdict, ...]) -> Moment:
    alerts = [Alert.from_data(data) for data in store.alerts(watch.name).values()]
    told = [Told(one.window_end, one) for one in map(Message.from_data, said(store.engine))]
    return Moment(
        verdicts=verdicts,
        open=frozenset(_written(one.metric, one.column, one.segment) for one in alerts if one.is_open),
        told=tuple(one.message for one in told if one.at == end),
        pages=sum(one.pages for one in told),
    )
