"""The release contract: the bounds a model version was released with, as values that judge and word themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

Severity = Literal["page", "warn"]
Side = Literal["min", "max"]


@dataclass(frozen=True, slots=True)
class Bound:
    """One threshold on one metric of one model version.

    *metric* is a metric's name, *column* its column ("" where it has none, "*" for every column), *segments* the
    segment columns it holds for beside the whole. *limit* is absolute, or a share of the release's own value where
    *of_release*.
    """

    name: str  # as written in config.toml: "accuracy", "drift.*"
    metric: str
    column: str
    side: Side
    limit: float
    of_release: bool = False
    severity: Severity = "page"
    segments: tuple[str, ...] = ()
    min_rows: int = 1
    pending_for: timedelta = timedelta(0)
