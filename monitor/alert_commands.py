"""The commands about incidents: which there are and who was told, silences, acknowledgements."""

from __future__ import annotations

import getpass
from datetime import timedelta
from typing import Annotated

import typer

from monitor.command_line import (
    CONFIG,
    USAGE,
    ConfigOption,
    Format,
    FormatOption,
    fail,
    history_of,
    settings_of,
    time_of,
)

silence = typer.Typer(
    name="silence",
    help="Mute alerts for a while, list what is muted, end it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

AuthorOption = Annotated[str | None, typer.Option("--author", help="Who you are; left out: your login name.")]


def incidents(
    incident: Annotated[
        int | None, typer.Argument(metavar="ID", help="Everything about this one; left out: list them.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="Only of this model.")] = None,
    only_open: Annotated[bool, typer.Option("--open", help="Only those that are not resolved.")] = False,  # noqa: FBT002  # typer's way to declare a flag
    since: Annotated[
        str | None, typer.Option("--since", help="Open at this time or later: 2013-07-01, 7d (ago).")
    ] = None,
    output: FormatOption = Format.table,
    config: ConfigOption = CONFIG,
) -> None:
    """List incidents; with an ID, all of it: its alerts, who was told and when, or why nobody was."""
    from monitor.alerts.silence import fitting
    from monitor.app import present
    from monitor.clock import wall_now
    from monitor.history import incidents as asked
    from monitor.history import silences
    from monitor.incident_screen import print_list, print_story
    from monitor.screen import console

    settings = settings_of(config)
    with history_of(settings, config) as store:
        if incident is None:
            begin = None if since is None else time_of(since, present(settings))
            print_list(console(), asked.listed(store.engine, wall_now(), model, begin, open_only=only_open), output)
            return
        if model is not None or since is not None or only_open:
            fail("--model, --since and --open narrow the list; one incident is shown whole.", USAGE)
        story = asked.story(store.engine, incident, wall_now())
        if story is None:
            fail(f"There is no incident {incident}, or it is kept no more; model-monitor incidents lists them.", USAGE)
        print_story(console(), story, fitting(story, silences.kept(store.engine)), output)


def ack(
    incident: Annotated[int, typer.Argument(metavar="ID", help="The incident, as model-monitor incidents lists it.")],
    lasts: Annotated[
        str | None, typer.Option("--for", help="How long it holds; left out: alerts.acknowledged_for.")
    ] = None,
    comment: Annotated[str, typer.Option("--comment", help="What you are doing about it.")] = "",
    author: AuthorOption = None,
    config: ConfigOption = CONFIG,
) -> None:
    """Say that you have seen an incident: no reminders and no escalation for a while, or until it gets graver."""
    from monitor.clock import wall_now
    from monitor.delivery.reminding import acknowledge

    settings = settings_of(config)
    length = settings.alerts.acknowledged_for if lasts is None else _length(lasts)
    by = _author(author)
    with history_of(settings, config) as store:
        answer = acknowledge(store.engine, incident, by, comment, wall_now(), length)
    if answer.kind == "unknown":
        fail(answer.sentence, USAGE)
    typer.echo(answer.sentence)


@silence.command()
def add(
    lasts: Annotated[str, typer.Option("--for", help="How long, from now: 2h, 3d; 30d at most.")],
    comment: Annotated[str, typer.Option("--comment", help="Why, in a few words.")],
    model: Annotated[str | None, typer.Option("--model", "-m", help="A pattern: flight-*.")] = None,
    metric: Annotated[str | None, typer.Option("--metric", help="A pattern: accuracy, drift.*.")] = None,
    segment: Annotated[str | None, typer.Option("--segment", help="A pattern: origin=*; '' is the whole.")] = None,
    severity: Annotated[str | None, typer.Option("--severity", help="page or warn.")] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="A pattern: @flights-*.")] = None,
    author: AuthorOption = None,
    config: ConfigOption = CONFIG,
) -> None:
    """Mute every alert that fits all the patterns given; checks and history go on."""
    from monitor.alerts.silence import Silence, fits_nobody, problems
    from monitor.clock import wall_now
    from monitor.history import queries, silences
    from monitor.history.answers import mutes

    settings = settings_of(config)
    given = {"model": model, "metric": metric, "segment": segment, "severity": severity, "owner": owner}
    matchers = {name: pattern for name, pattern in given.items() if pattern is not None}
    now = wall_now()
    wanted = Silence(0, matchers, now, now + _length(lasts), _author(author), comment)
    if sentences := problems(wanted):
        fail("\n".join(sentences), USAGE)
    with history_of(settings, config) as store:
        known = {model.name for model in settings.models} | set(queries.model_names(store.engine))
        if sentence := fits_nobody(wanted, known):
            fail(sentence, USAGE)
        made = silences.add(store.engine, wanted, now)
    typer.echo(f"Silence {made.id} mutes {mutes(made.matchers)} until {made.ends_at:%Y-%m-%d %H:%M} UTC.")
    typer.echo(f"To end it before: model-monitor silence end {made.id}")


@silence.command("list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,  # noqa: FBT002  # typer's way to declare a flag
    output: FormatOption = Format.table,
    config: ConfigOption = CONFIG,
) -> None:
    """List the silences that hold, or with --all those that are over too."""
    from monitor.clock import wall_now
    from monitor.history import silences
    from monitor.incident_screen import print_silences
    from monitor.screen import console

    settings, now = settings_of(config), wall_now()
    with history_of(settings, config) as store:
        print_silences(console(), silences.kept(store.engine, None if every else now), now, output)


@silence.command()
def end(
    silence_id: Annotated[int, typer.Argument(metavar="ID", help="The silence, as model-monitor silence list has it.")],
    config: ConfigOption = CONFIG,
) -> None:
    """End a silence now; what it muted and is still open is told within a minute."""
    from monitor.clock import wall_now
    from monitor.history import silences

    settings, now = settings_of(config), wall_now()
    with history_of(settings, config) as store:
        ended = silences.end(store.engine, silence_id, now)
    if ended is None:
        fail(f"There is no silence {silence_id}; model-monitor silence list --all lists those there are.", USAGE)
    if ended.ends_at < now:
        typer.echo(f"Silence {silence_id} is over since {ended.ends_at:%Y-%m-%d %H:%M} UTC; nothing to end.")
        return
    typer.echo(f"Silence {silence_id} is over. What is still open is told within a minute.")


def _length(text: str) -> timedelta:
    from monitor.settings import parse_duration

    try:
        length = parse_duration(text)
    except ValueError:
        length = timedelta(0)
    if length <= timedelta(0):
        fail(f"--for takes a length of time such as 30m, 2h or 3d, not {text!r}.", USAGE)
    return length


def _author(given: str | None) -> str:
    try:
        author = getpass.getuser() if given is None else given.strip()
    except (KeyError, OSError):  # a container's user has no name
        author = ""
    if not author:
        fail("Nobody is logged in by a name here; say who you are with --author.", USAGE)
    return author
