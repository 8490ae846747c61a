"""Freshness: whether predictions are still being made, and about as many as at this time of other weeks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import Field

from checks.contract import Check, Measurement, Metric, Needs, Window
from checks.profile import Slice
from checks.statistics.seasons import changes


class Freshness(Check):
    """Age of the newest prediction, rows of the window, and rows / rows expected.

    ``prediction_age`` is the end of the window less the time of the newest prediction in it or before, in seconds.
    ``volume`` counts rows, ``volume_change`` is volume / median volume of the windows of the same weekday and hour in
    the past *weeks*, without those that were a breach; it has no value until two past weeks are known. All are a
    census and have no interval. Judged when the window ends: a stop of all data is seen at the first evaluation.
    """

    kind: ClassVar[str] = "freshness"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("prediction_age", "age of the newest prediction when the window ends", "low", "seconds", of_rows=False),
        Metric("volume", "predictions in the window", "high", "rows", of_rows=False),
        Metric("volume_change", "predictions / those expected of this weekday and hour", "high", of_rows=False),
    )

    weeks: Annotated[int, Field(ge=2, le=52)] = 8

    def needs(self) -> Needs:
        return Needs(past=timedelta(weeks=self.weeks))

    def measure(self, window: Window) -> Iterator[Measurement]:
        known = (f"{name}={value}" for name, values in window.live.layout.segments.items() for value in values)
        for segment in dict.fromkeys((*window.live.slices, *known)):
            rows = window.live.slices.get(segment, Slice()).rows
            volume = Measurement("volume", float(rows), rows=rows, segment=segment)
            yield volume
            yield from changes(window, "volume_change", volume)
        yield _age(window)


def _age(window: Window) -> Measurement:
    newest, rows = window.newest.prediction, window.live.whole.rows
    if newest is None:
        return Measurement("prediction_age", None, rows=rows, detail={"reason": "No prediction was made up to now."})
    age = (window.closed - newest).total_seconds()
    return Measurement("prediction_age", age, rows=rows, detail={"newest": newest.isoformat()})
