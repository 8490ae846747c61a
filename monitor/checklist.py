"""What ``model-monitor checks`` tells of each check: read off its class, its fields and its docstring."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from importlib.metadata import entry_points

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from checks.contract import Check, Metric, Needs
from checks.discovery import GROUP
from monitor.release import words

IN_DIRECTORY = "model_monitor_checks_dir_"
ANY_WAY = frozenset({"distributions"})
"""What is counted of every model, so that nobody has to provide it."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter as ``[[models.checks]]`` takes it."""

    name: str
    default: str  # as config.toml writes it; "required" where there is none
    meaning: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A check, for people. *page* is where it is documented, "" where it is not."""

    kind: str
    summary: str
    docstring: str
    metrics: tuple[Metric, ...]
    parameters: tuple[Parameter, ...]
    needs: tuple[str, ...]
    origin: str
    file: str
    page: str


def listed(checks: Mapping[str, type[Check]]) -> list[Listed]:
    """Every check, by its kind."""
    return [_listed(check) for _, check in sorted(checks.items())]


def as_data(one: Listed) -> dict[str, object]:
    """The same as plain data."""
    return {
        "kind": one.kind,
        "summary": one.summary,
        "docstring": one.docstring,
        "metrics": [
            {
                "name": name_of(metric),
                "summary": metric.summary,
                "better": metric.better,
                "unit": metric.unit,
                "severity": "page" if metric.pages else "warn",
                "tasks": list(metric.tasks),
            }
            for metric in one.metrics
        ],
        "parameters": [{"name": p.name, "default": p.default, "meaning": p.meaning} for p in one.parameters],
        "needs": list(one.needs),
        "origin": one.origin,
        "file": one.file,
        "page": one.page or None,
    }


def name_of(metric: Metric) -> str:
    """A metric as thresholds name it: ``accuracy``, ``drift.<column>``."""
    return f"{metric.name}.<{metric.per}>" if metric.per else metric.name


def meaning_of(parameter: str, docstring: str) -> str:
    """What the docstring says of *parameter*: the clause that begins with it between asterisks, or has it."""
    clauses = re.split(r"(?<=[.;:])\s+", " ".join(docstring.split()))
    named = sorted(
        (clause for clause in clauses if f"*{parameter}*" in clause), key=lambda one: one.find(f"*{parameter}*")
    )
    found = named[0] if named else ""
    told = re.sub(rf"^\*{parameter}\*(?! and |,) (is |are )?", "", found).rstrip(".;:")
    return re.sub(r"\*(\w+)\*", r"\1", told)


def _listed(check: type[Check]) -> Listed:
    docstring = inspect.cleandoc(check.__doc__ or "")
    origin = _origin(check)
    return Listed(
        kind=check.kind,
        summary=" ".join(docstring.partition("\n\n")[0].split()),
        docstring=docstring,
        metrics=check.metrics,
        parameters=tuple(_parameter(name, field, docstring) for name, field in check.model_fields.items()),
        needs=tuple(_needs(check)),
        origin=origin,
        file=_file(check),
        page=f"docs/checks/{check.kind}.md" if origin == "built in" else "",
    )


def _parameter(name: str, field: FieldInfo, docstring: str) -> Parameter:
    default = "required" if field.is_required() else _written(field.get_default(call_default_factory=True))
    return Parameter(name, default, field.description or meaning_of(name, docstring))


def _written(value: object) -> str:
    """As config.toml writes it."""
    if value is None or isinstance(value, SecretStr):
        return "none"
    if isinstance(value, timedelta):
        return f'"{words.duration(value)}"'
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key} = {_written(inner)}' for key, inner in value.items())}}}"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return f"[{', '.join(map(_written, value))}]"
    return json.dumps(value, ensure_ascii=False, default=str)


def _needs(check: type[Check]) -> Iterator[str]:
    """What models have to provide; parameters may ask for more."""
    try:
        needs = check().needs()
    except ValidationError:
        yield "what its parameters ask for"
        return
    for field in fields(Needs):
        value = getattr(needs, field.name)
        if not value or field.name in ANY_WAY:
            continue
        if field.name == "sample_rows":
            yield f"a sample of {value:,} rows"
        elif isinstance(value, timedelta):
            yield f"{field.name} {words.duration(value)}"
        else:
            yield field.name.replace("_", " ")


def _origin(check: type[Check]) -> str:
    if check.__module__.partition(".")[0] == Check.__module__.partition(".")[0]:
        return "built in"
    if check.__module__.startswith(IN_DIRECTORY):
        return "checks_dir"
    for point in entry_points(group=GROUP):
        if point.module == check.__module__ and point.dist is not None:
            return f"package {point.dist.name}"
    return f"module {check.__module__}"


def _file(check: type[Check]) -> str:
    try:
        return inspect.getfile(check)
    except (OSError, TypeError):
        return ""
