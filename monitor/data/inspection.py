"""``model-monitor check``: what is found at each source, and everything that is wrong with it at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import ibis.expr.types as ir

from monitor.data import columns, mlflow, predictions, rows, times
from monitor.data.errors import SourceProblem, WrongType, missing
from monitor.data.sources import Engines, Opened, fetch, where_of
from monitor.settings import ModelSettings, Source, Trainings


@dataclass(frozen=True, slots=True)
class SourceInspection:
    """One source as it is now. *last_bucket* is the start of the last complete bucket, *last_rows* its rows.

    *problems* keep the source from being used as configured; *notes* are worth knowing and may be meant.
    """

    role: str
    where: str
    columns: Mapping[str, str] = field(default_factory=dict)
    rows: int | None = None
    newest: datetime | None = None
    last_bucket: datetime | None = None
    last_rows: int | None = None
    untimed: int = 0
    future: int = 0
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Inspection:
    """Every source of a model."""

    model: str
    sources: tuple[SourceInspection, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        return tuple(problem for source in self.sources for problem in source.problems)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the configuration says of a source: columns by key, and the time among them."""

    role: str
    settings: Source
    wanted: tuple[tuple[str, str], ...]
    time: str | None


def inspect(model: ModelSettings, engines: Engines, now: datetime) -> Inspection:
    """Look at every source of *model*; what is wrong with one does not keep the others from being looked at."""
    return Inspection(model.name, tuple(_look(model, engines, asked, now) for asked in _asked(model)))


def _asked(model: ModelSettings) -> Iterator[_Asked]:
    said = model.predictions
    ids = [("predictions.id", name) for name in rows.ids_of(model)]
    scores = [("predictions.score", name) for name in rows.scores_of(model)]
    single = [
        ("time", said.time),
        ("entity", said.entity),
        ("prediction", said.prediction),
        ("fallback", said.fallback),
    ]
    named = [(f"predictions.{key}", name) for key, name in single if name]
    shared = [*scores, *[("predictions.features", name) for name in said.features or ()]]
    shared += [("predictions.segments", name) for name in said.segments]
    shared += [("predictions.interval", name) for name in said.interval or ()]
    yield _Asked("predictions", said, (*ids, *named, *shared), said.time)
    outcome = [("outcomes.value", model.outcomes.value)] if model.outcomes else []
    if model.outcomes is not None:
        time = [("outcomes.time", model.outcomes.time)] if model.outcomes.time else []
        outcome_ids = [("outcomes.id", name) for name in rows.outcome_ids_of(model)]
        yield _Asked("outcomes", model.outcomes, (*outcome_ids, *outcome, *time), model.outcomes.time)
    if model.reference is not None:
        prediction = [("predictions.prediction", said.prediction)] if said.prediction else []
        yield _Asked("reference", model.reference, (*prediction, *shared, *outcome), None)
    if model.population is not None:
        time = [("population.time", model.population.time)] if model.population.time else []
        entity = ("population.entity", model.population.entity)
        yield _Asked("population", model.population, (entity, *time), model.population.time)
    if model.catalogue is not None:
        yield _Asked("catalogue", model.catalogue, (("catalogue.item", model.catalogue.item),), None)
    if model.trainings is not None:
        keys = ("started", "finished", "status", "version")
        named = [(f"trainings.{key}", name) for key in keys if (name := getattr(model.trainings, key))]
        yield _Asked("trainings", model.trainings, tuple(named), model.trainings.started)


def _look(model: ModelSettings, engines: Engines, asked: _Asked, now: datetime) -> SourceInspection:
    where = where_of(model.name, asked.role, asked.settings)
    if isinstance(asked.settings, Trainings) and asked.settings.experiment is not None:
        return _look_at_runs(asked.settings, where, now)
    try:
        opened = engines.open(asked.settings, where)
        found = _count(opened, asked, now, model.bucket)
        if asked.role == "trainings":  # one in a bucket is as usual as none
            found = replace(found, last_bucket=None, last_rows=None)
    except SourceProblem as problem:
        return SourceInspection(asked.role, where, problems=(str(problem),))
    names = {name: str(kind) for name, kind in opened.table.schema().items()}
    problems = tuple(dict.fromkeys(_column_problems(model, opened, asked)))
    return replace(found, columns=names, problems=problems, notes=tuple(_notes(where, found)))


def _look_at_runs(settings: Trainings, where: str, now: datetime) -> SourceInspection:
    """The runs of an MLflow experiment: the first page tells that it can be read."""
    try:
        found = mlflow.trainings(settings, where, now, mlflow.PAGE)
    except SourceProblem as problem:
        return SourceInspection("trainings", where, problems=(str(problem),))
    counted = SourceInspection("trainings", where, rows=len(found), newest=found[0].started if found else None)
    return replace(counted, notes=tuple(_notes(where, counted)))


def _count(opened: Opened, asked: _Asked, now: datetime, step: timedelta) -> SourceInspection:
    """One aggregate: rows, newest time, rows of the last complete bucket, rows without time and in the future."""
    table, found = opened.table, SourceInspection(asked.role, opened.where)
    if asked.time is None or not _is_time(opened.table, asked.time):
        [(count,)] = fetch(opened.engine, opened.engine.compile(table.aggregate(rows=table.count())), opened.where)
        return replace(found, rows=count)
    at = table.select(at=times.utc(table[asked.time], asked.settings.timezone, opened.where))
    last = times.ANCHOR + step * (times.number_of(now, step) - 1)
    inside = times.within(at["at"], [(times.literal(last), times.literal(last + step))]).ifelse(1, 0).sum()
    late = (at["at"] > times.literal(now)).ifelse(1, 0).sum()
    counted = at.aggregate(
        rows=at.count(), newest=at["at"].max(), untimed=at.count() - at["at"].count(), inside=inside, late=late
    )
    [(count, newest, untimed, rows_inside, future)] = fetch(opened.engine, opened.engine.compile(counted), opened.where)
    return replace(
        found,
        rows=count,
        newest=newest.replace(tzinfo=UTC) if newest else None,
        last_bucket=last,
        last_rows=int(rows_inside or 0),
        untimed=untimed,
        future=int(future or 0),
    )


def _is_time(table: ir.Table, name: str) -> bool:
    if name not in table.columns:
        return False
    kind = table[name].type()
    return bool(kind.is_timestamp() or kind.is_date() or kind.is_string())


def _column_problems(model: ModelSettings, opened: Opened, asked: _Asked) -> Iterator[str]:
    for key, name in asked.wanted:
        lacking = _lacking(opened, key, name)
        if lacking:
            yield str(missing(opened.where, key, lacking, opened.columns))
            continue
        try:
            _expect_kind(model, opened, key, name, asked)
        except SourceProblem as problem:
            yield str(problem)


def _lacking(opened: Opened, key: str, name: str) -> str:
    """The column that is not there; a segment may be made of several."""
    parts = predictions.segment_parts(opened.table, name) if key == "predictions.segments" else (name,)
    return next((part for part in parts if part not in opened.columns), "")


def _expect_kind(model: ModelSettings, opened: Opened, key: str, name: str, asked: _Asked) -> None:
    """Raise WrongType where a column cannot be what the configuration says it is."""
    if key.endswith(".time") or key in {"trainings.started", "trainings.finished"}:
        times.utc(opened.table[name], asked.settings.timezone, opened.where)
    numbers = {"predictions.score"} | (
        set() if rows.classifies(model) else {"predictions.prediction", "outcomes.value"}
    )
    if key in numbers and model.task != "ranking":
        rows.numeric(opened, key, name)
    if key == "predictions.features" and columns.kind_of(opened.table[name].type()) is None:
        held = opened.table[name].type()
        raise WrongType(
            f"{opened.where}: the feature '{name}' holds {held}, which is not profiled; "
            "leave it out, or give numbers, text or booleans."
        )


def _notes(where: str, found: SourceInspection) -> Iterator[str]:
    if found.rows == 0:
        yield f"{where}: there are no rows yet."
    if found.untimed:
        yield f"{where}: {_rows(found.untimed)} without time {_are(found.untimed)} never read; give every row its time."
    if found.future:
        yield (
            f"{where}: {_rows(found.future)} {_are(found.future)} stamped after now and not read until then; "
            "is the time zone right?"
        )


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
