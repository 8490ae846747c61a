"""The pushed-down aggregation: SQL text, compiled once per shape, over ``profiled_cells`` and ``profiled_rows``.

One form runs everywhere: per column a CASE tree for the cell, GROUP BY bucket and cell, all in one UNION ALL.
DuckDB counts numeric columns in one streaming pass with its own ``histogram`` instead, 3 to 4 times faster and
without holding rows in memory. The tests hold both forms equal on the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from math import inf, nextafter
from operator import add

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from checks.profile import LAG_EDGES, SCORE_BINS, Categories, Numbers
from monitor.data import columns
from monitor.data.shape import CELLS, ROWS, Column, Shape
from monitor.data.sources import as_sql
from monitor.settings import Share

NULL, NAN, INFINITE = -3, -1, -2
KNOWN, OTHER = 0, 1
WHOLE, LAGS, CHANCES = -1, -2, -3
"""Parts of the long form that are no column of the layout; segment *j* is part ``SEGMENTS - j``."""
SEGMENTS, CHANCES_OF_SEGMENTS = -10, -10_000
RIGHT, WRONG = "1", "0"

KEYS = ("part", "bucket", "one", "two", "three", "cell", "rows")
CLIP = 1e-15
CLASSES = ("binary", "multiclass")

Sums = tuple[str, ...]


@ibis.udf.agg.builtin  # type: ignore[untyped-decorator]  # Ibis has no types
def histogram(value: dt.float64, bins: dt.Array(dt.float64)) -> dt.Map(dt.float64, dt.int64):  # type: ignore[valid-type]  # Ibis reads the annotations; the function is DuckDB's own
    """Counts of values up to each bin, and of those beyond the last under infinity."""


@lru_cache(maxsize=64)
def long_statement(shape: Shape) -> str:
    """Everything in the long form: KEYS and sums. On DuckDB without the numeric columns."""
    native = shape.engine == "duckdb"
    arms = [*_column_arms(shape, Categories), *row_arms(shape)]
    if not native:
        arms += list(_column_arms(shape, Numbers))
    return _sql(ibis.union(*arms, distinct=False), shape)


@dataclass(frozen=True, slots=True)
class Native:
    """DuckDB's form of numeric columns: one row per bucket and value of a segment, with 7 values per column."""

    columns: tuple[Column, ...]
    segment: int | None
    sql: str


@lru_cache(maxsize=64)
def native_statements(shape: Shape) -> tuple[Native, ...]:
    """One statement per table, for the whole and for each segment whose columns are counted."""
    if shape.engine != "duckdb":
        return ()
    numeric = [one for one in shape.columns if isinstance(one.cells, Numbers)]
    parts = [(CELLS, shape.cells), (ROWS, shape.rows)]
    chosen = [(tuple(one for one in numeric if one.table == name), table) for name, table in parts]
    return tuple(
        Native(ones, segment, _sql(_native(ones, table, segment), shape))
        for ones, table in chosen
        for segment in (None, *shape.split)
        if ones
    )


def _sql(expression: ir.Table, shape: Shape) -> str:
    return as_sql(expression, shape.engine)


def sum_names(shape: Shape) -> Sums:
    """As many sums as any arm of the shape has."""
    count = 12 if shape.task == "regression" else 2 if shape.engine == "duckdb" else 4
    return tuple(f"v{place}" for place in range(count))


def _native(ones: tuple[Column, ...], table: ir.Table, segment: int | None) -> ir.Table:
    usable: dict[str, ir.Value] = {}
    for one in ones:
        value = table[one.name]
        usable[f"u{one.place}"] = columns.finite(value).ifelse(value, ibis.null("float64"))
    key = ibis.literal("") if segment is None else table[f"s{segment}"]
    given = table.select(*dict.fromkeys(("bucket", *(one.name for one in ones))), segment=key, **usable)
    found: dict[str, ir.Value] = {}
    for one in ones:
        assert isinstance(one.cells, Numbers), "chosen by this"  # noqa: S101  # for the type checker
        found |= _native_sums(given, one.name, one.place, one.cells)
    return given.group_by(["bucket", "segment"]).aggregate(rows=given.count(), **found)


def _native_sums(given: ir.Table, column: str, place: int, cells: Numbers) -> dict[str, ir.Value]:
    value, usable, name = given[column], given[f"u{place}"], f"c{place}"
    away = usable - columns.constant(cells.centre)  # not tamed: DuckDB's products may be too small for a double
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


def _added(names: Sums, groups: ir.Table, part: int, sums: Sequence[str], **keys: ir.Value) -> ir.Table:
    """*groups* added up by bucket and *keys* (one, two, three, cell), in the shape all arms share."""
    given = groups.select("bucket", "rows", **keys, **{f"v{place}": groups[name] for place, name in enumerate(sums)})
    held = names[: len(sums)]
    counted = given.group_by(["bucket", *keys]).aggregate(
        n=given["rows"].sum(), **{name: given[name].sum() for name in held}
    )
    none = {name: ibis.null("string") for name in ("one", "two", "three") if name not in keys}
    cell = counted["cell"].cast("int32") if "cell" in keys else ibis.literal(NULL, "int32")
    values = [counted[name].cast("float64") if name in held else ibis.null("float64") for name in names]
    return counted.mutate(part=ibis.literal(part, "int32"), **none).select(
        "part",
        "bucket",
        "one",
        "two",
        "three",
        cell=cell,
        rows=counted["n"].cast("int64"),
        **dict(zip(names, values, strict=True)),
    )


def _column_arms(shape: Shape, kind: type[Numbers | Categories]) -> Iterator[ir.Table]:
    """The columns of one kind, counted for the whole and by each segment whose columns are looked at."""
    for one in shape.columns:
        if not isinstance(one.cells, kind):
            continue
        table = shape.rows if one.table == ROWS else shape.cells
        for segment in (None, *shape.split):
            value = ibis.null("string") if segment is None else table[f"s{segment}"]
            given = table.select("bucket", x=table[one.name], two=value)
            counted = (
                _number_arm(sum_names(shape), given, one.cells)
                if isinstance(one.cells, Numbers)
                else _text_arm(sum_names(shape), given, one.cells)
            )
            whose = ibis.null("string") if segment is None else ibis.literal(str(segment))
            yield counted.mutate(part=ibis.literal(one.place, "int32"), three=whose).select(*KEYS, *sum_names(shape))


def _number_arm(names: Sums, table: ir.Table, cells: Numbers) -> ir.Table:
    value = table["x"]
    where = ibis.cases(
        (value.isnull(), NULL),
        (value.isnan(), NAN),  # before any comparison: NaN is greater than everything
        (~columns.finite(value), INFINITE),
        else_=columns.cell(value, cells.edges),
    )
    usable = columns.finite(value).ifelse(value, ibis.null("float64"))
    away = columns.tame(usable - columns.constant(cells.centre))
    rows = table.select("bucket", "two", cell=where.cast("int32"), usable=usable, away=away)
    counted = rows.group_by(["bucket", "two", "cell"]).aggregate(
        rows=rows.count().cast("int64"),
        v0=rows["away"].sum(),
        v1=(rows["away"] * rows["away"]).sum(),
        v2=rows["usable"].min(),
        v3=rows["usable"].max(),
    )
    return counted.mutate(one=ibis.null("string"), **{name: ibis.null("float64") for name in names[4:]})


def _text_arm(names: Sums, table: ir.Table, cells: Categories) -> ir.Table:
    """Values are counted first and looked up after: a hundred thousand times fewer comparisons."""
    values = table.group_by(["bucket", "two", "x"]).aggregate(n=table.count())
    inside = values["x"].isin(list(cells.values)) if cells.values else columns.NO
    cell = ibis.cases((values["x"].isnull(), NULL), (inside, KNOWN), else_=OTHER)
    one = inside.ifelse(values["x"], ibis.null("string"))
    told = values.select("bucket", "two", "n", cell=cell.cast("int32"), one=one)
    counted = told.group_by(["bucket", "one", "two", "cell"]).aggregate(rows=told["n"].sum().cast("int64"))
    return counted.mutate(**{name: ibis.null("float64") for name in names})


def row_arms(shape: Shape) -> Iterator[ir.Table]:
    """What predictions and outcomes make together, and how long outcomes took.

    Rows are grouped by everything at once first, so that they are joined with their outcomes but once; the arms add
    up groups.
    """
    groups = _groups(shape)
    slices = [(WHOLE, CHANCES, ibis.literal(""))]
    slices += [(SEGMENTS - place, CHANCES_OF_SEGMENTS - place, groups[f"s{place}"]) for place in shape.segments]
    for part, chances, segment in slices:
        yield from _slice_arms(shape, groups, segment, part, chances)
    yield _added(sum_names(shape), groups, LAGS, ("early", "late"), cell=groups["lag_cell"])


def _groups(shape: Shape) -> ir.Table:
    table = shape.rows
    keys: dict[str, ir.Value] = {"lag_cell": _lag_cell(table), **{f"s{j}": table[f"s{j}"] for j in shape.segments}}
    sums: dict[str, ir.Value] = {}
    if shape.task in CLASSES:
        keys |= {"predicted": table["predicted"], "actual": table["actual"]}
    else:
        keys["cell"] = table["actual"].notnull().ifelse(1, 0).cast("int32")
    if shape.task == "regression":
        sums = _error_sums(table, shape)
    if shape.scored:
        keys["cell"] = _score_bin(table)
        sums = _score_sums(table, shape)
    given = table.select("bucket", "early", "late", **keys, **sums)
    return given.group_by(["bucket", *keys]).aggregate(
        rows=given.count(), **{name: given[name].sum() for name in ("early", "late", *sums)}
    )


def _slice_arms(shape: Shape, groups: ir.Table, segment: ir.Value, part: int, chances: int) -> Iterator[ir.Table]:
    """Rows by segment (one), predicted (two) and actual class (three) and, of a binary model, bin of the score.

    Of many classes the bins are those of the predicted one, in rows of their own: by right or wrong (three).
    """
    names = sum_names(shape)
    if shape.task not in CLASSES:
        sums = names if shape.task == "regression" else ()
        yield _added(names, groups, part, sums, one=segment, cell=groups["cell"])
        return
    classes = {"two": groups["predicted"], "three": groups["actual"]}
    if shape.task == "binary" and shape.scored:
        yield _added(names, groups, part, ("v0", "v1"), one=segment, cell=groups["cell"], **classes)
        return
    yield _added(names, groups, part, (), one=segment, **classes)
    if shape.scored:
        waits, hits = groups["actual"].isnull(), groups["predicted"] == groups["actual"]
        right = ibis.cases((waits, ibis.null("string")), (hits, RIGHT), else_=WRONG)
        yield _added(names, groups, chances, ("v0", "v1"), one=segment, three=right, cell=groups["cell"])


def _score_bin(table: ir.Table) -> ir.IntegerValue:
    counts = columns.finite(table["score"]).fill_null(columns.NO)
    place = (table["score"].clip(0.0, 1.0) * float(SCORE_BINS)).floor().cast("int32")
    return ibis.cases((counts, ibis.least(place, SCORE_BINS - 1)), else_=NULL).cast("int32")


def _score_sums(table: ir.Table, shape: Shape) -> dict[str, ir.Value]:
    """Of rows with score and outcome: -ln(score of what came true), and the squared distance of both."""
    counts = table["actual"].notnull() & columns.finite(table["score"]).fill_null(columns.NO)
    none = ibis.null("float64")
    chance, distance = _of_classes(table, shape) if shape.classes else _of_one(table, shape.positive)
    chance = chance.clip(columns.constant(CLIP), columns.constant(1 - CLIP))
    return {
        "v0": ibis.cases((counts, -chance.ln()), else_=none),
        "v1": ibis.cases((counts, distance), else_=none),
    }


def _of_one(table: ir.Table, positive: str) -> tuple[ir.FloatingValue, ir.FloatingValue]:
    score, came_true = table["score"], table["actual"] == positive
    away = columns.tame(score - came_true.ifelse(1.0, 0.0))
    return came_true.ifelse(score, 1 - score), away * away


def _of_classes(table: ir.Table, shape: Shape) -> tuple[ir.FloatingValue, ir.FloatingValue]:
    """A class that has no score came true at 0."""
    scores = [table[f"p{place}"] for place, _ in enumerate(shape.classes)]
    came_true = [table["actual"] == name for name in shape.classes]
    chance = ibis.cases(*zip(came_true, scores, strict=True), else_=ibis.literal(0.0))
    away = [columns.tame(score - came.ifelse(1.0, 0.0)) for score, came in zip(scores, came_true, strict=True)]
    return chance, reduce(add, [one * one for one in away])


def _error_sums(table: ir.Table, shape: Shape) -> dict[str, ir.Value]:
    actual, predicted, centre = table["actual"], table["predicted"], shape.centre
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
        "v8": both.ifelse(_symmetric(error, actual, predicted), none),
        "v9": both.ifelse(_within(error, actual, shape.tolerance), none),
        **_interval_sums(table, shape),
    }


def _symmetric(error: ir.FloatingValue, actual: ir.FloatingValue, predicted: ir.FloatingValue) -> ir.FloatingValue:
    size = (columns.tame(actual).abs() + columns.tame(predicted).abs()).nullif(0.0)
    return (2 * error.abs() / size).fill_null(0.0)


def _within(error: ir.FloatingValue, actual: ir.FloatingValue, tolerance: float | Share | None) -> ir.FloatingValue:
    if tolerance is None:
        return ibis.literal(0.0)
    if isinstance(tolerance, Share):
        return (error.abs() <= actual.abs() * columns.constant(tolerance.of_one)).ifelse(1.0, 0.0)
    return (error.abs() <= columns.constant(tolerance)).ifelse(1.0, 0.0)


def _interval_sums(table: ir.Table, shape: Shape) -> dict[str, ir.Value]:
    if not shape.interval:
        return {"v10": ibis.null("float64"), "v11": ibis.null("float64")}
    actual, low, high = table["actual"], table["lower"], table["upper"]
    there = actual.notnull() & low.notnull() & high.notnull()
    inside = there & (actual >= low) & (actual <= high)
    return {"v10": inside.ifelse(1.0, 0.0), "v11": there.ifelse(1.0, 0.0)}


def _lag_cell(table: ir.Table) -> ir.IntegerValue:
    place = columns.cell(table["lag"].cast("float64"), LAG_EDGES)
    return ibis.cases((table["lag"].isnull(), NULL), else_=place).cast("int32")
