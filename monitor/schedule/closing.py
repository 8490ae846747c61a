"""At the start: incidents of what config.toml does not promise any more are closed, and people are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from monitor.alerts.alert import Alert
from monitor.alerts.closing import close_alerts, promised
from monitor.alerts.incident import Incident, ModelFacts
from monitor.alerts.routing import Routing
from monitor.alerts.story import CloseReason
from monitor.history.store import Store
from monitor.schedule.advancing import alerts_of, incidents_of, write_changes
from monitor.schedule.watch import Watch
from monitor.settings import ModelSettings

log = structlog.get_logger(__name__)


def close_gone(
    store: Store, models: Sequence[ModelSettings], watches: Sequence[Watch], routing: Routing, wall: datetime
) -> None:
    """Close the alerts of models and thresholds that are gone, and of models that are retired.

    Whatever daemon does it first does it once: each model is closed in one transaction that holds its row, and the
    next one finds nothing open. Raises HistoryUnavailable.
    """
    watched = {watch.name: watch for watch in watches}
    known = {model.name: model for model in models}
    for name in store.models_with_alerts_under_way():
        with store.closing(name) as recording:
            incidents = incidents_of(recording, name)
            alerts = alerts_of(recording, incidents)
            facts = _facts(name, known.get(name), incidents)
            keep, because = _judgement(name, watched.get(name), known.get(name))
            changes = close_alerts(facts, alerts, incidents, keep, because)
            write_changes(recording, facts, changes, routing, wall)
        if changes.alerts:
            message = (
                f"{name}: {len(changes.alerts)} of its alerts closed, not resolved, for what they were about is gone."
            )
            log.info("alerts_closed", message=message, model=name, reason=because)


def _judgement(
    name: str, watch: Watch | None, model: ModelSettings | None
) -> tuple[Callable[[Alert], bool], CloseReason]:
    """Which alerts of a model stay, and why the others do not."""
    if watch is None:
        return (lambda _: False), "model_removed" if model is None else "retired"
    plans = [plan.name for plan in watch.plans if watch.bounds(plan)]
    return promised(name, watch.contract.bounds, plans), "threshold_removed"


def _facts(name: str, model: ModelSettings | None, incidents: Sequence[Incident]) -> ModelFacts:
    """What messages say of the model: of one that is gone, just the version that its last incident was about."""
    if model is not None:
        return ModelFacts(name, model.version, model.owner, model.runbook)
    return ModelFacts(name, incidents[-1].version if incidents else "")
