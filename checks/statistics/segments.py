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
    import ibis

    return ibis.cases((label.isnull(), "(null)"), (label.isin([*known, "(null)"]), label), else_="(other)")


def _label(column: ir.Column) -> ir.StringColumn:
    """Canonical text: integral numbers without decimals, booleans as 1 and 0, what is no number as null."""
    import ibis

    kind = column.type()
    if kind.is_boolean():
        return ibis.cases((column, "1"), (~column, "0"), else_=ibis.null("string"))
    if not kind.is_floating() and not kind.is_decimal():
        return column.cast("string")
    value = column.cast("float64")
    return ibis.cases(
        (~(value.abs() < 1e100), ibis.null("string")),  # NaN is greater than everything
        (value.abs() >= 1e15, value.cast("string")),  # floor() would overflow
        (value == value.floor(), value.cast("int64").cast("string")),
        else_=value.cast("string"),
    )
