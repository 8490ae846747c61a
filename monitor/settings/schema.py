"""Finding one's way through the tables of the settings: which keys a table has, and which of them are secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import get_args

from pydantic import BaseModel, SecretStr

Place = tuple[str | int, ...]
"""The way to a value: ``("models", 0, "release")``."""


def table_at(schema: type[BaseModel], place: Place) -> type[BaseModel] | None:
    """The model of the table at *place*."""
    found: object = schema
    for step in place:
        found = _inside(found, step)
    return _model_in(found)


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys of a table, as they are written."""
    return [field.alias or name for name, field in model.model_fields.items()]


def misnamed(value: object, schema: type[BaseModel], place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Keys written as our code names them and not as the file does, with what they are called there."""
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from misnamed(inner, schema, (*place, index))
    if not isinstance(value, Mapping):
        return
    model = table_at(schema, place)
    for key, inner in value.items():
        field = model.model_fields.get(key) if model else None
        if field and field.alias not in {None, key}:
            yield (*place, key), str(field.alias)
        yield from misnamed(inner, schema, (*place, key))


def is_secret(schema: type[BaseModel], place: Place) -> bool:
    kind: object = schema
    for step in place:
        kind = _inside(kind, step)
    return SecretStr in (kind, *get_args(kind))


def _inside(kind: object, step: str | int) -> object:
    model = _model_in(kind)
    if model is not None:
        return next((f.annotation for name, f in model.model_fields.items() if step in (name, f.alias)), None)
    return next((arg for arg in reversed(get_args(kind)) if arg is not Ellipsis and arg is not type(None)), None)


def _model_in(kind: object) -> type[BaseModel] | None:
    kinds = [kind, *get_args(kind)] if getattr(kind, "__origin__", None) not in (tuple, dict) else []
    return next((one for one in kinds if isinstance(one, type) and issubclass(one, BaseModel)), None)
