"""Predictions and outcomes brought together, with duplicates told apart. Expressions only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import ibis
import ibis.expr.types as ir

from monitor.data import columns, times
from monitor.data.rows import EARLY


def ids_in(rows: ir.Table) -> list[str]:
    """The canonical id columns of a table."""
    return [name for name in rows.columns if name.startswith("id") and name[2:].isdigit()]


def last_predictions(rows: ir.Table) -> ir.Table:
    """Of predictions with one id in one tile the last: by time, then by every other column, so always the same."""
    ids = ids_in(rows)
    rest = [name for name in rows.columns if name not in {*ids, "bucket", "at"}]
    order = [ibis.desc(rows[name], nulls_first=False) for name in ("at", *rest)]
    numbered = rows.mutate(place=ibis.row_number().over(group_by=["bucket", *ids], order_by=order))
    nameless = [numbered[name].isnull() for name in ids]
    return numbered.filter(ibis.or_(numbered["place"] == 0, *nameless)).drop("place")


def last_outcomes(rows: ir.Table) -> ir.Table:
    """Of outcomes with one id the last known: by time, then by value."""
    by = [name for name in ("known_at", "actual", "value") if name in rows.columns]
    order = [ibis.desc(rows[name], nulls_first=False) for name in by]
    numbered = rows.mutate(place=ibis.row_number().over(group_by=ids_in(rows), order_by=order))
    return numbered.filter(numbered["place"] == 0).drop("place")


def known(outcomes: ir.Table, as_of: ir.TimestampScalar) -> ir.Table:
    """The outcomes known at *as_of*."""
    if "known_at" not in outcomes.columns:
        return outcomes
    return outcomes.filter(outcomes["known_at"] <= as_of)


def in_place(rows: ir.Table, as_of: ir.TimestampScalar, step: timedelta, late: timedelta | None) -> ir.Table:
    """Predictions whose own rows hold ``actual`` and ``known_at``, in the shape of ``joined``."""
    used, _ = _used(rows, as_of, step)
    names = [name for name in ("actual", "known_at") if name in rows.columns]
    told = rows.mutate(**{name: ibis.cases((used, rows[name]), else_=ibis.null(rows[name].type())) for name in names})
    return told.mutate(**lags(told, late))


def survey_in_place(rows: ir.Table, step: timedelta, as_of: ir.TimestampScalar, *, distinct: bool) -> ir.Table:
    """Per tile: rows, those with an id, outcomes and future outcomes of predictions with outcomes; *distinct* ids.

    Where these are not asked for, the least and the greatest id instead.
    """
    used, future = _used(rows, as_of, step)
    told = rows.mutate(used=used.ifelse(1, 0), future=future.ifelse(1, 0))
    return told.group_by("bucket").aggregate(
        rows=told.count(),
        named=told["id0"].count(),
        outcomes=told["used"].sum().cast("int64"),
        future=told["future"].sum().cast("int64"),
        **({"distinct": told["id0"].nunique()} if distinct else {"low": told["id0"].min(), "high": told["id0"].max()}),
    )


def glance(rows: ir.Table, step: timedelta, as_of: ir.TimestampScalar, *, outcomes: bool) -> ir.Table:
    """Per tile: rows and, where they hold *outcomes*, those whose outcome is known."""
    used = _used(rows, as_of, step)[0].ifelse(1, 0) if outcomes else ibis.literal(0)
    told = rows.select("bucket", used=used.cast("int64"))
    return told.group_by("bucket").aggregate(rows=told.count(), used=told["used"].sum().cast("int64"))


def _used(rows: ir.Table, as_of: ir.TimestampScalar, step: timedelta) -> tuple[ir.BooleanValue, ir.BooleanValue]:
    """Whether an outcome is there and known, and whether it is there and not known yet."""
    there = rows["actual"].notnull()
    if "known_at" not in rows.columns:
        return there, columns.NO
    there &= rows["known_at"].notnull() & _not_before(rows, rows["bucket"], step).fill_null(columns.NO)
    return there & (rows["known_at"] <= as_of), there & (rows["known_at"] > as_of)


def joined(predictions: ir.Table, outcomes: ir.Table | None, step: timedelta, late: timedelta | None) -> ir.Table:
    """Each prediction once, with ``actual``, ``lag`` (whole seconds), ``early`` and ``late`` of its outcome."""
    if outcomes is None:
        return predictions.mutate(actual=ibis.null(predictions["predicted"].type()), **_timeless())
    both = left_join(predictions, outcomes, step)
    return both.select(*predictions.columns, "actual", **lags(both, late))


def lags(rows: ir.Table, late: timedelta | None) -> dict[str, ir.Value]:
    """How long outcomes took, where ``at`` and ``known_at`` are there to tell."""
    if "known_at" not in rows.columns or "at" not in rows.columns:
        return _timeless()
    lag = times.seconds(rows["known_at"]) - times.seconds(rows["at"])
    before = rows["known_at"] < rows["at"]
    after = (lag > int(late.total_seconds())) if late is not None else columns.NO
    return {
        "lag": lag,
        "early": before.fill_null(columns.NO).ifelse(1, 0).cast("int64"),
        "late": (after & lag.notnull()).ifelse(1, 0).cast("int64"),
    }


def _timeless() -> dict[str, ir.Value]:
    none = ibis.literal(0, "int64")
    return {"lag": ibis.null("int64"), "early": none, "late": none}


def left_join(predictions: ir.Table, outcomes: ir.Table, step: timedelta) -> ir.Table:
    """Every prediction, with the outcomes of its id that are not stamped too long before its tile."""
    conditions = [predictions[name] == outcomes[name] for name in ids_in(predictions)]
    if "known_at" in outcomes.columns:
        conditions.append(_not_before(outcomes, predictions["bucket"], step))
    return predictions.left_join(outcomes, conditions, rname="outcome_{name}")


def _not_before(outcomes: ir.Table, bucket: ir.IntegerColumn, step: timedelta) -> ir.BooleanValue:
    first = times.tile_start(bucket, step) - int(EARLY.total_seconds())
    return times.seconds(outcomes["known_at"]) >= first


def survey(predictions: ir.Table, outcomes: ir.Table | None, step: timedelta, as_of: ir.TimestampScalar) -> ir.Table:
    """Per tile: rows, rows with an outcome, repeated predictions, repeated and future outcomes."""
    ids = ids_in(predictions)
    each = predictions.group_by(["bucket", *ids]).aggregate(repeats=predictions.count())
    if outcomes is None:
        each = each.mutate(used=ibis.literal(0, "int64"), future=ibis.literal(0, "int64"))
    else:
        both = left_join(each, _told_apart(outcomes, as_of), step)
        groups = both.group_by(["bucket", *ids, "repeats"])
        each = groups.aggregate(used=both["used"].sum().fill_null(0), future=both["future"].sum().fill_null(0))
    nameless = ibis.or_(*[each[name].isnull() for name in ids])
    rows = nameless.ifelse(each["repeats"], 1)
    return each.group_by("bucket").aggregate(
        rows=rows.sum().cast("int64"),
        outcomes=(each["used"] > 0).ifelse(1, 0).sum().cast("int64"),
        duplicate_predictions=(each["repeats"] - rows).sum().cast("int64"),
        duplicate_outcomes=(each["used"] > 1).ifelse(each["used"] - 1, 0).sum().cast("int64"),
        future_outcomes=each["future"].sum().cast("int64"),
    )


def _told_apart(outcomes: ir.Table, as_of: ir.TimestampScalar) -> ir.Table:
    if "known_at" not in outcomes.columns:
        return outcomes.mutate(used=ibis.literal(1, "int64"), future=ibis.literal(0, "int64")).drop("actual")
    used = outcomes["known_at"] <= as_of
    told = outcomes.filter(outcomes["known_at"].notnull())
    return told.mutate(used=used.ifelse(1, 0).cast("int64"), future=used.ifelse(0, 1).cast("int64")).drop("actual")


def orphans(predictions: ir.Table, outcomes: ir.Table, reach: timedelta, step: timedelta) -> ir.Table:
    """Per tile of the outcome's time: outcomes without a prediction of that id in the *reach* before, or since."""
    ids = ids_in(outcomes)
    arrived = outcomes.mutate(bucket=times.tile(outcomes["known_at"], step))
    arrived = arrived.group_by(["bucket", *ids]).aggregate(repeats=arrived.count())
    asked = arrived.select(*ids).distinct()
    mine = [predictions[name] == asked[name] for name in ids]
    found = predictions.semi_join(asked, mine)
    newest = found.group_by(ids).aggregate(newest=found["bucket"].max())
    both = arrived.left_join(newest, [arrived[name] == newest[name] for name in ids], rname="prediction_{name}")
    alone = both["newest"].isnull() | (both["newest"] < both["bucket"] - (reach // step))
    return both.filter(alone).group_by("bucket").aggregate(orphans=both["repeats"].sum().cast("int64"))


def span_around(spans: Sequence[times.Span], before: timedelta, after: timedelta, as_of: datetime) -> times.Span:
    """One span that holds *spans* with time before and after, cut off at *as_of*."""
    return min(start for start, _ in spans) - before, min(max(end for _, end in spans) + after, as_of)
