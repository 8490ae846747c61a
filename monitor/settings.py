"""config.toml and MONITOR_* variables as frozen settings; every problem is reported at once, with its path."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from checks.contract import Task

Severity = Literal["page", "warn"]
Duration = Annotated[timedelta, BeforeValidator(lambda text: text)]  # "90s", "30m", "4h", "7d", "2w"


class Table(BaseModel):
    """One table of config.toml: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Source(Table):
    """Where rows come from: a path or glob, or a database URL with ``table`` or ``query``."""

    source: str
    table: str | None = None
    query: str | None = None
    timezone: str = "UTC"  # of naive times


class Predictions(Source):
    """The log of live predictions."""

    id: str | tuple[str, ...]
    time: str
    entity: str | None = None
    score: str | tuple[str, ...] | None = None
    prediction: str | None = None
    fallback: str | None = None
    features: tuple[str, ...] | None = None
    segments: tuple[str, ...] = ()
    positive: str = "1"
    threshold: float = Field(default=0.5, ge=0, le=1)


class Outcomes(Source):
    """What came true, possibly much later and elsewhere."""

    id: str | tuple[str, ...] | None = None  # left out: the columns of predictions.id
    value: str
    time: str | None = None
    delay: Duration | None = None


class Reference(Source):
    """The rows the release was decided on: the columns of predictions, outcome included."""


class Population(Source):
    """Who the model is meant to serve."""

    entity: str
    time: str | None = None  # given: only the entities of the window's own rows


class Threshold(Table):
    """One bound on one metric."""

    min: float | None = None
    max: float | str | None = None
    min_of_release: float | None = None
    max_of_release: float | None = None
    severity: Severity | None = None
    window: Duration | None = None
    every: Duration | None = None
    segments: tuple[str, ...] = ()
    pending_for: Duration | None = Field(default=None, alias="for")
    min_rows: int | None = None


class CheckSettings(BaseModel):
    """A check with parameters of its own: ``check`` names it, further keys are its parameters."""

    model_config = ConfigDict(frozen=True, extra="allow")

    check: str
    window: Duration | None = None
    every: Duration | None = None


class ModelSettings(Table):
    """A deployed model under watch."""

    name: str
    version: str
    task: Task
    owner: str | None = None
    runbook: str | None = None
    bucket: Duration = timedelta(days=1)
    window: Duration = timedelta(days=7)
    every: Duration | None = None  # left out: one bucket
    revise_for: Duration = timedelta(days=30)
    predictions: Predictions
    outcomes: Outcomes | None = None
    reference: Reference | None = None
    population: Population | None = None
    release: dict[str, Threshold] = Field(default_factory=dict)
    checks: tuple[CheckSettings, ...] = ()


class HistorySettings(Table):
    """Where history is stored and for how long."""

    url: SecretStr = SecretStr("sqlite:///data/history.db")
    keep: Duration = timedelta(days=400)


class ScheduleSettings(Table):
    """The scheduler and its worker processes."""

    tick: Duration = timedelta(seconds=5)
    workers: int = Field(default=2, ge=1, le=64)
    check_timeout: Duration = timedelta(minutes=5)
    memory: str = "2GB"
    catch_up: Duration = timedelta(days=7)


class AlertSettings(Table):
    """How verdicts become alerts."""

    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    pending_for: Duration = Field(default=timedelta(0), alias="for")
    keep_firing_for: Duration = timedelta(0)


class SlackSettings(Table):
    """The Slack workspace that is told; without a token the console is."""

    token: SecretStr | None = None
    channel: str | None = None
    api_url: str = "https://slack.com/api/"


class WebSettings(Table):
    """The port for /healthz, /readyz and /metrics."""

    host: str = "127.0.0.1"
    port: int = Field(default=9464, ge=0, le=65535)


class ClockSettings(Table):
    """Plays the past back: the clock starts at *start* and runs *speed* faster than time; stops at *end*."""

    start: datetime
    speed: Duration = timedelta(days=1)  # this much per second
    end: datetime | None = None


class Settings(Table):
    """Everything config.toml says."""

    models: tuple[ModelSettings, ...]
    history: HistorySettings = HistorySettings()
    schedule: ScheduleSettings = ScheduleSettings()
    alerts: AlertSettings = AlertSettings()
    slack: SlackSettings = SlackSettings()
    web: WebSettings = WebSettings()
    clock: ClockSettings | None = None
    checks_dir: str | None = None
