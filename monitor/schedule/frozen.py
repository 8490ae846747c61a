"""The release's own values as they were when it was recorded: what relative bounds refer to, whatever changed since."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from monitor.history.releases import Frozen, evidence_of
from monitor.history.store import Store
from monitor.schedule.daily import fingerprint_of
from monitor.schedule.pool import Result
from monitor.schedule.watch import Watch


def frozen(store: Store, watch: Watch) -> list[Frozen]:
    """What was recorded of the version by the checks that it has now, with their parameters; nothing if not recorded.

    Raises HistoryUnavailable.
    """
    evidence = evidence_of(store.engine, watch.name, watch.model.version)
    present = {fingerprint_of(one.check) for one in watch.contract.checks}
    return [one for one in evidence.measured if one.check in present] if evidence else []


def freeze(result: Result, recorded: Iterable[Frozen]) -> None:
    """Put recorded values in the place of those that were measured of the reference now."""
    values = {(one.metric, one.column, one.segment): one.value for one in recorded}
    for place, event in result.measured.items():
        about = [(one.metric, one.column, one.segment) for one in event.measurements]
        known = {key: values[key] for key in (*event.released, *about) if key in values}
        result.measured[place] = replace(event, released={**event.released, **known})
