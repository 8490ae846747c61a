"""Canonical rows: predictions in their tiles, each with the outcome that came true for it, if any yet.

Everything here builds unexecuted expressions; the columns of canonical predictions are ``bucket``, ``at``, the ids
``id0 ...``, ``predicted``, ``score``, segments ``s0 ...`` and the layout's columns ``x0 ...`` by their place in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from itertools import takewhile

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from checks.profile import Categories, Layout, Numbers
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
    return rows.select(*_id_names(kinds), bucket=times.tile(rows["at"], model.bucket))


def wide_predictions(
    model: ModelSettings, opened: Opened, layout: Layout, kinds: Sequence[str], spans: Sequence[times.Bounds]
) -> ir.Table:
    """The predictions in *spans* with everything a profile takes from them."""
    at = prediction_time(model, opened, model.predictions.timezone)
    rows = opened.table.select(at=at, **canonical_ids(model, opened, kinds), **profiled(model, opened, layout))
    rows = rows.filter(times.within(rows["at"], spans))
    return rows.mutate(bucket=times.tile(rows["at"], model.bucket))


def profiled(model: ModelSettings, opened: Opened, layout: Layout) -> dict[str, ir.Value]:
    """The canonical columns of a table of predictions, without time and ids."""
    said = _served(model, opened, _said(model, opened, layout))
    found = dict(said)
    for place, (name, known) in enumerate(layout.segments.items()):
        if segmented(opened.table, name):
            found[f"s{place}"] = columns.known_or_other(segment_of(opened.table, name), known)
    for place in present(model, opened, layout):
        name, cells = tuple(layout.columns.items())[place]
        column = opened.table[name]
        found[f"x{place}"] = columns.number(column) if isinstance(cells, Numbers) else columns.label(column)
    return found


def _said(model: ModelSettings, opened: Opened, layout: Layout) -> dict[str, ir.Value]:
    """What the model said: ``predicted``, ``score``, of several classes ``p0 ...``, of an interval its ends."""
    if model.task == "multiclass" and classes_of(model):
        return _said_of_classes(model, opened)
    found: dict[str, ir.Value] = {"predicted": _predicted(model, opened, layout)}
    if model.task == "binary" and has_scores(model):
        found["score"] = columns.number(numeric(opened, "predictions.score", scores_of(model)[0]))
    if model.predictions.interval is not None:
        for end, name in zip(("lower", "upper"), model.predictions.interval, strict=True):
            found[end] = _usable_number(numeric(opened, "predictions.interval", name))
    return found


def _said_of_classes(model: ModelSettings, opened: Opened) -> dict[str, ir.Value]:
    """``score`` is that of the predicted class: the configured one, else the first with the greatest score."""
    scores = [columns.number(numeric(opened, "predictions.score", name)) for name in scores_of(model)]
    known = ibis.and_(*[columns.finite(score).fill_null(columns.NO) for score in scores])
    if model.predictions.prediction is not None:
        predicted = columns.label(required(opened, "predictions.prediction", model.predictions.prediction))
        mine = [predicted == name for name in classes_of(model)]
    else:
        mine = [score == ibis.greatest(*scores) for score in scores]
        labels = [(one & known, name) for one, name in zip(mine, classes_of(model), strict=True)]
        predicted = ibis.cases(*labels, else_=ibis.null("string"))
    chosen = [(one & known, score) for one, score in zip(mine, scores, strict=True)]
    confidence = ibis.cases(*chosen, else_=ibis.null("float64"))
    return {"predicted": predicted, "score": confidence, **{f"p{place}": score for place, score in enumerate(scores)}}


def _served(model: ModelSettings, opened: Opened, said: dict[str, ir.Value]) -> dict[str, ir.Value]:
    """*said*, or nothing where a default was served instead of the model: that is no prediction of it."""
    name = model.predictions.fallback
    if name is None:
        return said
    mark = required(opened, "predictions.fallback", name)
    if not (mark.type().is_boolean() or mark.type().is_numeric()):
        raise WrongType(
            f"{opened.where}: the column '{name}' (predictions.fallback) holds {mark.type()}; "
            "it must hold true and false, or 1 and 0."
        )
    marked = (mark if mark.type().is_boolean() else mark != 0).fill_null(columns.NO)
    return {key: ibis.cases((~marked, value), else_=ibis.null(value.type())) for key, value in said.items()}


def segmented(table: ir.Table, name: str) -> bool:
    """Whether *table* has the column, or the columns, of a segment."""
    return all(part in table.columns for part in segment_parts(table, name))


def segment_parts(table: ir.Table, name: str) -> tuple[str, ...]:
    """The columns a segment is made of: one of that name, or several joined by ``+``."""
    return (name,) if name in table.columns else tuple(name.split("+"))


def segment_of(table: ir.Table, name: str) -> ir.StringColumn:
    """The canonical value of a segment; of several columns, null where one of them is."""
    first, *others = (columns.label(table[part]) for part in segment_parts(table, name))
    for part in others:
        first = first + "+" + part
    return first


def present(model: ModelSettings, opened: Opened, layout: Layout) -> tuple[int, ...]:
    """The places of the layout's columns that are there and of their type; the outcome's own is not among them."""
    outcome = model.outcomes.value if model.outcomes else None
    return tuple(
        place
        for place, (name, cells) in enumerate(layout.columns.items())
        if name != outcome and name in opened.table.columns and _fits(model, opened.table[name], cells)
    )


def _fits(model: ModelSettings, column: ir.Column, cells: Numbers | Categories) -> bool:
    if column.get_name() == model.predictions.prediction and isinstance(cells, Categories):
        return True  # a class may be written as a number
    kind = columns.kind_of(column.type())
    return kind == "null" or kind == ("number" if isinstance(cells, Numbers) else "text")


def has_scores(model: ModelSettings) -> bool:
    """Whether there are scores to be counted: one of a positive class, or one of each class."""
    return len(scores_of(model)) == 1 if model.task == "binary" else bool(_classes_scored(model))


def _classes_scored(model: ModelSettings) -> tuple[str, ...]:
    return classes_of(model) if model.task == "multiclass" else ()


def classifies(model: ModelSettings) -> bool:
    """Whether outcomes are classes."""
    return model.task in {"binary", "multiclass"}


def numeric(opened: Opened, key: str, column: str) -> ir.NumericColumn:
    """A column that must hold numbers. Raises ColumnMissing or WrongType."""
    found = required(opened, key, column)
    if columns.kind_of(found.type()) in {"number", "null"}:
        return found
    raise WrongType(f"{opened.where}: the column '{column}' ({key}) holds {found.type()}; it must hold numbers.")


def _predicted(model: ModelSettings, opened: Opened, layout: Layout) -> ir.Value:
    name = model.predictions.prediction
    if classifies(model):
        if name is not None:
            return columns.label(required(opened, "predictions.prediction", name))
        return _by_threshold(model, opened, layout) if has_scores(model) else ibis.null("string")
    name = name or (scores_of(model)[0] if len(scores_of(model)) == 1 else None)
    if name is None:
        return ibis.null("float64")
    return _usable_number(numeric(opened, "predictions.prediction", name))


def _by_threshold(model: ModelSettings, opened: Opened, layout: Layout) -> ir.StringValue:
    score = columns.number(numeric(opened, "predictions.score", scores_of(model)[0]))
    return ibis.cases(
        (score.isnull() | score.isnan(), ibis.null("string")),
        (score >= columns.constant(model.predictions.threshold), model.predictions.positive),
        else_=negative_label(model, layout),
    )


def negative_label(model: ModelSettings, layout: Layout) -> str:
    """The class a score below the threshold means: the outcomes' most frequent other class."""
    positive = model.predictions.positive
    seen = layout.columns.get(model.outcomes.value) if model.outcomes else None
    others = (value for value in (seen.values if isinstance(seen, Categories) else ()) if value != positive)
    return next(others, "0" if positive != "0" else "1")


def _usable_number(column: ir.NumericColumn) -> ir.FloatingColumn:
    value = columns.number(column)
    return ibis.cases((columns.finite(value), value), else_=ibis.null("float64"))


def actual_of(model: ModelSettings, opened: Opened) -> ir.Value:
    """What came true: a canonical class or a finite number; null where it cannot be used."""
    assert model.outcomes is not None, "only a model with outcomes has any"  # noqa: S101  # callers ask first
    if classifies(model) or model.task == "ranking":
        return columns.label(required(opened, "outcomes.value", model.outcomes.value))
    return _usable_number(numeric(opened, "outcomes.value", model.outcomes.value))


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
