"""What is there in each bucket of a log, told without reading more than times, ids and outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from operator import add

import ibis.expr.types as ir

from monitor.data import columns, joins, rows, times
from monitor.data.log import Log, Moments
from monitor.data.sources import fetch
from monitor.data.tally import Health

AT_ONCE = 8_000_000
"""Up to this many ids are told apart at once: DuckDB takes 47 bytes for each."""


def survey(log: Log, spans: Sequence[times.Span], as_of: datetime) -> dict[int, Health]:
    """What is there per bucket, by its number: rows, outcomes, duplicates. Reads ids and times only."""
    if not spans:
        return {}
    if log.in_place and len(log.kinds) == 1:
        found = _survey_in_place(log, spans, as_of)
        if found is not None:
            return found

    def build(moments: Moments) -> ir.Table:
        now, since, *asked = moments
        return joins.survey(log.narrow(asked), log.outcome_rows(since), log.model.bucket, now)

    sql = log.statement("survey", [as_of, spans[0][0] - rows.EARLY, *chain(*spans)], build)
    return {bucket: Health(*counts) for bucket, *counts in fetch(log.engine, sql, log.where)}


def _survey_in_place(log: Log, spans: Sequence[times.Span], as_of: datetime) -> dict[int, Health] | None:
    """The same without any join, where no id is there twice; None where one is.

    Many ids are told apart in several passes, each over those of its own hashes, so that they need not spill to disk.
    """
    passes, totals = _passes(log, spans), dict[int, list[int]]()
    for place in range(passes):
        build = partial(_in_place, log, share=(place, passes))
        sql = log.statement(("survey in place", place, passes), [as_of, *chain(*spans)], build)
        for bucket, *counts in fetch(log.engine, sql, log.where):
            totals[bucket] = list(map(add, totals.get(bucket, [0] * len(counts)), counts))
    if any(distinct != named for _, named, distinct, _, _ in totals.values()):
        return None
    return {
        bucket: Health(count, outcomes, future_outcomes=future)
        for bucket, (count, _, _, outcomes, future) in totals.items()
    }


def _passes(log: Log, spans: Sequence[times.Span]) -> int:
    """How many passes tell the ids of the predictions in *spans* apart within DuckDB's memory; a server has its own."""
    if log.engine.name != "duckdb":
        return 1

    def build(moments: Moments) -> ir.Table:
        given = rows.narrow_predictions(log.model, log.predictions, log.kinds, times.bounds(moments))
        return given.aggregate(n=given.count())

    [(count,)] = fetch(log.engine, log.statement("count", list(chain(*spans)), build), log.where)
    return 1 + int(count) // AT_ONCE


def _in_place(log: Log, moments: Moments, share: tuple[int, int]) -> ir.Table:
    (now, *asked), (place, passes) = moments, share
    model, opened = log.model, log.predictions
    at = rows.prediction_time(model, opened, model.predictions.timezone)
    ids = rows.canonical_ids(model, opened, log.kinds)
    given = opened.table.select(at=at, **ids, **rows.own_outcomes(model, opened, told=False))
    given = given.filter(times.within(given["at"], times.bounds(asked)))
    if passes > 1:
        given = given.filter(columns.hashed(given["id0"]) % passes == place)
    given = given.mutate(bucket=times.tile(given["at"], model.bucket, opened.engine.name))
    return joins.survey_in_place(log.place(given, opened), model.bucket, now)


def glance(log: Log, spans: Sequence[times.Span], as_of: datetime, *, outcomes: bool) -> dict[int, tuple[int, int]]:
    """Rows per bucket, and how many have an outcome where *outcomes* are asked for and stand in these rows.

    Times (and outcomes) are read and nothing is compared, so rows with one id count each.
    """
    model, opened = log.model, log.predictions

    def build(moments: Moments) -> ir.Table:
        now, *asked = moments
        at = rows.prediction_time(model, opened, model.predictions.timezone)
        given = opened.table.select(at=at, **(rows.own_outcomes(model, opened, told=False) if outcomes else {}))
        given = given.filter(times.within(given["at"], times.bounds(asked)))
        given = given.mutate(bucket=times.tile(given["at"], model.bucket, opened.engine.name))
        return joins.glance(given, model.bucket, now, outcomes=outcomes)

    if not spans:
        return {}
    moments = [as_of, *chain(*spans)]
    if log.together:
        sql = log.statement(("glance", outcomes), moments, build)
    else:
        sql = str(opened.engine.compile(build([times.literal(at) for at in moments])))
    return {bucket: (count, known) for bucket, count, known in fetch(opened.engine, sql, log.where)}


def count_orphans(log: Log, spans: Sequence[times.Span], as_of: datetime, reach: timedelta) -> dict[int, int]:
    """Outcomes per bucket of their own time, whose prediction is nowhere in *reach* before it."""
    if not spans or not log.timed or log.in_place:
        return {}
    step = log.model.bucket

    def build(moments: Moments) -> ir.Table:
        start, end, *asked = moments
        outcomes = log.outcome_rows(asked[0])
        assert outcomes is not None, "timed outcomes exist"  # noqa: S101  # for the type checker
        arrived = outcomes.filter(times.within(outcomes["known_at"], times.bounds(asked)))
        return joins.orphans(log.narrow([start, end]), arrived, reach, step)

    around = joins.span_around(spans, reach + step, rows.EARLY + step, as_of)
    sql = log.statement(("orphans", reach), [*around, *chain(*spans)], build)
    return dict(fetch(log.engine, sql, log.where))
