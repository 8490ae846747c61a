"""How much of the model's error each column explains, on a bounded sample of the reference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import sqrt

import ibis
import ibis.expr.types as ir

from checks.profile import Categories, Layout, Numbers
from monitor.data import columns, predictions, rows
from monitor.data.baseline import SAMPLE
from monitor.data.sources import Opened, fetch
from monitor.settings import ModelSettings

SURE = 0.01
"""A column counts where chance would explain as much with at most this probability."""

WHOLE = -1


def importance_of(model: ModelSettings, opened: Opened, layout: Layout, outcome: ir.Value | None) -> dict[str, float]:
    """Per column its correlation ratio with the error, 0 to 1; empty where the reference has no errors to tell.

    The error is 1 for a wrong class and 0 for the right one, or the absolute error of a number. The square of the ratio
    is the share of the error's variance that lies between the column's cells, less what chance puts there.
    """
    if outcome is None or model.task == "ranking":
        return {}
    places = predictions.present(model, opened, layout)
    sample = _sample(model, opened, layout, outcome, places)
    kinds = tuple(layout.columns.values())
    arms = [_whole(sample), *(_between(sample, place, kinds[place]) for place in places)]
    sums = fetch(opened.engine, opened.engine.compile(ibis.union(*arms, distinct=False)), opened.where)
    names = tuple(layout.columns)
    return {names[place]: ratio for place, ratio in sorted(_ratios({place: rest for place, *rest in sums}))}


def _sample(model: ModelSettings, opened: Opened, layout: Layout, outcome: ir.Value, places: Sequence[int]) -> ir.Table:
    """``error`` and the columns ``x0 ...`` of about SAMPLE rows, always the same: those whose ids have a low MD5.

    A filter and not the lowest so many: it streams, where an order would hold the rows. The limit cuts nothing off; it
    keeps the sample one subquery that engines run once, and not one per column.
    """
    table = opened.table
    found = predictions.profiled(model, opened, layout)
    [(count,)] = fetch(opened.engine, opened.engine.compile(table.aggregate(n=table.count())), opened.where)
    ids = [name for name in rows.ids_of(model) if name in table.columns] or list(table.columns)
    key = columns.md5(columns.text_of([columns.label(table[name]) for name in ids]))
    values = {f"x{place}": found[f"x{place}"] for place in places}
    given = table.select(key=key, error=_error(model, found["predicted"], outcome), **values)
    given = given.filter(given["error"].notnull())
    if count > SAMPLE:
        given = given.filter(given["key"] < f"{int(16**8 * SAMPLE / count):08x}")
    return given.drop("key").limit(2 * SAMPLE)


def _error(model: ModelSettings, predicted: ir.Value, outcome: ir.Value) -> ir.FloatingValue:
    if rows.classifies(model):
        return (predicted != outcome).ifelse(1, 0).cast("float64")
    return columns.tame((predicted - outcome).abs())


def _whole(sample: ir.Table) -> ir.Table:
    error = sample["error"]
    counted = sample.aggregate(n=sample.count().cast("float64"), one=error.sum(), two=(error * error).sum())
    return counted.select(ibis.literal(WHOLE, "int32").name("place"), "n", "one", "two")


def _between(sample: ir.Table, place: int, cells: Numbers | Categories) -> ir.Table:
    """How many cells of the column have rows, and the sum over them of (sum of errors)² / rows."""
    value = sample[f"x{place}"]
    cell = _cell(value, cells) if isinstance(cells, Numbers) else value
    told = sample.select("error", cell=cell)
    held = told.group_by("cell").aggregate(n=told.count().cast("float64"), error=told["error"].sum())
    between = (held["error"] * held["error"] / held["n"]).sum()
    counted = held.aggregate(n=held.count().cast("float64"), one=between, two=ibis.null("float64"))
    return counted.select(ibis.literal(place, "int32").name("place"), "n", "one", "two")


def _cell(value: ir.Column, cells: Numbers) -> ir.IntegerValue:
    return ibis.cases(
        (value.isnull(), -3),
        (value.isnan(), -1),  # before any comparison: NaN is greater than everything
        (~columns.finite(value), -2),
        else_=columns.cell(value, cells.edges),
    ).cast("int32")


def _ratios(sums: dict[int, list[float]]) -> Iterator[tuple[int, float]]:
    rows_, total, squares = (part or 0.0 for part in sums.pop(WHOLE))
    spread = squares - total * total / rows_ if rows_ else 0.0
    if spread <= 1e-12 * squares:
        return
    for place, (cells, between, _) in sums.items():
        yield place, round(correlation_ratio(between - total * total / rows_, spread, int(cells), int(rows_)), 3)


def correlation_ratio(between: float, spread: float, cells: int, rows: int) -> float:
    """√ε² of sums of squares *between* cells and in all, 0 where an F test cannot tell it from chance.

    ``ε² = 1 - (within / (n - k)) / (all / (n - 1))``, nearly unbiased however many cells there are.
    Source: T. L. Kelley, An unbiased correlation ratio measure, PNAS 21 (1935).
    """
    from scipy.special import fdtrc

    if cells < 2 or rows <= cells:
        return 0.0
    within = max(spread - between, 0.0) / (rows - cells)
    if within > 0 and fdtrc(cells - 1, rows - cells, max(between, 0.0) / (cells - 1) / within) > SURE:
        return 0.0
    return sqrt(max(1 - within / (spread / (rows - 1)), 0.0))
