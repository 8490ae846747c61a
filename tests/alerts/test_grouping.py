"""What makes one incident: a model, a metric or a segment of it."""

from __future__ import annotations

import pytest

from monitor.alerts.alert import new_alert
from monitor.alerts.grouping import LONGEST, group_of
from monitor.alerts.rule import GroupBy, Rule
from monitor.release.verdict import Verdict
from tests.alerts.scenes import DAY, Model, drift, verdict

JFK, LGA = "origin=JFK", "origin=LGA"
WINDOW = (verdict("breach"), verdict("breach", segment=JFK), drift("breach"), drift("breach", "dep"))


@pytest.mark.parametrize(
    ("group_by", "groups"),
    [
        # everything of the model
        ("model", [""]),
        # accuracy of the whole and of JFK; drift of two columns
        ("metric", ["accuracy", "drift"]),
        # the whole with its drift; JFK
        ("segment", ["", JFK]),
    ],
)
def test_the_alerts_of_a_window_open_one_incident_per_group(group_by: GroupBy, groups: list[str]) -> None:
    model = Model(Rule(group_by=group_by))
    changes = model.see(1, *WINDOW)
    assert sorted(change.incident.group for change in changes.incidents) == groups
    assert [one.sequence for one in changes.notifications] == [1] * len(groups)
    assert sum(len(change.opened) for change in changes.incidents) == len(WINDOW)


def test_each_group_is_told_of_its_own() -> None:
    model = Model(Rule(group_by="metric"))
    model.see(1, verdict("breach"), drift("breach"))
    [change] = model.see(2, verdict("holds"), drift("breach")).incidents
    assert (change.notification.reason, change.incident.group) == ("resolved", "accuracy")
    assert change.notification.message.others == ()
    assert [one.group for one in model.incidents.values() if one.is_open] == ["drift"]
    [joined] = model.see(3, drift("breach", "dep")).incidents
    assert (joined.incident.group, joined.notification.reason) == ("drift", "alert_joined")
    assert [line.text for line in joined.notification.message.others] == [
        "WARN · drift.dep 0.31 > 0.2 · since 2013-06-06 00:00 UTC"
    ]


def test_a_group_reopens_whatever_the_others_did_meanwhile() -> None:
    model = Model(Rule(reopen_for=9 * DAY, group_by="metric"))
    model.see(1, verdict("breach"))
    model.see(2, verdict("holds"))
    model.see(3, drift("breach"))
    [change] = model.see(4, verdict("breach")).incidents
    assert (change.notification.reason, change.incident.id) == ("reopened", 1)


def test_incidents_that_are_open_end_as_they_began_when_the_grouping_is_changed() -> None:
    model = Model(Rule(group_by="model"))
    model.see(1, verdict("breach"), drift("breach"))
    model.rule = Rule(group_by="metric")
    joined = model.see(2, verdict("breach", segment=JFK))
    assert [(one.incident.id, one.incident.group) for one in joined.incidents] == [(None, "accuracy")]
    model.see(3, verdict("holds"), drift("holds"))
    assert [one.id for one in model.incidents.values() if one.is_open] == [2]


def test_a_blind_alert_belongs_where_its_promise_does() -> None:
    model = Model(Rule(blind_after=DAY, group_by="metric"))
    model.see(1, drift("breach"), drift("breach", "dep"))
    [change] = model.see(2, verdict("unknown"), drift("breach")).incidents
    assert (change.incident.group, change.notification.reason) == ("accuracy", "opened")


@pytest.mark.parametrize(
    ("group_by", "one", "group"),
    [
        ("metric", drift("breach"), "drift"),
        ("segment", verdict("breach", segment=JFK), JFK),
        ("segment", verdict("breach"), ""),
        ("model", verdict("breach", segment=LGA), ""),
    ],
)
def test_a_group_is_named_after_what_is_common(group_by: GroupBy, one: Verdict, group: str) -> None:
    assert group_of(new_alert("m", one), group_by) == group


def test_a_group_with_a_long_name_is_told_from_others_as_long() -> None:
    names = [group_of(new_alert("m", verdict("breach", segment="a=" + "x" * 500 + end)), "segment") for end in "yz"]
    assert len(set(names)) == 2
    assert max(map(len, names)) <= LONGEST
