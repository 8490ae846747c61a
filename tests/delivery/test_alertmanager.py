"""An Alertmanager is told what is open, again and again, and that it is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from monitor.alerts.alert import Alert
from monitor.delivery.alertmanager import AlertmanagerMirror, Told, as_told
from monitor.history import queries
from monitor.history.tables import alerts as alert_table
from monitor.receivers import mirrors_of, names_of, routing_of
from tests.alerts.scenes import FACTS, Model, drift, verdict
from tests.delivery.boxes import NOW
from tests.delivery.fake_address import FakeAddress
from tests.delivery.test_receivers import settings

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
MODELS = {FACTS.name: FACTS}


@pytest.fixture
def address() -> Iterator[FakeAddress]:
    with FakeAddress() as fake:
        yield fake


def mirror(address: FakeAddress) -> AlertmanagerMirror:
    return AlertmanagerMirror("am", f"{address.url}/prefix/", timedelta(seconds=0.4))


def after(*days: Any) -> Told:
    """What is told after these days of verdicts."""
    model = Model()
    for day, verdicts in enumerate(days):
        model.see(day + 1, *verdicts)
    return as_told(model.alerts.values(), MODELS, "https://monitor")


BOTH = ([verdict("breach", segment="origin=EWR"), drift("breach")],)
ONE = (*BOTH, [verdict("breach", segment="origin=EWR"), drift("holds")])


def ends(asked: Any) -> dict[str, datetime]:
    return {each["labels"]["metric"]: datetime.fromisoformat(each["endsAt"]) for each in asked.json}


def test_each_open_alert_is_told_with_labels_that_hold_no_value() -> None:
    told = {alert["labels"]["metric"]: alert for alert in after(*BOTH).values()}
    assert told["accuracy"] == {
        "labels": {
            "alertname": "ReleaseContractBroken",
            "model": "flight-delay",
            "metric": "accuracy",
            "segment": "origin=EWR",
            "bound": "min",
            "severity": "page",
            "owner": "@flights-oncall",
        },
        "annotations": {
            "summary": "flight-delay: accuracy [origin=EWR] 0.668 < 0.728",
            "description": ("Measured 0.668 [0.655, 0.681] over 18,511 rows; release 2013-04 promised at least 0.728."),
            "runbook_url": "https://wiki.example.org/flights?a=1&b=2",
            "version": "2013-04",
        },
        "startsAt": "2013-06-04T00:00:00+00:00",
        "generatorURL": "https://monitor/models/flight-delay",
    }
    assert told["drift.temp"]["labels"]["severity"] == "warn"
    assert "segment" not in told["drift.temp"]["labels"], "an empty label is none"


def test_an_alert_is_the_same_alert_whatever_it_measures() -> None:
    later = (*BOTH, [verdict("breach", segment="origin=EWR", value=0.5), drift("breach")])
    assert after(*BOTH).keys() == after(*later).keys()


def test_what_is_open_is_told_at_once_then_every_minute_and_is_good_for_five(address: FakeAddress) -> None:
    alerts, manager = after(*BOTH), mirror(address)
    told = [manager.tell(alerts, NOW + seconds * SECOND) for seconds in range(0, 130, 10)]
    assert [each is not None for each in told] == [seconds % 60 == 0 for seconds in range(0, 130, 10)]
    assert {asked.path for asked in address.asked} == {"/prefix/api/v2/alerts"}
    for minutes, asked in enumerate(address.asked):
        assert ends(asked) == dict.fromkeys(("accuracy", "drift.temp"), NOW + (minutes + 5) * MINUTE)


def test_what_is_over_is_told_once_and_then_no_more(address: FakeAddress) -> None:
    manager = mirror(address)
    manager.tell(after(*BOTH), NOW)
    manager.tell(after(*ONE), NOW + 10 * SECOND)
    manager.tell(after(*ONE), NOW + 80 * SECOND)
    manager.tell({}, NOW + 90 * SECOND)
    for minutes in range(2, 9):
        assert manager.tell({}, NOW + minutes * MINUTE) is None
    now = NOW + 10 * SECOND
    assert ends(address.asked[1]) == {"accuracy": now + 5 * MINUTE, "drift.temp": now}
    assert set(ends(address.asked[2])) == {"accuracy"}
    assert ends(address.asked[3]) == {"accuracy": NOW + 90 * SECOND}
    assert len(address.asked) == 4


@pytest.mark.parametrize("fault", ["lost", "hang", 500, 400])
def test_an_end_that_was_not_taken_is_told_again(address: FakeAddress, fault: int | str) -> None:
    manager = mirror(address)
    manager.tell(after(*BOTH), NOW)
    address.script(fault)
    manager.tell({}, NOW + 10 * SECOND)
    manager.tell({}, NOW + 20 * SECOND)
    assert ends(address.asked[-1]) == dict.fromkeys(("accuracy", "drift.temp"), NOW + 20 * SECOND)


def test_a_history_that_is_away_ends_nothing(address: FakeAddress) -> None:
    manager = mirror(address)
    assert manager.tell(None, NOW) is None
    manager.tell(after(*BOTH), NOW)
    manager.tell(None, NOW + MINUTE)
    assert ends(address.asked[-1]) == dict.fromkeys(("accuracy", "drift.temp"), NOW + 6 * MINUTE)


def test_it_works_until_it_has_failed_for_more_than_a_moment(address: FakeAddress) -> None:
    manager = mirror(address)
    address.script(*[500] * 4)
    for seconds, works in ((0, True), (60, True), (120, True), (130, False), (140, True)):
        manager.tell(after(*BOTH), NOW + seconds * SECOND)
        assert manager.works(NOW + seconds * SECOND) == works, seconds


def test_the_open_alerts_come_from_the_history_and_only_of_models_under_watch(engine: Engine) -> None:
    model = Model()
    model.see(1, verdict("breach"), drift("holds"))
    with engine.begin() as connection:
        for alert in model.alerts.values():
            row = {"key": alert.key, "model": alert.model, "metric": alert.metric, "side": alert.side}
            state = {"state": alert.to_data(), "condition": alert.condition, "window_end": NOW}
            connection.execute(insert(alert_table).values(**row, **state))
    found = [Alert.from_data(data) for data in queries.open_alerts(engine)]
    assert [alert.metric for alert in found] == ["accuracy"]
    assert len(as_told(found, MODELS, None)) == 1
    assert as_told(found, {}, None) == {}


def test_alertmanagers_are_mirrors_and_not_on_any_route() -> None:
    said = settings(alertmanagers=[{"name": "am", "url": "http://am:9093"}])
    assert names_of(said) == ["console", "alertmanager:am"]
    assert [each.name for each in mirrors_of(said)] == ["alertmanager:am"]
    assert routing_of(said).receivers("churn", None, "page") == ("console",)
