"""Judging a measurement against a bound: a value, the bound and a named reason in; one of four verdicts out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from monitor.release.contract import Bound

State = Literal["ok", "breach", "unknown", "error"]
Reason = Literal[
    "holds",  # ok: the value is on the promised side
    "inconclusive",  # ok, but suspicious: the value is beyond the bound, its interval still reaches it
    "falls_below",  # breach of a min
    "rises_above",  # breach of a max
    "too_few_rows",  # unknown
    "outcomes_not_in",  # unknown
    "cannot_tell",  # unknown: the check gave no value
    "no_release_value",  # unknown: a bound relative to the release, and the release has no value of its own
    "not_measured",  # error: the check did not yield what the bound is about
    "check_failed",  # error: it raised, hung, ran out of memory or killed its process
    "source_failed",  # error: the rows could not be read
]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided about one bound in one window, and why."""

    bound: Bound
    state: State
    reason: Reason
    sentence: str
    column: str = ""
    segment: str = ""
    threshold: float | None = None
    released: float | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    rows: int = 0

    @property
    def clears(self) -> bool:
        """Whether it lets a firing alert recover: the value itself is back on the promised side."""
        return self.reason == "holds"
