"""The pushed-down aggregation: SQL text, compiled once per shape, over ``profiled_cells`` and ``profiled_rows``.

One form runs everywhere: per column a CASE tree for the cell, GROUP BY bucket and cell, all in one UNION ALL.
DuckDB hands numeric columns over in batches instead, in one streaming pass, and ``counting`` counts them, 10 times
faster. The tests hold both forms equal on the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import ibis
import ibis.expr.types as ir

from checks.profile import Categories, Numbers
from monitor.data import columns
from monitor.data.longform import INFINITE, KEYS, KNOWN, NAN, NULL, OTHER, Sums, sum_names
from monitor.data.pairs import row_arms
from monitor.data.shape import CELLS, ROWS, Column, Shape
from monitor.data.sources import as_sql


@lru_cache(maxsize=64)
def long_statement(shape: Shape) -> str:
    """Everything in the long form: KEYS and sums. On DuckDB without the numeric columns."""
    native = shape.engine == "duckdb"
    arms = [*_column_arms(shape, Categories), *row_arms(shape)]
    if not native:
        arms += list(_column_arms(shape, Numbers))
    return _sql(ibis.union(*arms, distinct=False), shape)


@dataclass(frozen=True, slots=True)
class Streamed:
    """Numeric columns of one table as rows to be counted here: the bucket, *segments* to be split by, *columns*."""

    columns: tuple[Column, ...]
    segments: tuple[int, ...]
    sql: str


def streamed_statements(shape: Shape) -> tuple[Streamed, ...]:
    """DuckDB's numeric columns, one statement per table that has any."""
    if shape.engine != "duckdb":
        return ()
    numeric = [one for one in shape.columns if isinstance(one.cells, Numbers)]
    chosen = {table: tuple(one for one in numeric if one.table == table) for table in (CELLS, ROWS)}
    return tuple(Streamed(ones, shape.split, _selected(ones, shape, table)) for table, ones in chosen.items() if ones)


def _selected(ones: tuple[Column, ...], shape: Shape, table: str) -> str:
    segments = [f"s{place}" for place in shape.split]
    values = [f"CAST({one.name} AS DOUBLE)" for one in ones]  # a column of nothing but nulls has another type
    return f"SELECT {', '.join(['bucket', *segments, *values])} FROM {table}"  # noqa: S608  # our own names


def _sql(expression: ir.Table, shape: Shape) -> str:
    return as_sql(expression, shape.engine)


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
