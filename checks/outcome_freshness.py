"""Outcome freshness: whether outcomes still come in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from checks.contract import Check, Measurement, Metric, Needs, Window


class OutcomeFreshness(Check):
    """Age of the newest outcome: the end of the window less the time the newest outcome became known, in seconds.

    It does not wait for the outcomes of its window, so a stop is seen at the first evaluation after it. A census of the
    outcomes known when the window ends, so it has no interval. It needs ``outcomes.time``.
    """

    kind: ClassVar[str] = "outcome_freshness"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("outcome_age", "age of the newest outcome when the window ends", "low", "seconds", of_rows=False),
    )

    def needs(self) -> Needs:
        return Needs(outcome_times=True)

    def measure(self, window: Window) -> Iterator[Measurement]:
        newest, rows = window.newest.outcome, window.live.whole.rows
        if newest is None:
            reason = "No outcome with a time is known up to now; outcomes.time names the column that holds it."
            yield Measurement("outcome_age", None, rows=rows, detail={"reason": reason})
            return
        age = (window.closed - newest).total_seconds()
        yield Measurement("outcome_age", age, rows=rows, detail={"newest": newest.isoformat()})
