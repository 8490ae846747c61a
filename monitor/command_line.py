"""What commands share: options, exit codes, and the way to settings and history, or out with a sentence."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from monitor.app import App
    from monitor.history.store import Store
    from monitor.schedule.watch import Watch
    from monitor.settings import Laid, Settings

OK, BREACH, USAGE, CANNOT_TELL = 0, 1, 2, 3
CONFIG = Path("config.toml")

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The settings file.")]


class Format(StrEnum):
    """How a list is printed."""

    table = "table"
    json = "json"
    csv = "csv"


FormatOption = Annotated[Format, typer.Option("--format", help="How to print.")]


def settings_of(config: Path, laid: Sequence[Laid] = ()) -> Settings:
    """The settings, with *laid* over config.toml, or the end with every problem.

    A model that promises nothing there promises what was recorded as its version's contract.
    """
    from monitor.settings import SettingsError, load_settings

    try:
        return load_settings(config, os.environ, laid=laid, promised=lambda known: _recorded(known, config))
    except SettingsError as problem:
        fail(str(problem), USAGE)


def _recorded(settings: Settings, config: Path) -> Sequence[Laid]:
    """What the history says of models that promise nothing in config.toml."""
    if all(model.release or model.checks for model in settings.models):
        return ()
    from monitor.releasing import recorded_promises

    return recorded_promises(settings, config.absolute().parent)


def app_of(config: Path, only: str | None = None, laid: Sequence[Laid] = ()) -> App:
    """The settings with what follows from them, of all models or of one; with *laid* over config.toml."""
    from monitor.app import build_app

    settings = settings_of(config, laid)
    if only is not None:
        chosen = tuple(model for model in settings.models if model.name == only)
        if not chosen:
            fail(f"No model is called {only!r}; there is {', '.join(m.name for m in settings.models)}.", USAGE)
        settings = settings.model_copy(update={"models": chosen})
    return build_app(settings, config.absolute().parent)


def watch_of(app: App, model: str) -> Watch:
    """The model of that name, under watch."""
    watch = app.watch(model)
    if watch is None:
        fail(f"No model is called {model!r}; config.toml has {', '.join(w.name for w in app.watches)}.", USAGE)
    return watch


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


def write(content: bytes, target: Path | None) -> None:
    """Write to a file, or to standard output."""
    if target is None:
        sys.stdout.buffer.write(content)
        return
    try:
        target.write_bytes(content)
    except OSError as problem:
        fail(f"{target} cannot be written: {os.strerror(problem.errno or 0)}.", USAGE)
