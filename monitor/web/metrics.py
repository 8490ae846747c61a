"""What Prometheus scrapes: the daemon's own vitals, and the newest verdicts from the history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from monitor.history.deliveries import ReceiverRow
from monitor.history.queries import HistoryRow
from monitor.schedule.vitals import Vitals

COUNTERS = {
    "evaluations": ("Evaluations by model and state.", ["model", "state"]),
    "evaluation_seconds": ("Seconds that evaluations took.", ["model"]),
    "rows_read": ("Prediction rows profiled.", ["model"]),
    "checks_failed": ("Checks that did not get to an answer.", ["model", "check"]),
    "worker_kills": ("Worker processes that died or were ended.", []),
    "ticks": ("Ticks of the scheduler.", []),
    "deliveries": ("Attempts to deliver a notification, by receiver and result.", ["receiver", "result"]),
    "errors": ("Jobs of the daemon that raised.", ["job"]),
}
VERDICTS = ("ok", "breach", "unknown", "error")


class VitalMetrics(Collector):
    """Counters kept in memory; they answer even when the database is away."""

    def __init__(self, vitals: Vitals) -> None:
        self._vitals = vitals

    def collect(self) -> Iterator[Metric]:
        """One family per counter."""
        age = GaugeMetricFamily("model_monitor_tick_age_seconds", "Seconds since the scheduler's last tick.")
        age.add_metric([], self._vitals.tick_age())
        yield age
        lag = GaugeMetricFamily(
            "model_monitor_evaluation_lag_seconds", "How late the newest window was recorded.", labels=["model"]
        )
        for values, seconds in self._vitals.noted("lag").items():
            lag.add_metric(list(values), seconds)
        yield lag
        for name, (summary, labels) in COUNTERS.items():
            family = CounterMetricFamily(f"model_monitor_{name}", summary, labels=labels)
            for values, count in self._vitals.counts(name).items():
                family.add_metric(list(values), count)
            yield family


class HistoryMetrics(Collector):
    """Gauges read from the history at each scrape; only ``database_up 0`` while it is away."""

    def __init__(
        self,
        verdicts: Callable[[], list[HistoryRow]],
        receivers: Callable[[], list[ReceiverRow]],
        wall_now: Callable[[], datetime],
    ) -> None:
        self._verdicts = verdicts
        self._receivers = receivers
        self._now = wall_now

    def collect(self) -> Iterator[Metric]:
        """The newest verdict of each promised metric, and how each receiver does."""
        up = GaugeMetricFamily("model_monitor_database_up", "Whether the history database answers.")
        try:
            rows, receivers = self._verdicts(), self._receivers()
        except Exception:  # noqa: BLE001  # a scrape reports a database that is away, it does not fail with it
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from _verdict_families(rows)
        yield from _receiver_families(receivers, self._now())


def _verdict_families(rows: list[HistoryRow]) -> Iterator[Metric]:
    labels = ["model", "version", "metric", "segment"]
    verdict = GaugeMetricFamily("model_monitor_verdict", "1 for the verdict in force.", labels=[*labels, "verdict"])
    value = GaugeMetricFamily("model_monitor_value", "The newest value of a promised metric.", labels=labels)
    threshold = GaugeMetricFamily("model_monitor_threshold", "The bound it is held to.", labels=[*labels, "side"])
    end = GaugeMetricFamily("model_monitor_window_end_timestamp_seconds", "End of the newest window.", labels=labels)
    for row in rows:
        of = [row.model, row.version, row.name, row.segment]
        for state in VERDICTS:
            verdict.add_metric([*of, state], float(row.verdict == state))
        if row.value is not None:
            value.add_metric(of, row.value)
        if row.threshold is not None and row.side is not None:
            threshold.add_metric([*of, row.side], row.threshold)
        end.add_metric(of, row.window_end.timestamp())
    yield from (verdict, value, threshold, end)


def _receiver_families(receivers: list[ReceiverRow], now: datetime) -> Iterator[Metric]:
    works = GaugeMetricFamily("model_monitor_receiver_healthy", "0 while it refuses everything.", labels=["receiver"])
    rows = GaugeMetricFamily(
        "model_monitor_outbox",
        "Notifications that are not delivered, or that nobody is told.",
        labels=["receiver", "state"],
    )
    age = GaugeMetricFamily(
        "model_monitor_outbox_age_seconds", "Age of the oldest undelivered notification.", labels=["receiver"]
    )
    for row in receivers:
        works.add_metric([row.receiver], float(row.healthy))
        for state, count in (("pending", row.waiting), ("blocked", row.blocked), ("suppressed", row.suppressed)):
            rows.add_metric([row.receiver, state], count)
        age.add_metric([row.receiver], (now - row.oldest).total_seconds() if row.oldest else 0.0)
    yield from (works, rows, age)
