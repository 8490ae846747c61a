"""Reading settings: MONITOR_* variables over files in /run/secrets over config.toml; every problem at once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from checks.contract import Check
from checks.discovery import CheckProblem, discover
from monitor.settings import Laid, Promised, Settings
from monitor.settings.problems import File, Problem, SettingsError, problems_of, suggestion
from monitor.settings.review import review
from monitor.settings.salvage import salvage
from monitor.settings.schema import Place, keys_of, misnamed, table_at
from monitor.settings.secrets import Secrets, expand, flattened

PREFIX = "MONITOR_"
DELIMITER = "__"


@dataclass(frozen=True)
class Layers:
    """Everything settings are made of; *origins* is where values came from that are not in config.toml."""

    variables: Mapping[str, str]
    secrets: Mapping[str, str]
    origins: Mapping[Place, str]
    problems: tuple[Problem, ...] = field(default=())


def load(
    path: Path,
    environ: Mapping[str, str],
    secrets_dir: Path,
    checks: Mapping[str, type[Check]] | None = None,
    laid: Sequence[Laid] = (),
    promised: Promised | None = None,
) -> Settings:
    """The settings, checked. Raises SettingsError with every problem. *checks* are found when left out.

    *laid* goes over config.toml. *promised* is asked for what models promise that promise nothing there.
    """
    table = flattened(lay(_read(path), laid))
    secrets = Secrets(environ, secrets_dir)
    layers = _layers(environ, secrets)
    layers = replace(layers, origins={**layers.origins, **{one.place: one.origin for one in laid}})
    expanded, unset = expand(table, secrets)
    file = File(table, layers.origins, Settings)
    unset += [(place, "is not a key", f"write {name}") for place, name in misnamed(table, Settings)]
    problems = [*layers.problems, *(Problem(file.path(place), what, instead) for place, what, instead in unset)]
    broken = {place for place, _, _ in unset}
    settings = _validated(layers, expanded, file, problems, broken)
    if promised is not None and settings is not None and not problems and (found_there := promised(settings)):
        return load(path, environ, secrets_dir, checks, [*laid, *found_there])
    if settings is not None:
        found = _checks(settings, path.parent, problems) if checks is None else checks
        reviewed = review(settings, found, path.parent, file)
        problems += [remark.problem for remark in reviewed if not _touches(remark.places, broken)]
    if problems or settings is None:
        raise SettingsError(problems)
    return settings


def lay(table: dict[str, Any], laid: Sequence[Laid]) -> dict[str, Any]:
    """*table* with each value in its place; a place that leads through something else than tables is left alone."""
    filled = deepcopy(table)
    for one in laid:
        found: Any = filled
        for step in one.place[:-1]:
            if isinstance(found, dict):
                found = found.setdefault(step, {})
            elif isinstance(found, list) and isinstance(step, int) and step < len(found):
                found = found[step]
        if isinstance(found, dict):
            found[one.place[-1]] = one.value
    return filled


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode())
    except FileNotFoundError:
        what, instead = "there is no such file", "name the settings file with --config"
    except OSError as problem:
        what, instead = f"cannot be read: {problem.strerror}", "let the user model-monitor runs as read it"
    except UnicodeDecodeError as problem:
        what, instead = f"is not UTF-8: byte {problem.start} belongs to another encoding", "save it as UTF-8"
    except tomllib.TOMLDecodeError as problem:
        what, instead = _syntax(str(problem)), "text goes in quotes, tables in [brackets], lists in [a, b]"
    raise SettingsError([Problem(str(path), what, instead)]) from None


def _syntax(message: str) -> str:
    what, _, where = message.partition(" (at ")
    return f"is not TOML: {what[:1].lower()}{what[1:]}" + (f" at {where.rstrip(')')}" if where else "")


def _layers(environ: Mapping[str, str], secrets: Secrets) -> Layers:
    places = dict(_variables())
    kept: tuple[dict[str, str], dict[str, str]] = ({}, {})
    origins: dict[Place, str] = {}
    problems: list[Problem] = []
    for layer, values, folder in ((0, secrets.files, f"{secrets.folder}/"), (1, environ, "")):
        for name, text in values.items():
            if not name.upper().startswith(PREFIX) or not text:
                continue  # compose files pass on variables that nobody has set as empty ones
            if place := places.get(name.upper()):
                origins[place] = f"{folder}{name}"
                kept[layer][name.lower()] = text
            else:
                problems.append(_unknown_variable(f"{folder}{name}", name))
    return Layers(secrets=kept[0], variables=kept[1], origins=origins, problems=(*secrets.problems, *problems))


def _variables() -> Iterator[tuple[str, Place]]:
    for key in keys_of(Settings):
        table = table_at(Settings, (key,))
        if key == "models":
            continue
        if table is None:
            yield f"{PREFIX}{key.upper()}", (key,)
        else:
            yield from ((f"{PREFIX}{key}{DELIMITER}{inner}".upper(), (key, inner)) for inner in keys_of(table))


def _unknown_variable(shown: str, name: str) -> Problem:
    if name.upper().startswith(f"{PREFIX}MODELS"):
        return Problem(shown, "models cannot be described in variables", "put ${NAME} inside values of config.toml")
    return Problem(shown, "is not a setting", suggestion(name.upper(), (known for known, _ in _variables())))


class _Variables(EnvSettingsSource):
    """Variables out of a mapping instead of the process's own environment."""

    def __init__(self, settings: type[BaseSettings], values: Mapping[str, str]) -> None:
        self._values = values
        super().__init__(settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return dict(self._values)


def _layered(layers: Layers, table: Mapping[str, Any]) -> Settings:
    """Let pydantic-settings lay variables over secret files over *table*. Raises ValidationError."""

    class Layered(Settings, BaseSettings):
        model_config = SettingsConfigDict(
            env_prefix=PREFIX.lower(), env_nested_delimiter=DELIMITER, case_sensitive=True
        )

        @classmethod
        def settings_customise_sources(  # type: ignore[override]  # the sources it would pass read the process's own
            cls, settings_cls: type[BaseSettings], **_: PydanticBaseSettingsSource
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            variables, secrets = (_Variables(settings_cls, layer) for layer in (layers.variables, layers.secrets))
            return variables, secrets, InitSettingsSource(settings_cls, dict(table))

    found = Layered()
    return Settings(**{name: getattr(found, name) for name in Settings.model_fields})


def _validated(
    layers: Layers, table: Mapping[str, Any], file: File, problems: list[Problem], broken: set[Place]
) -> Settings | None:
    """The settings, or what is left of them without what is broken, so that the rest is reviewed too."""
    try:
        return _layered(layers, table)
    except ValidationError as error:
        found = dict(problems_of(error, file, _with_origins(table, layers.origins)))
    problems += [problem for place, problem in found.items() if not _touches((place,), broken)]
    broken.update(found)
    try:
        return _layered(_without(layers, broken), salvage(table, broken))
    except ValidationError:
        return None


def _with_origins(table: Mapping[str, Any], origins: Iterable[Place]) -> Mapping[str, Any]:
    """*table* with the keys that come from elsewhere, for finding the way of an error through it."""
    filled = deepcopy(dict(table))
    for table_name, *key in origins:
        inner = filled.setdefault(str(table_name), {} if key else None)
        if key and isinstance(inner, dict):
            inner.setdefault(key[0], None)
    return filled


def _without(layers: Layers, broken: set[Place]) -> Layers:
    """The layers less the variables and secret files whose values are broken."""
    gone = {layers.origins[place].rpartition("/")[2].lower() for place in broken if place in layers.origins}
    variables = {name: text for name, text in layers.variables.items() if name not in gone}
    secrets = {name: text for name, text in layers.secrets.items() if name not in gone}
    return Layers(variables, secrets, layers.origins)


def _touches(places: Sequence[Place], broken: set[Place]) -> bool:
    """Whether what is said about *places* may only be so because something there, or above, is broken."""
    return any(place[: len(at)] == at for place in places for at in broken)


def _checks(settings: Settings, base: Path, problems: list[Problem]) -> Mapping[str, type[Check]]:
    folder = None if settings.checks_dir is None else base / settings.checks_dir
    try:
        return discover(folder)
    except CheckProblem as problem:
        problems.append(Problem("checks_dir", str(problem).removeprefix("checks_dir: ")))
        return discover()
