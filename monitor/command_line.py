"""What commands share: options, exit codes, and the way to settings and history, or out with a sentence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from monitor.history.store import Store
    from monitor.settings import Settings

OK, BREACH, USAGE, CANNOT_TELL = 0, 1, 2, 3

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The settings file.")]


class Format(StrEnum):
    """How a list is printed."""

    table = "table"
    json = "json"
    csv = "csv"


FormatOption = Annotated[Format, typer.Option("--format", help="How to print.")]


def settings_of(config: Path) -> Settings:
    """The settings, or the end with every problem."""
    from monitor.settings import SettingsError, load_settings

    try:
        return load_settings(config, os.environ)
    except SettingsError as problem:
        fail(str(problem), USAGE)


@contextmanager
def history_of(settings: Settings, config: Path) -> Iterator[Store]:
    """The history, or the end with a sentence as soon as it does not answer."""
    from monitor.app import open_store
    from monitor.history.problems import HistoryUnavailable

    try:
        with open_store(settings, config.absolute().parent) as store:
            yield store
    except HistoryUnavailable as problem:
        fail(str(problem), CANNOT_TELL)


def fail(sentence: str, code: int) -> NoReturn:
    """Say what is wrong and end with an exit code."""
    typer.echo(sentence, err=True)
    raise typer.Exit(code)


def utc(at: datetime) -> datetime:
    """A time that does not say its zone is in UTC."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def time_of(text: str, now: datetime) -> datetime:
    """A time as people write it: a date, a date with time, or how long before *now*."""
    from monitor.settings import parse_time

    try:
        return parse_time(text, now)
    except ValueError as problem:
        fail(str(problem), USAGE)
