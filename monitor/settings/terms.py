"""How thresholds and checks in the settings are to be understood: names, sides, parameters, cadence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Literal

from checks.contract import Check
from monitor.settings import ModelSettings, Threshold

Side = Literal["min", "max"]
SIDES: tuple[Side, ...] = ("min", "max")

EVERY_COLUMN = "*"
"""The column of a threshold that holds for each column without a threshold of its own."""


def split_name(name: str) -> tuple[str, str]:
    """The metric and the column of a threshold's name: ``("drift", "temp")``, ``("accuracy", "")``."""
    metric, _, column = name.partition(".")
    return metric, column


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


def split_segments(model: ModelSettings) -> frozenset[str]:
    """The segment columns by which each column is looked at: those of its thresholds and of configured checks."""
    asked = {segment for name, bound in model.release.items() if "." in name for segment in bound.segments}
    for settings in model.checks:
        named = settings.parameters.get("segments", ())
        asked |= set(named) if isinstance(named, list | tuple) else set()
    return frozenset(asked & set(model.predictions.segments))
