"""Secrets: files in /run/secrets, and ${NAME} inside the values of config.toml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from monitor.settings.problems import Problem
from monitor.settings.schema import Place

_NAME = re.compile(r"\$(\$\{)|\$\{([^}]*)(\}?)")

Unset = list[tuple[Place, str, str]]
"""Values that cannot be put together: where, what is wrong, what would be right."""


@dataclass(frozen=True)
class Secrets:
    """What ``${NAME}`` stands for: the variable of that name, else the file of that name in *folder*."""

    environ: Mapping[str, str]
    folder: Path
    problems: list[Problem] = field(default_factory=list)

    @cached_property
    def files(self) -> Mapping[str, str]:
        """The text of each file in the folder, less the line end editors leave; what cannot be read is a problem."""
        try:
            paths = sorted(path for path in self.folder.iterdir() if path.is_file())
        except OSError:
            return {}
        found = {path.name: self._text(path) for path in paths}
        return {name: text for name, text in found.items() if text}

    def value(self, name: str) -> str | None:
        """What *name* stands for; nothing where it is not set, or empty."""
        return self.environ.get(name) or self.files.get(name)

    def _text(self, path: Path) -> str:
        try:
            return path.read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as problem:
            what = f"cannot be read: {problem.strerror}"
            self.problems.append(Problem(str(path), what, "let the user model-monitor runs as read it"))
        except UnicodeDecodeError:
            self.problems.append(Problem(str(path), "is not UTF-8 text", "save it as UTF-8"))
        return ""


def expand(table: Mapping[str, Any], secrets: Secrets) -> tuple[dict[str, Any], Unset]:
    """*table* with each ``${NAME}`` in its texts put in, and those that are not set. ``$${`` stands for ``${``."""
    unset: Unset = []
    return {key: _expanded(value, (key,), secrets, unset) for key, value in table.items()}, unset


def _expanded(value: object, place: Place, secrets: Secrets, unset: Unset) -> object:
    if isinstance(value, dict):
        return {key: _expanded(inner, (*place, key), secrets, unset) for key, inner in value.items()}
    if isinstance(value, list):
        return [_expanded(inner, (*place, index), secrets, unset) for index, inner in enumerate(value)]
    return _filled(value, place, secrets, unset) if isinstance(value, str) else value


def _filled(text: str, place: Place, secrets: Secrets, unset: Unset) -> str:
    def stands_for(found: re.Match[str]) -> str:
        escaped, name, closed = found.groups()
        if escaped:
            return "${"
        if not closed or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            unset.append((place, "holds '${' that is not ${NAME}", "write $${ where the text itself has ${"))
            return ""
        value = secrets.value(name)
        if value is None:
            where = f"set the variable {name}, or put it into the file {secrets.folder / name}"
            unset.append((place, f"${{{name}}} is not set", where))
        return value or ""

    return _NAME.sub(stands_for, text)


def flattened(table: dict[str, Any]) -> dict[str, Any]:
    """*table* with ``drift.origin = {...}`` under [models.release], to TOML a table in a table, as one key."""
    models = table.get("models")
    if not isinstance(models, list):
        return table
    return {**table, "models": [_flat_release(model) for model in models]}


def _flat_release(model: object) -> object:
    if not isinstance(model, dict) or not isinstance(model.get("release"), dict):
        return model
    return {**model, "release": dict(_flat(model["release"]))}


def _flat(table: Mapping[str, Any], prefix: str = "") -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for key, value in table.items():
        if isinstance(value, dict) and value and all(isinstance(inner, dict) for inner in value.values()):
            found += _flat(value, f"{prefix}{key}.")
        else:
            found.append((f"{prefix}{key}", value))
    return found
