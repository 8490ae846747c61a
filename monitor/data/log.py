"""One model's log as it is now: its sources opened, and what is asked of its rows, on one engine."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING

import ibis.expr.types as ir

from checks.profile import Layout, Profile
from monitor.data import joins, rows, times
from monitor.data.predictions import wide_predictions
from monitor.data.profiler import Selection, profile
from monitor.data.shape import shape_of
from monitor.data.sources import Compiled, Engines, Opened, as_table, where_of
from monitor.data.tally import Health
from monitor.settings import ModelSettings

if TYPE_CHECKING:
    from ibis.backends.sql import SQLBackend

Moments = Sequence[ir.TimestampScalar]

HELD = 250_000
"""Up to this many rows are held while they are profiled; more are streamed, where the source can."""


@dataclass(frozen=True)
class Log:
    """Predictions and outcomes, opened; ``engine`` is where they are brought together."""

    model: ModelSettings
    engines: Engines
    engine: SQLBackend
    predictions: Opened
    outcomes: Opened | None
    kinds: tuple[str, ...]
    """What ids are compared as."""

    @property
    def timed(self) -> bool:
        """Whether it is known when outcomes became known."""
        return self.model.outcomes is not None and self.model.outcomes.time is not None

    @property
    def where(self) -> str:
        return self.predictions.where

    @property
    def together(self) -> bool:
        """Whether nothing has to be brought over."""
        return all(one is None or one.engine is self.engine for one in (self.predictions, self.outcomes))

    @property
    def in_place(self) -> bool:
        """Whether outcomes stand in the rows of their predictions, so that there is nothing to join."""
        said, came = self.model.predictions, self.model.outcomes
        if came is None or rows.ids_of(self.model) != rows.outcome_ids_of(self.model):
            return False
        return (said.source, said.table, said.query) == (came.source, came.table, came.query)

    def statement(self, key: Hashable, moments: Sequence[datetime], build: Callable[[Moments], ir.Table]) -> str:
        """The SQL of what *build* makes of *moments*; compiled once per *key*, count of moments and columns."""
        if not self.together:
            return str(self.engine.compile(build([times.literal(at) for at in moments])))
        return times.written(self._compiled(key, len(moments), build).sql, moments)

    def table(self, key: Hashable, moments: Sequence[datetime], build: Callable[[Moments], ir.Table]) -> ir.Table:
        """What *build* makes of *moments*, as a table whose own SQL is compiled but once."""
        if not self.together:
            return build([times.literal(at) for at in moments])
        compiled = self._compiled(key, len(moments), build)
        return as_table(times.written(compiled.sql, moments), compiled.schema, self.engine)

    def _compiled(self, key: Hashable, moments: int, build: Callable[[Moments], ir.Table]) -> Compiled:
        tables = (self.predictions.table.op(), self.outcomes and self.outcomes.table.op())
        kept, full = self.engines.compiled, (key, moments, tables)
        if full not in kept:
            made = build([times.marker(place) for place in range(moments)])
            kept[full] = Compiled(str(self.engine.compile(made)), made.schema())
        return kept[full]

    def place(self, table: ir.Table, opened: Opened) -> ir.Table:
        """*table* of *opened*, on the engine where everything comes together."""
        return self.engines.bring(table, opened, self.engine)

    def narrow(self, spans: Moments) -> ir.Table:
        """Bucket and ids of the predictions in *spans*."""
        found = rows.narrow_predictions(self.model, self.predictions, self.kinds, times.bounds(spans))
        return self.place(found, self.predictions)

    def outcome_rows(self, since: ir.TimestampScalar) -> ir.Table | None:
        """Usable outcomes, except those stamped before *since*."""
        if self.outcomes is None:
            return None
        return self.place(rows.outcome_rows(self.model, self.outcomes, self.kinds, since), self.outcomes)


def open_log(model: ModelSettings, engines: Engines, *further: Opened) -> Log:
    """Open predictions and outcomes; *further* sources are to meet them on one engine. Raises SourceProblem."""
    predictions = engines.open(model.predictions, where_of(model.name, "predictions", model.predictions))
    outcomes = None
    if model.outcomes is not None:
        outcomes = engines.open(model.outcomes, where_of(model.name, "outcomes", model.outcomes))
    together = [one for one in (predictions, outcomes, *further) if one is not None]
    same = all(one.engine is predictions.engine for one in together)
    engine = predictions.engine if same else engines.embedded()
    return Log(model, engines, engine, predictions, outcomes, rows.id_kinds(model, predictions, outcomes))


def profiles_of(
    log: Log,
    layout: Layout,
    buckets: Sequence[int],
    spans: Sequence[times.Span],
    health: Mapping[int, Health],
    as_of: datetime,
    late: timedelta | None,
) -> dict[int, Profile]:
    """One profile per bucket number; *spans* are those of the buckets that have rows."""
    shape = shape_of(log.model, log.predictions, layout, log.engine.name)
    selection = _selection(log, layout, spans, health, as_of, late) if spans else None
    return profile(selection, shape, layout, health, buckets, log.where)


def _selection(
    log: Log,
    layout: Layout,
    spans: Sequence[times.Span],
    health: Mapping[int, Health],
    as_of: datetime,
    late: timedelta | None,
) -> Selection:
    repeated = any(one.duplicate_predictions for one in health.values())
    repeated_outcomes = any(one.duplicate_outcomes for one in health.values())
    in_place = log.in_place and not repeated and not repeated_outcomes
    step = log.model.bucket
    one_bucket = times.in_one_tile(spans, step)

    def predictions(asked: Moments, *, outcomes: bool = False) -> ir.Table:
        bounds = times.bounds(asked)
        wide = wide_predictions(
            log.model, log.predictions, layout, log.kinds, bounds, one_bucket=one_bucket, outcomes=outcomes
        )
        wide = log.place(wide, log.predictions)
        return joins.last_predictions(wide) if repeated else wide

    def joined(moments: Moments) -> ir.Table:
        now, since, *asked = moments
        if in_place:
            return joins.in_place(predictions(asked, outcomes=True), now, step, late)
        outcomes = log.outcome_rows(since)
        if outcomes is not None:
            outcomes = joins.known(outcomes, now)
            outcomes = joins.last_outcomes(outcomes) if repeated_outcomes else outcomes
        return joins.joined(predictions(asked), outcomes, step, late)

    columnar = log.predictions.columnar and (log.outcomes is None or log.outcomes.columnar)
    many = sum(one.rows for one in health.values()) > HELD
    streamed = many and columnar and log.together and not repeated and not repeated_outcomes
    key, flat = (layout_key(layout), late, repeated, repeated_outcomes, one_bucket), list(chain(*spans))
    return Selection(
        engine=log.engine,
        predictions=log.statement(("predictions", key), flat, predictions) if streamed else "",
        joined=log.statement(("joined", key), [as_of, spans[0][0] - rows.EARLY, *flat], joined),
        streamed=streamed and log.engine.name == "duckdb",
    )


def layout_key(layout: Layout) -> Hashable:
    """What tells layouts apart."""
    return tuple(layout.columns.items()), tuple(layout.segments.items())
