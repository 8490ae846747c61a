"""Times of rows as naive UTC, and the tiles they fall into."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import or_

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from monitor.data import columns
from monitor.data.errors import WrongType

ANCHOR = datetime(1970, 1, 5, tzinfo=UTC)
"""A Monday; buckets are tiles counted from here."""

WITH_ZONE = r"[0-9] ?(Z|z|[+-][0-9]{2}(:?[0-9]{2})?)$"
"""Text of a time that says its own zone; only asked of text with a clock in it, for a plain date ends alike."""

CLOCK = ":"

TICK = timedelta(microseconds=1)

Span = tuple[datetime, datetime]
Bounds = tuple[ir.TimestampScalar, ir.TimestampScalar]


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]  # Ibis has no types
def timezone(zone: str, at: dt.timestamp) -> dt.Timestamp(timezone="UTC"):  # type: ignore[valid-type]  # Ibis reads the annotation; the function is the engine's own
    """The moment at which clocks in *zone* show *at*; DuckDB and PostgreSQL both have it."""


def utc(column: ir.Column, zone: str, where: str) -> ir.TimestampColumn:
    """*column* as naive UTC. Raises WrongType where it is not a time."""
    kind = column.type()
    if kind.is_timestamp():
        return column.cast("timestamp") if kind.timezone else _from_zone(column, zone)
    if kind.is_date():
        return _from_zone(column.cast("timestamp"), zone)
    if kind.is_string():
        return _parsed(column, zone)
    if kind.is_null():
        return column.cast("timestamp")
    raise WrongType(
        f"{where}: the column '{column.get_name()}' holds {kind}, not times; "
        "give timestamps, or text such as 2013-04-16T00:00:00Z."
    )


def _from_zone(column: ir.Column, zone: str) -> ir.TimestampColumn:
    return column.cast("timestamp") if zone == "UTC" else timezone(zone, column.cast("timestamp")).cast("timestamp")


def _parsed(column: ir.Column, zone: str) -> ir.TimestampColumn:
    aware = column.cast("timestamp('UTC')").cast("timestamp")
    if zone == "UTC":
        return aware
    says_zone = column.contains(CLOCK) & column.re_search(WITH_ZONE)
    return ibis.cases((says_zone, aware), else_=_from_zone(column, zone))


def naive(at: datetime) -> datetime:
    """An aware time as naive UTC."""
    return at.astimezone(UTC).replace(tzinfo=None)


def literal(at: datetime) -> ir.TimestampScalar:
    """An aware time as a constant of naive UTC."""
    return _constant(naive(at).isoformat(sep=" "))


def marker(place: int) -> ir.TimestampScalar:
    """A constant to be written into the compiled statement later, by ``written``."""
    return _constant(_MARK.format(place))


def written(sql: str, moments: Sequence[datetime]) -> str:
    """*sql* with each marker replaced by its moment, so that a statement is compiled once and asked often."""
    for place, at in enumerate(moments):
        sql = sql.replace(_MARK.format(place), naive(at).isoformat(sep=" "))
    return sql


_MARK = "<moment {}>"


def _constant(text: str) -> ir.TimestampScalar:
    return ibis.literal(text).cast("timestamp")


def within(at: ir.TimestampColumn, spans: Sequence[Bounds]) -> ir.BooleanValue:
    """Whether a naive UTC time lies in one of the half-open *spans*."""
    parts = [(at >= start) & (at < end) for start, end in spans]
    return reduce(or_, parts) if parts else columns.NO


def seconds(at: ir.TimestampColumn) -> ir.IntegerColumn:
    """Whole seconds since 1970, rounded down: engines round the epoch of 23:59:59.7 up into the next day."""
    return at.truncate("s").epoch_seconds().cast("int64")


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]  # Ibis has no types
def epoch_us(at: dt.timestamp) -> dt.int64:
    """Microseconds since 1970; DuckDB's own."""


def tile(at: ir.TimestampColumn, step: timedelta, engine: str = "") -> ir.IntegerColumn:
    """The number of the tile a time falls into, counted from ANCHOR; on DuckDB with three times fewer instructions."""
    if engine == "duckdb":
        since, length = epoch_us(at) - int(ANCHOR.timestamp()) * 10**6, step // TICK
        before = _over(since + 1, length) - 1  # its // rounds towards 0
        return (since < 0).ifelse(before, _over(since, length))
    since = seconds(at) - int(ANCHOR.timestamp())
    return (since / (step // timedelta(seconds=1))).floor().cast("int64")


@ibis.udf.scalar.builtin(name="divide")  # type: ignore[untyped-decorator]  # Ibis has no types
def _over(number: dt.int64, by: dt.int64) -> dt.int64:
    """DuckDB's //; Ibis' divides as doubles and rounds down."""


def tile_start(number: ir.IntegerColumn, step: timedelta) -> ir.IntegerColumn:
    """Seconds since 1970 at which a tile begins."""
    return number * (step // timedelta(seconds=1)) + int(ANCHOR.timestamp())


def number_of(start: datetime, step: timedelta) -> int:
    """The number of the tile that begins at *start*."""
    return (start - ANCHOR) // step


def in_one_tile(spans: Sequence[Span], step: timedelta) -> bool:
    """Whether *spans*, of which there is one at least, lie in a single tile."""
    first, last = spans[0][0], spans[-1][1] - TICK
    return len(spans) == 1 and number_of(first, step) == number_of(last, step)


def spans_of(starts: Sequence[datetime], step: timedelta, as_of: datetime) -> list[Span]:
    """Tiles as few half-open spans, cut off at *as_of*."""
    spans: list[Span] = []
    for start in sorted(set(starts)):
        end = min(start + step, as_of)
        if end <= start:
            continue
        if spans and spans[-1][1] == start:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def spans_of_window(start: datetime, end: datetime, as_of: datetime) -> list[Span]:
    """``[start, end)`` cut off at *as_of*; nothing where that leaves nothing."""
    return [(start, min(end, as_of))] if min(end, as_of) > start else []


def bounds(moments: Sequence[ir.TimestampScalar]) -> list[Bounds]:
    """Starts and ends in turn, as spans."""
    return list(zip(moments[::2], moments[1::2], strict=True))
