"""The course of one promise as a line of a few dozen points: pure geometry, drawn by the template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from monitor.history.overview import Passed
from monitor.web.standing import DAYS

WIDTH, HEIGHT, MARGIN = 132.0, 34.0, 4.0

Spot = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Spark:
    """What is drawn on 132 x 34: lines, broken where there was no value; breaches; the promise; the newest spot."""

    lines: tuple[str, ...]
    breaches: tuple[Spot, ...]
    bound: float | None
    last: Spot | None
    words: str


def spark(passed: Sequence[Passed], bound: float | None, until: datetime) -> Spark | None:
    """The last days before *until*; None where there was no value."""
    values = [each.value for each in passed if each.value is not None]
    if not values:
        return None
    highest, lowest = max([*values, *_known(bound)]), min([*values, *_known(bound)])
    room = (highest - lowest) or 1.0
    begin = until - timedelta(days=DAYS)

    def height(value: float) -> float:
        return round(HEIGHT - MARGIN - (value - lowest) / room * (HEIGHT - 2 * MARGIN), 1)

    def spot(each: Passed, value: float) -> Spot:
        share = (each.at - begin) / (until - begin)
        return round(MARGIN + min(max(share, 0.0), 1.0) * (WIDTH - 2 * MARGIN), 1), height(value)

    runs = [list(run) for there, run in groupby(passed, lambda each: each.value is not None) if there]
    spots = [[spot(each, each.value) for each in run if each.value is not None] for run in runs]
    breached = [spot(each, each.value) for each in passed if each.value is not None and each.verdict == "breach"]
    return Spark(
        tuple(" ".join(f"{x},{y}" for x, y in line) for line in spots if len(line) > 1),
        tuple(breached),
        None if bound is None else height(bound),
        spots[-1][-1],
        f"Last {DAYS} days: {len(passed)} windows, {len(breached)} in breach",
    )


def _known(bound: float | None) -> list[float]:
    return [] if bound is None else [bound]
