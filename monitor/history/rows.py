"""What questions to the history are answered with: plain frozen rows, times aware and in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from monitor.history.records import Acknowledgement


def display_name(metric: str, column: str) -> str:
    """The metric as config.toml writes it: ``accuracy``, ``drift.temp``."""
    return f"{metric}.{column}" if column else metric


class HistoryRow(msgspec.Struct, frozen=True, gc=False):
    """A measurement with the verdict on it: no verdict without a bound, no value where nothing could be measured."""

    # A frozen dataclass of so many fields takes 9 µs to make, this 0.5: an answer has thousands.

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
    evaluation_id: int = 0

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
    """A model now: its worst verdict, its newest window, since when an incident is open, and whether days of a metric
    are suspicious."""

    model: str
    version: str
    verdict: str
    window_end: datetime
    evaluated_at: datetime
    incident_id: int | None = None
    incident_since: datetime | None = None
    incident_severity: str | None = None
    watch: bool = False


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


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An incident in a line; *told* is what became of its notifications (:data:`monitor.history.incidents.TOLD`).

    *alerts* are the metrics and segments that fell below their thresholds, as they are named to people.
    It is open without a break *since* then, or was last, after *relapses* times in which it was over.
    *acknowledged* is the newest acknowledgement that has not expired.
    """

    id: int
    model: str
    version: str
    severity: str
    opened_at: datetime
    resolved_at: datetime | None
    end_reason: str
    since: datetime
    relapses: int
    alerts: tuple[str, ...]
    told: str
    acknowledged: Acknowledgement | None = None


@dataclass(frozen=True, slots=True)
class TransitionRow:
    """A change of one alert's condition, in window time, and why."""

    window_end: datetime
    metric: str
    segment: str
    side: str
    before: str
    after: str
    reason: str
    value: float | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class NotificationRow:
    """One notification to one receiver, in wall time: what it said, and when it was sent or why not."""

    reason: str
    receiver: str
    state: str
    created_at: datetime
    sent_at: datetime | None
    why: str | None
    error: str | None
    attempts: int
    next_at: datetime
    line: str


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert within an incident, in window time: *value* and *threshold* as they were when it opened."""

    metric: str
    segment: str
    severity: str
    opened_at: datetime
    resolved_at: datetime | None
    value: float | None
    threshold: float | None
    reopened: int


@dataclass(frozen=True, slots=True)
class IncidentStory:
    """Everything that is known of an incident."""

    incident: IncidentRow
    owner: str | None
    alerts: tuple[AlertRow, ...]
    transitions: tuple[TransitionRow, ...]
    notifications: tuple[NotificationRow, ...]
    acknowledgements: tuple[Acknowledgement, ...]


@dataclass(frozen=True, slots=True)
class EvaluationRow:
    """One run of one plan of a model over a window; *reason* says why it failed or was skipped."""

    id: int
    model: str
    version: str
    plan: str
    window_start: datetime
    window_end: datetime
    revision: int
    state: str
    reason: str
    evaluated_at: datetime
    seconds: float
    rows: int
    outcomes: int


@dataclass(frozen=True, slots=True)
class FailureRow:
    """A check that did not get to an answer: the sentence for people, and the traceback where it raised."""

    check: str
    sentence: str
    detail: str


@dataclass(frozen=True, slots=True)
class MaturityRow:
    """What a window took to be judged: *enough* (a part) of the *usual* share of outcomes.

    *half_in* and *most_in* are the seconds after a prediction by which half of the outcomes that come and 95 % of them
    were in; None where that was not learned yet. *waiting* are the starts of the days that had too few for the alarm.
    """

    usual: float
    enough: float
    half_in: float | None = None
    most_in: float | None = None
    waiting: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class EvaluationStory:
    """Everything that is known of an evaluation.

    *why* is why it was due, *as_of* up to when rows counted, *contract* what was promised, *dropped* what was said of
    documents too large to be kept, *maturity* what it took to be judged, *revisions* the other evaluations of the
    window and plan, *incidents* those whose alerts it moved.
    """

    evaluation: EvaluationRow
    why: str
    as_of: str
    contract_hash: str
    contract: Mapping[str, Any] | None
    failures: tuple[FailureRow, ...]
    dropped: tuple[str, ...]
    maturity: MaturityRow | None
    results: tuple[HistoryRow, ...]
    revisions: tuple[EvaluationRow, ...]
    artifacts: tuple[ArtifactRow, ...]
    incidents: tuple[int, ...]
