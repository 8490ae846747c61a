"""The commands around a release: may this candidate be released, and what was released when?"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
    watch_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitor.app import App
    from monitor.gate_screen import GateResult
    from monitor.release.gate import Answer
    from monitor.schedule.watch import Watch
    from monitor.settings import Source


class GateFormat(StrEnum):
    """How the gate's answer is printed."""

    table = "table"
    json = "json"
    markdown = "markdown"
    junit = "junit"


class Against(StrEnum):
    """What a candidate is compared with."""

    champion = "champion"


def gate(
    model: Annotated[str, typer.Option("--model", "-m", help="The model whose contract the candidate is held to.")],
    candidate: Annotated[
        str,
        typer.Option("--candidate", help="Its rows, outcome included: a path, a glob, s3://..., or a database URL."),
    ],
    table: Annotated[str | None, typer.Option("--table", help="The table, where the rows are in a database.")] = None,
    against: Annotated[
        Against | None, typer.Option("--against", help="Compare it with the version that is released, too.")
    ] = None,
    output: Annotated[GateFormat, typer.Option("--format", help="How to print.")] = GateFormat.table,
    config: ConfigOption = CONFIG,
) -> None:
    """May this candidate be released? Judge its rows as the daemon would judge the live ones.

    The rows are one window, measured by the checks and held to the bounds of the contract. To hold, a value must be on
    the promised side; where it is not but its interval still reaches the bound, the gate cannot tell. Bounds that warn
    are shown and decide nothing. Exit codes: 0 holds, 1 falls below (or is clearly worse than the champion),
    2 settings or usage, 3 cannot tell.
    """
    from monitor.data.errors import SourceProblem, shown
    from monitor.gate_screen import print_gate
    from monitor.screen import console, progress

    app = app_of(config)
    watch = watch_of(app, model)
    source = _source_of(candidate, table, watch)
    try:
        with progress(f"Judging {shown(candidate)}") as tell:
            result = _judged(app, watch, source, candidate, against_champion=against is not None, tell=tell)
    except SourceProblem as problem:
        fail(str(problem), CANNOT_TELL)
    print_gate(console(), result, output)
    codes: Mapping[Answer, int] = {"holds": OK, "falls_below": BREACH, "cannot_tell": CANNOT_TELL}
    raise typer.Exit(codes[result.answer])


def release(
    model: Annotated[str, typer.Option("--model", "-m", help="The model that is released.")],
    version: Annotated[str, typer.Option("--version", help="The version that is released.")],
    config: ConfigOption = CONFIG,
) -> None:
    """Record a version as released: its contract, its baseline, and what its reference had, frozen from then on.

    Contract and reference are those that config.toml holds now, whatever version it names.
    """
    from monitor.app import build_app
    from monitor.clock import wall_now
    from monitor.data.errors import SourceProblem
    from monitor.release_screen import print_release
    from monitor.releasing import NotReleased
    from monitor.releasing import release as record
    from monitor.screen import console, progress

    app = app_of(config, model)
    known = app.settings.models[0]
    released = known.model_copy(update={"version": version})
    app = build_app(app.settings.model_copy(update={"models": (released,)}), app.base)
    try:
        with history_of(app.settings, config) as store, progress(f"Releasing {model} {version}") as tell:
            done = record(app, watch_of(app, model), store, wall_now(), tell)
    except NotReleased as problem:
        fail(str(problem), USAGE)
    except SourceProblem as problem:
        fail(str(problem), CANNOT_TELL)
    print_release(console(), done, deployed=known.version)


def releases(
    model: Annotated[str | None, typer.Option("--model", "-m", help="Only of this model.")] = None,
    output: FormatOption = Format.table,
    config: ConfigOption = CONFIG,
) -> None:
    """Every version and contract there was: since when, released on which rows, and what they had."""
    from monitor.history.releases import listed
    from monitor.release_screen import print_releases
    from monitor.screen import console

    settings = settings_of(config)
    with history_of(settings, config) as store:
        print_releases(console(), listed(store.engine, model), output)


def suggest(
    model: Annotated[str, typer.Option("--model", "-m", help="The model that wants thresholds.")],
    false_pages: Annotated[
        str | None, typer.Option("--false-pages", help="At most: '1 per 365d'; left out: alerts.false_pages.")
    ] = None,
    config: ConfigOption = CONFIG,
) -> None:
    """Suggest thresholds for a wished rate of false pages, and say how soon drops of 1, 2 and 5 points are told.

    Models as good as the reference are simulated, with days that stray as those of the reference or the history do,
    and watched by the alarm that pages. Prints a table for config.toml.
    """
    from monitor.data.errors import SourceProblem
    from monitor.screen import progress
    from monitor.settings.values import parse_rate
    from monitor.suggest_screen import as_table
    from monitor.suggesting import NoSuggestion, suggested

    app = app_of(config)
    watch = watch_of(app, model)
    try:
        period = app.settings.alerts.false_pages if false_pages is None else parse_rate(false_pages)
    except ValueError as problem:
        fail(f"--false-pages {problem}.", USAGE)
    try:
        with progress(f"Simulating {model}") as tell:
            lines = suggested(app, watch, period, tell)
    except NoSuggestion as problem:
        fail(str(problem), USAGE)
    except SourceProblem as problem:
        fail(str(problem), CANNOT_TELL)
    typer.echo(as_table(model, watch.model.version, period, lines), nl=False)


def _source_of(candidate: str, table: str | None, watch: Watch) -> Source:
    """The candidate's place; a relative path is relative to where the command is called, as paths in a shell are."""
    from monitor.settings import Source

    zoned = watch.model.reference or watch.model.predictions
    if "://" in candidate:
        return Source(source=candidate, table=table, timezone=zoned.timezone)
    if table is not None:
        fail("--table is for databases, and --candidate is a file; leave it out.", USAGE)
    return Source(source=str(Path(candidate).absolute()), timezone=zoned.timezone)


def _judged(
    app: App, watch: Watch, source: Source, name: str, *, against_champion: bool, tell: Callable[[str], None]
) -> GateResult:
    """Raises SourceProblem."""
    from monitor.candidates import judge_rows, recorded_values
    from monitor.data.errors import SourceUnreadable, shown
    from monitor.gate_screen import GateResult
    from monitor.release.gate import lines_of

    judged = judge_rows(app, watch, source, "candidate", tell)
    if judged.source_failure:
        raise SourceUnreadable(judged.source_failure)
    reference = watch.model.reference
    if against_champion and reference is None:
        fail(f"{watch.name} has no champion to compare with; add [models.reference] with its source.", USAGE)
    champion = None
    if against_champion and reference is not None:
        tell("the champion")
        champion = recorded_values(app, watch) or judge_rows(app, watch, reference, "reference", tell).measured
    return GateResult(
        model=watch.name,
        version=watch.model.version,
        contract_hash=watch.contract.hash,
        candidate=shown(name),
        start=judged.start,
        end=judged.end,
        rows=judged.rows,
        outcomes=judged.outcomes,
        lines=lines_of(judged.verdicts, champion),
        left_out=judged.left_out,
        against=None if champion is None else f"what {watch.model.version} had at its release",
    )
