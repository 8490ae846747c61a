"""Whether enough outcomes of a window are in to judge it. Those that come first are not like those that come late."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from monitor.release.lag import LagCurve

ENOUGH = 0.8
"""The part of the usual share of outcomes that a window takes to be judged, while more are coming in."""

STANDING = 0.5
"""The part it takes when no more are coming, or when nobody can know how late they come."""

SETTLED = 0.9
"""The part of the outcomes that is waited for where they come later than the release was used to."""

LEAST = 14
"""How many windows tell what is usual."""

WINDOWS = 28
"""How many of the last windows are looked at."""


@dataclass(frozen=True, slots=True)
class Usual:
    """The *share* of predictions that have an outcome when a window is judged, and the *part* of it that suffices."""

    share: float
    part: float


def usual_share(windows: Iterable[tuple[int, int]]) -> float | None:
    """The median share of predictions with an outcome when a window is first judged; None where there are too few.

    *windows* are (predictions, outcomes) as they were then, so whoever waits for a part of the outcomes only is not
    held to all of them.
    """
    shares = [outcomes / rows for rows, outcomes in windows if rows > 0]
    return median(shares) if len(shares) >= LEAST else None


def usual_when_in(curve: LagCurve, delay: timedelta | None) -> float:
    """The share that is in once the configured *delay* has passed, or, without one, when all that come are in."""
    return curve.final if delay is None else curve.share_at(delay)


def usual_of(
    windows: Iterable[tuple[int, int]], curve: LagCurve | None, delay: timedelta | None, *, still: bool
) -> Usual | None:
    """What a window takes to be judged, as the first judgements of *windows* before it and the *curve* tell.

    Windows alone forget within two weeks: where outcomes come later than before, few become usual. The curve knows of
    those that came after the judgement. *still*: no more are coming.
    """
    judged = usual_share(windows)
    if curve is None:
        return None if judged is None else Usual(judged, STANDING)
    return Usual(max(usual_when_in(curve, delay), judged or 0.0), STANDING if still else ENOUGH)


def delay_learned(released: timedelta | None, curve: LagCurve | None) -> timedelta:
    """How long outcomes are waited for: as long as the release was used to, or longer where by then many are not in."""
    known = released or timedelta(0)
    if curve is None or curve.share_by(known) >= ENOUGH * curve.final:
        return known
    return curve.age_of(SETTLED)


def stands_still(end: datetime, changed: datetime, seen: datetime) -> bool:
    """Whether, *seen* now, nothing has come for as long as it took until the last came, at *changed*."""
    return seen - changed >= changed - end


def is_provisional(rows: int | None, outcomes: int | None, usual: Usual | None) -> bool:
    """Whether so many predictions with so many outcomes wait for more of them; no where that is not known."""
    if not rows or outcomes is None or usual is None:
        return False
    return outcomes < usual.part * usual.share * rows
