"""Expressions over the rows of a window that Ibis has no method for; it is imported when they are asked for."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis.expr.types as ir

EXACT = 1e15
"""Integral numbers below this are written without decimals."""


def shuffled(text: ir.StringValue) -> ir.StringValue:
    """An order of texts that is the same on every engine, whatever its collation, and favours none of them."""
    return _md5()(text)


@cache
def _md5() -> Callable[[ir.StringValue], ir.StringValue]:
    import ibis

    def md5(text: str) -> str:
        raise NotImplementedError  # the engine's own

    made: Callable[[ir.StringValue], ir.StringValue] = ibis.udf.scalar.builtin(md5, signature=(("string",), "string"))
    return made


def row_number() -> ir.IntegerColumn:
    """The place of a row in its window, from 0; to be put over one."""
    import ibis

    return ibis.row_number()


def integer(value: int) -> ir.IntegerScalar:
    """A constant, of one type whatever its size."""
    import ibis

    return ibis.literal(value, "int64")


def number(column: ir.Column) -> ir.FloatingColumn:
    """A number or a yes and no as float64, NaN and what is beyond all measure as null."""
    kind = column.type()
    value = (column.cast("int32") if kind.is_boolean() else column).cast("float64")
    return (value.abs() < 1e100).ifelse(value, None)  # NaN is greater than everything


def text(column: ir.Column) -> ir.StringValue:
    """A value as profiles write it: integral numbers without decimals, booleans as 1 and 0, NaN as null."""
    kind = column.type()
    if kind.is_boolean():
        return column.cast("int32").cast("string")
    if kind.is_integer() or not kind.is_numeric():
        return column.cast("string")
    value = number(column)
    whole = (value.abs() < EXACT) & (value == value.floor())
    return whole.ifelse(whole.ifelse(value, 0.0).cast("int64").cast("string"), value.cast("string"))


def common_type(one: ir.Column, other: ir.Column) -> str:
    """What two columns are compared as: 12 and 12.0 are one thing, whichever way they are stored."""
    mine, theirs = one.type(), other.type()
    if mine.is_integer() and theirs.is_integer():
        return "int64"
    return "float64" if mine.is_numeric() and theirs.is_numeric() else "string"


def comparable(column: ir.Column, kind: str) -> ir.Value:
    """A column as the type that ``common_type`` found."""
    return text(column) if kind == "string" else column.cast(kind)
