"""The commands about the checks themselves; they want no config.toml, and read its checks_dir where there is one."""

from __future__ import annotations

import json
import os
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from monitor.command_line import CONFIG

if TYPE_CHECKING:
    from checks.contract import Check

USAGE = 2
DEFAULT_FOLDER = Path("my_checks")


class ListFormat(StrEnum):
    """How checks are printed."""

    table = "table"
    json = "json"


ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="The settings file whose checks_dir is used, if there is one.")
]
FormatOption = Annotated[ListFormat, typer.Option("--format", help="How to print.")]


def checks(
    kind: Annotated[str | None, typer.Argument(help="Only this check, in full.")] = None,
    folder: Annotated[Path | None, typer.Option("--checks-dir", help="A folder with checks of your own.")] = None,
    output: FormatOption = ListFormat.table,
    config: ConfigOption = None,
) -> None:
    """Every check there is: its metrics, parameters, what it needs and where it comes from."""
    from monitor.checklist import as_data, listed
    from monitor.checklist_screen import print_list, print_one
    from monitor.screen import console

    found = listed(_discovered(folder or _checks_dir(config)))
    if kind is not None:
        chosen = [one for one in found if one.kind == kind]
        if not chosen:
            _fail(f"No check is called {kind!r}; there is {', '.join(one.kind for one in found)}.")
        found = chosen
    if output is ListFormat.json:
        typer.echo(json.dumps([as_data(one) for one in found], indent=1, ensure_ascii=False))
    elif kind is not None:
        print_one(console(), found[0])
    else:
        print_list(console(), found)


def new_check(
    name: Annotated[str, typer.Argument(help="What it is called: late_orders.")],
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Where to write it; left out: checks_dir, or my_checks beside it.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Write a check of your own and its test: both work as they are, to be changed into what you measure."""
    from monitor.new_check import NewCheckProblem, write_check

    named = _checks_dir(config)
    target = folder or named or (config or CONFIG).parent / DEFAULT_FOLDER
    known = _discovered(target if target.is_dir() else None)
    try:
        written = write_check(name, target, known)
    except NewCheckProblem as problem:
        _fail(str(problem))
    typer.echo(f"{written.check}: the check. Say what it measures, and how.")
    typer.echo(f"{written.test}: its test. Run it: pytest {written.test}")
    typer.echo("\nThen, in config.toml:")
    if named is None or named.resolve() != target.resolve():
        typer.echo(f'  at the top                      checks_dir = "{_seen_from(target, config or CONFIG)}"')
    typer.echo(f"  in [models.release] of a model  {name} = {{ max = 0.2 }}")
    typer.echo("\nand see what it says of the newest window: model-monitor evaluate --model MODEL")


def _seen_from(folder: Path, config: Path) -> str:
    """As checks_dir is written: relative to the folder of config.toml where it lies below."""
    base = config.absolute().parent
    absolute = folder.absolute()
    return (absolute.relative_to(base) if absolute.is_relative_to(base) else absolute).as_posix()


def _discovered(folder: Path | None) -> dict[str, type[Check]]:
    from checks.discovery import CheckProblem, discover

    try:
        return discover(folder)
    except CheckProblem as problem:
        _fail(str(problem))


def _checks_dir(config: Path | None) -> Path | None:
    """What checks_dir names, and nothing else of the settings: whoever looks for a check may be about to mend them."""
    path = config or CONFIG
    try:
        text = path.read_text(encoding="utf-8")
        said = os.environ.get("MONITOR_CHECKS_DIR") or tomllib.loads(text).get("checks_dir")
    except FileNotFoundError:
        if config is not None:
            _fail(f"{config}: there is no such file; name the settings file with --config.")
        said = os.environ.get("MONITOR_CHECKS_DIR")
    except (OSError, ValueError) as problem:
        _fail(f"{path}: cannot be read: {problem}; mend it, or name the folder itself.")
    return path.parent / said if isinstance(said, str) and said else None


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(USAGE)
