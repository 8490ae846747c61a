"""Drift: how far the distribution of a column has moved from the release's, beyond what chance makes of samples."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from typing import ClassVar

from checks.contract import Check, Measurement, Metric, Needs, Window
from checks.profile import Categories, Distribution, Numbers
from checks.statistics import distances
from checks.statistics.cells import Cell, compared, named

FALSE_ALARMS = 0.002
"""The nominal chance that any column of a window without change is above zero.

The tail of the PSI of small samples is heavier than chi-square's: nominally 0.2 % is 1 % in most sizes of window and
3 % at 50 rows, as measured by benchmarks/drift_false_alarms.py; beyond a bound of 0.2 it is none in 6,300 windows.
"""

METHOD = "distance of binned counts, less its {quantile:.3%} quantile under no change (rows taken as independent)"


class Drift(Check):
    """PSI and Jensen-Shannon distance (base 2) of each column against the reference, null share included.

    From both divergences the most that sampling alone makes of two windows of these sizes is subtracted, at a level
    set for all columns together, so that windows without change stay near 0 whatever their size. Rows are taken as
    independent; those of one real day are not, so quiet real windows differ by more than that.
    The outcome is left out: a missing one is late, not different.
    """

    kind: ClassVar[str] = "drift"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("drift", "population stability index against the reference", "low", per="column", pages=False),
        Metric("jensen_shannon", "Jensen-Shannon distance to the reference", "low", per="column", pages=False),
    )

    def needs(self) -> Needs:
        return Needs(distributions=True, reference=True)

    def measure(self, window: Window) -> Iterator[Measurement]:
        if window.baseline is None:
            return
        live, baseline, outcome = window.live.whole, window.baseline.whole, window.roles.outcome
        columns = [name for name in window.live.layout.columns if name in baseline.columns and name != outcome]
        level = FALSE_ALARMS / max(len(columns), 1)
        for name in columns:
            cells = window.live.layout.columns[name]
            before = baseline.columns[name]
            now = live.columns.get(name) or Distribution((0,) * cells.cells, absent=live.rows)
            yield from _measured(name, cells, before, now, level)


def _measured(
    name: str, cells: Numbers | Categories, before: Distribution, now: Distribution, level: float
) -> Iterator[Measurement]:
    rows, rows_before = now.rows, before.rows
    if not rows or not rows_before:
        reason = f"The {'window' if rows_before else 'reference'} holds no row with '{name}'."
        for metric in ("drift", "jensen_shannon"):
            yield Measurement(metric, None, rows=rows, column=name, detail={"reason": reason})
        return
    merged = compared(cells, before, now)
    old, new = distances.shares([cell.before for cell in merged], [cell.now for cell in merged])
    detail = {
        "cells": len(merged),
        "null_before": before.null / rows_before,
        "null_now": now.null / rows,
        "moved": _moved(named(cells, before, now), rows_before, rows),
        "method": METHOD.format(quantile=1 - level),
    }
    raw = distances.psi(old, new)
    noise = distances.psi_noise(rows_before, rows, len(merged), level)
    yield Measurement(
        "drift", max(raw - noise, 0.0), rows=rows, column=name, detail={"raw": raw, "noise": noise, **detail}
    )
    raw = distances.jensen_shannon(old, new)
    noise = distances.jensen_shannon_noise(rows_before, rows, len(merged), level)
    value = sqrt(max(raw - noise, 0.0))
    detail = {"raw": sqrt(raw), "noise": sqrt(noise), **detail}
    yield Measurement("jensen_shannon", value, rows=rows, column=name, detail=detail)


def _moved(cells: Iterator[Cell], before: int, now: int) -> list[dict[str, object]]:
    """The three cells whose share changed most."""
    changes = [(cell.now / now - cell.before / before, cell) for cell in cells]
    largest = sorted((change for change in changes if change[0]), key=lambda change: -abs(change[0]))[:3]
    return [{"cell": cell.name, "before": cell.before / before, "now": cell.now / now} for _, cell in largest]
