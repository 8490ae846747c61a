"""What is to be expected of a window: the median of the same weekday and hour in past weeks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from checks.contract import Measurement, Past, Window

FEWEST = 2
"""Past weeks it takes to expect anything."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The seasonal expectation of a metric, and of how many past weeks it is the median."""

    value: float | None
    weeks: int
    breaches: int

    @property
    def detail(self) -> dict[str, object]:
        return {"expected": self.value, "past_weeks": self.weeks, "breaches_left_out": self.breaches}


def expected(window: Window, metric: str, change: str, column: str = "", segment: str = "") -> Expected:
    """The median of *metric* over past weeks; weeks in which it or its *change* was a breach are left out.

    A median, so that a holiday among the past weeks moves it little.
    """
    past = window.past.get((metric, column, segment), ())
    bad = _breaches(past) | _breaches(window.past.get((change, column, segment), ()))
    values = [one.value for one in past if one.end not in bad]
    return Expected(median(values) if len(values) >= FEWEST else None, len(values), len(past) - len(values))


def _breaches(past: tuple[Past, ...]) -> set[datetime]:
    return {one.end for one in past if one.breach}


def changes(window: Window, change: str, of: Measurement) -> Iterator[Measurement]:
    """*of* as a ratio to its seasonal expectation, which is taken as given: the interval is that of *of* alone."""
    about = expected(window, of.metric, change, of.column, of.segment)
    detail = about.detail
    if of.value is None:
        detail["reason"] = str(of.detail.get("reason", "There is no value to compare."))
    elif about.value is None:
        detail["reason"] = f"{about.weeks} of at least {FEWEST} past weeks of this weekday and hour are known."
    elif about.value == 0:
        detail["reason"] = "Zero is what past weeks let expect, and nothing is a ratio to that."
    else:
        ends = [None if end is None else end / about.value for end in (of.low, of.high)]
        low, high = ends if about.value > 0 else ends[::-1]
        yield Measurement(change, of.value / about.value, low, high, of.rows, of.segment, of.column, detail)
        return
    yield Measurement(change, None, rows=of.rows, segment=of.segment, column=of.column, detail=detail)
