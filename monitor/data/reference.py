"""The reference: the rows a release was decided on, outcome included, profiled as one bucket."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import ibis
import ibis.expr.types as ir

from checks.profile import Layout, Profile
from monitor.data import joins, predictions, rows, times
from monitor.data.baseline import Baseline, take_layout
from monitor.data.errors import missing
from monitor.data.importance import importance_of
from monitor.data.log import HELD
from monitor.data.profiler import Selection, profile
from monitor.data.shape import shape_of
from monitor.data.sources import Opened, fetch
from monitor.data.tally import Health
from monitor.settings import ModelSettings

LATE_SHARE = 0.99
"""An outcome later than this share of the reference's is late, where ``outcomes.delay`` does not say otherwise."""

ONLY = 0
"""The number of the one bucket."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The opened reference of a model."""

    model: ModelSettings
    opened: Opened
    zone: str

    @property
    def times(self) -> dict[str, ir.TimestampColumn]:
        """``at`` and ``known_at``, where the reference has them."""
        names = {"at": self.model.predictions.time, "known_at": self.model.outcomes and self.model.outcomes.time}
        return {
            name: times.utc(self.opened.table[column], self.zone, self.opened.where)
            for name, column in names.items()
            if column in self.opened.columns
        }


def take_baseline(reference: Reference) -> Baseline:
    """The layout of the reference and its profile. Raises SourceProblem."""
    model, opened = reference.model, reference.opened
    _expect(model, opened)
    outcome = rows.actual_of(model, opened) if model.outcomes else None
    layout = take_layout(model, opened.engine, opened, opened.table, outcome)
    layout = replace(layout, importance=importance_of(model, opened, layout, outcome))
    return Baseline(layout, _profile(reference, layout, outcome), usual_delay(reference))


def usual_delay(reference: Reference) -> timedelta | None:
    """The 0.99 quantile of how long outcomes took; None where the reference has no times."""
    known = reference.times
    if set(known) != {"at", "known_at"}:
        return None
    taken = reference.opened.table.select(**known)
    taken = taken.select(lag=times.seconds(taken["known_at"]) - times.seconds(taken["at"])).drop_null()
    engine, where = reference.opened.engine, reference.opened.where
    [(count,)] = fetch(engine, engine.compile(taken.aggregate(n=taken.count())), where)
    if not count:
        return None
    at_rank = taken.order_by("lag").limit(1, offset=int(LATE_SHARE * (count - 1)))
    [(lag,)] = fetch(engine, engine.compile(at_rank), where)
    return timedelta(seconds=max(lag, 0))


def _expect(model: ModelSettings, opened: Opened) -> None:
    for name in model.predictions.segments:
        for part in predictions.segment_parts(opened.table, name):
            if part not in opened.columns:
                raise missing(opened.where, "predictions.segments", part, opened.columns)


def _profile(reference: Reference, layout: Layout, outcome: ir.Value | None) -> Profile:
    model, opened = reference.model, reference.opened
    ids = [name for name in rows.ids_of(model) if name in opened.columns]
    named = {f"id{place}": opened.table[name] for place, name in enumerate(ids)}
    if outcome is not None:
        named["actual"] = outcome
    selected = opened.table.select(
        bucket=ibis.literal(ONLY, "int64"), **named, **reference.times, **predictions.profiled(model, opened, layout)
    )
    repeated = _repeated(selected, opened) if len(ids) == len(rows.ids_of(model)) else 0
    last = joins.last_predictions(selected) if repeated else selected
    if outcome is None:
        joined = joins.joined(last, None, model.bucket, None)
    else:
        joined = last.mutate(**joins.lags(last, late=None))
    [(count,)] = fetch(opened.engine, opened.engine.compile(selected.aggregate(n=selected.count())), opened.where)
    streamed = opened.engine.name == "duckdb" and opened.columnar and not repeated and count > HELD
    texts = {"joined": str(opened.engine.compile(joined)), "predictions": str(opened.engine.compile(last))}
    selection = Selection(opened.engine, streamed=streamed, **texts)
    shape = shape_of(model, opened, layout, opened.engine.name)
    health = {ONLY: Health(duplicate_predictions=repeated)}
    return profile(selection, shape, layout, health, [ONLY], opened.where)[ONLY]


def _repeated(selected: ir.Table, opened: Opened) -> int:
    """Rows whose id another row has as well."""
    ids = joins.ids_in(selected)
    named = selected.drop_null(ids, how="any")
    each = named.group_by(ids).aggregate(n=named.count())
    counted = each.aggregate(n=(each["n"] - 1).sum().fill_null(0).cast("int64"))
    [(repeated,)] = fetch(opened.engine, opened.engine.compile(counted), opened.where)
    return int(repeated)
