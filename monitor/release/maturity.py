"""Whether enough outcomes of a window are in to judge it. Those that come first are not like those that come late."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

ENOUGH = 0.5
"""The part of the usual share of outcomes that a window takes to be judged."""

LEAST = 14
"""How many windows tell what is usual."""

WINDOWS = 28
"""How many of the last windows are looked at."""


def usual_share(windows: Iterable[tuple[int, int]]) -> float | None:
    """The median share of predictions with an outcome when a window is first judged; None where there are too few.

    *windows* are (predictions, outcomes) as they were then, so whoever waits for a part of the outcomes only is not
    held to all of them.
    """
    shares = [outcomes / rows for rows, outcomes in windows if rows > 0]
    return median(shares) if len(shares) >= LEAST else None


def is_provisional(rows: int | None, outcomes: int | None, usual: float | None) -> bool:
    """Whether a window with so many predictions and outcomes waits for more of them; no where that is not known."""
    if not rows or outcomes is None or usual is None:
        return False
    return outcomes < ENOUGH * usual * rows
