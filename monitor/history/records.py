"""What goes into the history and what comes out of it: plain frozen values, times aware and in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

EvaluationState = Literal["done", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class EvaluationRecord:
    """One run of one plan of a model over the window ``[start, end)``."""

    version: str
    plan: str
    start: datetime
    end: datetime
    evaluated_at: datetime
    revision: int = 0
    state: EvaluationState = "done"
    reason: str = ""
    inputs: str = ""
    contract_hash: str = ""
    seconds: float = 0.0
    rows: int = 0
    outcomes: int = 0
    detail: Mapping[str, object] = field(default_factory=dict)
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class WindowRecord:
    """The newest revision of an evaluated window: what decides whether it is due again.

    *provisional*: it waits for more outcomes.
    """

    start: datetime
    end: datetime
    revision: int
    inputs: str
    state: EvaluationState
    evaluated_at: datetime
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class DayRecord:
    """What a metric was in the day (or longer bucket) that begins at *start*, on *rows* rows; *check* is a fingerprint
    of the check and its parameters, *error* the standard error of rows taken as independent."""

    check: str
    metric: str
    column: str
    segment: str
    start: datetime
    value: float
    rows: int
    error: float


@dataclass(frozen=True, slots=True)
class MeasurementRecord:
    """One number of an evaluation; ``value=None`` means "cannot tell"."""

    check: str
    metric: str
    value: float | None
    low: float | None = None
    high: float | None = None
    rows: int = 0
    column: str = ""
    segment: str = ""
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VerdictRecord:
    """What was decided about one bound in one window, and why."""

    metric: str
    verdict: str
    reason: str
    severity: str
    side: str
    column: str = ""
    segment: str = ""
    check: str = ""
    sentence: str = ""
    threshold: float | None = None
    released_value: float | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    rows: int = 0
    comparisons: int = 0


@dataclass(frozen=True, slots=True)
class ArtifactRecord:
    """A document that a check left beside its numbers. *content* is compressed, *size* is what it was before."""

    check: str
    name: str
    media_type: str
    size: int
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ProfileRecord:
    """The profile of one bucket. *revision* is the history's: 0 at first, one more each time it is replaced.

    *lags* counts outcomes by how long they took (cells of LAG_EDGES); none where that is not known.
    """

    bucket_end: datetime
    rows: int
    outcomes: int
    data: bytes
    read_at: datetime
    revision: int = 0
    lags: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class BucketState:
    """What is known of a bucket without reading its profile; *lags* as in ProfileRecord, where they are asked for."""

    revision: int
    rows: int
    outcomes: int
    read_at: datetime
    lags: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class BaselineRecord:
    """The layout and the reference profile of a model version. *id* is 0 until it is saved.

    *outcome_delay* is the reference's, *lag_curve* that of live outcomes: the share that is in by each of LAG_EDGES.
    """

    model: str
    version: str
    fingerprint: str
    layout: bytes
    recorded_at: datetime
    profile: bytes | None = None
    outcome_delay: timedelta | None = None
    id: int = 0
    lag_curve: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """The present state of an alert; *state* is the whole of it as data, the rest is for finding it."""

    key: str
    metric: str
    side: str
    condition: str
    window_end: datetime
    state: Mapping[str, object]
    column: str = ""
    segment: str = ""


@dataclass(frozen=True, slots=True)
class IncidentRecord:
    """Alerts of one model at one time. *sequence* counts its notifications, *group* is what they have in common."""

    id: int
    version: str
    severity: str
    opened_at: datetime
    resolved_at: datetime | None = None
    sequence: int = 0
    group: str = ""
    end_reason: str = ""


@dataclass(frozen=True, slots=True)
class EpisodeRecord:
    """An alert from firing to resolved, within an incident; *value* and *threshold* as they were when it opened."""

    alert_key: str
    metric: str
    severity: str
    opened_at: datetime
    column: str = ""
    segment: str = ""
    value: float | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class TransitionRecord:
    """A change of an alert's condition in the window up to *window_end*, and why; told or not."""

    alert_key: str
    metric: str
    column: str
    segment: str
    side: str
    window_end: datetime
    before: str
    after: str
    reason: str
    value: float | None = None
    incident_id: int | None = None
    evaluation_id: int | None = None


@dataclass(frozen=True, slots=True)
class OutboxRecord:
    """One notification due at one receiver. The *key* makes it unique; *next_at* left out means at once."""

    key: str
    incident_id: int | None
    receiver: str
    reason: str
    message: Mapping[str, object]
    created_at: datetime
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OutboxSummary:
    """Notifications not yet delivered: waiting, given up until somebody acts, and since when the oldest waits."""

    pending: int
    blocked: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Counts:
    """Cheap numbers for metrics."""

    models: int
    open_incidents: int
    firing_alerts: int


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts that fit all *matchers* (a pattern by what it is about) are muted in ``[starts_at, ends_at)``, wall time.

    *id* is 0 until history gave it one.
    """

    id: int
    matchers: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime
    author: str
    comment: str


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody has seen an incident that was of *severity* then; it holds until *expires_at*, wall time."""

    severity: str
    author: str
    comment: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class NotificationRecord:
    """One notification of an incident to one receiver, as the outbox keeps it; *severity* is what the message said.

    *about* are the alerts of one that was suppressed, as data.
    """

    sequence: int
    receiver: str
    reason: str
    severity: str
    state: str
    created_at: datetime
    sent_at: datetime | None
    about: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An incident that is not resolved: its newest message and its open alerts as data, and all that was said of it."""

    id: int
    model: str
    sequence: int
    message: Mapping[str, Any]
    alerts: tuple[Mapping[str, Any], ...]
    notifications: tuple[NotificationRecord, ...]
    acknowledgements: tuple[Acknowledgement, ...]
