"""What is there in each bucket of a log, told without reading more than times, ids and outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

from monitor.data import columns, joins, rows, times
from monitor.data.log import Log, Moments
from monitor.data.sources import batches, fetch
from monitor.data.tally import Health

Hashes = NDArray[np.uint64]

AT_ONCE = 14_000_000
"""Up to this many ids are told apart at once: 8 bytes each, where DuckDB's own distinct count takes 47."""

NEAR, MOST_TICKS = 8, 200_000_000
"""Numbers that lie in so many times their count, and in no more, are ticked off one by one, a byte each."""


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
    """The same without any join, where no id is there twice; None where one is."""
    hashed = log.engine.name == "duckdb"

    def build(moments: Moments) -> ir.Table:
        now, *asked = moments
        return joins.survey_in_place(_in_place(log, asked), log.model.bucket, now, distinct=not hashed)

    sql = log.statement("survey in place", [as_of, *chain(*spans)], build)
    found = {bucket: counts for bucket, *counts in fetch(log.engine, sql, log.where)}
    named = sum(count for _, count, *_ in found.values())
    if not hashed:
        twice = any(count != ids for _, count, _, _, ids in found.values())
    else:
        ends = [(low, high) for *_, low, high in found.values() if low is not None]
        twice = not _all_ticked_off(log, spans, named, ends) and _twice(log, spans, named)
    if twice:
        return None
    return {
        bucket: Health(rows, outcomes, future_outcomes=future)
        for bucket, (rows, _, outcomes, future, *_) in found.items()
    }


def _all_ticked_off(log: Log, spans: Sequence[times.Span], named: int, ends: Sequence[tuple[Any, Any]]) -> bool:
    """Whether ids are whole numbers that lie close together, between the *ends* of buckets, and none is there twice."""
    if log.kinds != ("int64",) or not ends:
        return False
    low, size = min(ends)[0], max(high for _, high in ends) - min(ends)[0] + 1
    if size > min(NEAR * named, MOST_TICKS):
        return False

    def build(asked: Moments) -> ir.Table:
        given = _in_place(log, asked)
        return given.filter(given["id0"].notnull()).select("id0")

    ticks = np.zeros(size, np.bool_)
    with batches(log.engine, log.statement("ids", list(chain(*spans)), build), log.where) as read:
        for batch in read:
            places = batch.column(0).to_numpy() - low
            ticks[places[(places >= 0) & (places < size)]] = True  # the source may be another by now
    return int(np.count_nonzero(ticks)) == named


def _twice(log: Log, spans: Sequence[times.Span], named: int) -> bool:
    """Whether two of *named* ids in a bucket have one hash of 64 bits; by chance, one time in 4,000 at 100 million.

    Many are told apart in several passes, each over those of its own hashes, and sorted while the next pass reads.
    """
    passes = 1 + named // AT_ONCE
    most = named if passes == 1 else named // passes + AT_ONCE // 100 + 1000
    with ThreadPoolExecutor(1) as thread:
        sorting = thread.submit(_alike, np.empty(0, np.uint64))
        for place in range(passes):
            hashes = _hashes(log, spans, (place, passes), most)
            if hashes is None or sorting.result():
                return True
            sorting = thread.submit(_alike, hashes)
        return sorting.result()


def _hashes(log: Log, spans: Sequence[times.Span], share: tuple[int, int], most: int) -> Hashes | None:
    """The hashes of one pass; None where they are more than *most*, as those of so many ids are not."""
    (place, passes), together = share, times.in_one_tile(spans, log.model.bucket)

    def build(asked: Moments) -> ir.Table:
        given = _in_place(log, asked)
        bucket = ibis.literal(0) if together else given["bucket"]  # to tell it of each row takes as long as its hash
        given = given.filter(given["id0"].notnull()).select(hashed=columns.hashed(bucket, given["id0"]))
        return given.filter(given["hashed"] % passes == place) if passes > 1 else given

    found, filled = np.empty(most, np.uint64), 0
    with batches(log.engine, log.statement(("hashes", share, together), list(chain(*spans)), build), log.where) as read:
        for batch in read:
            if filled + len(batch) > most:
                return None
            found[filled : filled + len(batch)] = batch.column(0).to_numpy()
            filled += len(batch)
    return found[:filled]


def _alike(hashes: Hashes) -> bool:
    hashes.sort()
    return bool((hashes[1:] == hashes[:-1]).any())


def _in_place(log: Log, asked: Moments) -> ir.Table:
    model, opened = log.model, log.predictions
    at = rows.prediction_time(model, opened, model.predictions.timezone)
    ids = rows.canonical_ids(model, opened, log.kinds)
    given = opened.table.select(at=at, **ids, **rows.own_outcomes(model, opened, told=False))
    given = given.filter(times.within(given["at"], times.bounds(asked)))
    given = given.mutate(bucket=times.tile(given["at"], model.bucket, opened.engine.name))
    return log.place(given, opened)


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
