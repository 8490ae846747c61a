"""Canonical predictions: what the model said, its segments and its columns, as a profile takes them.

The columns are ``bucket``, ``at``, the ids ``id0 ...``, ``predicted``, ``score``, of several classes ``p0 ...``, of an
interval ``lower`` and ``upper``, segments ``s0 ...`` and the layout's columns ``x0 ...`` by their place in it.
"""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from checks.profile import Categories, Layout, Numbers
from monitor.data import columns, times
from monitor.data.errors import WrongType
from monitor.data.rows import (
    canonical_ids,
    classes_of,
    classifies,
    numeric,
    own_outcomes,
    prediction_time,
    required,
    scores_of,
    usable_number,
)
from monitor.data.sources import Opened
from monitor.settings import ModelSettings


def wide_predictions(
    model: ModelSettings,
    opened: Opened,
    layout: Layout,
    kinds: Sequence[str],
    spans: Sequence[times.Bounds],
    *,
    one_bucket: bool = False,
    outcomes: bool = False,
) -> ir.Table:
    """The predictions in *spans* with everything a profile takes from them, and the outcomes in their own rows.

    With *one_bucket* all of them are in one, whose number the engine works out once and not for each row.
    """
    at = prediction_time(model, opened, model.predictions.timezone)
    own = own_outcomes(model, opened) if outcomes else {}
    rows = opened.table.select(at=at, **canonical_ids(model, opened, kinds), **profiled(model, opened, layout), **own)
    rows = rows.filter(times.within(rows["at"], spans))
    placed = spans[0][0] if one_bucket else rows["at"]
    return rows.mutate(bucket=times.tile(placed, model.bucket, opened.engine.name))


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
            found[end] = usable_number(numeric(opened, "predictions.interval", name))
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


def _predicted(model: ModelSettings, opened: Opened, layout: Layout) -> ir.Value:
    name = model.predictions.prediction
    if classifies(model):
        if name is not None:
            return columns.label(required(opened, "predictions.prediction", name))
        return _by_threshold(model, opened, layout) if has_scores(model) else ibis.null("string")
    name = name or (scores_of(model)[0] if len(scores_of(model)) == 1 else None)
    if name is None:
        return ibis.null("float64")
    return usable_number(numeric(opened, "predictions.prediction", name))


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
