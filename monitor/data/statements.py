"""The pushed-down aggregation: SQL text, compiled once per shape, over ``profiled_cells`` and ``profiled_rows``.

One form runs everywhere: per column a CASE tree for the cell, GROUP BY bucket and cell, all in one UNION ALL.
DuckDB counts numeric columns in one streaming pass with its own ``histogram`` instead, 3 to 4 times faster and
without holding rows in memory. The tests hold both forms equal on the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from math import inf, nextafter

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from checks.profile import LAG_EDGES, SCORE_BINS, Categories, Numbers
from monitor.data import columns
from monitor.data.shape import CELLS, ROWS, Column, Shape
from monitor.data.sources import as_sql

NULL, NAN, INFINITE = -3, -1, -2
KNOWN, OTHER = 0, 1
WHOLE, LAGS = -1, -2
"""Parts of the long form that are no column of the layout; segment *j* is part ``SEGMENTS - j``."""
SEGMENTS = -10

KEYS = ("part", "bucket", "one", "two", "three", "cell", "rows")
CLIP = 1e-15

Sums = tuple[str, ...]


@ibis.udf.agg.builtin  # type: ignore[untyped-decorator]  # Ibis has no types
def histogram(value: dt.float64, bins: dt.Array(dt.float64)) -> dt.Map(dt.float64, dt.int64):  # type: ignore[valid-type]  # Ibis reads the annotations; the function is DuckDB's own
    """Counts of values up to each bin, and of those beyond the last under infinity."""


@lru_cache(maxsize=64)
def long_statement(shape: Shape) -> str:
    """Everything in the long form: KEYS and sums. On DuckDB without the numeric columns."""
    native = shape.engine == "duckdb"
    arms = [*_text_arms(shape), *_slice_arms(shape), _lag_arm(shape)]
    if not native:
        arms += list(_number_arms(shape))
    return _sql(ibis.union(*arms, distinct=False), shape)


@lru_cache(maxsize=64)
def native_statements(shape: Shape) -> tuple[tuple[tuple[Column, ...], str], ...]:
    """DuckDB's form of numeric columns: per table the columns, and one row per bucket with 7 values per column."""
    if shape.engine != "duckdb":
        return ()
    numeric = [one for one in shape.columns if isinstance(one.cells, Numbers)]
    parts = [(CELLS, shape.cells), (ROWS, shape.rows)]
    chosen = [(tuple(one for one in numeric if one.table == name), table) for name, table in parts]
    return tuple((ones, _sql(_native(ones, table), shape)) for ones, table in chosen if ones)


def _sql(expression: ir.Table, shape: Shape) -> str:
    return as_sql(expression, shape.engine)


def _sums(shape: Shape) -> Sums:
    """As many sums as any arm of the shape has."""
    count = 8 if shape.task == "regression" else 2 if shape.engine == "duckdb" else 4
    return tuple(f"v{place}" for place in range(count))


def _native(ones: tuple[Column, ...], table: ir.Table) -> ir.Table:
    usable: dict[str, ir.Value] = {}
    for one in ones:
        value = table[one.name]
        usable[f"u{one.place}"] = columns.finite(value).ifelse(value, ibis.null("float64"))
    given = table.select("bucket", *dict.fromkeys(one.name for one in ones), **usable)
    found: dict[str, ir.Value] = {}
    for one in ones:
        assert isinstance(one.cells, Numbers), "chosen by this"  # noqa: S101  # for the type checker
        found |= _native_sums(given, one.name, one.place, one.cells)
    return given.group_by("bucket").aggregate(rows=given.count(), **found)


def _native_sums(given: ir.Table, column: str, place: int, cells: Numbers) -> dict[str, ir.Value]:
    value, usable, name = given[column], given[f"u{place}"], f"c{place}"
    away = columns.tame(usable - columns.constant(cells.centre))
    return {
        f"{name}_cells": _histogram(usable, cells.edges),
        f"{name}_null": given.count() - value.count(),
        f"{name}_nan": value.isnan().ifelse(1, 0).sum(),
        f"{name}_total": away.sum(),
        f"{name}_squares": (away * away).sum(),
        f"{name}_low": usable.min(),
        f"{name}_high": usable.max(),
    }


def _histogram(usable: ir.FloatingColumn, edges: tuple[float, ...]) -> ir.ArrayValue:
    if not edges:
        return ibis.array([usable.count()])
    below = [nextafter(edge, -inf) for edge in edges]  # DuckDB's bins end with their edge, ours end before it
    bins = ibis.literal(repr(below)).cast("array<float64>")  # one constant, not forty
    return histogram(usable, bins).values()


def _long(names: Sums, table: ir.Table, part: int, sums: Mapping[str, ir.Value], **keys: ir.Value) -> ir.Table:
    """Group *table* by bucket and *keys* (one, two, three, cell), in the shape all arms share."""
    grouped = table.select("bucket", **keys, **sums)
    counted = grouped.group_by(["bucket", *keys]).aggregate(
        rows=grouped.count(), **{name: grouped[name].sum() for name in sums}
    )
    none = {name: ibis.null("string") for name in ("one", "two", "three") if name not in keys}
    cell = counted["cell"].cast("int32") if "cell" in keys else ibis.literal(NULL, "int32")
    values = [counted[name].cast("float64") if name in sums else ibis.null("float64") for name in names]
    return counted.mutate(part=ibis.literal(part, "int32"), **none).select(
        "part",
        "bucket",
        "one",
        "two",
        "three",
        cell=cell,
        rows=counted["rows"].cast("int64"),
        **dict(zip(names, values, strict=True)),
    )


def _number_arms(shape: Shape) -> Iterator[ir.Table]:
    for one in shape.columns:
        if isinstance(one.cells, Numbers):
            table = (shape.rows if one.table == ROWS else shape.cells).select("bucket", x=one.name)
            yield _number_arm(_sums(shape), table, one.place, one.cells)


def _number_arm(names: Sums, table: ir.Table, place: int, cells: Numbers) -> ir.Table:
    value = table["x"]
    where = ibis.cases(
        (value.isnull(), NULL),
        (value.isnan(), NAN),  # before any comparison: NaN is greater than everything
        (~columns.finite(value), INFINITE),
        else_=columns.cell(value, cells.edges),
    )
    usable = columns.finite(value).ifelse(value, ibis.null("float64"))
    away = columns.tame(usable - columns.constant(cells.centre))
    rows = table.select("bucket", cell=where.cast("int32"), usable=usable, away=away)
    counted = rows.group_by(["bucket", "cell"]).aggregate(
        rows=rows.count().cast("int64"),
        v0=rows["away"].sum(),
        v1=(rows["away"] * rows["away"]).sum(),
        v2=rows["usable"].min(),
        v3=rows["usable"].max(),
    )
    none = {name: ibis.null("string") for name in ("one", "two", "three")}
    empty = {name: ibis.null("float64") for name in names[4:]}
    return counted.mutate(part=ibis.literal(place, "int32"), **none, **empty).select(*KEYS, *names)


def _text_arms(shape: Shape) -> Iterator[ir.Table]:
    for one in shape.columns:
        if isinstance(one.cells, Categories):
            table = (shape.rows if one.table == ROWS else shape.cells).select("bucket", x=one.name)
            yield _text_arm(_sums(shape), table, one.place, one.cells)


def _text_arm(names: Sums, table: ir.Table, place: int, cells: Categories) -> ir.Table:
    """Values are counted first and looked up after: a hundred thousand times fewer comparisons."""
    values = table.group_by(["bucket", "x"]).aggregate(n=table.count())
    inside = values["x"].isin(list(cells.values)) if cells.values else columns.NO
    cell = ibis.cases((values["x"].isnull(), NULL), (inside, KNOWN), else_=OTHER)
    told = values.select("bucket", "n", cell=cell.cast("int32"), one=inside.ifelse(values["x"], ibis.null("string")))
    counted = told.group_by(["bucket", "one", "cell"]).aggregate(rows=told["n"].sum().cast("int64"))
    empty = {name: ibis.null("float64") for name in names}
    keys = {"part": ibis.literal(place, "int32"), "two": ibis.null("string"), "three": ibis.null("string")}
    return counted.mutate(**keys, **empty).select(*KEYS, *names)


def _slice_arms(shape: Shape) -> Iterator[ir.Table]:
    yield _slice_arm(shape, WHOLE, ibis.literal(""))
    for place in shape.segments:
        yield _slice_arm(shape, SEGMENTS - place, shape.rows[f"s{place}"])


def _slice_arm(shape: Shape, part: int, segment: ir.Value) -> ir.Table:
    """Rows by segment (one), predicted (two) and actual class (three) and, where both are known, bin of the score."""
    table = shape.rows
    if shape.task == "regression":
        return _long(_sums(shape), table, part, _error_sums(table, shape.centre), one=segment, cell=_labelled(table))
    if shape.task == "ranking":
        return _long(_sums(shape), table, part, {}, one=segment, cell=_labelled(table))
    keys = {"one": segment, "two": table["predicted"], "three": table["actual"]}
    if not shape.scored:
        return _long(_sums(shape), table, part, {}, **keys)
    counts = table["actual"].notnull() & columns.finite(table["score"]).fill_null(columns.NO)
    return _long(
        _sums(shape), table, part, _score_sums(table, counts, shape.positive), cell=_score_bin(table, counts), **keys
    )


def _labelled(table: ir.Table) -> ir.IntegerValue:
    return table["actual"].notnull().ifelse(1, 0).cast("int32")


def _score_bin(table: ir.Table, counts: ir.BooleanValue) -> ir.IntegerValue:
    inside = table["score"].clip(0.0, 1.0)
    place = (inside * float(SCORE_BINS)).floor().cast("int32")
    return ibis.cases((counts, ibis.least(place, SCORE_BINS - 1)), else_=NULL).cast("int32")


def _score_sums(table: ir.Table, counts: ir.BooleanValue, positive: str) -> dict[str, ir.Value]:
    score, came_true = table["score"], table["actual"] == positive
    chance = score.clip(columns.constant(CLIP), columns.constant(1 - CLIP))
    away = columns.tame(score - came_true.ifelse(1.0, 0.0))
    none = ibis.null("float64")
    return {
        "v0": ibis.cases((counts, -came_true.ifelse(chance, 1 - chance).ln()), else_=none),
        "v1": ibis.cases((counts, away * away), else_=none),
    }


def _error_sums(table: ir.Table, centre: float) -> dict[str, ir.Value]:
    actual, predicted = table["actual"], table["predicted"]
    both = actual.notnull() & predicted.notnull()
    none = ibis.null("float64")
    error, away = columns.tame(predicted - actual), columns.tame(actual - columns.constant(centre))
    size = columns.tame(actual).abs().nullif(0.0)
    relative = both & size.notnull()
    return {
        "v0": both.ifelse(1.0, 0.0),
        "v1": both.ifelse(error, none),
        "v2": both.ifelse(error.abs(), none),
        "v3": both.ifelse(error * error, none),
        "v4": both.ifelse(away, none),
        "v5": both.ifelse(away * away, none),
        "v6": relative.ifelse(error.abs() / size, none),
        "v7": relative.ifelse(1.0, 0.0),
    }


def _lag_arm(shape: Shape) -> ir.Table:
    """Rows by lag of their outcome, with how many were early (v0), late (v1), and not null (by cell)."""
    table = shape.rows
    place = columns.cell(table["lag"].cast("float64"), LAG_EDGES)
    cell = ibis.cases((table["lag"].isnull(), NULL), else_=place).cast("int32")
    return _long(_sums(shape), table, LAGS, {"v0": table["early"], "v1": table["late"]}, cell=cell)
