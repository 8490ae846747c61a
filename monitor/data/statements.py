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
            by = {} if segment is None else {"two": table[f"s{segment}"]}
            given = table.select("bucket", x=table[one.name], **by)
            counted = (
                _number_arm(sum_names(shape), given, one.cells)
                if isinstance(one.cells, Numbers)
                else _text_arm(sum_names(shape), given, one.cells)
            )
            none = ibis.null("string")
            whose = {"two": none, "three": none} if segment is None else {"three": ibis.literal(str(segment))}
            yield counted.mutate(part=ibis.literal(one.place, "int32"), **whose).select(*KEYS, *sum_names(shape))


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
    by = [name for name in ("bucket", "two") if name in table.columns]
    rows = table.select(*by, cell=where.cast("int32"), usable=usable, away=away)
    counted = rows.group_by([*by, "cell"]).aggregate(
        rows=rows.count().cast("int64"),
        v0=rows["away"].sum(),
        v1=(rows["away"] * rows["away"]).sum(),
        v2=rows["usable"].min(),
        v3=rows["usable"].max(),
    )
    return counted.mutate(one=ibis.null("string"), **{name: ibis.null("float64") for name in names[4:]})


def _text_arm(names: Sums, table: ir.Table, cells: Categories) -> ir.Table:
    """Values are counted first and looked up after: a hundred thousand times fewer comparisons."""
    by = [name for name in ("bucket", "two") if name in table.columns]  # grouping by a null costs as much as by a text
    values = table.group_by([*by, "x"]).aggregate(n=table.count())
    inside = values["x"].isin(list(cells.values)) if cells.values else columns.NO
    named = values.select(*by, "n", one=inside.ifelse(values["x"], ibis.null("string")), there=values["x"].notnull())
    counted = named.group_by([*by, "one", "there"]).aggregate(rows=named["n"].sum().cast("int64"))
    cell = ibis.cases((counted["one"].notnull(), KNOWN), (counted["there"], OTHER), else_=NULL).cast("int32")
    return counted.mutate(cell=cell, **{name: ibis.null("float64") for name in names}).drop("there")
