"""Canonical rows: predictions in their tiles, each with the outcome that came true for it, if any yet.

Everything here builds unexecuted expressions: ids, times, outcomes and the columns that must be there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from itertools import takewhile

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from monitor.data import columns, times
from monitor.data.errors import WrongType, missing
from monitor.data.sources import Opened
from monitor.settings import ModelSettings

EARLY = timedelta(days=7)
"""An outcome stamped longer than this before its prediction's tile is not taken as its outcome."""


def ids_of(model: ModelSettings) -> tuple[str, ...]:
    """The id columns of predictions."""
    return as_tuple(model.predictions.id)


def outcome_ids_of(model: ModelSettings) -> tuple[str, ...]:
    """The id columns of outcomes, in the order of the predictions'."""
    return as_tuple(model.outcomes.id) if model.outcomes and model.outcomes.id else ids_of(model)


def scores_of(model: ModelSettings) -> tuple[str, ...]:
    """The score columns: none, one, or one per class."""
    return as_tuple(model.predictions.score) if model.predictions.score else ()


def classes_of(model: ModelSettings) -> tuple[str, ...]:
    """What each of several scores is the score of: as configured, else what its name does not share with the others."""
    scores = scores_of(model)
    if model.predictions.classes is not None or len(scores) < 2:
        return model.predictions.classes or ()
    words = [re.split(r"(?<=[^0-9A-Za-z])", name) for name in scores]
    shared = sum(1 for _ in takewhile(lambda alike: len(set(alike)) == 1, zip(*words, strict=False)))
    return tuple("".join(parts[shared:]) for parts in words)


def as_tuple(names: str | tuple[str, ...]) -> tuple[str, ...]:
    """One name or several, as several."""
    return (names,) if isinstance(names, str) else names


def id_kinds(model: ModelSettings, predictions: Opened, outcomes: Opened | None) -> tuple[str, ...]:
    """What ids of both sides are compared as: 12 and 12.0 are one id, whichever way they are stored."""
    ones = [required(predictions, "predictions.id", name).type() for name in ids_of(model)]
    if outcomes is None:
        return tuple(_common(one, one) for one in ones)
    others = [required(outcomes, "outcomes.id", name).type() for name in outcome_ids_of(model)]
    return tuple(_common(one, other) for one, other in zip(ones, others, strict=True))


def _common(one: dt.DataType, other: dt.DataType) -> str:
    if one.is_integer() and other.is_integer():
        return "int64"
    return "float64" if one.is_numeric() and other.is_numeric() else "string"


def _id(column: ir.Column, kind: str) -> ir.Column:
    return columns.label(column) if kind == "string" else column.cast(kind)


def required(opened: Opened, key: str, column: str) -> ir.Column:
    """A column that must be there. Raises ColumnMissing."""
    if column not in opened.table.columns:
        raise missing(opened.where, key, column, opened.columns)
    return opened.table[column]


def prediction_time(model: ModelSettings, opened: Opened, zone: str) -> ir.TimestampColumn:
    """When each prediction was made, as naive UTC."""
    return times.utc(required(opened, "predictions.time", model.predictions.time), zone, opened.where)


def narrow_predictions(
    model: ModelSettings, opened: Opened, kinds: Sequence[str], spans: Sequence[times.Bounds]
) -> ir.Table:
    """Just ``bucket`` and ids of the predictions in *spans*."""
    at = prediction_time(model, opened, model.predictions.timezone)
    rows = opened.table.select(at=at, **canonical_ids(model, opened, kinds))
    rows = rows.filter(times.within(rows["at"], spans))
    return rows.select(*_id_names(kinds), bucket=times.tile(rows["at"], model.bucket, opened.engine.name))


def own_outcomes(model: ModelSettings, opened: Opened, *, told: bool = True) -> dict[str, ir.Value]:
    """``actual`` and ``known_at`` of outcomes that stand in the rows of their predictions.

    Unless *told*, ``actual`` says no more than whether there is one: texts take time.
    """
    settings = model.outcomes
    assert settings is not None, "only a model with outcomes has any"  # noqa: S101  # callers ask first
    value = actual_of(model, opened) if told else ibis.literal(1, "int8")
    there = _usable(required(opened, "outcomes.value", settings.value))
    found: dict[str, ir.Value] = {"actual": ibis.cases((there, value), else_=ibis.null(value.type()))}
    if settings.time is not None:
        time = required(opened, "outcomes.time", settings.time)
        found["known_at"] = times.utc(time, settings.timezone, opened.where)
    return found


def classifies(model: ModelSettings) -> bool:
    """Whether outcomes are classes."""
    return model.task in {"binary", "multiclass"}


def numeric(opened: Opened, key: str, column: str) -> ir.NumericColumn:
    """A column that must hold numbers. Raises ColumnMissing or WrongType."""
    found = required(opened, key, column)
    if columns.kind_of(found.type()) in {"number", "null"}:
        return found
    raise WrongType(f"{opened.where}: the column '{column}' ({key}) holds {found.type()}; it must hold numbers.")


def usable_number(column: ir.NumericColumn) -> ir.FloatingColumn:
    value = columns.number(column)
    return ibis.cases((columns.finite(value), value), else_=ibis.null("float64"))


def actual_of(model: ModelSettings, opened: Opened) -> ir.Value:
    """What came true: a canonical class or a finite number; null where it cannot be used."""
    assert model.outcomes is not None, "only a model with outcomes has any"  # noqa: S101  # callers ask first
    if classifies(model) or model.task == "ranking":
        return columns.label(required(opened, "outcomes.value", model.outcomes.value))
    return usable_number(numeric(opened, "outcomes.value", model.outcomes.value))


def outcome_rows(
    model: ModelSettings, opened: Opened, kinds: Sequence[str], since: ir.TimestampScalar, *, raw: bool = False
) -> ir.Table:
    """Usable outcomes: ids, ``actual`` and, where they have times, ``known_at`` (naive UTC), from *since* on.

    With *raw* also the outcome as it is written, as ``value``.
    """
    settings = model.outcomes
    assert settings is not None, "only a model with outcomes has any"  # noqa: S101  # callers ask first
    found: dict[str, ir.Value] = {
        f"id{place}": _id(required(opened, "outcomes.id", name), kind)
        for place, (name, kind) in enumerate(zip(outcome_ids_of(model), kinds, strict=True))
    }
    if settings.time is not None:
        found["known_at"] = times.utc(required(opened, "outcomes.time", settings.time), settings.timezone, opened.where)
    if raw:
        found["value"] = opened.table[settings.value]
    usable = _usable(required(opened, "outcomes.value", settings.value))
    rows = opened.table.filter(usable).select(actual=actual_of(model, opened), **found)
    if settings.time is not None:
        rows = rows.filter(rows["known_at"] >= since)
    return rows


def _usable(column: ir.Column) -> ir.BooleanValue:
    """Whether an outcome says anything; asked of the column itself, so that only outcomes in time are converted."""
    if column.type().is_floating():
        return column.notnull() & columns.finite(column)
    return column.notnull()


def canonical_ids(model: ModelSettings, opened: Opened, kinds: Sequence[str]) -> dict[str, ir.Column]:
    """The id columns of predictions as ``id0 ...``, in the kinds both sides are compared as."""
    names = zip(ids_of(model), kinds, strict=True)
    return {
        f"id{place}": _id(required(opened, "predictions.id", name), kind) for place, (name, kind) in enumerate(names)
    }


def _id_names(kinds: Sequence[str]) -> list[str]:
    return [f"id{place}" for place in range(len(kinds))]
