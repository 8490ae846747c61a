"""The pushed-down scan: one statement turns the rows of some buckets into counts, and the counts into profiles.

Every arm of the statement groups the same relation, which the engine computes once; the answer is a few thousand
rows of ``(what, name, bucket, segment, cell, one, other, n, s1, s2, s3, s4)`` whatever the number of rows read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import ibis

from checks.profile import LAG_EDGES, SCORE_BINS, Categories, Layout, Numbers
from monitor.data.rows import ACTUAL, BUCKET, LAG, NULL, OTHER, SAID, SCORE, label
from monitor.settings import ModelSettings

if TYPE_CHECKING:
    import ibis.expr.types as ir

CELL_NULL, CELL_NAN, CELL_INFINITE, CELL_OTHER = -1, -2, -3, -4
LEAST_PROBABILITY = 1e-15
"""Scores of exactly 0 or 1 are clipped to this for the log loss, as scikit-learn does."""

INFINITY = float("inf")
_SEGMENT, _CELL, _ONE, _TWO = "mm_segment", "mm_cell", "mm_one", "mm_two"


def profile_statement(model: ModelSettings, layout: Layout, rows: ir.Table, late_after: timedelta | None) -> ir.Table:
    """The union of all arms over *rows* (see ``monitor.data.rows.joined``)."""
    arms = [*_columns(model, layout, rows)]
    for segment in (None, *layout.segments):
        cut = rows if segment is None else rows.mutate(**{_SEGMENT: _segment(rows[segment], layout.segments[segment])})
        arms += _slices(model, layout, cut, segment)
    arms += [_lags(rows), _late(rows, late_after)]
    return ibis.union(*arms, distinct=False)


def outcome_column(model: ModelSettings) -> str | None:
    """The outcome's column. It is in the layout (its centre is needed) but has no distribution: outcomes that are not
    in yet are not null, they are unknown."""
    return model.outcomes.value if model.outcomes else None


def is_usable(kind: ir.DataType, cells: Numbers | Categories) -> bool:
    """Whether a column of this type still fits its layout: numbers stay numbers, the rest stays what it was."""
    if isinstance(cells, Numbers):
        return bool(kind.is_numeric() and not kind.is_boolean())
    return bool(kind.is_string() or kind.is_boolean())


def number_cell(x: ir.FloatingValue, edges: Sequence[float]) -> ir.IntegerValue:
    """The cell of a number: NaN is asked for first, because it compares as greater than everything."""
    return ibis.cases(
        (x.isnull(), CELL_NULL),
        (x.isnan(), CELL_NAN),
        ((x == INFINITY) | (x == -INFINITY), CELL_INFINITE),
        *((x < edge, place) for place, edge in enumerate(edges)),
        else_=len(edges),
    ).cast("int32")


def _columns(model: ModelSettings, layout: Layout, rows: ir.Table) -> Iterator[ir.Table]:
    for name, cells in layout.columns.items():
        column = _column(model, rows, name, cells)
        if column is None:
            continue
        if isinstance(cells, Numbers):
            yield _number_arm(rows, name, column, cells)
        else:
            yield _category_arm(rows, name, column, cells)


def _column(model: ModelSettings, rows: ir.Table, name: str, cells: Numbers | Categories) -> ir.Column | None:
    """The column a layout means by *name*: a role of ours, or the log's own where it still fits."""
    if name == outcome_column(model):
        return None
    if name == model.predictions.prediction:
        return rows[SAID]
    if name not in rows.columns or not is_usable(rows[name].type(), cells):
        return None
    return rows[name].cast("float64") if isinstance(cells, Numbers) else label(rows[name])


def _number_arm(rows: ir.Table, name: str, column: ir.Column, cells: Numbers) -> ir.Table:
    cut = rows.select(rows[BUCKET], mm_x=column.cast("float64"))
    x = cut.mm_x
    finite = ~(x.isnan() | (x == INFINITY) | (x == -INFINITY))
    kept = ibis.cases((finite, x), else_=ibis.null("float64"))
    cut = cut.mutate(**{_CELL: number_cell(x, cells.edges), "mm_x": kept, "mm_d": kept - cells.centre})
    counted = cut.group_by(BUCKET, _CELL).aggregate(
        n=cut.count(), s1=cut.mm_d.sum(), s2=(cut.mm_d * cut.mm_d).sum(), s3=cut.mm_x.min(), s4=cut.mm_x.max()
    )
    return _arm("column", name, counted)


def _category_arm(rows: ir.Table, name: str, column: ir.Column, cells: Categories) -> ir.Table:
    cut = rows.select(rows[BUCKET], **{_ONE: column})
    known = cut[_ONE].isin(cells.values) if cells.values else ibis.literal(False)  # noqa: FBT003  # SQL's false
    cell = ibis.cases((cut[_ONE].isnull(), CELL_NULL), (known, 0), else_=CELL_OTHER).cast("int32")
    cut = cut.mutate(**{_CELL: cell})
    cut = cut.mutate(**{_ONE: ibis.cases((cut[_CELL] == 0, cut[_ONE]), else_=ibis.null("string"))})
    return _arm("column", name, cut.group_by(BUCKET, _CELL, _ONE).aggregate(n=cut.count()))


def _segment(column: ir.Column, known: tuple[str, ...]) -> ir.StringValue:
    text = label(column)
    inside = text.isin(known) if known else ibis.literal(False)  # noqa: FBT003  # SQL's false
    return ibis.cases((text.isnull(), NULL), (inside, text), else_=OTHER)


def _slices(model: ModelSettings, layout: Layout, rows: ir.Table, segment: str | None) -> Iterator[ir.Table]:
    """What each segment's slice is made of."""
    keys = [BUCKET] if segment is None else [BUCKET, _SEGMENT]
    name = segment or ""
    labelled = rows[ACTUAL].notnull().cast("float64")
    yield _arm("rows", name, rows.group_by(*keys).aggregate(n=rows.count(), s1=labelled.sum()))
    known = rows.filter(rows[ACTUAL].notnull())
    if model.task == "regression":
        yield from _errors(layout, model, known, keys, name)
        return
    judged = known.filter(known[SAID].notnull()).rename({_ONE: SAID, _TWO: ACTUAL})
    yield _arm("confusion", name, judged.group_by(*keys, _ONE, _TWO).aggregate(n=judged.count()))
    if model.task == "binary" and isinstance(model.predictions.score, str):
        yield _scores(known, keys, name, model.predictions.positive)


def _scores(known: ir.Table, keys: list[str], name: str, positive: str) -> ir.Table:
    scored = known.filter(known[SCORE].notnull())
    p, hit = scored[SCORE], scored[ACTUAL] == positive
    place = ibis.least((p * SCORE_BINS).floor(), float(SCORE_BINS - 1)).cast("int32")
    given = ibis.greatest(ibis.cases((hit, p), else_=1.0 - p), LEAST_PROBABILITY)
    missed = ibis.cases((hit, p - 1.0), else_=p)
    scored = scored.mutate(
        **{_CELL: place, _ONE: ibis.cases((hit, "1"), else_="0"), "mm_loss": -given.ln(), "mm_sq": missed * missed}
    )
    summed = scored.group_by(*keys, _CELL, _ONE).aggregate(
        n=scored.count(), s1=scored.mm_loss.sum(), s2=scored.mm_sq.sum()
    )
    return _arm("scores", name, summed)


def _errors(layout: Layout, model: ModelSettings, known: ir.Table, keys: list[str], name: str) -> Iterator[ir.Table]:
    cells = layout.columns.get(model.outcomes.value) if model.outcomes else None
    centre = cells.centre if isinstance(cells, Numbers) else 0.0
    both = known.filter(known[SAID].notnull())
    error, actual = both[SAID] - both[ACTUAL], both[ACTUAL]
    relative = error.abs() / actual.abs().nullif(0.0)
    both = both.mutate(mm_e=error, mm_a=error.abs(), mm_y=actual - centre, mm_r=relative)
    yield _arm(
        "errors",
        name,
        both.group_by(*keys).aggregate(
            n=both.count(), s1=both.mm_e.sum(), s2=(both.mm_e * both.mm_e).sum(), s3=both.mm_a.sum()
        ),
    )
    yield _arm(
        "outcomes",
        name,
        both.group_by(*keys).aggregate(
            n=both.mm_r.count(), s1=both.mm_y.sum(), s2=(both.mm_y * both.mm_y).sum(), s3=both.mm_r.sum()
        ),
    )


def _lags(rows: ir.Table) -> ir.Table:
    """Outcome lags on LAG_EDGES; cell -1 counts outcomes stamped before their prediction."""
    cut = rows.filter(rows[LAG].notnull())
    lag = cut[LAG]
    steps = ((lag < edge, place) for place, edge in enumerate(LAG_EDGES))
    cell = ibis.cases((lag < 0, -1), *steps, else_=len(LAG_EDGES)).cast("int32")
    cut = cut.mutate(**{_CELL: cell})
    return _arm("lag", "", cut.group_by(BUCKET, _CELL).aggregate(n=cut.count()))


def _late(rows: ir.Table, late_after: timedelta | None) -> ir.Table:
    limit = INFINITY if late_after is None else late_after.total_seconds()
    cut = rows.filter(rows[LAG] > min(limit, 1e18))
    return _arm("late", "", cut.group_by(BUCKET).aggregate(n=cut.count()))


def _arm(what: str, name: str, counted: ir.Table) -> ir.Table:
    """The arm in the shape that all share."""

    def have(column: str, kind: str) -> ir.Value:
        return (counted[column] if column in counted.columns else ibis.null(kind)).cast(kind)

    return counted.select(
        what=ibis.literal(what),
        name=ibis.literal(name),
        bucket=counted[BUCKET].cast("int64"),
        segment=have(_SEGMENT, "string"),
        cell=have(_CELL, "int32"),
        one=have(_ONE, "string"),
        other=have(_TWO, "string"),
        n=counted.n.cast("int64"),
        **{sum_: have(sum_, "float64") for sum_ in ("s1", "s2", "s3", "s4")},
    )
