"""An aggregate written in SQL, run on the engine where the rows are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from checks.contract import CannotMeasure, Window
from checks.statistics.segments import segmented
from checks.statistics.sums import fetched

if TYPE_CHECKING:
    import ibis.expr.types as ir


def aggregated(window: Window, expression: str) -> Iterator[tuple[str, float | None, int]]:
    """(segment, value, rows) of an SQL expression over the window's rows, for the whole and per segment.

    It must be one expression in the engine's own dialect, such as ``sum(price) / nullif(count(*), 0)``; no statement
    can hide in it, for it is parsed and written anew.
    """
    yield from _asked(window.table, expression, "")
    for name, value in segmented(window):
        yield from _asked(window.table.mutate(mm_segment=value), expression, name)


def _asked(rows: ir.Table, expression: str, segment: str) -> Iterator[tuple[str, float | None, int]]:
    engine = rows.get_backend()
    value = _one_number(expression, str(engine.dialect.__name__).lower())
    inner = engine.compile(rows)
    asked, grouped = ("mm_segment, ", " GROUP BY mm_segment ORDER BY mm_segment") if segment else ("", "")
    query = f"SELECT {asked}{value} AS mm_value, COUNT(*) AS mm_rows FROM ({inner}) AS predictions{grouped}"  # noqa: S608  # parsed below, and the operator's own
    schema = {"mm_segment": "string"} if segment else {}
    found = engine.sql(query, schema={**schema, "mm_value": "float64", "mm_rows": "int64"})
    for row in fetched(found):
        yield f"{segment}={row['mm_segment']}" if segment else "", row["mm_value"], row["mm_rows"]


def _one_number(expression: str, dialect: str) -> str:
    """The expression as SQL of *dialect*, as a double. Raises CannotMeasure where it is not one expression."""
    import sqlglot
    import sqlglot.expressions as sg

    try:
        parsed = sqlglot.parse_one(expression, dialect=dialect)
    except sqlglot.errors.ParseError as problem:
        line = str(problem).splitlines()[0].rstrip(".")
        raise CannotMeasure(f"The KPI's sql is not one expression ({line}).") from problem
    if not isinstance(parsed, sg.Condition) or parsed.find(sg.Query):
        raise CannotMeasure("The KPI's sql is not one expression; write an aggregate, such as sum(price).")
    return sg.Cast(this=parsed, to=sg.DataType.build("double")).sql(dialect=dialect)
