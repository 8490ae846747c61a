"""How thresholds and checks in the settings are to be understood: names, sides, parameters, cadence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Literal, NamedTuple

from checks.contract import Check
from monitor.settings import ModelSettings, Threshold

Side = Literal["min", "max"]
SIDES: tuple[Side, ...] = ("min", "max")

EVERY_COLUMN = "*"
"""The column of a threshold that holds for each column without a threshold of its own."""


_SEGMENT = re.compile(r"\[([^\[\]=]+=.*)\]", re.DOTALL)


class Subject(NamedTuple):
    """What a threshold is about: a metric, of a column ("" where it has none), of a segment ("" for the whole)."""

    metric: str
    column: str = ""
    segment: str = ""


def split_name(name: str, segments: Sequence[str] = ()) -> Subject:
    """What a threshold's name says: ``drift.temp[origin=JFK]`` is drift, of temp, where origin is JFK.

    The metric ends at the first dot, so columns may have dots. The segment is the last thing, in brackets, from one of
    the model's *segments* on, or else from a bracket that something with an equals sign follows. So columns and values
    may have brackets: ``drift.temp[C][origin=a[b]]``.
    """
    start, segment = _segment_of(name, segments)
    metric, _, column = name[:start].partition(".")
    return Subject(metric, column, segment)


def _segment_of(name: str, segments: Sequence[str]) -> tuple[int, str]:
    """Where the segment begins, and what it is."""
    if name.endswith("]"):
        known = [start for segment in segments if (start := name.find(f"[{segment}=")) > 0]
        if known:
            return min(known), name[min(known) + 1 : -1]
        if found := _SEGMENT.search(name):
            return found.start(), found[1]
    return len(name), ""


def measures(check: Check, metric: str, column: str) -> bool:
    """Whether *check* is one that measures *metric* of *column*."""
    return any(known.name == metric for known in check.metrics) and check.names(column)


def parameters_for(
    model: ModelSettings, check: type[Check], given: Mapping[str, object], confidence: float | None = None
) -> dict[str, object]:
    """The parameters of a check: those *given*, and those the model already says elsewhere."""
    known = {"positive": model.predictions.positive} | ({} if confidence is None else {"confidence": confidence})
    return {name: value for name, value in known.items() if name in check.model_fields} | dict(given)


def cadence(model: ModelSettings) -> timedelta:
    """How often the model is evaluated where nothing else is said: once a bucket."""
    return model.every or model.bucket


def limits_of(threshold: Threshold) -> Iterator[tuple[Side, float, bool]]:
    """Each bound: its side, its number (seconds for a duration), and whether that is a share of the release's own."""
    for side in SIDES:
        limit = threshold.min if side == "min" else threshold.max
        share = threshold.min_of_release if side == "min" else threshold.max_of_release
        if limit is not None:
            yield side, limit.total_seconds() if isinstance(limit, timedelta) else limit, False
        if share is not None:
            yield side, share, True


def clear_of(threshold: Threshold) -> float | None:
    """Where a bound counts as held again, in the terms of that bound: its own number, or a share of the release's."""
    return threshold.clear.total_seconds() if isinstance(threshold.clear, timedelta) else threshold.clear


def split_segments(model: ModelSettings) -> frozenset[str]:
    """The segment columns by which each column is looked at: those of its thresholds and of configured checks."""
    known = model.predictions.segments
    asked: set[str] = set()
    for name, bound in model.release.items():
        about = split_name(name, known)
        if about.column:
            asked |= {*bound.segments, *(one for one in known if about.segment.startswith(f"{one}="))}
    for settings in model.checks:
        named = settings.parameters.get("segments", ())
        asked |= set(named) if isinstance(named, list | tuple) else set()
    return frozenset(asked & set(known))
