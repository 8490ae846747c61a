"""The layout of a model version, taken from the rows its release was decided on (or, without them, the first rows)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import inf, nextafter
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

from checks.profile import Categories, Layout, Numbers, Profile
from monitor.data import columns, predictions, rows
from monitor.data.errors import missing
from monitor.data.sources import Opened, fetch, held
from monitor.settings import ModelSettings

if TYPE_CHECKING:
    from ibis.backends.sql import SQLBackend

EDGES = 40
SAMPLE = 100_000
CATEGORIES = 1000


@dataclass(frozen=True, slots=True)
class Baseline:
    """A model version's layout, its reference's profile, and how long outcomes took there (0.99 quantile)."""

    layout: Layout
    profile: Profile | None
    delay: timedelta | None


def features_of(model: ModelSettings, opened: Opened) -> tuple[str, ...]:
    """The features: those configured, else every column not named elsewhere that can be profiled."""
    if model.predictions.features is not None:
        for name in model.predictions.features:
            if name not in opened.table.columns:
                raise missing(opened.where, "predictions.features", name, opened.columns)
        chosen = model.predictions.features
    else:
        taken = _named_elsewhere(model)
        chosen = tuple(name for name in opened.columns if name not in taken)
    schema = opened.table.schema()
    return tuple(name for name in chosen if columns.kind_of(schema[name]) is not None)


def _named_elsewhere(model: ModelSettings) -> set[str]:
    outcomes, predictions = model.outcomes, model.predictions
    names = {*rows.ids_of(model), *rows.scores_of(model), *rows.outcome_ids_of(model), predictions.time}
    single = (predictions.entity, predictions.prediction, predictions.fallback, predictions.request, predictions.item)
    names |= {name for name in (*single, predictions.position, *(predictions.interval or ())) if name}
    return names | ({name for name in (outcomes.value, outcomes.time) if name} if outcomes else set())


def take_layout(
    model: ModelSettings, engine: SQLBackend, opened: Opened, selected: ir.Table, outcome: ir.Value | None
) -> Layout:
    """The layout of *selected*, whose columns are those of *opened*; *outcome* is the canonical outcome in it."""
    texts, numbers = _split(model, opened, selected, outcome)
    segments = [name for name in model.predictions.segments if predictions.segmented(selected, name)]
    values = _frequent(engine, selected, texts, CATEGORIES, opened.where)
    parts = {name: predictions.segment_of(selected, name) for name in segments}
    known = _frequent(engine, selected, parts, model.predictions.segment_values, opened.where)
    edges = _edges(model, engine, selected, numbers, opened)
    found: dict[str, Numbers | Categories] = {}
    for name in _ordered(model, opened):
        if name in texts:
            found[name] = Categories(values[name])
        elif name in numbers:
            found[name] = Numbers(edges[name], edges[name][len(edges[name]) // 2] if edges[name] else 0.0)
    return Layout(found, {name: known[name] for name in segments})


def _ordered(model: ModelSettings, opened: Opened) -> tuple[str, ...]:
    """Features, prediction, scores, outcome: each once."""
    prediction = (model.predictions.prediction,) if model.predictions.prediction else ()
    outcome = (model.outcomes.value,) if model.outcomes else ()
    return tuple(dict.fromkeys((*features_of(model, opened), *prediction, *rows.scores_of(model), *outcome)))


def _split(
    model: ModelSettings, opened: Opened, selected: ir.Table, outcome: ir.Value | None
) -> tuple[dict[str, ir.Value], dict[str, ir.Value]]:
    """The columns to be laid out, as text and as numbers."""
    texts: dict[str, ir.Value] = {}
    numbers: dict[str, ir.Value] = {}
    for name in _ordered(model, opened):
        if model.outcomes and name == model.outcomes.value:
            if outcome is not None:
                (numbers if outcome.type().is_floating() else texts)[name] = outcome
            continue
        if name not in selected.columns:
            key = "predictions.prediction" if name == model.predictions.prediction else "predictions.score"
            raise missing(opened.where, key, name, opened.columns)
        column = selected[name]
        if (name == model.predictions.prediction and rows.classifies(model)) or columns.kind_of(
            column.type()
        ) == "text":
            texts[name] = columns.label(column)
        else:
            numbers[name] = columns.number(column)
    return texts, numbers


def _frequent(
    engine: SQLBackend, selected: ir.Table, texts: dict[str, ir.Value], most: int, where: str
) -> dict[str, tuple[str, ...]]:
    """The most frequent values of each column, most frequent first."""
    arms = []
    for place, value in enumerate(texts.values()):
        given = selected.select(value=value)
        given = given.filter(given["value"].notnull())
        counted = given.group_by("value").aggregate(n=given.count())
        top = counted.order_by([ibis.desc("n"), columns.md5(counted["value"])]).limit(most)
        arms.append(top.select(value="value", n="n", place=ibis.literal(place, "int32")))
    found: dict[str, list[tuple[int, str]]] = {name: [] for name in texts}
    names = tuple(texts)
    for value, n, place in fetch(engine, engine.compile(ibis.union(*arms, distinct=False)), where) if arms else ():
        found[names[place]].append((-n, value))
    return {name: tuple(value for _, value in sorted(counted)) for name, counted in found.items()}


def _edges(
    model: ModelSettings, engine: SQLBackend, selected: ir.Table, numbers: dict[str, ir.Value], opened: Opened
) -> dict[str, tuple[float, ...]]:
    """Quantile edges, or all values where there are at most EDGES of them; and the ends of the reference.

    So what lies outside the reference's range is in cells of its own, and counted exactly.
    """
    if not numbers:
        return {}
    ends = _ends(engine, selected, numbers, opened.where)
    names = tuple(numbers)
    found: dict[str, set[float]] = {name: set() for name in names}
    quantiles: dict[str, set[float]] = {name: set() for name in names}
    with held(engine, _sample(model, engine, selected, numbers, opened), opened.where) as sample:
        arms = ibis.union(*_edge_arms(sample, names), distinct=False)
        for place, few, value in fetch(engine, engine.compile(arms), opened.where):
            (found if few else quantiles)[names[place]].add(value + 0.0)  # -0.0 becomes 0.0
    inner = {name: found[name] if len(found[name]) <= EDGES else quantiles[name] for name in names}
    return {name: tuple(sorted({*inner[name], *ends[name]})) for name in names}


def _ends(engine: SQLBackend, selected: ir.Table, numbers: dict[str, ir.Value], where: str) -> dict[str, set[float]]:
    """Per column the edges beyond which no number of the reference lies; none where it has no number."""
    usable = {
        f"n{place}": columns.finite(value).ifelse(value, ibis.null("float64"))
        for place, value in enumerate(numbers.values())
    }
    given = selected.select(**usable)
    asked = {f"{end}{name}": getattr(given[name], end)() for name in usable for end in ("min", "max")}
    [found] = fetch(engine, engine.compile(given.aggregate(**asked)), where)
    pairs = zip(numbers, found[::2], found[1::2], strict=True)
    return {name: set() if low is None else {low + 0.0, nextafter(high, inf)} for name, low, high in pairs}


def _sample(
    model: ModelSettings, engine: SQLBackend, selected: ir.Table, numbers: dict[str, ir.Value], opened: Opened
) -> ir.Table:
    """At most SAMPLE rows, always the same: those whose ids have the least MD5."""
    named = {f"n{place}": value for place, value in enumerate(numbers.values())}
    [(count,)] = fetch(engine, engine.compile(selected.aggregate(n=selected.count())), opened.where)
    if count <= SAMPLE:
        return selected.select(**named)
    given = [columns.label(selected[name]) for name in rows.ids_of(model) if name in selected.columns]
    key = columns.text_of(given or [next(iter(named.values())).cast("string")])
    return selected.select(key=columns.md5(key), **named).order_by("key").limit(SAMPLE)


def _edge_arms(sample: ir.Table, names: Sequence[str]) -> Iterator[ir.Table]:
    """Per column the first EDGES + 1 distinct values (few=1) and the values at the ranks k/(EDGES + 1) (few=0)."""
    for place, _ in enumerate(names):
        value = sample.select(value=f"n{place}")
        value = value.filter(columns.finite(value["value"]).fill_null(columns.NO))
        distinct = value.distinct().limit(EDGES + 1)
        yield distinct.select(place=ibis.literal(place, "int32"), few=ibis.literal(1, "int32"), value="value")
        ranked = value.mutate(rank=ibis.row_number().over(order_by="value"), n=value.count().over())
        step = EDGES + 1
        here = ((ranked["rank"] + 1) * step / ranked["n"]).floor()
        before = (ranked["rank"] * step / ranked["n"]).floor()
        chosen = ranked.filter((here > before) & (ranked["rank"] + 1 < ranked["n"]))
        yield chosen.select(place=ibis.literal(place, "int32"), few=ibis.literal(0, "int32"), value="value")
