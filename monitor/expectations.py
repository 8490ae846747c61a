"""What ``model-monitor test`` reads: series of values, the contract they are held to, and what is expected when."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from checks.contract import Check, Task
from monitor.release.series import Value, series_of
from monitor.settings import (
    AlertSettings,
    Duration,
    ModelSettings,
    Moment,
    Problem,
    SettingsError,
    Table,
    Text,
    Threshold,
)
from monitor.settings.problems import File, problems_of
from monitor.settings.promises import review_release


def _names(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[Text, ...], BeforeValidator(_names)]


class Series(Table):
    """What one metric was, a value for each window; the first window ends one ``every`` after the start."""

    metric: Text  # as in [models.release]: "accuracy", "drift.temp", "accuracy[origin=JFK]"
    values: Text
    rows: int = Field(default=1000, ge=0)
    half: float | None = Field(default=None, ge=0)  # of the interval, where a value says none
    released: float | None = None  # the release's own value, for relative bounds

    @model_validator(mode="after")
    def _readable(self) -> Series:
        series_of(self.values)
        return self

    def read(self) -> list[Value]:
        """The values, one a window."""
        return series_of(self.values, self.half)


class Expectation(Table):
    """What holds after the window that ends *at*, counted from the start; what is left out is not looked at."""

    at: Duration
    verdicts: dict[str, str] = Field(default_factory=dict)  # a verdict, or its reason, by metric
    open: Names | None = None  # exactly these alerts
    told: Names | None = None  # exactly these reasons of messages after this window
    says: Names = ()  # what stands in them
    pages: int | None = Field(default=None, ge=0)  # so far


class Expectations(Table):
    """A file of them."""

    model: Text | None = None  # of config.toml; of several it must be named
    task: Task = "binary"  # of a contract of its own
    segments: tuple[Text, ...] = ()
    start: Moment = datetime(2026, 1, 5, tzinfo=UTC)
    release: dict[str, Threshold] | None = None  # left out: that of config.toml
    alerts: AlertSettings = AlertSettings()
    series: tuple[Series, ...]
    expect: tuple[Expectation, ...]


SOMEWHERE = {"source": "nowhere.parquet"}
"""Sources of a contract of its own: no row is ever read."""


def read_expectations(path: Path) -> Expectations:
    """Raises SettingsError with every problem, and OSError."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise SettingsError([Problem(str(path), f"is not TOML: {problem}")]) from None
    try:
        return Expectations.model_validate(table)
    except ValidationError as error:
        file = File(table, {}, Expectations)
        raise SettingsError(problem for _, problem in problems_of(error, file, table)) from None


def model_of(said: Expectations, checks: Mapping[str, type[Check]]) -> ModelSettings:
    """The model that a contract of its own is about. Raises SettingsError with every problem of the contract."""
    data: dict[str, Any] = {
        "name": said.model or "model",
        "version": "test",
        "task": said.task,
        "predictions": {**SOMEWHERE, "id": "id", "time": "at", "entity": "entity", "segments": said.segments},
        "outcomes": {**SOMEWHERE, "value": "value", "time": "known_at"},
        "reference": SOMEWHERE,
        "population": {**SOMEWHERE, "entity": "entity"},
        "catalogue": {**SOMEWHERE, "item": "item"},
        "trainings": SOMEWHERE,
        "release": said.release,
    }
    model = ModelSettings.model_validate(data)
    place: tuple[Literal["models"], int] = ("models", 0)
    remarks = review_release(model, place, checks, File({"models": [data]}, {}, Expectations))
    if problems := [remark.problem for remark in remarks]:
        raise SettingsError(Problem(one.path.removeprefix("models[0]."), one.what, one.instead) for one in problems)
    return model
