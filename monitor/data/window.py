"""The rows of a window for checks that want more than profiles: joined rows, the population, a sample."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from math import sqrt
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

from checks.contract import CannotMeasure, Newest, Roles
from checks.profile import Layout, Profile
from monitor.data import columns, joins, rows, times
from monitor.data.baseline import take_layout
from monitor.data.errors import told
from monitor.data.log import Log, Moments, open_log
from monitor.data.sources import Engines, Opened, fetch, where_of
from monitor.data.survey import survey
from monitor.data.tally import Health
from monitor.settings import ModelSettings

if TYPE_CHECKING:
    import pandas


Repeats = tuple[bool, bool]
"""Whether predictions, and whether outcomes, are there more than once; None where nobody has looked."""


def roles_of(model: ModelSettings) -> Roles:
    """The names of the columns of a window's table."""
    ids, scores = rows.ids_of(model), rows.scores_of(model)
    return Roles(
        id=ids[0] if len(ids) == 1 else None,
        time=model.predictions.time,
        entity=model.predictions.entity,
        prediction=model.predictions.prediction,
        score=scores[0] if len(scores) == 1 else None,
        fallback=model.predictions.fallback,
        outcome=model.outcomes.value if model.outcomes else None,
        segments=model.predictions.segments,
        scores=scores if len(scores) > 1 else (),
        classes=rows.classes_of(model),
        interval=model.predictions.interval,
        request=model.predictions.request,
        item=model.predictions.item,
        position=model.predictions.position,
        features=model.predictions.features,
        tolerance=model.predictions.tolerance is not None,
    )


def window_table(
    model: ModelSettings,
    engines: Engines,
    start: datetime,
    end: datetime,
    as_of: datetime,
    repeats: Repeats | None,
) -> ir.Table:
    """One row per prediction in ``[start, end)``, with its outcome as known at *as_of*, unexecuted.

    The columns are the predictions' own, times as naive UTC, and the outcome under the name of ``outcomes.value``.
    """
    people = (_open_population(model, engines),) if model.population else ()
    items = (_open_catalogue(model, engines),) if model.catalogue else ()
    log = open_log(model, engines, *people, *items)
    for key, name in (("entity", model.predictions.entity), ("fallback", model.predictions.fallback)):
        if name is not None:
            rows.required(log.predictions, f"predictions.{key}", name)
    if repeats is None:
        repeats = repeats_of(survey(log, times.spans_of_window(start, end, as_of), as_of).values())
    moments = [start - rows.EARLY, as_of, start, min(end, as_of)]
    return log.table(("table", repeats), moments, lambda given: _shown(log, given, repeats))


def repeats_of(buckets: Iterable[Profile | Health]) -> Repeats:
    """What was found to be there more than once when *buckets* were read."""
    read = list(buckets)
    return any(one.duplicate_predictions for one in read), any(one.duplicate_outcomes for one in read)


def _joined(log: Log, moments: Moments, repeats: Repeats) -> ir.Table:
    """Predictions under ``own0 ...``, with canonical ids, ``bucket``, ``at``, and their ``actual`` and ``value``.

    *moments* are: since when outcomes are read, now, start and end.
    """
    since, now, *span = moments
    opened, model = log.predictions, log.model
    at = rows.prediction_time(model, opened, model.predictions.timezone)
    own = {f"own{place}": opened.table[name] for place, name in enumerate(opened.columns)}
    own |= {f"own{opened.columns.index(model.predictions.time)}": at}
    if log.in_place and repeats == (False, False):
        return _in_place(log, own, at, times.bounds(span), now)
    given = opened.table.select(at=at, **rows.canonical_ids(model, opened, log.kinds), **own)
    given = given.filter(times.within(given["at"], times.bounds(span)))
    predictions = log.place(given.mutate(bucket=times.tile(given["at"], model.bucket, opened.engine.name)), opened)
    predictions = joins.last_predictions(predictions) if repeats[0] else predictions
    if log.outcomes is None:
        return predictions
    wanted = rows.outcome_rows(model, log.outcomes, log.kinds, since, raw=True)
    arrived = joins.known(log.place(wanted, log.outcomes), now)
    return joins.left_join(predictions, joins.last_outcomes(arrived) if repeats[1] else arrived, model.bucket)


def _in_place(
    log: Log, own: dict[str, ir.Value], at: ir.TimestampColumn, span: Sequence[times.Bounds], now: ir.TimestampScalar
) -> ir.Table:
    """The same, where outcomes stand in the rows of their predictions."""
    opened, model = log.predictions, log.model
    assert model.outcomes is not None, "they stand in these rows"  # noqa: S101  # for the type checker
    value = rows.required(opened, "outcomes.value", model.outcomes.value)
    came = rows.own_outcomes(model, opened)
    given = opened.table.select(at=at, **rows.canonical_ids(model, opened, log.kinds), **own, value=value, **came)
    given = given.filter(times.within(given["at"], span))
    placed = log.place(given.mutate(bucket=times.tile(given["at"], model.bucket, opened.engine.name)), opened)
    known = joins.in_place(placed, now, model.bucket, None)
    there = known["actual"].notnull()
    return known.mutate(value=ibis.cases((there, known["value"]), else_=ibis.null(value.type())))


def _shown(log: Log, moments: Moments, repeats: Repeats) -> ir.Table:
    joined = _joined(log, moments, repeats)
    names = {name: joined[f"own{place}"] for place, name in enumerate(log.predictions.columns)}
    if log.model.outcomes is not None:
        names[log.model.outcomes.value] = joined["value"]
        if log.model.outcomes.time is not None:
            names.setdefault(log.model.outcomes.time, joined["known_at"])
    return joined.select(**names)


def window_population(
    model: ModelSettings, engines: Engines, start: datetime, end: datetime, as_of: datetime
) -> ir.Table:
    """Whom the model is meant to serve in ``[start, end)``: the column ``entity`` and the source's others."""
    if model.population is None:
        raise CannotMeasure("There is no population to compare with; add [models.population] with source and entity.")
    opened = _open_population(model, engines)
    entity = rows.required(opened, "population.entity", model.population.entity)
    others = {name: opened.table[name] for name in opened.columns if name not in {"entity", model.population.entity}}
    people = opened.table
    if model.population.time is not None:
        time = rows.required(opened, "population.time", model.population.time)
        at = times.utc(time, model.population.timezone, opened.where)
        people = people.filter(times.within(at, [(times.literal(start), times.literal(min(end, as_of)))]))
    log = open_log(model, engines, opened)
    return engines.bring(people.select(entity=entity, **others), opened, log.engine)


def _open_population(model: ModelSettings, engines: Engines) -> Opened:
    assert model.population is not None, "asked before"  # noqa: S101  # for the type checker
    return engines.open(model.population, where_of(model.name, "population", model.population))


def reference_sample(model: ModelSettings, engines: Engines, size: int) -> pandas.DataFrame:
    """At most *size* rows of the reference as it is written, outcome included, the same ones each time."""
    if model.reference is None:
        raise CannotMeasure("There is no reference to compare with; add [models.reference] with its source.")
    opened = engines.open(model.reference, where_of(model.name, "reference", model.reference))
    return sample_of(model, opened.table, size)


def reference_table(model: ModelSettings, engines: Engines, start: datetime) -> ir.Table:
    """The rows of the reference, in the shape of a window's table; all made at *start* where it has no times."""
    if model.reference is None:
        raise CannotMeasure("There is no reference to compare with; add [models.reference] with its source.")
    opened = engines.open(model.reference, where_of(model.name, "reference", model.reference))
    time = model.predictions.time
    if time not in opened.columns:
        return opened.table.mutate(**{time: times.literal(start)})
    return opened.table.mutate(**{time: times.utc(opened.table[time], model.reference.timezone, opened.where)})


def sample_of(model: ModelSettings, table: ir.Table, size: int) -> pandas.DataFrame:
    """At most *size* rows of *table*, the same ones each time: those whose ids have the least MD5.

    Of a large table only the rows below a bound are sorted, which as good as surely holds enough of them.
    """
    names = [name for name in rows.ids_of(model) if name in table.columns] or list(table.columns)
    keyed = table.mutate(mm_key=columns.md5(columns.text_of([columns.label(table[name]) for name in names])))
    engine = table.get_backend()
    [(count,)] = fetch(engine, engine.compile(table.aggregate(n=table.count())), model.name)
    bound = key_bound(size, int(count))
    if bound is not None:
        frame = _least(model, keyed.filter(keyed["mm_key"] < bound), size)
        if len(frame) == size:
            return frame
    return _least(model, keyed, size)


def key_bound(size: int, count: int) -> str | None:
    """A text below which *size* of *count* MD5s lie but for a chance in billions; None where that is most of them.

    They are spread evenly over all hexadecimal numbers, so those below a share of them are Poisson distributed.
    """
    share = (size + 7 * sqrt(size) + 50) / max(count, 1)
    return f"{int(share * 16**12):012x}" if share < 0.25 else None


def _least(model: ModelSettings, keyed: ir.Table, size: int) -> pandas.DataFrame:
    rest = [name for name in (model.predictions.time,) if name in keyed.columns]
    shown = keyed.order_by(["mm_key", *rest]).limit(size).drop("mm_key")
    engine = shown.get_backend()
    with told(model.name):
        embedded = engine.name == "duckdb"
        frame: pandas.DataFrame = (
            engine.con.execute(engine.compile(shown)).df() if embedded else engine.to_pandas(shown)
        )
        return frame


def window_catalogue(model: ModelSettings, engines: Engines) -> ir.Table:
    """The items that can be recommended: the column ``item`` and the source's others."""
    if model.catalogue is None:
        raise CannotMeasure("There is no catalogue to compare with; add [models.catalogue] with source and item.")
    opened = _open_catalogue(model, engines)
    item = rows.required(opened, "catalogue.item", model.catalogue.item)
    others = {name: opened.table[name] for name in opened.columns if name not in {"item", model.catalogue.item}}
    log = open_log(model, engines, opened)
    return engines.bring(opened.table.select(item=item, **others), opened, log.engine)


def _open_catalogue(model: ModelSettings, engines: Engines) -> Opened:
    assert model.catalogue is not None, "asked before"  # noqa: S101  # for the type checker
    return engines.open(model.catalogue, where_of(model.name, "catalogue", model.catalogue))


def newest_of(model: ModelSettings, engines: Engines, start: datetime, until: datetime) -> Newest:
    """When the newest prediction up to *until* was made and the newest outcome became known; likely after *start*."""
    predictions = engines.open(model.predictions, where_of(model.name, "predictions", model.predictions))
    made = rows.prediction_time(model, predictions, model.predictions.timezone)
    known = None
    if model.outcomes is not None and model.outcomes.time is not None:
        outcomes = engines.open(model.outcomes, where_of(model.name, "outcomes", model.outcomes))
        at = times.utc(
            rows.required(outcomes, "outcomes.time", model.outcomes.time), model.outcomes.timezone, outcomes.where
        )
        known = _newest(outcomes, at, start, until)
    return Newest(_newest(predictions, made, start, until), known)


def _newest(opened: Opened, at: ir.TimestampColumn, start: datetime, until: datetime) -> datetime | None:
    """Looked for after *start* first, where an index or the order of a file leads to it; before, only if need be."""
    told_at = opened.table.select(at=at)
    told_at = told_at.filter(told_at["at"] <= times.literal(until))
    for rows_in in (told_at.filter(told_at["at"] >= times.literal(start)), told_at):
        sql = opened.engine.compile(rows_in.aggregate(newest=rows_in["at"].max()))
        [(newest,)] = fetch(opened.engine, sql, opened.where)
        if newest is not None:
            return newest.replace(tzinfo=UTC)  # type: ignore[no-any-return]  # engines have no types
    return None


def layout_of_window(log: Log, span: times.Span, as_of: datetime) -> Layout:
    """The layout of the rows in *span*, for a model without reference."""
    repeats, (start, end) = repeats_of(survey(log, [span], as_of).values()), span
    moments = [times.literal(moment) for moment in (start - rows.EARLY, as_of, start, end)]
    joined = _joined(log, moments, repeats)
    names = {name: joined[f"own{place}"] for place, name in enumerate(log.predictions.columns)}
    outcome = {"mm_actual": joined["actual"]} if log.outcomes is not None else {}
    selected = joined.select(**names, **outcome)
    actual = selected["mm_actual"] if outcome else None
    return take_layout(log.model, log.engine, log.predictions, selected, actual)
