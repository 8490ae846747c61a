"""The survey: cheap counts per bucket, and what is wrong with the log itself. It reads ids and times only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from monitor.data.rows import BUCKET, KEY, KNOWN_AT, Log, bucket_of, outcomes, predictions, same_key

if TYPE_CHECKING:
    import ibis.expr.types as ir


def count_statement(log: Log) -> ir.Table:
    """``(bucket, rows, outcomes)``: distinct predictions, and those of them with a known outcome."""
    said = predictions(log, distinct=False)
    said = said.select(KEY, BUCKET)
    came = outcomes(log, distinct=False)
    if came is None:
        counted = said.group_by(BUCKET).aggregate(rows=_rows(said))
        return counted.mutate(outcomes=ibis.literal(0, "int64"))
    said, came = same_key(said, came)
    known = came.select(mm_known=came[KEY]).distinct()
    both = said.left_join(known, said[KEY] == known.mm_known).select(said[KEY], said[BUCKET], known.mm_known)
    return both.group_by(BUCKET).aggregate(rows=_rows(both), outcomes=both.mm_known.nunique())


def health_statement(log: Log) -> ir.Table:
    """``(what, bucket, count)`` for duplicates and orphans, where there are any."""
    said = predictions(log, distinct=False).select(KEY, BUCKET)
    twice = said.group_by(BUCKET).aggregate(count=said.count() - _rows(said))
    arms = [_arm("duplicate_predictions", twice)]
    came = outcomes(log, distinct=False)
    if came is None:
        return arms[0]
    said, came = same_key(said, came)
    once = said.filter(said[KEY].notnull()).distinct()
    both = came.join(once, came[KEY] == once[KEY]).select(came[KEY], once[BUCKET])
    arms.append(_arm("duplicate_outcomes", both.group_by(BUCKET).aggregate(count=both.count() - both[KEY].nunique())))
    if log.model.outcomes is not None and log.model.outcomes.time is not None:
        arms.append(_arm("orphan_outcomes", _orphans(log, came)))
    return ibis.union(*arms, distinct=False)


def _rows(said: ir.Table) -> ir.IntegerScalar:
    """Distinct ids; each row without an id is a row of its own."""
    return said[KEY].nunique() + said[KEY].isnull().cast("int64").sum()


def _orphans(log: Log, came: ir.Table) -> ir.Table:
    """Outcomes known within the bounds whose prediction is nowhere as far back as ``revise_for``."""
    start, end = (log.engine.bound(name, aware=False) for name in ("start", "end"))
    came = came.filter(came[KNOWN_AT] >= start, came[KNOWN_AT] < end)
    asked = predictions(log, distinct=False, since="asked_before").select(KEY)
    came, asked = same_key(came, asked)
    lost = came.anti_join(asked, came[KEY] == asked[KEY])
    lost = lost.mutate(**{BUCKET: bucket_of(lost[KNOWN_AT], log.model.bucket)})
    return lost.group_by(BUCKET).aggregate(count=lost.count())


def _arm(what: str, counted: ir.Table) -> ir.Table:
    found = counted.filter(counted["count"] > 0)
    return found.select(what=ibis.literal(what), bucket=found[BUCKET].cast("int64"), count=found["count"].cast("int64"))
