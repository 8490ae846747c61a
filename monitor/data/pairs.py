"""What predictions and outcomes make together: confusion, scores, errors and lags, added up on the engine.

Rows are grouped by everything at once first, so that they are joined with their outcomes but once; the arms of the long
form add up groups.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import add

import ibis
import ibis.expr.types as ir

from checks.profile import LAG_EDGES, SCORE_BINS
from monitor.data import columns
from monitor.data.longform import (
    CHANCES,
    CHANCES_OF_SEGMENTS,
    LAGS,
    NULL,
    RIGHT,
    SEGMENTS,
    WHOLE,
    WRONG,
    Sums,
    sum_names,
)
from monitor.data.shape import Shape
from monitor.settings import Share

CLIP = 1e-15
CLASSES = ("binary", "multiclass")


def row_arms(shape: Shape) -> Iterator[ir.Table]:
    """What predictions and outcomes make together, and how long outcomes took."""
    groups = _groups(shape)
    slices = [(WHOLE, CHANCES, ibis.literal(""))]
    slices += [(SEGMENTS - place, CHANCES_OF_SEGMENTS - place, groups[f"s{place}"]) for place in shape.segments]
    for part, chances, segment in slices:
        yield from _slice_arms(shape, groups, segment, part, chances)
    yield _added(sum_names(shape), groups, LAGS, ("early", "late"), cell=groups["lag_cell"])


def _groups(shape: Shape) -> ir.Table:
    table = shape.rows
    keys: dict[str, ir.Value] = {"lag_cell": _lag_cell(table), **{f"s{j}": table[f"s{j}"] for j in shape.segments}}
    sums: dict[str, ir.Value] = {}
    if shape.task in CLASSES:
        keys |= {"predicted": table["predicted"], "actual": table["actual"]}
    else:
        keys["cell"] = table["actual"].notnull().ifelse(1, 0).cast("int32")
    if shape.task == "regression":
        sums = _error_sums(table, shape)
    if shape.scored:
        keys["cell"] = _score_bin(table)
        sums = _score_sums(table, shape)
    given = table.select("bucket", "early", "late", **keys, **sums)
    return given.group_by(["bucket", *keys]).aggregate(
        rows=given.count(), **{name: given[name].sum() for name in ("early", "late", *sums)}
    )


def _slice_arms(shape: Shape, groups: ir.Table, segment: ir.Value, part: int, chances: int) -> Iterator[ir.Table]:
    """Rows by segment (one), predicted (two) and actual class (three) and, of a binary model, bin of the score.

    Of many classes the bins are those of the predicted one, in rows of their own: by right or wrong (three).
    """
    names = sum_names(shape)
    if shape.task not in CLASSES:
        sums = names if shape.task == "regression" else ()
        yield _added(names, groups, part, sums, one=segment, cell=groups["cell"])
        return
    classes = {"two": groups["predicted"], "three": groups["actual"]}
    if shape.task == "binary" and shape.scored:
        yield _added(names, groups, part, ("v0", "v1"), one=segment, cell=groups["cell"], **classes)
        return
    yield _added(names, groups, part, (), one=segment, **classes)
    if shape.scored:
        waits, hits = groups["actual"].isnull(), groups["predicted"] == groups["actual"]
        right = ibis.cases((waits, ibis.null("string")), (hits, RIGHT), else_=WRONG)
        yield _added(names, groups, chances, ("v0", "v1"), one=segment, three=right, cell=groups["cell"])


def _score_bin(table: ir.Table) -> ir.IntegerValue:
    counts = columns.finite(table["score"]).fill_null(columns.NO)
    place = (_between(table["score"], 0.0, 1.0) * float(SCORE_BINS)).floor().cast("int32")
    return ibis.cases((counts, ibis.least(place, SCORE_BINS - 1)), else_=NULL).cast("int32")


def _between(value: ir.FloatingValue, low: ir.Value | float, high: ir.Value | float) -> ir.FloatingValue:
    """*value*, or the end it is beyond; only asked of numbers, where Ibis' clip would look for null time and again."""
    return ibis.greatest(ibis.least(value, high), low)


def _score_sums(table: ir.Table, shape: Shape) -> dict[str, ir.Value]:
    """Of rows with score and outcome: -ln(score of what came true), and the squared distance of both."""
    counts = table["actual"].notnull() & columns.finite(table["score"]).fill_null(columns.NO)
    none = ibis.null("float64")
    chance, distance = _of_classes(table, shape) if shape.classes else _of_one(table, shape.positive)
    chance = _between(chance, columns.constant(CLIP), columns.constant(1 - CLIP))
    return {
        "v0": ibis.cases((counts, -chance.ln()), else_=none),
        "v1": ibis.cases((counts, distance), else_=none),
    }


def _of_one(table: ir.Table, positive: str) -> tuple[ir.FloatingValue, ir.FloatingValue]:
    score, came_true = table["score"], table["actual"] == positive
    away = columns.tame(score - came_true.ifelse(1.0, 0.0))
    return came_true.ifelse(score, 1 - score), away * away


def _of_classes(table: ir.Table, shape: Shape) -> tuple[ir.FloatingValue, ir.FloatingValue]:
    """A class that has no score came true at 0."""
    scores = [table[f"p{place}"] for place, _ in enumerate(shape.classes)]
    came_true = [table["actual"] == name for name in shape.classes]
    chance = ibis.cases(*zip(came_true, scores, strict=True), else_=ibis.literal(0.0))
    away = [columns.tame(score - came.ifelse(1.0, 0.0)) for score, came in zip(scores, came_true, strict=True)]
    return chance, reduce(add, [one * one for one in away])


def _error_sums(table: ir.Table, shape: Shape) -> dict[str, ir.Value]:
    actual, predicted, centre = table["actual"], table["predicted"], shape.centre
    both = actual.notnull() & predicted.notnull()
    none = ibis.null("float64")
    error, away = columns.tame(predicted - actual), columns.tame(actual - columns.constant(centre))
    size = columns.tame(actual).abs().nullif(0.0)
    relative = both & size.notnull()
    return {
        "v0": both.ifelse(1.0, 0.0),
        "v1": both.ifelse(error, none),
        "v2": both.ifelse(error.abs(), none),
        "v3": both.ifelse(error * error, none),
        "v4": both.ifelse(away, none),
        "v5": both.ifelse(away * away, none),
        "v6": relative.ifelse(error.abs() / size, none),
        "v7": relative.ifelse(1.0, 0.0),
        "v8": both.ifelse(_symmetric(error, actual, predicted), none),
        "v9": both.ifelse(_within(error, actual, shape.tolerance), none),
        **_interval_sums(table, shape),
    }


def _symmetric(error: ir.FloatingValue, actual: ir.FloatingValue, predicted: ir.FloatingValue) -> ir.FloatingValue:
    size = (columns.tame(actual).abs() + columns.tame(predicted).abs()).nullif(0.0)
    return (2 * error.abs() / size).fill_null(0.0)


def _within(error: ir.FloatingValue, actual: ir.FloatingValue, tolerance: float | Share | None) -> ir.FloatingValue:
    if tolerance is None:
        return ibis.literal(0.0)
    if isinstance(tolerance, Share):
        return (error.abs() <= actual.abs() * columns.constant(tolerance.of_one)).ifelse(1.0, 0.0)
    return (error.abs() <= columns.constant(tolerance)).ifelse(1.0, 0.0)


def _interval_sums(table: ir.Table, shape: Shape) -> dict[str, ir.Value]:
    if not shape.interval:
        return {"v10": ibis.null("float64"), "v11": ibis.null("float64")}
    actual, low, high = table["actual"], table["lower"], table["upper"]
    there = actual.notnull() & low.notnull() & high.notnull()
    inside = there & (actual >= low) & (actual <= high)
    return {"v10": inside.ifelse(1.0, 0.0), "v11": there.ifelse(1.0, 0.0)}


def _lag_cell(table: ir.Table) -> ir.IntegerValue:
    place = columns.cell(table["lag"].cast("float64"), LAG_EDGES)
    return ibis.cases((table["lag"].isnull(), NULL), else_=place).cast("int32")


def _added(names: Sums, groups: ir.Table, part: int, sums: Sequence[str], **keys: ir.Value) -> ir.Table:
    """*groups* added up by bucket and *keys* (one, two, three, cell), in the shape all arms share."""
    given = groups.select("bucket", "rows", **keys, **{f"v{place}": groups[name] for place, name in enumerate(sums)})
    held = names[: len(sums)]
    counted = given.group_by(["bucket", *keys]).aggregate(
        n=given["rows"].sum(), **{name: given[name].sum() for name in held}
    )
    none = {name: ibis.null("string") for name in ("one", "two", "three") if name not in keys}
    cell = counted["cell"].cast("int32") if "cell" in keys else ibis.literal(NULL, "int32")
    values = [counted[name].cast("float64") if name in held else ibis.null("float64") for name in names]
    return counted.mutate(part=ibis.literal(part, "int32"), **none).select(
        "part",
        "bucket",
        "one",
        "two",
        "three",
        cell=cell,
        rows=counted["n"].cast("int64"),
        **dict(zip(names, values, strict=True)),
    )
