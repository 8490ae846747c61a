"""The gate before a release: from the verdicts on a candidate's rows to whether it holds the contract.

The verdicts are those that a live window would get. What differs is who has to show something: a live model is in
breach when it is clearly below its bound, a candidate holds when its value is on the promised side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Literal

from checks.contract import Measurement
from monitor.release.contract import Side
from monitor.release.verdict import Key, Verdict

Answer = Literal["holds", "falls_below", "cannot_tell"]
Standing = Literal["better", "worse", "alike", "unknown"]
"""How the candidate stands to the champion: ``alike`` within chance, ``unknown`` where no interval tells chance."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The champion's own value, and the candidate's less it, with an interval where both have one."""

    champion: float
    difference: float
    low: float | None
    high: float | None
    standing: Standing


@dataclass(frozen=True, slots=True)
class Line:
    """What one verdict means for the release. A bound that warns does not decide."""

    verdict: Verdict
    answer: Answer
    comparison: Comparison | None = None

    @property
    def decides(self) -> bool:
        return self.verdict.bound.severity == "page"

    @property
    def is_worse(self) -> bool:
        """Whether it is clearly worse than the champion."""
        return self.comparison is not None and self.comparison.standing == "worse"

    @property
    def is_close(self) -> bool:
        """Whether it holds, and its interval reaches beyond the bound all the same."""
        found, threshold = self.verdict, self.verdict.threshold
        if self.answer != "holds" or threshold is None or (found.low is None and found.high is None):
            return False
        end = found.low if found.bound.side == "min" else found.high
        return end is None or (end < threshold if found.bound.side == "min" else end > threshold)


def lines_of(verdicts: Sequence[Verdict], champion: Mapping[Key, Measurement] | None = None) -> tuple[Line, ...]:
    """A line for each verdict, those that decide first; with what was measured of a *champion*, compared with it."""
    lines = [Line(verdict, answer_of(verdict), _compared(verdict, champion or {})) for verdict in verdicts]
    return tuple(sorted(lines, key=lambda line: not line.decides))


def answer_of(verdict: Verdict) -> Answer:
    """A value that is beyond the bound within chance is no breach of a live model, and shows nothing of a candidate."""
    if verdict.state == "breach":
        return "falls_below"
    return "holds" if verdict.state == "ok" and verdict.holds else "cannot_tell"


def ruling(lines: Sequence[Line]) -> Answer:
    """The answer to the whole: every bound that pages must hold, and none be clearly worse than the champion."""
    deciding = [line for line in lines if line.decides]
    if any(line.answer == "falls_below" or line.is_worse for line in deciding):
        return "falls_below"
    if not deciding or any(line.answer == "cannot_tell" for line in deciding):
        return "cannot_tell"
    return "holds"


def _compared(verdict: Verdict, champion: Mapping[Key, Measurement]) -> Comparison | None:
    """Only in what tells right from wrong: the drift of the champion's own rows is none by definition."""
    if not verdict.bound.needs_outcomes:
        return None
    own = champion.get((verdict.bound.metric, verdict.column, verdict.segment))
    if own is None or own.value is None or not isfinite(own.value) or verdict.value is None:
        return None
    ends = _difference(verdict, own)
    low, high = ends or (None, None)
    standing = _standing(verdict.bound.side, ends)
    return Comparison(own.value, verdict.value - own.value, low, high, standing)


def _difference(verdict: Verdict, own: Measurement) -> tuple[float, float] | None:
    """The interval of a difference from the intervals of both, as if they had nothing to do with each other.

    Where both were measured on the same rows it is wider than it need be.
    Source: R. G. Newcombe, Interval estimation for the difference between independent proportions, Statistics in
    Medicine 17 (1998), method 10; for any two intervals: G. Y. Zou, A. Donner, Statistics in Medicine 27 (2008).
    """
    value, low, high = verdict.value, verdict.low, verdict.high
    if value is None or low is None or high is None or own.value is None or own.low is None or own.high is None:
        return None
    if not all(map(isfinite, (low, high, own.low, own.high))):
        return None
    down = sqrt((value - low) ** 2 + (own.high - own.value) ** 2)
    up = sqrt((high - value) ** 2 + (own.value - own.low) ** 2)
    return value - own.value - down, value - own.value + up


def _standing(side: Side, ends: tuple[float, float] | None) -> Standing:
    if ends is None:
        return "unknown"
    low, high = ends
    if low <= 0 <= high:
        return "alike"
    return "better" if (low > 0) == (side == "min") else "worse"
