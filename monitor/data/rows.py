"""Rows as relations: the predictions of a stretch of time, each joined with its outcome where one is known.

Bounds are half-open and in UTC. Nothing here is executed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import ibis

from monitor.data.engines import Engine
from monitor.data.errors import ColumnProblem
from monitor.data.sources import demand_columns, is_utc, utc
from monitor.settings import ModelSettings

if TYPE_CHECKING:
    import ibis.expr.types as ir

ANCHOR = datetime(1970, 1, 5, tzinfo=UTC)  # a Monday, as in monitor.schedule.plan
EARLY = timedelta(days=1)
"""How long before a prediction an outcome may be stamped and still be found (and counted as early)."""

KEY, TIME, BUCKET, SAID, SCORE, ACTUAL, KNOWN_AT, LAG = (
    f"mm_{name}" for name in ("key", "time", "bucket", "said", "score", "actual", "known_at", "lag")
)
"""Columns of ours; the prefix keeps them apart from the model's own."""

OTHER = "(other)"
NULL = "(null)"


@dataclass(frozen=True, slots=True)
class Log:
    """The tables of one model on one engine, opened and found to have their columns."""

    engine: Engine
    model: ModelSettings
    predictions: ir.Table
    outcomes: ir.Table | None


def check_columns(model: ModelSettings, predictions: ir.Table, outcomes: ir.Table | None) -> None:
    """Raise ColumnProblem for a configured column that is not there or of a type that cannot be used."""
    said = model.predictions
    scores = said.score if isinstance(said.score, tuple) else (said.score,)
    where = f"{model.name}: predictions"
    wanted = (*ids(said.id), said.time, said.entity, *scores, said.prediction, said.fallback, *said.segments)
    demand_columns(predictions, wanted, where)
    utc(predictions[said.time], said.timezone, where)
    for score in scores:
        _demand_number(predictions, score, f"{where}.score", f"{where}")
    if model.task == "regression":
        _demand_number(predictions, said.prediction, f"{where}.prediction", where)
    if outcomes is not None and model.outcomes is not None:
        came = model.outcomes
        where = f"{model.name}: outcomes"
        demand_columns(outcomes, (*ids(came.id or said.id), came.value, came.time), where)
        if came.time is not None:
            utc(outcomes[came.time], came.timezone, where)
        if model.task == "regression":
            _demand_number(outcomes, came.value, f"{where}.value", where)


def _demand_number(table: ir.Table, name: str | None, _key: str, where: str) -> None:
    if name is not None and not table[name].type().is_numeric():
        raise ColumnProblem(f"{where}: the column '{name}' is {table[name].type()}; a number is right.")


def ids(names: str | tuple[str, ...]) -> tuple[str, ...]:
    """The columns of an id."""
    return (names,) if isinstance(names, str) else names


def predictions(log: Log, *, distinct: bool, since: str = "start") -> ir.Table:
    """The predictions in ``[since, end)``: the log's own columns, and KEY, TIME, BUCKET, SAID, SCORE.

    With *distinct* the last of several rows with one id in one bucket stands; null ids stay as they are.
    """
    said, where = log.model.predictions, f"{log.model.name}: predictions"
    table = log.predictions
    time = utc(table[said.time], said.timezone, where)
    table = table.filter(*_within(log, table[said.time], time, since))
    table = table.mutate(
        **{
            KEY: key(table, ids(said.id)),
            TIME: utc(table[said.time], said.timezone, where),
            SCORE: score(log.model, table),
        }
    )
    table = table.mutate(**{BUCKET: bucket_of(table[TIME], log.model.bucket), SAID: predicted(log.model, table)})
    return _last(table, [table[KEY], table[BUCKET]], [table[TIME].desc(), table[SAID].desc()]) if distinct else table


def outcomes(log: Log, *, distinct: bool) -> ir.Table | None:
    """What came true as KEY, ACTUAL and KNOWN_AT (null where outcomes carry no time); null and NaN are no outcome."""
    came = log.model.outcomes
    table = log.outcomes
    if came is None or table is None:
        return None
    where = f"{log.model.name}: outcomes"
    if came.time is not None:
        at = utc(table[came.time], came.timezone, where)
        raw, aware = table[came.time], is_utc(table[came.time], came.timezone)
        left = at if aware is None else raw
        since = log.engine.bound("since", aware=bool(aware))
        table = table.filter(left >= since, left <= log.engine.bound("as_of", aware=bool(aware)))
    value = table[came.value]
    table = table.filter(~is_missing(value))
    known = utc(table[came.time], came.timezone, where) if came.time is not None else ibis.null("timestamp")
    found = table.select(
        **{
            KEY: key(table, ids(came.id or log.model.predictions.id)),
            ACTUAL: actual(log.model, table[came.value]),
            KNOWN_AT: known,
        }
    )
    if not distinct:
        return found
    return _last(found, [found[KEY]], [found[KNOWN_AT].desc(), found[ACTUAL].desc()])


def joined(log: Log, *, distinct_predictions: bool, distinct_outcomes: bool) -> ir.Table:
    """Every prediction once, with ACTUAL, KNOWN_AT and LAG (seconds) where its outcome is known; else they are null."""
    said = predictions(log, distinct=distinct_predictions)
    came = outcomes(log, distinct=distinct_outcomes)
    if came is None:
        actual = ibis.null("float64" if log.model.task == "regression" else "string")
        return said.mutate(**{ACTUAL: actual, KNOWN_AT: ibis.null("timestamp"), LAG: ibis.null("float64")})
    said, came = same_key(said, came)
    both = said.left_join(came, said[KEY] == came[KEY]).select(said, came[ACTUAL], came[KNOWN_AT])
    return both.mutate(**{LAG: seconds(both[KNOWN_AT]) - seconds(both[TIME])})


def same_key(one: ir.Table, other: ir.Table) -> tuple[ir.Table, ir.Table]:
    """Ids of different types (a number here, a text there) are compared as text."""
    if one[KEY].type().is_string() == other[KEY].type().is_string():
        return one, other
    return one.mutate(**{KEY: one[KEY].cast("string")}), other.mutate(**{KEY: other[KEY].cast("string")})


def key(table: ir.Table, names: tuple[str, ...]) -> ir.Value:
    """The id of a row as one value; several columns are joined with a character that no id holds."""
    if len(names) == 1:
        return table[names[0]]
    text = label(table[names[0]])
    for name in names[1:]:
        text = text + "\x1f" + label(table[name])
    return text


def label(value: ir.Column) -> ir.StringValue:
    """A value as text, the same for 1, 1.0 and true; null and NaN are null."""
    kind = value.type()
    if kind.is_boolean():
        return value.cast("int32").cast("string")
    if kind.is_integer():
        return value.cast("string")
    if kind.is_numeric():
        number = value.cast("float64")
        whole = number.floor().cast("int64").cast("string")
        safe = (number.abs() < 1e15) & (number == number.floor())
        missing = number.isnan() if kind.is_floating() else number.isnull()
        return ibis.cases((missing, ibis.null("string")), (safe, whole), else_=number.cast("string"))
    return value.cast("string")


def is_missing(value: ir.Column) -> ir.BooleanValue:
    """Null or NaN."""
    return value.isnull() | value.isnan() if value.type().is_floating() else value.isnull()


def seconds(at: ir.TimestampValue) -> ir.FloatingValue:
    """Seconds since 1970 as a float."""
    return at.epoch_seconds().cast("float64")


def bucket_of(time: ir.TimestampValue, length: timedelta) -> ir.IntegerValue:
    offset = (time.epoch_seconds() - int(ANCHOR.timestamp())).cast("float64")
    return (offset / length.total_seconds()).floor().cast("int64")


def bucket_number(at: datetime, length: timedelta) -> int:
    """The number of the bucket that starts at *at*."""
    return (at - ANCHOR) // length


def bucket_start(number: int, length: timedelta) -> datetime:
    """The start of the bucket of that number."""
    return ANCHOR + number * length


def _within(log: Log, raw: ir.Column, time: ir.TimestampValue, since: str) -> list[ir.BooleanValue]:
    aware = is_utc(raw, log.model.predictions.timezone)
    left = time if aware is None else raw  # a raw column lets the engine skip files, row groups and index ranges
    start, end = (log.engine.bound(name, aware=bool(aware)) for name in (since, "end"))
    return [left >= start, left < end]


def score(model: ModelSettings, table: ir.Table) -> ir.FloatingValue:
    name = model.predictions.score
    if not isinstance(name, str):
        return ibis.null("float64")
    value = table[name].cast("float64")
    return ibis.cases((is_missing(value) | (value < 0) | (value > 1), ibis.null("float64")), else_=value)


def predicted(model: ModelSettings, table: ir.Table) -> ir.Value:
    """The predicted class as text, or number; null where there is no usable prediction."""
    said = model.predictions
    if model.task == "regression" and said.prediction is not None:
        return _finite(table[said.prediction])
    if said.prediction is not None:
        return label(table[said.prediction])
    if isinstance(said.score, tuple):
        return _most_likely(table, said.score)
    chosen = table[SCORE] >= said.threshold
    return ibis.cases((table[SCORE].isnull(), ibis.null("string")), (chosen, said.positive), else_=OTHER)


def _most_likely(table: ir.Table, scores: tuple[str, ...]) -> ir.StringValue:
    top = ibis.greatest(*(table[name].cast("float64") for name in scores))
    return ibis.cases(*((table[name].cast("float64") == top, name) for name in scores), else_=ibis.null("string"))


def actual(model: ModelSettings, value: ir.Column) -> ir.Value:
    if model.task == "regression":
        return _finite(value)
    text = label(value)
    derived = model.task == "binary" and model.predictions.prediction is None
    # A class made from a score is "the positive" or "another"; so must be what came true, to be compared with it.
    return ibis.cases((text == model.predictions.positive, text), else_=OTHER) if derived else text


def _finite(value: ir.Column) -> ir.FloatingValue:
    number = value.cast("float64")
    infinite = (number == float("inf")) | (number == float("-inf"))
    return ibis.cases((number.isnull() | number.isnan() | infinite, ibis.null("float64")), else_=number)


def _last(table: ir.Table, group: list[ir.Column], order: list[ir.Value]) -> ir.Table:
    place = ibis.row_number().over(ibis.window(group_by=group, order_by=order))
    numbered = table.mutate(mm_place=place)
    keep = (numbered.mm_place == 0) | numbered[KEY].isnull()
    return numbered.filter(keep).drop("mm_place")
