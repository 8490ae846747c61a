"""The segment of a row, as profiles write it, on the engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from checks.contract import Window

if TYPE_CHECKING:
    import ibis.expr.types as ir


def segmented(window: Window) -> Iterator[tuple[str, ir.StringValue]]:
    """Each segment column of the window's table, and the segment value of its rows."""
    for name, known in window.live.layout.segments.items():
        if name in window.table.columns:
            yield name, _known_or_other(_label(window.table[name]), known)


def _known_or_other(label: ir.StringColumn, known: Sequence[str]) -> ir.StringValue:
    return label.isnull().ifelse("(null)", label.isin([*known, "(null)"]).ifelse(label, "(other)"))


def _label(column: ir.Column) -> ir.StringColumn:
    """Canonical text: integral numbers without decimals, booleans as 1 and 0, what is no number as null."""
    kind = column.type()
    if kind.is_boolean():
        return column.cast("int32").cast("string")
    if not kind.is_floating() and not kind.is_decimal():
        return column.cast("string")
    value = column.cast("float64")
    text = value.cast("string")
    whole = (value == value.floor()).ifelse(value.cast("int64").cast("string"), text)
    # NaN is greater than everything; from 1e15 on floor() would overflow.
    return (value.abs() < 1e15).ifelse(whole, (value.abs() < 1e100).ifelse(text, text.nullif(text)))
