"""The sentence of a verdict: what was measured, what was promised, and what the release itself had."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from checks.contract import Measurement
from monitor.release import words
from monitor.release.contract import Bound


@dataclass(frozen=True, slots=True)
class Told:
    """What a sentence is made of; *threshold* is the number the value is held to, *failure* why there is none.

    *days* says how many of the last days decided, where it was not the window.
    """

    bound: Bound
    measurement: Measurement
    threshold: float | None = None
    released: float | None = None
    failure: str = ""
    days: int | None = None

    @property
    def name(self) -> str:
        name = words.display_name(self.bound.metric, self.measurement.column, self.measurement.segment)
        if self.days is None:
            return name
        return f"{name} over the last {'day' if self.days == 1 else f'{self.days} days'}"

    @property
    def digits(self) -> int:
        value = self.measurement.value
        return 3 if value is None or self.threshold is None else words.told_apart(value, self.threshold)

    def number(self, value: float | None) -> str:
        return words.measured(value, self.bound.unit, self.digits)

    @property
    def value(self) -> str:
        """``0.668 [0.655, 0.681]``."""
        ends = words.interval(self.measurement.low, self.measurement.high, self.bound.unit, self.digits)
        return f"{self.number(self.measurement.value)} {ends}".strip()

    @property
    def promise(self) -> str:
        """``0.728 (release 2013-04: 0.781)``."""
        share = f"{words.number(self.bound.limit * 100)} % of " if self.bound.of_release else ""
        if self.released is None:
            return self.number(self.threshold)
        version = f"release {self.bound.version}".strip()
        return f"{self.number(self.threshold)} ({share}{version}: {self.number(self.released)})"

    @property
    def rows(self) -> str:
        return words.rows(self.measurement.rows)

    @property
    def on_rows(self) -> str:
        """``, 18,511 rows``; nothing of what is not a number of rows."""
        return f", {self.rows}" if self.bound.min_rows else ""


def sentence(reason: str, told: Told) -> str:
    """The sentence of a verdict with this reason."""
    return _SENTENCES[reason](told)


def _holds(told: Told) -> str:
    side = "at least" if told.bound.side == "min" else "at most"
    return f"{told.name} {told.value} is {side} the promised {told.promise}{told.on_rows}."


def _not_clear(told: Told) -> str:
    clear = told.bound.clear or 0.0
    needed = clear * (told.released or 0.0) if told.bound.of_release else clear
    return f"{_holds(told).removesuffix('.')}, but short of {told.number(needed)}, where an alert on it ends."


def _inconclusive(told: Told) -> str:
    side = "below" if told.bound.side == "min" else "above"
    beyond = f"{told.name} {told.value} is {side} the promised {told.promise}"
    return f"{beyond}, but its interval still reaches it{told.on_rows}."


def _watch(told: Told) -> str:
    side = "below" if told.bound.side == "min" else "above"
    beyond = f"{told.name} {told.value} is {side} the promised {told.promise}"
    return f"{beyond}, which is suspicious but may be chance{told.on_rows}."


def _not_back(told: Told) -> str:
    return f"{told.name} {told.value} is not clearly back at the promised {told.promise}{told.on_rows}."


def _falls_below(told: Told) -> str:
    return f"{told.name} {told.value} is below the promised {told.promise}{told.on_rows}."


def _rises_above(told: Told) -> str:
    return f"{told.name} {told.value} is above the promised {told.promise}{told.on_rows}."


def _too_few_rows(told: Told) -> str:
    if not told.measurement.rows:
        return f"{told.name} cannot be judged: the window holds no rows for it."
    asked = words.rows(told.bound.min_rows)
    return f"{told.name} cannot be judged: it was measured on {told.rows}, and at least {asked} are asked for."


def _outcomes_not_in(told: Told) -> str:
    return f"{told.name} cannot be judged yet: no outcome of this window is in."


def _provisional(told: Told) -> str:
    return f"{told.name} cannot be judged yet: {told.failure}."


def _cannot_tell(told: Told) -> str:
    reason = told.measurement.detail.get("reason")
    if isinstance(reason, str) and reason:
        return f"{told.name} cannot be told on {told.rows}: {reason.rstrip('.')}."
    value = told.measurement.value
    if value is None:
        return f"{told.name} cannot be told: the check gave no value on {told.rows}."
    return f"{told.name} cannot be told: the check gave {told.value} on {told.rows}."


def _no_release_value(told: Told) -> str:
    share = f"{words.number(told.bound.limit * 100)} %"
    version = f"release {told.bound.version}".strip()
    own = "has no value of its own" if told.released is None else f"has {words.number(told.released)} itself"
    return f"{told.name} {told.value} cannot be held to {share} of the release's own value: {version} {own}."


def _not_measured(told: Told) -> str:
    return f"{told.name} was not measured: its check yielded no such number."


def _failed(told: Told) -> str:
    return f"{told.name} was not measured: {told.failure}"


_SENTENCES: Mapping[str, Callable[[Told], str]] = {
    "holds": _holds,
    "not_clear": _not_clear,
    "inconclusive": _inconclusive,
    "watch": _watch,
    "not_back": _not_back,
    "falls_below": _falls_below,
    "rises_above": _rises_above,
    "too_few_rows": _too_few_rows,
    "outcomes_not_in": _outcomes_not_in,
    "provisional": _provisional,
    "cannot_tell": _cannot_tell,
    "no_release_value": _no_release_value,
    "not_measured": _not_measured,
    "check_failed": _failed,
    "source_failed": _failed,
}
