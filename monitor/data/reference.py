"""The rows of the reference in the shape of joined rows: one bucket, outcomes in the same table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from monitor.data.rows import ACTUAL, BUCKET, KEY, LAG, SAID, SCORE, actual, key, predicted, score, seconds
from monitor.data.sources import demand_columns, utc
from monitor.settings import ModelSettings

if TYPE_CHECKING:
    import ibis.expr.types as ir


def reference_rows(model: ModelSettings, raw: ir.Table) -> ir.Table:
    """Every row of the reference with the columns that ``joined`` gives; LAG where it carries both times."""
    where = f"{model.name}: reference"
    outcome = model.outcomes.value if model.outcomes else None
    needed = model.predictions.prediction, outcome
    demand_columns(raw, needed, where)
    rows = raw.mutate(**{SCORE: score(model, raw), BUCKET: ibis.literal(0, "int64"), KEY: _row_key(model, raw)})
    truth = actual(model, rows[outcome]) if outcome else ibis.null("string")
    return rows.mutate(**{SAID: predicted(model, rows), ACTUAL: truth, LAG: _lag(model, raw, where)})


def _row_key(model: ModelSettings, raw: ir.Table) -> ir.Value:
    names = (model.predictions.id,) if isinstance(model.predictions.id, str) else model.predictions.id
    known = tuple(name for name in names if name in raw.columns)
    return key(raw, known) if known else ibis.row_number()


def _lag(model: ModelSettings, raw: ir.Table, where: str) -> ir.FloatingValue:
    came = model.outcomes
    if came is None or came.time is None or came.time not in raw.columns:
        return ibis.null("float64")
    if model.predictions.time not in raw.columns:
        return ibis.null("float64")
    said_at = utc(raw[model.predictions.time], model.predictions.timezone, where)
    return seconds(utc(raw[came.time], came.timezone, where)) - seconds(said_at)
