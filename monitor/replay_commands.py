"""The commands that play what was, or what might be: what would have paged us, and does this page as we expect?"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
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
    time_of,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.app import App
    from monitor.replaying import Replayed
    from monitor.settings import Settings


def replay(
    model: Annotated[str | None, typer.Option("--model", "-m", help="Only this model.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="A time, or how long ago: 2013-04-16, 90d.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Up to here; left out: now.")] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="Another contract: 'accuracy.min=0.75'; may be given again.")
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write it as one page to this file, too.")] = None,
    incident: Annotated[
        int | None, typer.Option("--incident", help="Judge again what this incident was judged by, and compare.")
    ] = None,
    output: FormatOption = Format.table,
    config: ConfigOption = CONFIG,
) -> None:
    """What would have paged us? Judge past windows as fast as they compute; nothing is recorded, nobody is told.

    With --set the present contract is replayed beside the changed one. With --incident the recorded windows of an
    incident are measured and judged again from the source: exit code 0 where all is equal to the digit, else 1.
    """
    from monitor.app import present
    from monitor.clock import wall_now
    from monitor.logs import configure_logs
    from monitor.replay_page import page_of
    from monitor.replay_screen import print_replay
    from monitor.screen import console

    configure_logs(level="WARNING")
    if incident is not None:
        if model or since or until or changes or html:
            fail("--incident says which windows; leave out --model, --since, --until, --set and --html.", USAGE)
        _reproduce(incident, output, config)
        return
    app = app_of(config, model)
    end = present(app.settings) if until is None else time_of(until, present(app.settings))
    begin = _start(app.settings, since, end)
    if begin >= end:
        fail(f"--since {begin:%Y-%m-%d %H:%M} is not before --until {end:%Y-%m-%d %H:%M}.", USAGE)
    contracts: list[tuple[App, Sequence[str]]] = [(app, ())]
    if changes:
        contracts.append((_changed(config, model, changes), changes))
    runs = _played(contracts, begin, end)
    print_replay(console(), runs, output)
    if html is not None:
        write(page_of(runs, wall_now()).encode(), html)


def rehearse(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Series of values, and what is expected when (TOML).")],
    config: ConfigOption = CONFIG,
) -> None:
    """Series in, alerts out: does the contract page when it should? Says what came where it is not what was expected.

    The values go through the daemon's own code, in a history that is thrown away. The contract is that of config.toml,
    or of the file itself. Exit code 1 where an expectation is not met.
    """
    from monitor.expectations import read_expectations
    from monitor.rehearsing import missed, rehearsal_app, rehearsed
    from monitor.release.words import duration
    from monitor.settings import SettingsError

    try:
        said = read_expectations(file)
        app = rehearsal_app(said, lambda: app_of(config, said.model), file.absolute().parent)
    except OSError as problem:
        fail(f"{file} cannot be read: {os.strerror(problem.errno or 0)}.", USAGE)
    except SettingsError as problem:
        fail("\n".join(f"{file}: {one}" for one in problem.problems), USAGE)
    moments = rehearsed(app, app.watches[0], said.start, said.series)
    failed = missed(moments, said.start, said.expect)
    for one in failed:
        typer.echo(f"after {duration(one.at)}: {one.what}\n  expected: {one.expected}\n  came:     {one.came}")
    count = len(said.expect)
    if failed:
        fail(f"{file}: {len({one.at for one in failed})} of {count} expectations are not met.", BREACH)
    typer.echo(f"{file}: {count} {'expectation is' if count == 1 else 'expectations are'} met.")


def _played(contracts: Sequence[tuple[App, Sequence[str]]], begin: datetime, end: datetime) -> list[Replayed]:
    """What each contract would have done, given with the changes that led to it."""
    from monitor.replaying import replayed
    from monitor.schedule.replay import ReplayStuck
    from monitor.screen import replay_progress

    try:
        with replay_progress(begin, end) as tell:
            return [replayed(app, changes, begin, end, tell) for app, changes in contracts]
    except ReplayStuck as problem:
        fail(str(problem), CANNOT_TELL)


def _changed(config: Path, model: str | None, changes: Sequence[str]) -> App:
    """The models under the changed contract; every problem with it at once."""
    from monitor.release.changes import NoChange, laid_of

    names = [one.name for one in settings_of(config).models]
    if model is None and len(names) > 1:
        fail(f"--set changes the contract of one model; name it with --model: {', '.join(names)}.", USAGE)
    chosen = [index for index, name in enumerate(names) if model in (None, name)]
    try:
        return app_of(config, model, list(laid_of(changes, chosen)))
    except NoChange as problem:
        fail(str(problem), USAGE)


def _start(settings: Settings, since: str | None, end: datetime) -> datetime:
    if since is not None:
        return time_of(since, end)
    return settings.clock.start if settings.clock else end - timedelta(days=90)


def _reproduce(incident: int, output: Format, config: Path) -> None:
    from monitor.reproduced_screen import print_reproduced
    from monitor.reproducing import reproduced
    from monitor.screen import console, progress

    app = app_of(config)
    with history_of(app.settings, config) as store, progress(f"Judging incident {incident} again") as tell:
        found = reproduced(app, store, incident, tell)
    if found is None:
        fail(f"There is no incident {incident}, or it is kept no more; model-monitor incidents lists them.", USAGE)
    print_reproduced(console(), found, output)
    raise typer.Exit(OK if all(one.equal for one in found) else BREACH)
