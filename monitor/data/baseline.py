"""The baseline: the layout that profiles of a model version are taken on, and the profile of its reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import ibis

from checks.profile import Categories, Layout, Numbers, Profile
from monitor.data.engines import Engine
from monitor.data.rows import KEY, SAID, ids, label
from monitor.settings import ModelSettings

if TYPE_CHECKING:
    import ibis.expr.types as ir

EDGES = 40
"""At most this many cells' edges of a number: its values where it has so few, else its 1/40, 2/40 ... quantiles."""
MOST_CATEGORIES = 1000
MOST_SEGMENTS = 20
SAMPLE = 100_000
"""Rows that edges are taken from; exact quantiles of ten million rows cost gigabytes and move no edge."""
INFINITY = float("inf")


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is frozen for a model version. *delay*: 99 % of the reference's outcomes came sooner; None if unknown."""

    layout: Layout
    profile: Profile | None
    delay: timedelta | None


@dataclass(frozen=True, slots=True)
class _Spread:
    """What is asked of a numeric column."""

    distinct: int
    mean: float
    quantiles: Sequence[float]


def layout_of(engine: Engine, model: ModelSettings, rows: ir.Table) -> Layout:
    """The layout that *rows* suggest; *rows* has the log's columns, and SAID."""
    columns = _columns(model, rows)
    sample = _sample(engine, rows)
    numeric = {name: column for name, column in columns.items() if column.type().is_numeric()}
    spreads = _spreads(engine, sample, list(numeric))
    few = [name for name, spread in spreads.items() if spread.distinct <= EDGES]
    values = _values(engine, sample, few)
    counted = {name: label(column) for name, column in columns.items() if name not in numeric}
    counted |= {f"{_SEGMENT}{name}": label(rows[name]) for name in model.predictions.segments}
    known = _categories(engine, rows, counted)
    found: dict[str, Numbers | Categories] = {}
    for name in columns:
        if name in numeric:
            spread = spreads[name]
            found[name] = Numbers(tuple(values.get(name, spread.quantiles)), spread.mean)
        else:
            found[name] = Categories(tuple(known[name]))
    segments = {name: tuple(known[f"{_SEGMENT}{name}"][:MOST_SEGMENTS]) for name in model.predictions.segments}
    return Layout(found, segments)


_SEGMENT = "mm_segment:"


def _columns(model: ModelSettings, rows: ir.Table) -> dict[str, ir.Column]:
    """Every column of the layout: features, then score, prediction and outcome under their own names."""
    said = model.predictions
    found = {name: rows[name] for name in features(model, rows) if name in rows.columns and _fits(rows[name].type())}
    if isinstance(said.score, str):
        found[said.score] = rows[said.score].cast("float64")
    if said.prediction is not None:
        found[said.prediction] = rows[SAID]
    if model.outcomes is not None and model.task == "regression" and model.outcomes.value in rows.columns:
        found[model.outcomes.value] = rows[model.outcomes.value].cast("float64")
    return found


def features(model: ModelSettings, rows: ir.Table) -> tuple[str, ...]:
    """The feature columns: as configured, else every column that is not named elsewhere."""
    said, came = model.predictions, model.outcomes
    if said.features is not None:
        return said.features
    scores = said.score if isinstance(said.score, tuple) else (said.score,)
    named = {*ids(said.id), said.time, said.entity, *scores, said.prediction, said.fallback}
    named |= set() if came is None else {*ids(came.id or said.id), came.value, came.time}
    return tuple(name for name in rows.columns if name not in named and not name.startswith("mm_"))


def _fits(kind: ir.DataType) -> bool:
    return bool(kind.is_numeric() or kind.is_string() or kind.is_boolean())


def _sample(engine: Engine, rows: ir.Table) -> ir.Table:
    count = int(engine.ask(engine.compile(rows.aggregate(n=rows.count())), {})[0][0])
    if count <= SAMPLE:
        return rows
    return rows.filter(rows[KEY].cast("string").hash() % (count // SAMPLE + 1) == 0)


def _spreads(engine: Engine, rows: ir.Table, names: Sequence[str]) -> dict[str, _Spread]:
    if not names:
        return {}
    steps = [step / EDGES for step in range(1, EDGES)]
    asked: dict[str, ir.Scalar] = {}
    for place, name in enumerate(names):
        x = _finite(rows[name])
        asked |= {f"d{place}": x.nunique(), f"m{place}": x.mean(), f"q{place}": x.quantile(steps)}
    answer = engine.ask(engine.compile(rows.aggregate(**asked)), {})[0]
    found = {}
    for place, name in enumerate(names):
        distinct, mean, quantiles = answer[3 * place : 3 * place + 3]
        edges = sorted({float(edge) for edge in quantiles or ()})
        found[name] = _Spread(int(distinct), float(mean or 0.0), edges)
    return found


def _values(engine: Engine, rows: ir.Table, names: Sequence[str]) -> dict[str, list[float]]:
    """The values of the columns that have only a few."""
    arms = []
    for name in names:
        cut = rows.select(x=_finite(rows[name])).filter(lambda t: t.x.notnull())
        arms.append(cut.distinct().mutate(name=ibis.literal(name)))
    found: dict[str, list[float]] = {name: [] for name in names}
    for value, name in _ask_all(engine, arms):
        found[name].append(float(value))
    return {name: sorted(values) for name, values in found.items()}


def _categories(engine: Engine, rows: ir.Table, columns: Mapping[str, ir.Column]) -> dict[str, list[str]]:
    """The most frequent values of each column, the most frequent first."""
    arms = []
    for name, column in columns.items():
        cut = rows.select(value=column).filter(lambda t: t.value.notnull())
        counted = cut.group_by("value").aggregate(n=lambda t: t.count())
        top = counted.order_by(counted.n.desc(), counted.value).limit(MOST_CATEGORIES)
        arms.append(top.mutate(name=ibis.literal(name)))
    found: dict[str, list[tuple[int, str]]] = {name: [] for name in columns}
    for value, count, name in _ask_all(engine, arms):
        found[name].append((-int(count), str(value)))
    return {name: [value for _, value in sorted(values)] for name, values in found.items()}


def _ask_all(engine: Engine, arms: Sequence[ir.Table]) -> Iterator[tuple[Any, ...]]:
    if arms:
        yield from engine.ask(engine.compile(ibis.union(*arms, distinct=False) if len(arms) > 1 else arms[0]), {})


def _finite(column: ir.Column) -> ir.FloatingValue:
    x = column.cast("float64")
    wild = x.isnull() | x.isnan() | (x == INFINITY) | (x == -INFINITY)
    return ibis.cases((wild, ibis.null("float64")), else_=x)
