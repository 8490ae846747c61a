"""A Prometheus Alertmanager as a mirror of what is open: told again and again, for it takes silence for an end.

https://prometheus.io/docs/alerting/latest/alerts_api/
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from monitor.alerts.alert import Alert
from monitor.alerts.incident import ModelFacts
from monitor.alerts.story import briefly
from monitor.alerts.words import at_bound, digits_apart, with_interval
from monitor.delivery.health import FAILING
from monitor.delivery.http import Address
from monitor.delivery.receiver import Outcome

AGAIN = timedelta(minutes=1)
GOOD_FOR = timedelta(minutes=5)
"""Without news for this long, Alertmanager takes an alert for resolved."""

Told = dict[str, dict[str, Any]]
"""Alerts as Alertmanager wants them, without their end, by their labels."""


class AlertmanagerMirror:
    """Tells one Alertmanager what is open, and remembers what it was told, so that it is told when that is over."""

    def __init__(self, name: str, url: str, timeout: timedelta) -> None:
        self.name = f"alertmanager:{name}"
        self._address = Address(f"{url.rstrip('/')}/api/v2/alerts", timeout)
        self._told: Told = {}
        self._next_at: datetime | None = None
        self._failing_since: datetime | None = None

    def tell(self, alerts: Told | None, now: datetime) -> Outcome | None:
        """Tell it where something changed, or a minute has passed; None where there was no need.

        Without *alerts* nobody knows what is open now: what was open counts as still open.
        """
        alerts = self._told if alerts is None else alerts
        due = self._next_at is None or now >= self._next_at or alerts.keys() != self._told.keys()
        if not due or not (alerts or self._told):
            return None
        outcome = self._address.post(json.dumps(batch(alerts, self._told, now), ensure_ascii=False).encode(), {})
        if outcome.kind == "sent":
            self._told, self._next_at, self._failing_since = alerts, now + AGAIN, None
        else:
            self._failing_since = self._failing_since or now
        return outcome

    def works(self, now: datetime) -> bool:
        """Whether it took what it was told, or has not for a moment only."""
        return self._failing_since is None or now - self._failing_since <= FAILING


def batch(alerts: Told, told: Told, now: datetime) -> list[dict[str, Any]]:
    """What is open, good for a while, and what was told and is over, ending now."""
    until, ended = (now + GOOD_FOR).isoformat(), now.isoformat()
    still = [{**alert, "endsAt": until} for alert in alerts.values()]
    return still + [{**alert, "endsAt": ended} for labels, alert in told.items() if labels not in alerts]


def as_told(alerts: Iterable[Alert], models: Mapping[str, ModelFacts], web_url: str | None) -> Told:
    """The open alerts of the models that are watched."""
    told = [_alert(alert, models[alert.model], web_url) for alert in alerts if alert.is_open and alert.model in models]
    return {json.dumps(alert["labels"], sort_keys=True): alert for alert in told}


def _alert(alert: Alert, facts: ModelFacts, web_url: str | None) -> dict[str, Any]:
    """No value is part of its labels, which are what it is known by."""
    labels = {
        "alertname": "ReleaseContractBroken",
        "model": alert.model,
        "metric": f"{alert.metric}.{alert.column}" if alert.column else alert.metric,
        "segment": alert.segment,
        "bound": alert.side,
        "severity": alert.severity,
        "owner": facts.owner or "",
    }
    told: dict[str, Any] = {
        "labels": _filled(labels),
        "annotations": _filled(
            {
                "summary": f"{alert.model}: {briefly([alert])}",
                "description": _description(alert, facts),
                "runbook_url": facts.runbook or "",
                "version": facts.version,
            }
        ),
    }
    if alert.opened_at is not None:
        told["startsAt"] = alert.opened_at.isoformat()
    if web_url is None:
        return told
    return {**told, "generatorURL": f"{web_url.rstrip('/')}/models/{quote(alert.model, safe='')}"}


def _description(alert: Alert, facts: ModelFacts) -> str:
    if alert.side == "blind":
        return alert.why
    digits = digits_apart(alert.last, alert.threshold)
    measured = with_interval(alert.last, alert.low, alert.high, alert.unit, digits)
    promised = at_bound(alert.side, alert.threshold, alert.unit, digits)
    return f"Measured {measured} over {alert.rows:,} rows; release {facts.version} promised {promised}."


def _filled(texts: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text}
