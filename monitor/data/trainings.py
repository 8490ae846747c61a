"""The trainings of a model: rows of a file or table, or the runs of an MLflow experiment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import ibis
import ibis.expr.types as ir

from checks.contract import CannotMeasure, Training
from monitor.data import columns, mlflow, rows, times
from monitor.data.sources import Engines, Opened, fetch, where_of
from monitor.settings import ModelSettings, Trainings

NEWEST = 300
"""So many trainings are looked at, those begun last."""


def trainings_of(model: ModelSettings, engines: Engines, as_of: datetime) -> tuple[Training, ...]:
    """The trainings begun before *as_of* as they were known then, oldest first. Raises SourceProblem."""
    settings = model.trainings
    if settings is None:
        raise CannotMeasure("Nothing is known of trainings; add [models.trainings] with source.")
    where = where_of(model.name, "trainings", settings)
    if settings.experiment is not None:
        found = mlflow.trainings(settings, where, as_of, NEWEST)
    else:
        opened = engines.open(settings, where)
        found = [_training(settings, row) for row in fetch(opened.engine, _newest(settings, opened, as_of), where)]
    return tuple(sorted((_known(one, as_of) for one in found), key=lambda one: one.started))


def _newest(settings: Trainings, opened: Opened, as_of: datetime) -> str:
    """SQL of (started, finished, status, version) of the trainings begun last."""
    given: dict[str, ir.Value] = {
        key: times.utc(rows.required(opened, f"trainings.{key}", name), settings.timezone, opened.where)
        for key, name in (("started", settings.started), ("finished", settings.finished))
    }
    for key, name in (("status", settings.status), ("version", settings.version)):
        text = ibis.literal("") if name is None else columns.label(rows.required(opened, f"trainings.{key}", name))
        given[key] = text
    told = opened.table.select(**given)
    told = told.filter(told["started"] < times.literal(as_of))
    return str(opened.engine.compile(told.order_by(told["started"].desc()).limit(NEWEST)))


def _training(settings: Trainings, row: tuple[Any, ...]) -> Training:
    started, finished, status, version = row
    succeeded = None
    if finished is not None:
        succeeded = settings.status is None or (status or "").strip().lower() in settings.succeeded
        finished = finished.replace(tzinfo=UTC)
    return Training(started.replace(tzinfo=UTC), finished, succeeded, version or "")


def _known(training: Training, as_of: datetime) -> Training:
    """As it was known at *as_of*: what has ended since was still running."""
    if training.finished is None or training.finished <= as_of:
        return training
    return Training(training.started, version=training.version)
