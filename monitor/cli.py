"""The commands. Heavy libraries are imported inside them, so that ``--help`` answers at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor import alert_commands, check_commands, gate_commands, replay_commands, slack_commands
from monitor.command_line import (
    BREACH,
    CANNOT_TELL,
    CONFIG,
    OK,
    USAGE,
    ConfigOption,
    Format,
    FormatOption,
    app_of,
    fail,
    history_of,
    settings_of,
    time_of,
    utc,
    watch_of,
    write,
)

if TYPE_CHECKING:
    from monitor.settings import Settings

EPILOG = (
    "Exit codes: 0 all is well, 1 something asked about is not, 2 settings or usage, 3 cannot tell, 70 tick stopped."
)

cli = typer.Typer(
    help="Would we still release it today? Holds every deployed model to its release contract.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class VerdictOption(StrEnum):
    """The four verdicts."""

    ok = "ok"
    breach = "breach"
    unknown = "unknown"
    error = "error"


def main() -> None:
    """The entry point of the command ``model-monitor``."""
    cli()


class ReceiverOption(StrEnum):
    """Who is told instead of everybody."""

    console = "console"


@cli.command()
def run(
    receiver: Annotated[
        ReceiverOption | None,
        typer.Option("--receiver", help="Tell nobody but this terminal; left out: as configured."),
    ] = None,
    config: ConfigOption = CONFIG,
) -> None:
    """Run the daemon: watch every model until stopped."""
    from monitor import traces
    from monitor.app import build_app
    from monitor.history.problems import HistoryUnavailable
    from monitor.live import run_on_screen
    from monitor.logs import configure_logs
    from monitor.screen import console

    settings = settings_of(config)
    configure_logs(level="WARNING" if sys.stderr.isatty() else "INFO")
    traces.start(os.environ)
    stop = _stop_on_signals()
    told = settings if receiver is None else _told_here(settings)
    try:
        run_on_screen(build_app(told, config.absolute().parent), stop, console())
    except HistoryUnavailable as problem:
        if not stop.is_set():  # stopped while it waited for the database: a clean stop
            fail(str(problem), CANNOT_TELL)
    except OSError as problem:
        fail(
            f"[web] {settings.web.host}:{settings.web.port} cannot be listened on: {os.strerror(problem.errno or 0)}.",
            USAGE,
        )
    traces.finish()
    _leave()


@cli.command()
def check(config: ConfigOption = CONFIG) -> None:
    """Check the settings, then reach every source, the database and Slack, and say what was found."""
    from monitor.inspection import inspect
    from monitor.screen import console, print_findings, progress

    settings = settings_of(config)
    with progress("Reaching sources, database and Slack") as tell:
        findings = inspect(settings, config.absolute().parent, tell)
    print_findings(console(), findings)
    raise typer.Exit(OK if all(finding.ok for finding in findings) else BREACH)


@cli.command()
def evaluate(
    model: Annotated[str, typer.Option("--model", "-m", help="The model to evaluate.")],
    window: Annotated[
        tuple[datetime, datetime] | None,
        typer.Option("--window", metavar="START END", help="Half-open, UTC; left out: the newest complete window."),
    ] = None,
    output: FormatOption = Format.table,
    config: ConfigOption = CONFIG,
) -> None:
    """Evaluate one model now, without the daemon; nothing is recorded and nobody is told."""
    from monitor.app import present
    from monitor.by_hand import evaluate_now
    from monitor.screen import console, print_evaluation, progress

    app = app_of(config)
    watch = watch_of(app, model)
    bounds = None if window is None else (utc(window[0]), utc(window[1]))
    if bounds is not None and (sentence := _misaligned(bounds, watch.model.bucket)):
        fail(sentence, USAGE)
    with progress(f"Evaluating {model}") as tell:
        done = evaluate_now(app, watch, present(app.settings), bounds, tell)
    print_evaluation(console(), done, output)
    states = {verdict.state for evaluated in done for verdict in evaluated.verdicts}
    raise typer.Exit(BREACH if "breach" in states else CANNOT_TELL if states & {"unknown", "error"} else OK)


@cli.command()
def history(
    model: Annotated[str | None, typer.Option("--model", "-m", help="Only this model.")] = None,
    check_kind: Annotated[str | None, typer.Option("--check", help="Only what this check measured.")] = None,
    metric: Annotated[str | None, typer.Option("--metric", help="Only this metric: accuracy, drift.temp.")] = None,
    segment: Annotated[str | None, typer.Option("--segment", help="Only this segment: origin=EWR.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="A time, or how long ago: 2013-07-01, 7d.")] = None,
    verdict: Annotated[VerdictOption | None, typer.Option("--verdict", help="Only this verdict.")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="What was known then: 2013-07-05, 7d.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most this many rows, the newest ones.")] = 1000,
    output: FormatOption = Format.table,
    config: ConfigOption = CONFIG,
) -> None:
    """What was measured and judged, oldest first."""
    from monitor.app import present
    from monitor.history import queries
    from monitor.screen import console, print_history

    settings = settings_of(config)
    name, _, column = (metric or "").partition(".")
    with history_of(settings, config) as store:
        rows = queries.history(
            store.engine,
            model=model,
            check=check_kind,
            metric=name or None,
            column=column or None,
            segment=segment,
            since=None if since is None else time_of(since, present(settings)),
            verdict=None if verdict is None else verdict.value,
            as_of=None if as_of is None else time_of(as_of, present(settings)),
            limit=limit,
        )
    print_history(console(), rows, output)


@cli.command()
def models(output: FormatOption = Format.table, config: ConfigOption = CONFIG) -> None:
    """Every model with its verdict now and its open incident."""
    from monitor.history import queries
    from monitor.screen import console, print_models

    app = app_of(config)
    with history_of(app.settings, config) as store:
        rows = queries.models(store.engine)
    print_models(console(), app, rows, output)


@cli.command()
def receivers(output: FormatOption = Format.table, config: ConfigOption = CONFIG) -> None:
    """Who is told, what waits for each, and what keeps anybody from being told."""
    from monitor.clock import wall_now
    from monitor.history.deliveries import receiver_rows
    from monitor.receivers import listed, names_of, well
    from monitor.screen import console, print_receivers

    settings = settings_of(config)
    with history_of(settings, config) as store:
        rows = listed(receiver_rows(store.engine), names_of(settings), wall_now())
    print_receivers(console(), rows, output)
    raise typer.Exit(OK if all(map(well, rows)) else BREACH)


@cli.command()
def artifacts(
    artifact: Annotated[int | None, typer.Argument(metavar="ID", help="Write this one; left out: list them.")] = None,
    target: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write it to; left out: standard output.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="Only of this model.")] = None,
    incident: Annotated[int | None, typer.Option("--incident", help="Only those made for this incident.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most this many, the newest ones.")] = 1000,
    output: FormatOption = Format.table,
    config: ConfigOption = CONFIG,
) -> None:
    """List or write the documents that checks left beside their numbers, such as the report on an incident."""
    from monitor.history import queries
    from monitor.screen import console, print_artifacts

    if artifact is None and target is not None:
        fail("--output needs the id of an artifact: model-monitor artifacts 7 --output report.html.", USAGE)
    settings = settings_of(config)
    with history_of(settings, config) as store:
        if artifact is None:
            print_artifacts(console(), queries.artifacts(store.engine, model, incident, limit), output)
            return
        found = queries.artifact(store.engine, artifact)
    if found is None:
        fail(f"There is no artifact {artifact}, or it is kept no more; model-monitor artifacts lists them.", USAGE)
    write(found[1], target)


cli.command()(replay_commands.replay)
cli.command("test")(replay_commands.rehearse)
cli.command()(gate_commands.gate)
cli.command()(gate_commands.release)
cli.command()(gate_commands.releases)
cli.command()(gate_commands.suggest)
cli.command()(check_commands.checks)
cli.command("new-check")(check_commands.new_check)
cli.command()(alert_commands.incidents)
cli.command()(alert_commands.ack)
cli.add_typer(alert_commands.silence)
cli.command()(slack_commands.message)
cli.add_typer(slack_commands.slack)


@cli.command()
def version() -> None:
    """The version of this program."""
    from importlib.metadata import version as installed

    typer.echo(f"model-monitor {installed('model-monitor')}")


def _told_here(settings: Settings) -> Settings:
    """Without anybody else: what is due to Slack meanwhile is never due there."""
    alone = settings.slack.model_copy(update={"token": None, "app_token": None})
    return settings.model_copy(update={"slack": alone, "webhooks": (), "alertmanagers": ()})


def _leave() -> None:
    """End now, even if a request to Slack hangs: what it was to deliver is still in the outbox."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(OK)


def _stop_on_signals() -> threading.Event:
    """An event set by SIGTERM or Ctrl-C; the second signal ends the process at once."""
    stop = threading.Event()

    def handle(number: int, _frame: object) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
    return stop


def _misaligned(window: tuple[datetime, datetime], bucket: timedelta) -> str:
    from monitor.release.words import duration
    from monitor.schedule.plan import tile_start

    if window[0] < window[1] and all(tile_start(at, bucket) == at for at in window):
        return ""
    return f"--window takes the start and end of whole buckets of {duration(bucket)} (UTC): 2013-07-01 2013-07-08."
