"""Judging a measurement against a bound: a value, the bound and a named reason in; one of four verdicts out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import isfinite, isnan
from typing import Literal

from checks.contract import Measurement
from monitor.release.contract import EVERY_COLUMN, Bound
from monitor.release.maturity import Usual, is_provisional
from monitor.release.sentences import Told, sentence

State = Literal["ok", "breach", "unknown", "error"]
Reason = Literal[
    "holds",  # ok: the value is on the promised side, and at or beyond the bound's clear
    "not_clear",  # ok: on the promised side, short of the bound's clear
    "inconclusive",  # ok, but suspicious: the value is beyond the bound, its interval still reaches it
    "watch",  # ok, but suspicious: some days are beyond the bound by more than chance explains one time in twenty
    "not_back",  # ok, but the alert stays: the days since it fired are not clearly back
    "falls_below",  # breach of a min
    "rises_above",  # breach of a max
    "too_few_rows",  # unknown
    "outcomes_not_in",  # unknown
    "provisional",  # unknown: far fewer outcomes are in than usual
    "cannot_tell",  # unknown: the check gave no value
    "no_release_value",  # unknown: a bound relative to the release, and the release has no value of its own
    "not_measured",  # error: the check did not yield what the bound is about
    "check_failed",  # error: it raised, hung, ran out of memory or killed its process
    "source_failed",  # error: the rows could not be read
]
STATES: Mapping[Reason, State] = {
    "holds": "ok",
    "not_clear": "ok",
    "inconclusive": "ok",
    "watch": "ok",
    "not_back": "ok",
    "falls_below": "breach",
    "rises_above": "breach",
    "too_few_rows": "unknown",
    "outcomes_not_in": "unknown",
    "provisional": "unknown",
    "cannot_tell": "unknown",
    "no_release_value": "unknown",
    "not_measured": "error",
    "check_failed": "error",
    "source_failed": "error",
}
Key = tuple[str, str, str]
"""Metric, column and segment of a measurement."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no measurement, in a sentence for people."""

    reason: Literal["check_failed", "source_failed"]
    sentence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided about one bound in one window, and why; *since* is where the days begin that decided together,
    None where the window did."""

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
    since: datetime | None = None
    comparisons: int = 0  # with the same severity in the same window: each may be wrong by chance

    @property
    def awaits_outcomes(self) -> bool:
        """Whether it is unknown for want of outcomes that may yet come."""
        return self.reason in ("outcomes_not_in", "provisional")

    @property
    def clears(self) -> bool:
        """Whether it lets a firing alert recover: the value itself is back, as far as the bound's clear asks."""
        return self.reason == "holds"

    @property
    def holds(self) -> bool:
        """Whether the value is on the promised side."""
        return self.reason in ("holds", "not_clear")


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the window beside its measurements: None where it is not.

    *silent*: the segment that the bound names has no rows in it, as others of its column were measured. *usual* is the
    share of predictions that have an outcome by the time a window is judged, and the part of it that suffices.
    """

    rows: int | None = None
    outcomes: int | None = None
    usual: Usual | None = None
    silent: bool = False

    @property
    def waiting(self) -> str:
        """``outcomes are in for 12 % of the window, and 96 % are usual``."""
        share = (self.outcomes or 0) / (self.rows or 1)
        usual = self.usual.share if self.usual else 0.0
        return f"outcomes are in for {share:.0%} of the window, and {usual:.0%} are usual".replace("%", " %")


def judge_all(
    bounds: Sequence[Bound],
    measurements: Sequence[Measurement],
    *,
    released: Mapping[Key, float] | None = None,
    failures: Mapping[str, str] | None = None,
    source_failure: str | None = None,
    rows: int | None = None,
    outcomes: int | None = None,
    usual: Usual | None = None,
) -> tuple[Verdict, ...]:
    """The verdicts on one window: for each bound at least one, in the order of the bounds.

    *released* are the release's own values, *failures* the sentence of a failed check by bound or metric,
    *source_failure* the sentence of a source that could not be read; *rows* and *outcomes* count the window's
    predictions and how many of them have an outcome, which may be few against what is *usual*.
    ``comparisons`` of each counts the verdicts of its severity that are ``ok`` or ``breach``.
    """
    facts = Facts(rows, outcomes, usual)
    own = released or {}
    verdicts: list[Verdict] = []
    for bound in bounds:
        failure = _failure(bound, failures or {}, source_failure)
        found = [one for one in measurements if bound.applies_to(one.metric, one.column, one.segment)]
        if bound.column == EVERY_COLUMN and found:
            verdicts += _judged(bound, found, own, failure, facts)
            continue
        if not any(one.segment == bound.segment for one in found):
            facts_here = replace(facts, silent=_silent(bound, measurements))
            verdicts.append(judge(bound, None, failure=failure, facts=facts_here))
        verdicts += _judged(bound, found, own, failure, facts)
    compared = Counter(verdict.bound.severity for verdict in verdicts if verdict.state in {"ok", "breach"})
    return tuple(replace(verdict, comparisons=compared[verdict.bound.severity]) for verdict in verdicts)


def judge(
    bound: Bound,
    measurement: Measurement | None,
    *,
    released: float | None = None,
    failure: Failure | None = None,
    facts: Facts = Facts(),
) -> Verdict:
    """The verdict on one measurement, or on its absence.

    A breach needs the whole interval beyond the bound, or a number without interval beyond it. What is measured on
    too few rows, or is not a finite number, is unknown.
    """
    about = measurement or Measurement(bound.metric, None, column=bound.column, segment=bound.segment)
    threshold = _held_to(bound, bound.limit, released)
    reason = _reason(bound, measurement, threshold, failure, facts)
    if reason == "holds" and _short_of_clear(bound, about.value, released):
        reason = "not_clear"
    why = failure.sentence if failure else facts.waiting if reason == "provisional" else ""
    told = Told(bound, about, threshold, released, why)
    return Verdict(
        bound=bound,
        state=STATES[reason],
        reason=reason,
        sentence=sentence(reason, told),
        column=about.column,
        segment=about.segment,
        threshold=threshold,
        released=_finite(released),
        value=_finite(about.value),
        low=_finite(about.low),
        high=_finite(about.high),
        rows=about.rows,
    )


def unbroken(verdict: Verdict, value: float) -> Reason:
    """What *value* in place of the verdict's says, where it is known to be no breach."""
    sign = 1 if verdict.bound.side == "min" else -1
    if verdict.threshold is not None and sign * (value - verdict.threshold) < 0:
        return "inconclusive"
    return "not_clear" if _short_of_clear(verdict.bound, value, verdict.released) else "holds"


def _silent(bound: Bound, measurements: Sequence[Measurement]) -> bool:
    column = bound.segment.partition("=")[0]
    return bool(column) and any(
        one.metric == bound.metric and one.segment.startswith(f"{column}=") for one in measurements
    )


def _failure(bound: Bound, failures: Mapping[str, str], source_failure: str | None) -> Failure | None:
    if source_failure is not None:
        return Failure("source_failed", source_failure)
    said = failures.get(bound.name, failures.get(bound.metric))
    return None if said is None else Failure("check_failed", said)


def _judged(
    bound: Bound, found: Sequence[Measurement], released: Mapping[Key, float], failure: Failure | None, facts: Facts
) -> Iterator[Verdict]:
    for one in found:
        own = released.get((one.metric, one.column, one.segment))
        yield judge(bound, one, released=own, failure=failure, facts=facts)


def _held_to(bound: Bound, limit: float, released: float | None) -> float | None:
    """The number that *limit* stands for; a share of a negative or unknown value of the release is none."""
    if not bound.of_release:
        return limit
    return None if released is None or not isfinite(released) or released < 0 else limit * released


def _short_of_clear(bound: Bound, value: float | None, released: float | None) -> bool:
    clear = None if bound.clear is None else _held_to(bound, bound.clear, released)
    if clear is None or value is None:
        return False
    return value < clear if bound.side == "min" else value > clear


def _reason(
    bound: Bound,
    measurement: Measurement | None,
    threshold: float | None,
    failure: Failure | None,
    facts: Facts,
) -> Reason:
    if measurement is None:
        return failure.reason if failure else _absent(bound, facts)
    if bound.needs_outcomes and (awaited := _awaited(measurement, facts)) is not None:
        return awaited
    if measurement.rows < bound.min_rows:
        return "too_few_rows"
    value = measurement.value
    if value is None or not isfinite(value) or _is_nan(measurement.low) or _is_nan(measurement.high):
        return "cannot_tell"
    if threshold is None:
        return "no_release_value"
    return _compared(bound, value, measurement.low, measurement.high, threshold)


def _awaited(measurement: Measurement, facts: Facts) -> Reason | None:
    if not measurement.rows and not facts.outcomes and facts.rows != 0:
        return "outcomes_not_in"
    return "provisional" if is_provisional(facts.rows, facts.outcomes, facts.usual) else None


def _absent(bound: Bound, facts: Facts) -> Reason:
    if (facts.rows == 0 and bound.min_rows) or facts.silent:
        return "too_few_rows"
    return "outcomes_not_in" if bound.needs_outcomes and facts.outcomes == 0 else "not_measured"


def _compared(bound: Bound, value: float, low: float | None, high: float | None, threshold: float) -> Reason:
    exact = low is None and high is None
    if bound.side == "min":
        if value >= threshold:
            return "holds"
        return "falls_below" if exact or (high is not None and high < threshold) else "inconclusive"
    if value <= threshold:
        return "holds"
    return "rises_above" if exact or (low is not None and low > threshold) else "inconclusive"


def _finite(value: float | None) -> float | None:
    """Infinite ends of an interval are open ones: databases and JSON know no infinity."""
    return value if value is not None and isfinite(value) else None


def _is_nan(value: float | None) -> bool:
    return value is not None and isnan(value)
