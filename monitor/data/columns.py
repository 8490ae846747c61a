"""Columns as profiles see them: numbers as float64, everything else as canonical text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

Kind = Literal["number", "text", "null"]

NO = ibis.literal(False)  # noqa: FBT003  # Ibis takes it by position only

HUGE, TINY = 1e100, 1e-100
"""Numbers beyond HUGE are counted as infinite, for their squares are; differences below TINY are none."""

EXACT = 1e15
"""Integral numbers below this are written without decimals."""


@ibis.udf.scalar.builtin(signature=(("string",), "string"))  # type: ignore[untyped-decorator]  # Ibis has no types
def md5(text: str) -> str:
    """An order of texts that is the same on every engine, whatever its collation."""
    raise NotImplementedError  # the engine's own


def hashed(one: ir.Value, other: ir.Column) -> ir.IntegerColumn:
    """DuckDB's own hash of both; Ibis' makes it a text of bits on the way."""

    def of(one: object, other: object) -> int:
        raise NotImplementedError  # the engine's own

    return ibis.udf.scalar.builtin(of, name="hash", signature=((one.type(), other.type()), "uint64"))(one, other)


def kind_of(column: dt.DataType) -> Kind | None:
    """What a column can be profiled as; None for times, lists, structs and the like."""
    if column.is_boolean() or column.is_string() or column.is_uuid():
        return "text"
    if column.is_numeric():
        return "number"
    return "null" if column.is_null() else None


def constant(value: float) -> ir.FloatingScalar:
    """Exactly this double: engines read a literal such as 0.1 as a decimal, and round it once more."""
    return ibis.literal(repr(float(value))).cast("float64")


def number(column: ir.Column) -> ir.FloatingColumn:
    """A numeric column as float64."""
    return column.cast("float64")


def label(column: ir.Column) -> ir.StringColumn:
    """Canonical text: integral numbers without decimals, booleans as 1 and 0, NaN and infinity as null."""
    kind = column.type()
    if kind.is_string():
        return column
    if kind.is_boolean():
        return ibis.cases((column, "1"), (~column, "0"), else_=ibis.null("string"))
    if kind.is_integer() or not kind.is_numeric():
        return column.cast("string")
    value = number(column)
    return ibis.cases(
        (~finite(value), ibis.null("string")),
        (value.abs() >= EXACT, value.cast("string")),  # floor() would overflow
        (value == value.floor(), value.cast("int64").cast("string")),
        else_=value.cast("string"),
    )


def finite(value: ir.FloatingColumn) -> ir.BooleanValue:
    """Whether a float is a number one can count with: not NaN, not beyond ±HUGE (null stays null)."""
    return value.abs() < constant(HUGE)  # NaN is greater than everything


def tame(value: ir.FloatingValue) -> ir.FloatingValue:
    """What is closer to 0 than TINY as 0: PostgreSQL refuses a product too small for a double."""
    return (value.abs() < constant(TINY)).ifelse(0.0, value)


def cell(value: ir.Column, edges: Sequence[float]) -> ir.IntegerValue:
    """The place of *value* among sorted *edges*: how many of them it reaches. A tree of comparisons."""
    if not edges:
        return ibis.literal(0, "int32")
    return _branch(value, edges, 0, len(edges))


def _branch(value: ir.Column, edges: Sequence[float], low: int, high: int) -> ir.IntegerValue:
    if low == high:
        return ibis.literal(low, "int32")
    middle = (low + high) // 2
    below = _branch(value, edges, low, middle)
    return (value < constant(edges[middle])).ifelse(below, _branch(value, edges, middle + 1, high))


def known_or_other(column: ir.StringColumn, known: Sequence[str]) -> ir.StringColumn:
    """A segment value: itself where it is known, else (other), or (null)."""
    inside = column.isin(list(known)) if known else NO
    return ibis.cases((column.isnull(), "(null)"), (inside, column), else_="(other)")


def text_of(parts: Sequence[ir.StringValue]) -> ir.StringValue:
    """Several texts as one, nulls as nothing."""
    whole = parts[0].fill_null("")
    for part in parts[1:]:
        whole = whole + "\x1f" + part.fill_null("")
    return whole
