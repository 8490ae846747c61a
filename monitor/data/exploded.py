"""Spark's form of the pushed-down aggregation: several columns counted in one pass.

A UNION ALL of a GROUP BY per column is as many jobs on Spark as there are columns. Here a row becomes one small row per
column, with the cell its value falls into, and many columns are grouped at once. The tests hold the answers equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import ibis
import ibis.expr.types as ir

from checks.profile import Categories
from monitor.data import columns
from monitor.data.longform import INFINITE, KEYS, KNOWN, NAN, NULL, OTHER, sum_names
from monitor.data.pairs import row_arms
from monitor.data.shape import ROWS, Column, Shape
from monitor.data.sources import as_sql

AT_ONCE = 2
"""Numeric columns in one pass: a method compiled of more comparisons is too large for Java to make it fast."""

_ITEM = ("part", "cell", "one", "usable", "away")


@lru_cache(maxsize=64)
def exploded_statement(shape: Shape) -> str:
    """The same rows as ``long_statement``."""
    texts = [one for one in shape.columns if isinstance(one.cells, Categories)]
    numbers = [one for one in shape.columns if not isinstance(one.cells, Categories)]
    passes = [texts, *(numbers[place : place + AT_ONCE] for place in range(0, len(numbers), AT_ONCE))]
    arms = [*(_counted(shape, ones) for ones in passes if ones), *row_arms(shape)]
    return as_sql(ibis.union(*arms, distinct=False), shape.engine)


def _counted(shape: Shape, ones: Sequence[Column]) -> ir.Table:
    """Columns for the whole and by each segment whose columns are looked at."""
    groups = _groups(shape, ones)
    whole = ibis.struct({"two": ibis.null("string"), "three": ibis.null("string")})
    parts = [ibis.struct({"two": groups[f"s{j}"], "three": ibis.literal(str(j))}) for j in shape.split]
    each = groups.mutate(slice=ibis.array([whole, *parts]).unnest())
    each = each.mutate(two=each["slice"]["two"], three=each["slice"]["three"])
    counted = each.group_by(["part", "bucket", "one", "two", "three", "cell"]).aggregate(
        rows=each["n"].sum().cast("int64"),
        v0=each["v0"].sum(),
        v1=each["v1"].sum(),
        v2=each["v2"].min(),
        v3=each["v3"].max(),
    )
    names = sum_names(shape)
    return counted.mutate(**{name: ibis.null("float64") for name in names[4:]}).select(*KEYS, *names)


def _groups(shape: Shape, ones: Sequence[Column]) -> ir.Table:
    """Rows by column, cell and the values of all split segments."""
    segments = [f"s{j}" for j in shape.split]
    rows = ibis.table({**shape.cells.schema(), **shape.rows.schema()}, name=ROWS)
    items = ibis.array([_item(rows[one.name], one) for one in ones])
    each = rows.select("bucket", *segments, item=items.unnest())
    given = each.select("bucket", *segments, **{name: each["item"][name] for name in _ITEM})
    return given.group_by(["part", "bucket", "one", "cell", *segments]).aggregate(
        n=given.count(),
        v0=given["away"].sum(),
        v1=(given["away"] * given["away"]).sum(),
        v2=given["usable"].min(),
        v3=given["usable"].max(),
    )


def _item(value: ir.Value, one: Column) -> ir.StructValue:
    """A value by its column (part), its cell, and its text (one), or its number and distance of the centre."""
    part = ibis.literal(one.place, "int32")
    if isinstance(one.cells, Categories):
        known = value.isin(list(one.cells.values)) if one.cells.values else columns.NO
        cell = ibis.cases((value.isnull(), NULL), (known, KNOWN), else_=OTHER).cast("int32")
        none = ibis.null("float64")
        text = known.ifelse(value, ibis.null("string"))
        return ibis.struct(dict(zip(_ITEM, (part, cell, text, none, none), strict=True)))
    cell = ibis.cases(
        (value.isnull(), NULL),
        (value.isnan(), NAN),  # before any comparison: NaN is greater than everything
        (~columns.finite(value), INFINITE),
        else_=columns.cell(value, one.cells.edges),
    ).cast("int32")
    usable = columns.finite(value).ifelse(value, ibis.null("float64"))
    away = columns.tame(usable - columns.constant(one.cells.centre))
    return ibis.struct(dict(zip(_ITEM, (part, cell, ibis.null("string"), usable, away), strict=True)))
