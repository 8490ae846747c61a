"""The report on an incident: the window that opened it against the reference, once, after everybody was told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from checks.evidently_report import Asked, Evidently
from monitor import traces
from monitor.clock import wall_now
from monitor.history.store import Store
from monitor.schedule.artifacts import Sorted, artifacts_of
from monitor.schedule.due import DueWindow
from monitor.schedule.evaluation import Job
from monitor.schedule.pool import Worker
from monitor.schedule.recording import Hold
from monitor.schedule.watch import Watch
from monitor.settings import ModelSettings

log = structlog.get_logger(__name__)

NAME = "incident.html"
BY_TASK = {"binary": "ClassificationPreset", "multiclass": "ClassificationPreset", "regression": "RegressionPreset"}


@dataclass(frozen=True, slots=True)
class Opened:
    """An incident that an evaluation opened."""

    incident_id: int
    evaluation_id: int
    due: DueWindow


def report_check(model: ModelSettings) -> Evidently:
    """What the report tells: drift where there is a reference, the data, and how good the model is by its task."""
    drift = ["DataDriftPreset"] if model.reference else []
    quality = [BY_TASK[model.task]] if model.outcomes and model.task in BY_TASK else []
    asked = tuple(Asked(name=name) for name in (*drift, "DataSummaryPreset", *quality))
    return Evidently(run=asked, positive=model.predictions.positive)


def make_report(
    store: Store, watch: Watch, hold: Hold, opened: Opened, job: Job, worker: Worker, *, size: int, now: datetime
) -> None:
    """Have the worker make the report and keep it. Whatever keeps it from being made is logged, and nothing else.

    Raises what the store raises, and Stopped.
    """
    with traces.span("report", model=watch.name, incident=opened.incident_id):
        result = worker.run(replace(job, survey=False, instead=report_check(watch.model)))
    made = artifacts_of(result, size)
    problems = _problems(result.source_failure, [failed.sentence for failed in result.failures.values()], made)
    if problems:
        message = f"{watch.name}: there is no report on incident {opened.incident_id}: {problems[0]}"
        log.warning("report_failed", message=message, model=watch.name, incident=opened.incident_id)
        return
    with store.recording(watch.name, hold.token, wall_now()) as recording:
        kept = [replace(one, name=NAME) for one in made.kept]
        recording.artifacts(opened.evaluation_id, kept, now, opened.incident_id)
    log.info("report_made", message=f"{watch.name}: the report on incident {opened.incident_id} is kept.")


def _problems(source: str | None, checks: Sequence[str], made: Sorted) -> list[str]:
    found = [*([source] if source else []), *checks, *made.dropped]
    return found if found or made.kept else ["the window has no row to tell anything of."]
