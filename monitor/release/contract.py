"""The release contract: the bounds a model version was released with, and the checks that measure what they bound."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Literal

from checks.contract import Check, Metric
from monitor.settings import CheckSettings, ModelSettings, Threshold
from monitor.settings.terms import (
    EVERY_COLUMN,
    Side,
    Subject,
    cadence,
    clear_of,
    limits_of,
    measures,
    parameters_for,
    split_name,
)

__all__ = [
    "EVERY_COLUMN",
    "Bound",
    "PlannedCheck",
    "ReleaseContract",
    "Severity",
    "Side",
    "build_contract",
    "owner_of",
    "side_of",
]

Severity = Literal["page", "warn"]

DAY = timedelta(days=1)
ONE_A_YEAR = timedelta(days=365)
MOST_LOOKS = 3
"""However many windows end within a day, they are about nearly the same rows: as chances to be wrong they count as so
many (docs/alarm-quality.md)."""


@dataclass(frozen=True, slots=True)
class Bound:
    """One threshold on one metric of one model version.

    *metric* is a metric's name, *column* its column ("" where it has none, "*" for every column but
    *except_columns*, which have thresholds of their own). It holds for the one *segment* that it names; or for the
    whole, and for every value of the segment columns *segments* but those in *except_segments*, which have thresholds
    of their own: (column, segment), where the column may be "*". *limit* is absolute, or a share of the release's own
    value where *of_release*; so is *clear*, from where on it counts as held again (None: from *limit* on). *window* and
    *every* are those of the check that measures it.
    """

    name: str  # as written in config.toml: "accuracy", "drift.*"
    metric: str
    column: str
    side: Side
    limit: float
    of_release: bool = False
    clear: float | None = None
    severity: Severity = "page"
    segment: str = ""
    segments: tuple[str, ...] = ()
    min_rows: int = 1
    pending_for: timedelta = timedelta(0)
    except_columns: tuple[str, ...] = ()
    except_segments: tuple[tuple[str, str], ...] = ()
    window: timedelta = timedelta(days=7)
    every: timedelta = timedelta(days=1)
    needs_outcomes: bool = False
    averages: bool = False  # its value over a window is the mean of its days
    unit: str = ""
    version: str = ""

    @property
    def pages_by_days(self) -> bool:
        """Whether the alarm judges its days together, rather than each window by itself."""
        return self.severity == "page" and self.averages

    @property
    def looks(self) -> int:
        """As how many chances a day to page by chance its windows count."""
        return min(max(DAY // self.every, 1), MOST_LOOKS)

    def applies_to(self, metric: str, column: str, segment: str) -> bool:
        """Whether the bound is about this measurement. The whole is segment ""."""
        if metric != self.metric or not self._covers(column):
            return False
        if self.segment or not segment:
            return segment == self.segment
        if any(segment == other and of in {column, EVERY_COLUMN} for of, other in self.except_segments):
            return False
        return any(segment.startswith(f"{name}=") for name in self.segments)

    def _covers(self, column: str) -> bool:
        if self.column == EVERY_COLUMN:
            return column != "" and column not in self.except_columns
        return column == self.column


@dataclass(frozen=True, slots=True)
class PlannedCheck:
    """A check with the length of the windows it measures and how often it does."""

    check: Check
    window: timedelta
    every: timedelta


@dataclass(frozen=True, slots=True)
class ReleaseContract:
    """What a model version was released with. *hash* tells contracts apart, whatever order they are written in.

    *false_pages* is the time in which the model, exactly at its thresholds, may page once.
    """

    model: str
    version: str
    bounds: tuple[Bound, ...]
    checks: tuple[PlannedCheck, ...]
    hash: str
    false_pages: timedelta = ONE_A_YEAR


def side_of(text: str | None) -> Side:
    """The side of a bound as the history keeps it."""
    return "max" if text == "max" else "min"


def build_contract(
    model: ModelSettings,
    checks: Mapping[str, type[Check]],
    confidence: float | None = None,
    false_pages: timedelta = ONE_A_YEAR,
) -> ReleaseContract:
    """The contract that settings which passed their review describe.

    A threshold implies the check that measures its metric, with default parameters and the model's window, unless
    [[models.checks]] or the threshold itself says otherwise. *confidence* is the level of intervals, where a check
    takes one.
    """
    configured = [_configured(model, settings, checks, confidence) for settings in model.checks]
    planned = list(configured)
    bounds: list[Bound] = []
    for name, threshold in model.release.items():
        about = split_name(name, model.predictions.segments)
        owner, metric = owner_of(checks, about.metric)
        implied = _implied(model, about, threshold, owner, configured, confidence)
        planned += [implied] if implied not in planned else []
        bounds += _bounds(model, name, threshold, metric, implied)
    digest = _hash(model, bounds, planned, false_pages)
    return ReleaseContract(model.name, model.version, tuple(bounds), tuple(planned), digest, false_pages)


def owner_of(checks: Mapping[str, type[Check]], metric: str) -> tuple[type[Check], Metric]:
    """The check that measures *metric*. Raises LookupError where none does."""
    for check in checks.values():
        for known in check.metrics:
            if known.name == metric:
                return check, known
    raise LookupError(f"No check measures '{metric}'.")


def _configured(
    model: ModelSettings, settings: CheckSettings, checks: Mapping[str, type[Check]], confidence: float | None
) -> PlannedCheck:
    kind = checks[settings.check]
    check = kind.model_validate(parameters_for(model, kind, settings.parameters, confidence))
    return PlannedCheck(check, settings.window or model.window, settings.every or cadence(model))


def _implied(
    model: ModelSettings,
    about: Subject,
    threshold: Threshold,
    owner: type[Check],
    configured: Sequence[PlannedCheck],
    confidence: float | None,
) -> PlannedCheck:
    """The check that measures for *threshold*: a configured one where its window fits, else one with its parameters."""
    own = [planned for planned in configured if measures(planned.check, about.metric, about.column)]
    for planned in own:
        if threshold.window in {None, planned.window} and threshold.every in {None, planned.every}:
            return planned
    check = own[0].check if own else owner.model_validate(parameters_for(model, owner, {}, confidence))
    return PlannedCheck(check, threshold.window or model.window, threshold.every or cadence(model))


def _bounds(
    model: ModelSettings, name: str, threshold: Threshold, metric: Metric, planned: PlannedCheck
) -> Iterator[Bound]:
    subjects = [split_name(other, model.predictions.segments) for other in model.release]
    about = split_name(name, model.predictions.segments)
    beside = [other for other in subjects if other.metric == about.metric and other != about]
    for side, limit, of_release in limits_of(threshold):
        yield Bound(
            name=name,
            metric=metric.name,
            column=about.column,
            side=side,
            limit=limit,
            of_release=of_release,
            clear=clear_of(threshold),
            severity=threshold.severity or ("page" if metric.pages else "warn"),
            segment=about.segment,
            segments=threshold.segments,
            min_rows=threshold.min_rows or int(metric.of_rows),
            pending_for=threshold.pending_for or timedelta(0),
            except_columns=_other_columns(about, beside),
            except_segments=_other_segments(about, beside),
            averages=metric.averages,
            window=planned.window,
            every=planned.every,
            needs_outcomes=planned.check.needs().outcomes,
            unit=metric.unit,
            version=model.version,
        )


def _other_columns(about: Subject, beside: Sequence[Subject]) -> tuple[str, ...]:
    """The columns with thresholds of their own, where *about* is every column: of the same segment."""
    if about.column != EVERY_COLUMN:
        return ()
    return tuple(sorted(other.column for other in beside if other.segment == about.segment))


def _other_segments(about: Subject, beside: Sequence[Subject]) -> tuple[tuple[str, str], ...]:
    """The segments with thresholds of their own, where *about* names none; a segment weighs more than a column."""
    if about.segment:
        return ()
    return tuple(sorted((other.column, other.segment) for other in beside if other.segment))


def _hash(
    model: ModelSettings, bounds: Sequence[Bound], planned: Sequence[PlannedCheck], false_pages: timedelta
) -> str:
    promised = {
        "model": model.name,
        "version": model.version,
        "task": model.task,
        "false_pages": false_pages,
        "bounds": sorted(_canonical(asdict(bound)) for bound in bounds),
        "checks": sorted(
            _canonical([one.check.kind, one.check.model_dump(mode="json"), one.window, one.every]) for one in planned
        ),
    }
    return hashlib.sha256(_canonical(promised).encode()).hexdigest()


def _canonical(data: object) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), default=lambda span: span.total_seconds())
