"""Rows that hold predictions and outcomes together, such as a candidate's: as a model of their own, and their span."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import ibis.expr.types as ir

from monitor.data import rows, times
from monitor.data.errors import SourceUnreadable
from monitor.data.sources import Engines, fetch, where_of
from monitor.settings import ModelSettings, Source


@dataclass(frozen=True, slots=True)
class Span:
    """When the first and the last prediction was made, and when the last outcome became known; None without times."""

    first: datetime
    last: datetime
    known: datetime | None


def model_on(model: ModelSettings, source: Source, columns: tuple[str, ...]) -> ModelSettings:
    """*model* with *source*, which has these *columns*, as its log of predictions and outcomes.

    Without the column ``outcomes.time`` its outcomes are known at once.
    """
    place = source.model_dump(include=set(Source.model_fields))
    changed: dict[str, object] = {"predictions": model.predictions.model_copy(update=place)}
    if model.outcomes is not None:
        time = model.outcomes.time if model.outcomes.time in columns else None
        came = {**place, "id": None, "time": time, "delay": timedelta(0)}
        changed["outcomes"] = model.outcomes.model_copy(update=came)
    return model.model_copy(update=changed)


def columns_of(model: ModelSettings, source: Source, role: str, base: Path) -> tuple[str, ...]:
    """The columns of a source. Raises SourceProblem."""
    engines = Engines(base)
    try:
        return engines.open(source, where_of(model.name, role, source)).columns
    finally:
        engines.close()


def span_of(model: ModelSettings, role: str, base: Path) -> Span:
    """The span of the predictions of *model*, called *role* in sentences. Raises SourceProblem, also without rows."""
    engines = Engines(base)
    try:
        opened = engines.open(model.predictions, where_of(model.name, role, model.predictions))
        asked: dict[str, ir.Value] = {"at": rows.prediction_time(model, opened, model.predictions.timezone)}
        if model.outcomes is not None and model.outcomes.time is not None:
            known = rows.required(opened, "outcomes.time", model.outcomes.time)
            asked["known"] = times.utc(known, model.outcomes.timezone, opened.where)
        told = opened.table.select(**asked)
        ends = told.aggregate(
            first=told["at"].min(), last=told["at"].max(), known=told["known" if "known" in asked else "at"].max()
        )
        [(first, last, newest)] = fetch(opened.engine, opened.engine.compile(ends), opened.where)
        if first is None:
            raise SourceUnreadable(f"{opened.where}: holds no row with a time; name the rows the candidate predicted.")
        return Span(_aware(first), _aware(last), _aware(newest) if newest and "known" in asked else None)
    finally:
        engines.close()


def _aware(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC)
