"""A model as the daemon judges it: verdicts, alerts and incidents by the daemon's own code, one day after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path

from benchmarks.alarm_quality.logs import Log
from checks.contract import Measurement
from checks.discovery import discover
from checks.statistics.intervals import clustered
from monitor.alerts.advance import advance_model
from monitor.alerts.alert import Alert
from monitor.alerts.incident import Changes, Incident, at_home
from monitor.alerts.rule import JudgedWindow
from monitor.history.records import DayRecord
from monitor.release.variation import LOOK_BACK
from monitor.schedule.daily import fingerprint_of
from monitor.schedule.daybook import Memory
from monitor.schedule.due import DueWindow
from monitor.schedule.evaluation import CheckMeasured
from monitor.schedule.pool import Result
from monitor.schedule.recording import verdicts_of
from monitor.schedule.watch import Watch, watches_of
from monitor.settings import ModelSettings, Outcomes, Predictions, Settings, Threshold

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Told:
    """After one day: whether an incident is open, and whether that is news: a page, or the relapse of a known one."""

    open: bool = False
    paged: bool = False
    relapsed: bool = False


def alarm(log: Log) -> list[Told]:
    """model-monitor with its default settings: a window of seven days each day, one false page a year."""
    return bounds_of_one_model([log])


def bounds_of_one_model(logs: Sequence[Log]) -> list[Told]:
    """The same of one model with several bounds, the days of each in a log of its own; their days are the same."""
    life = _Life(_watch(logs))
    days = [list(_records(life.watch, log, place, len(logs))) for place, log in enumerate(logs)]
    return [life.day([own[: end + 1][-LOOK_BACK - 1 :] for own in days]) for end in range(len(days[0]))]


def alarm_each_hour(log: Log) -> list[Told]:
    """The alarm where a window of seven days ends each hour; *log* has the day before each hour."""
    life = _Life(_watch([log], bucket=HOUR))
    known = list(_records(life.watch, log, 0, 1))
    looks = range(len(known))
    return [life.day([known[max(end - LOOK_BACK * 24, end % 24) : end + 1 : 24]]) for end in looks]


def _watch(logs: Sequence[Log], bucket: timedelta = DAY) -> Watch:
    """A model with a bound for each log: on the whole where there is one, else on a segment each."""
    metric, side = ("mae", "max") if logs[0].side == "max" else ("accuracy", "min")
    names = [metric] if len(logs) == 1 else [f"{metric}[bound={place}]" for place in range(len(logs))]
    model = ModelSettings(
        name=logs[0].name,
        version="1",
        task="regression" if side == "max" else "binary",
        bucket=bucket,
        predictions=Predictions(source="live", id="id", time="time", prediction="said", segments=("bound",)),
        outcomes=Outcomes(source="live", value="was"),
        release={name: Threshold.model_validate({side: log.threshold}) for name, log in zip(names, logs, strict=True)},
    )
    (watch,) = watches_of(Settings(models=(model,)), discover(), Path())
    return watch


def _records(watch: Watch, log: Log, place: int, logs: int) -> Iterator[DayRecord]:
    segment = "" if logs == 1 else f"bound={place}"
    check, metric = fingerprint_of(watch.plans[0].checks[0].check), watch.contract.bounds[0].metric
    for day in log.live.days:
        yield DayRecord(check, metric, "", segment, day.start, day.value, day.rows, day.error)


class _Life:
    """What the history would hold of the model's alerts and incidents."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self._alerts: dict[str, Alert] = {}
        self._incidents: dict[int, Incident] = {}

    def day(self, known: Sequence[Sequence[DayRecord]]) -> Told:
        """Judge the window that ends with the newest of the *known* days of each bound."""
        plan, end = self.watch.plans[0], known[0][-1].start + DAY
        due = DueWindow(plan, end - plan.window, end, 0, "new", end)
        windows = [_window([day for day in own[-7:] if day.start >= due.start]) for own in known]
        result = Result(rows=windows[0].rows, outcomes=windows[0].rows, complete=True)
        result.take(CheckMeasured(0, plan.checks[0].check.kind, tuple(windows), {}))
        before = [day for own in known for day in own]
        verdicts = verdicts_of(self.watch, due, result, Memory(before, tuple(self._alerts.values())))
        window = JudgedWindow(plan.name, due.start, due.end, verdicts)
        incidents = list(self._incidents.values())
        return self._keep(advance_model(self.watch.facts, self._alerts, incidents, window, self.watch.rule))

    def _keep(self, changes: Changes) -> Told:
        fresh = count(len(self._incidents) + 1)
        ids = tuple(change.incident.id or next(fresh) for change in changes.incidents)
        for incident_id, change in zip(ids, changes.incidents, strict=True):
            self._incidents[incident_id] = replace(change.incident, id=incident_id)
        homes = changes.homes(ids)
        self._alerts |= {alert.key: at_home(alert, homes) for alert in changes.alerts}
        reasons = {notification.reason for notification in changes.notifications}
        is_open = any(one.is_open for one in self._incidents.values())
        return Told(is_open, "opened" in reasons, "reopened" in reasons)


def _window(days: Sequence[DayRecord]) -> Measurement:
    """What the check measures in the window of these days; days as its independent draws."""
    newest = days[-1]
    rows = sum(day.rows for day in days)
    total = sum(day.rows * day.value for day in days)
    without = [(total - day.rows * day.value) / (rows - day.rows) for day in days] if len(days) > 1 else []
    half, value = clustered(without) or 2 * newest.error, total / rows
    return Measurement(newest.metric, value, value - half, value + half, rows, newest.segment)
