"""What config.toml may say: its tables as frozen settings. How it is read stands in monitor.settings.loading."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, StringConstraints

from checks.contract import Task
from monitor.settings.problems import Problem, SettingsError
from monitor.settings.schema import Place
from monitor.settings.values import (
    Share,
    between,
    fit_for_address,
    known_clock_time,
    known_header,
    known_network,
    known_zone,
    parse_amount,
    parse_columns,
    parse_duration,
    parse_moment,
    parse_rate,
    parse_size,
    parse_time,
    parse_tolerance,
    positive,
)

__all__ = [
    "AlertSettings",
    "Alertmanager",
    "Catalogue",
    "CheckSettings",
    "ClockSettings",
    "Digest",
    "Duration",
    "Escalation",
    "HistorySettings",
    "Laid",
    "Maintenance",
    "ModelSettings",
    "Outcomes",
    "Population",
    "Predictions",
    "Problem",
    "Promised",
    "Reference",
    "ScheduleSettings",
    "Settings",
    "SettingsError",
    "Severity",
    "Share",
    "SlackRoute",
    "SlackSettings",
    "Source",
    "Table",
    "Threshold",
    "Trainings",
    "WebSettings",
    "WebToken",
    "Webhook",
    "load_settings",
    "parse_duration",
    "parse_moment",
    "parse_time",
]

Severity = Literal["page", "warn"]
Duration = Annotated[timedelta, BeforeValidator(parse_duration)]  # "90s", "30m", "4h", "7d", "2w", "1d 12h"
Span = Annotated[Duration, AfterValidator(positive)]
Rate = Annotated[timedelta, BeforeValidator(parse_rate)]  # "1 per 365d": the time that one of them has
Size = Annotated[int, BeforeValidator(parse_size)]  # "512MB", "2GB"
Moment = Annotated[datetime, BeforeValidator(parse_moment)]
Amount = Annotated[float | timedelta, BeforeValidator(parse_amount)]
Columns = Annotated[str | tuple[str, ...], BeforeValidator(parse_columns)]
Tolerance = Annotated[Share | float, BeforeValidator(parse_tolerance)]
Zone = Annotated[str, AfterValidator(known_zone)]
Network = Annotated[str, AfterValidator(known_network)]  # "10.0.0.7", "10.0.0.0/8"
HeaderName = Annotated[str, AfterValidator(known_header)]
Text = Annotated[str, StringConstraints(min_length=1)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ClockTime = Annotated[str, AfterValidator(known_clock_time)]  # "08:00"
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


class Table(BaseModel):
    """One table of config.toml: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, hide_input_in_errors=True)


class Source(Table):
    """Where rows come from: a path or glob, or a database URL with ``table`` or ``query``."""

    source: Text = Field(repr=False)  # a URL may hold a password
    table: Text | None = None
    query: Text | None = Field(default=None, repr=False)
    timezone: Zone = "UTC"  # of naive times


class Predictions(Source):
    """The log of live predictions."""

    id: Columns
    time: Text
    entity: Text | None = None
    score: Columns | None = None
    prediction: Text | None = None
    fallback: Text | None = None
    features: tuple[Text, ...] | None = None
    segments: tuple[Text, ...] = ()
    segment_values: int = Field(default=20, ge=1, le=1000)  # of each segment column; all others together are (other)
    positive: Text = "1"
    threshold: float = Field(default=0.5, ge=0, le=1)
    classes: tuple[Text, ...] | None = None  # what each of several scores is the score of
    interval: tuple[Text, Text] | None = None  # the columns with the ends of a predicted interval
    tolerance: Tolerance | None = None  # "10%" of the outcome, or a number in its unit
    request: Text | None = None  # of rankings: what was asked, and what is ranked
    item: Text | None = None
    position: Text | None = None  # left out: by descending score


class Outcomes(Source):
    """What came true, possibly much later and elsewhere."""

    id: Columns | None = None  # left out: the columns of predictions.id
    value: Text
    time: Text | None = None
    delay: Duration | None = None


class Reference(Source):
    """The rows the release was decided on: the columns of predictions, outcome included."""


class Population(Source):
    """Who the model is meant to serve."""

    entity: Text
    time: Text | None = None  # given: only the entities of the window's own rows


class Catalogue(Source):
    """The items that can be recommended."""

    item: Text


class Trainings(Source):
    """The trainings of the model: one row each, or an experiment of an MLflow tracking server."""

    started: Text = "started"
    finished: Text = "finished"
    status: Text | None = None
    succeeded: tuple[Text, ...] = ("succeeded", "success", "finished", "completed", "ok", "1")
    version: Text | None = None
    experiment: Text | None = None  # of an MLflow server, whose URL is the source


class Threshold(Table):
    """One bound on one metric. A duration as a bound is for metrics measured in seconds."""

    min: Amount | None = None
    max: Amount | None = None
    min_of_release: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    max_of_release: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    clear: Amount | None = None  # where it counts as held again, in the terms of the bound; left out: at the bound
    severity: Severity | None = None
    window: Span | None = None
    every: Span | None = None
    segments: tuple[Text, ...] = ()
    pending_for: Duration | None = Field(default=None, alias="for")
    min_rows: int | None = Field(default=None, ge=1)


class CheckSettings(BaseModel):
    """A check with parameters of its own: ``check`` names it, further keys are its parameters."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    check: Text
    window: Span | None = None
    every: Span | None = None

    @property
    def parameters(self) -> dict[str, object]:
        """The keys that belong to the check itself."""
        return dict(self.model_extra or {})


class ModelSettings(Table):
    """A deployed model under watch."""

    name: Annotated[Name, AfterValidator(fit_for_address)]
    version: Name
    task: Task
    owner: Text | None = None
    runbook: Text | None = None
    retired: bool = False  # not evaluated any more; what is open of it is closed
    bucket: Span = DAY
    window: Span = 7 * DAY
    every: Span | None = None  # left out: one bucket
    revise_for: Duration = 30 * DAY
    predictions: Predictions
    outcomes: Outcomes | None = None
    reference: Reference | None = None
    population: Population | None = None
    catalogue: Catalogue | None = None
    trainings: Trainings | None = None
    release: dict[str, Threshold] = Field(default_factory=dict)
    checks: tuple[CheckSettings, ...] = ()


Kept = Annotated[Duration, AfterValidator(between(DAY, 36525 * DAY, "1d and 36525d"))]


class HistorySettings(Table):
    """Where history is stored and for how long."""

    url: SecretStr = SecretStr("sqlite:///data/history.db")
    keep: Kept = 400 * DAY
    keep_artifacts: Kept = 30 * DAY
    artifact_size: Size = Field(default=20 * 10**6, ge=0, le=10**9)  # bytes


class ScheduleSettings(Table):
    """The scheduler and its worker processes."""

    tick: Annotated[Duration, AfterValidator(between(SECOND / 10, 3600 * SECOND, "0.1s and 1h"))] = 5 * SECOND
    workers: int = Field(default=2, ge=1, le=64)
    check_timeout: Annotated[Duration, AfterValidator(between(SECOND, DAY, "1s and 24h"))] = 300 * SECOND
    memory: Size = Field(default=2 * 10**9, ge=64 * 10**6, le=10**13)  # bytes
    catch_up: Duration = 7 * DAY


class Escalation(Table):
    """Who is told besides when nobody has acknowledged a page for a while."""

    after: Span
    mention: Text | None = None  # an owner of [slack.mentions], or any text
    channel: Text | None = None  # a second channel


class Maintenance(Table):
    """A weekly time in which nobody is told."""

    name: Text
    models: tuple[Text, ...] = ("*",)
    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")  # on which it begins
    begins: ClockTime
    ends: ClockTime  # not after begins: on the next day
    timezone: Zone = "UTC"


class Digest(Table):
    """A regular message about the whole fleet."""

    every: Literal["day", "week"] = "day"
    weekday: Weekday = "mon"  # of a weekly one
    at: ClockTime = "08:00"
    timezone: Zone = "UTC"


class AlertSettings(Table):
    """How verdicts become alerts, and when people are told."""

    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    false_pages: Rate = 365 * DAY  # of a model that sits exactly at its thresholds
    pending_for: Duration = Field(default=timedelta(0), alias="for")
    keep_firing_for: Duration = timedelta(0)
    reopen_for: Duration | None = None  # left out: the time of false_pages for what is judged by days, else a day
    blind_after: Duration | None = None  # left out: three evaluations
    blind_severity: Severity = "warn"
    group_by: Literal["model", "metric", "segment"] = "model"
    group_wait: Duration = 10 * SECOND
    repeat: Span = DAY  # of an incident that warns
    repeat_page: Span = 14400 * SECOND
    acknowledged_for: Span = DAY
    escalation: tuple[Escalation, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    digest: Digest | None = None
    heartbeat: SecretStr | None = None  # the URL of a dead man's switch
    report: bool = True


class SlackRoute(Table):
    """Which incidents go to another channel than [slack] channel; the first that fits decides."""

    channel: Text
    models: tuple[Text, ...] = ("*",)
    owners: tuple[Text, ...] = ("*",)
    severities: tuple[Severity, ...] = ("page", "warn")


class SlackSettings(Table):
    """The Slack workspace that is told; without a token the console is."""

    token: SecretStr | None = None
    channel: Text | None = None
    app_token: SecretStr | None = None  # of Socket Mode: with it, messages have buttons
    routes: tuple[SlackRoute, ...] = ()
    mentions: dict[Text, Text] = Field(default_factory=dict)  # the id of a user or group in Slack, by owner
    api_url: Text = "https://slack.com/api/"


class Webhook(Table):
    """An HTTP address that is told everything, as JSON."""

    name: Text
    url: SecretStr
    secret: SecretStr | None = None  # signs what is sent


class Alertmanager(Table):
    """A Prometheus Alertmanager that is told everything."""

    name: Text = "alertmanager"
    url: SecretStr


class WebToken(Table):
    """Somebody, or a program, that may use the pages and the API from elsewhere."""

    name: Name
    secret: SecretStr
    scope: Literal["read", "write"] = "read"


class WebSettings(Table):
    """The port for pages, API and probes, and who may use it from elsewhere."""

    host: Text = "127.0.0.1"
    port: int = Field(default=9464, ge=0, le=65535)
    url: Text | None = None  # where people reach it, for links in messages
    tokens: tuple[WebToken, ...] = ()
    proxy_header: HeaderName | None = None  # in which a trusted proxy says who it is that asks
    trusted_proxies: tuple[Network, ...] = ()


class ClockSettings(Table):
    """Plays the past back: the clock starts at *start* and runs *speed* per second of real time; stops at *end*."""

    start: Moment
    speed: Span = DAY  # this much per second
    end: Moment | None = None


class Settings(Table):
    """Everything config.toml says."""

    models: tuple[ModelSettings, ...]
    history: HistorySettings = HistorySettings()
    schedule: ScheduleSettings = ScheduleSettings()
    alerts: AlertSettings = AlertSettings()
    slack: SlackSettings = SlackSettings()
    webhooks: tuple[Webhook, ...] = ()
    alertmanagers: tuple[Alertmanager, ...] = ()
    web: WebSettings = WebSettings()
    clock: ClockSettings | None = None
    checks_dir: Text | None = None


@dataclass(frozen=True, slots=True)
class Laid:
    """A value laid over config.toml, at its place in it; *origin* is how a problem with it is called."""

    place: Place
    value: Any
    origin: str


Promised = Callable[[Settings], Sequence[Laid]]
"""What models promise that promise nothing in config.toml, to be laid over it."""


def load_settings(
    path: Path,
    environ: Mapping[str, str],
    secrets_dir: Path = Path("/run/secrets"),
    laid: Sequence[Laid] = (),
    promised: Promised | None = None,
) -> Settings:
    """Read *path*, overridden by secret files and MONITOR_* variables. Raises SettingsError with every problem."""
    from monitor.settings.loading import load  # pydantic-settings takes 0.3 s to import, and --help shall not wait

    return load(path, environ, secrets_dir, laid=laid, promised=promised)
