"""A release contract as config.toml writes it, to be kept in the history and read back from there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from monitor.release.words import duration
from monitor.settings import ModelSettings

CONTRACT = ("owner", "runbook", "task", "bucket", "window", "every", "release", "checks")
"""The keys of [[models]] that say what is promised, by whom, and how it is measured."""

PROMISE = ("release", "checks", "bucket", "window", "every")
"""Those that may stand in the history instead of in config.toml."""


def written(model: ModelSettings) -> dict[str, Any]:
    """What of CONTRACT *model* says, as plain data; durations as texts that config.toml takes."""
    return {name: plain(getattr(model, name)) for name in CONTRACT if getattr(model, name) is not None}


def plain(value: object) -> Any:
    """A setting as data that TOML and JSON have a word for, with nothing in it that was not said."""
    if isinstance(value, timedelta):
        return duration(value)
    if isinstance(value, BaseModel):
        known = type(value).model_fields.items()  # in their order, which the set of those that were said has not
        said = {field.alias or name: getattr(value, name) for name, field in known if name in value.model_fields_set}
        return {name: plain(inner) for name, inner in {**said, **(value.model_extra or {})}.items()}
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list | tuple) else value
