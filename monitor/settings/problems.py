"""What is wrong with the settings: where, what, and what would be right. No message ever holds a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from monitor.settings.schema import Place, is_secret, keys_of, table_at


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: its path in the file, what is wrong, and what would be right."""

    path: str
    what: str
    instead: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.what}" + (f"; {self.instead}" if self.instead else "")


class SettingsError(Exception):
    """The settings cannot be used. Its text lists every problem, one per line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        super().__init__("\n".join(map(str, self.problems)))


def written(place: Place) -> str:
    """The path as it would be written in TOML: ``models[0].release."drift.*"``."""
    text = ""
    for step in place:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            key = step if re.fullmatch(r"[A-Za-z0-9_-]+", step) else json.dumps(step, ensure_ascii=False)
            text += f".{key}" if text else key
    return text


def suggestion(wrong: str, known: Iterable[str]) -> str:
    """``did you mean 'accuracy'?``, else the list of what is known."""
    names = sorted(set(known))
    close = get_close_matches(wrong, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"known are {', '.join(names)}" if names else ""


@dataclass(frozen=True)
class File:
    """The settings as they were written, before anything was put in, so that messages can quote them safely.

    *origins* names the variable or file a value came from, where that is not config.toml.
    """

    table: Mapping[str, Any]
    origins: Mapping[Place, str]
    schema: type[BaseModel]

    def path(self, place: Place) -> str:
        """Where a person has to look."""
        return self.origins.get(place) or written(place)

    def quoted(self, place: Place) -> str:
        """The value as written, or nothing where it is secret or not one value."""
        found = self._at(place)
        if place in self.origins or is_secret(self.schema, place):
            return ""
        if isinstance(found, str):
            return f"'{_without_password(found)[:80]}'"
        if isinstance(found, bool):
            return str(found).lower()
        return str(found) if isinstance(found, int | float) else ""

    def _at(self, place: Place) -> object:
        found: object = self.table
        for step in place:
            try:
                found = found[step]  # type: ignore[index]  # whatever cannot be indexed so raises one of the below
            except (KeyError, IndexError, TypeError):
                return None
        return found


def problems_of(
    error: ValidationError, file: File, values: object, under: Place = (), parameters_of: type[BaseModel] | None = None
) -> Iterator[tuple[Place, Problem]]:
    """Pydantic's errors in our words. *values* is what was validated, *under* its place in the file.

    *parameters_of* is the check, where the values are its parameters.
    """
    seen: set[Place] = set()
    for detail in error.errors(include_url=False, include_context=True, include_input=False):
        place = place_of(detail, values, under)
        if place not in seen:
            seen.add(place)
            yield place, _problem(detail, place, file, parameters_of)


def place_of(detail: ErrorDetails, values: object, under: Place = ()) -> Place:
    """Where an error is: pydantic's location without the names of union branches."""
    place: list[str | int] = []
    for number, step in enumerate(detail["loc"]):
        lacking = detail["type"] == "missing" and number == len(detail["loc"]) - 1
        if isinstance(values, Mapping) and (step in values or lacking):
            values = values.get(step)
        elif isinstance(values, list | tuple) and isinstance(step, int):
            values = values[step] if step < len(values) else None
        else:
            continue
        place.append(step)
    return (*under, *place)


def _without_password(text: str) -> str:
    """*text* without what a URL, or what was meant to be one, holds before @ and after ?."""
    hidden = re.sub(r"^(\w[\w+]*:)?(//)?.*@", r"\1\2***@", text, flags=re.DOTALL)
    return re.sub(r"(//[^?]*)\?.*", r"\1?***", hidden, flags=re.DOTALL)


def _problem(detail: ErrorDetails, place: Place, file: File, parameters_of: type[BaseModel] | None) -> Problem:
    if detail["type"] == "missing":
        return Problem(file.path(place), "is missing", f"add it: {_example(place)}")
    if detail["type"] == "extra_forbidden":
        model = parameters_of or table_at(file.schema, place[:-1])
        table = _table_name(place[:-1])
        what = "is not a parameter of this check" if parameters_of else f"is not a key of {table}"
        return Problem(file.path(place), what, suggestion(str(place[-1]), keys_of(model)) if model else "")
    what, _, instead = _expected(detail).partition("; ")
    if detail["type"] == "tuple_type" and place[-1] in {"models", "checks"}:
        what, instead = "must be a list of tables", f"write [[{_table_name(place).strip('[]')}]] above each"
    found = file.quoted(place)
    extra = suggestion(found.strip("'"), _choices(detail)) if detail["type"] == "literal_error" else ""
    instead = extra if extra.startswith("did you mean") else instead
    return Problem(file.path(place), f"{what}, not {found}" if found else what, instead)


def _table_name(place: Place) -> str:
    """``[models.predictions]``, ``[[models]]``."""
    name = written(tuple(step for step in place if isinstance(step, str)))
    if not name:
        return "config.toml"
    return f"[[{name}]]" if isinstance(place[-1], int) else f"[{name}]"


def _choices(detail: ErrorDetails) -> list[str]:
    return re.findall(r"'([^']*)'", str(detail.get("ctx", {}).get("expected", "")))


_SENTENCES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "greater_than": lambda ctx: f"must be more than {ctx['gt']:g}",
    "greater_than_equal": lambda ctx: f"must be at least {ctx['ge']:,}",
    "less_than": lambda ctx: f"must be less than {ctx['lt']:g}",
    "less_than_equal": lambda ctx: f"must be at most {ctx['le']:,}",
    "finite_number": lambda _: "must be a finite number",
    "string_too_short": lambda _: "must not be empty",
    "string_too_long": lambda ctx: f"must not be longer than {ctx['max_length']} characters",
    "string_type": lambda _: "must be text; write it in quotes",
    "literal_error": lambda ctx: f"must be one of {ctx['expected']}",
    "value_error": lambda ctx: str(ctx["error"]),
}
_KINDS = {
    "int": "must be a whole number",
    "float": "must be a number",
    "decimal": "must be a number",
    "bool": "must be true or false",
    "tuple": 'must be a list; write it in brackets, such as ["origin"]',
    "list": 'must be a list; write it in brackets, such as ["origin"]',
    "set": 'must be a list; write it in brackets, such as ["origin"]',
    "dict": "must be a table",
    "model": "must be a table",
}


def _expected(detail: ErrorDetails) -> str:
    sentence = _SENTENCES.get(detail["type"])
    if sentence is not None:
        return sentence(detail.get("ctx", {}))
    return _KINDS.get(detail["type"].split("_", maxsplit=1)[0], "is not what this key takes")


_EXAMPLES = {
    "models": "a table [[models]] for each model under watch",
    "name": 'name = "flight-delay"',
    "version": 'version = "2013-04"',
    "task": 'task = "binary" (or "multiclass", "regression", "ranking")',
    "predictions": "a table [models.predictions] with source, id and time",
    "source": 'source = "predictions.parquet" (a path, a glob or a database URL)',
    "id": 'id = "prediction_id" (the column that tells predictions apart)',
    "time": 'time = "timestamp" (the column that says when the prediction was made)',
    "value": 'value = "y_true" (the column that says what came true)',
    "entity": 'entity = "customer_id" (the column that names the entity to be served)',
    "check": 'check = "drift" (the check these parameters are for)',
    "start": "start = 2013-04-16T00:00:00Z",
}


def _example(place: Place) -> str:
    name = str(place[-1])
    return _EXAMPLES.get(name, f"{name} = ...")
