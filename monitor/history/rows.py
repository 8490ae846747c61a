"""What questions to the history are answered with: plain frozen rows, times aware and in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


def display_name(metric: str, column: str) -> str:
    """The metric as config.toml writes it: ``accuracy``, ``drift.temp``."""
    return f"{metric}.{column}" if column else metric


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A measurement with the verdict on it: no verdict without a bound, no value where nothing could be measured."""

    model: str
    version: str
    window_start: datetime
    window_end: datetime
    revision: int
    evaluated_at: datetime
    check: str
    metric: str
    column: str
    segment: str
    value: float | None
    low: float | None
    high: float | None
    rows: int
    verdict: str | None = None
    reason: str | None = None
    sentence: str | None = None
    severity: str | None = None
    side: str | None = None
    threshold: float | None = None
    released_value: float | None = None
    comparisons: int | None = None

    @property
    def name(self) -> str:
        """The metric as config.toml writes it."""
        return display_name(self.metric, self.column)


@dataclass(frozen=True, slots=True)
class ArtifactRow:
    """A document that a check left with an evaluation; *incident_id* where it was made for an incident."""

    id: int
    model: str
    version: str
    window_start: datetime
    window_end: datetime
    check: str
    name: str
    media_type: str
    size: int
    created_at: datetime
    incident_id: int | None = None


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model now: its worst verdict, its newest window, and since when an incident is open."""

    model: str
    version: str
    verdict: str
    window_end: datetime
    evaluated_at: datetime
    incident_id: int | None = None
    incident_since: datetime | None = None
    incident_severity: str | None = None


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    """One metric of one segment that fell below its threshold: a line of an incident."""

    model: str
    metric: str
    segment: str
    severity: str
    opened_at: datetime
    resolved_at: datetime | None
    value: float | None
    threshold: float | None
