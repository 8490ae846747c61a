"""The life of an alert, in window time."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.alert import MOST_FIRED, Alert, alert_key, new_alert
from monitor.alerts.life import Step, advance
from monitor.alerts.rule import Rule
from tests.alerts.scenes import DAY, Kind, end, verdict

ALL: tuple[Kind, ...] = ("holds", "not_clear", "breach", "inconclusive", "unknown", "waiting", "error")


def live(*kinds: Kind, rule: Rule | None = None) -> list[Step]:
    """One verdict per day."""
    alert = new_alert("flight-delay", verdict("holds"))
    steps = []
    for day, kind in enumerate(kinds, start=1):
        steps.append(advance(alert, verdict(kind), end(day), rule or Rule()))
        alert = steps[-1].alert
    return steps


TABLE: list[tuple[Rule, tuple[Kind, ...], list[str], str]] = [
    # Without waiting times, a breach fires and a value that holds resolves.
    (
        Rule(),
        ("holds", "breach", "breach", "holds", "holds"),
        ["holds", "fired", "still_firing", "resolved", "holds"],
        "resolved",
    ),
    # A breach must last as long as `for` says: the second daily window completes a day.
    (Rule(DAY), ("breach", "breach"), ["pending_started", "fired"], "firing"),
    # A pending alert that holds is forgotten silently.
    (Rule(DAY), ("breach", "holds", "breach"), ["pending_started", "pending_cleared", "pending_started"], "pending"),
    # Time that is unknown, an error or inconclusive does not count towards `for`.
    (
        Rule(2 * DAY),
        ("breach", "unknown", "error", "inconclusive", "breach", "breach"),
        ["pending_started", "frozen", "frozen", "inconclusive", "pending_continues", "fired"],
        "firing",
    ),
    # Nor does that of windows that wait for outcomes, as long as they do.
    (
        Rule(2 * DAY),
        ("breach", "waiting", "waiting", "waiting", "breach", "breach"),
        ["pending_started", "waiting", "waiting", "waiting", "pending_continues", "fired"],
        "firing",
    ),
    # Unknown and error never resolve what fires.
    (Rule(), ("breach", "unknown", "error", "inconclusive"), ["fired", "frozen", "frozen", "inconclusive"], "firing"),
    # Neither does suspicion start anything.
    (Rule(), ("inconclusive", "unknown", "error"), ["inconclusive", "frozen", "frozen"], "inactive"),
    # It must hold for keep_firing_for before it is resolved; frozen time does not count there either.
    (
        Rule(keep_firing_for=2 * DAY),
        ("breach", "holds", "holds", "unknown", "holds"),
        ["fired", "recovering_started", "recovering_continues", "frozen", "resolved"],
        "resolved",
    ),
    # A breach while recovering relapses, and the wait begins anew.
    (
        Rule(keep_firing_for=DAY),
        ("breach", "holds", "breach", "holds", "inconclusive"),
        ["fired", "recovering_started", "relapsed", "recovering_started", "inconclusive"],
        "recovering",
    ),
    # A value short of the clear bound ends nothing: what fires goes on, and recovering waits.
    (
        Rule(keep_firing_for=DAY),
        ("breach", "not_clear", "holds", "not_clear", "holds"),
        ["fired", "not_clear", "recovering_started", "not_clear", "resolved"],
        "resolved",
    ),
    # It keeps its promise all the same: nothing starts by it, and a breach that was pending is over.
    (Rule(DAY), ("not_clear", "breach", "not_clear"), ["holds", "pending_started", "pending_cleared"], "inactive"),
    # Soon after it was resolved, a breach goes on with the same episode, without waiting for `for`.
    (
        Rule(DAY, reopen_for=2 * DAY),
        ("breach", "breach", "holds", "unknown", "breach"),
        ["pending_started", "fired", "resolved", "frozen", "reopened"],
        "firing",
    ),
    # Later it is a new one.
    (
        Rule(reopen_for=2 * DAY),
        ("breach", "holds", "holds", "holds", "breach"),
        ["fired", "resolved", "holds", "holds", "fired"],
        "firing",
    ),
    # What never fired has nothing to go on with.
    (
        Rule(DAY, reopen_for=9 * DAY),
        ("breach", "holds", "breach"),
        ["pending_started", "pending_cleared", "pending_started"],
        "pending",
    ),
    # A resolved alert can fire again.
    (Rule(), ("breach", "holds", "breach"), ["fired", "resolved", "fired"], "firing"),
]


@pytest.mark.parametrize(("rule", "kinds", "reasons", "condition"), TABLE)
def test_each_transition_has_its_named_reason(
    rule: Rule, kinds: tuple[Kind, ...], reasons: list[str], condition: str
) -> None:
    steps = live(*kinds, rule=rule)
    assert [step.reason for step in steps] == reasons
    assert steps[-1].alert.condition == condition


def test_an_alert_remembers_when_it_fired_by_its_days_and_forgets_what_a_revision_took_back() -> None:
    by_days = {kind: replace(verdict(kind), since=end(0)) for kind in ("breach", "holds")}
    alert = live("breach", "holds")[-1].alert
    assert alert.fired_at == (), "the window alone decided"
    for day in range(3, 33):
        alert = advance(alert, by_days["breach" if day % 2 else "holds"], end(day), Rule()).alert
    again = advance(alert, by_days["breach"], end(33), Rule()).alert
    back = advance(again, by_days["holds"], end(33), Rule()).alert

    assert alert.fired_at == tuple(end(day) for day in range(31 - 2 * (MOST_FIRED - 1), 32, 2))
    assert (again.fired_at[-1], back.fired_at) == (end(33), alert.fired_at)
    assert Alert.from_data(json.loads(json.dumps(again.to_data()))) == again


def test_a_window_older_than_the_newest_changes_nothing() -> None:
    alert = live("holds", "breach")[-1].alert
    step = advance(alert, verdict("holds"), end(1), Rule())
    assert (step.reason, step.alert) == ("stale", alert)


def test_the_newest_window_whose_outcomes_are_in_drives_the_alert() -> None:
    waiting = live("holds", "waiting", "waiting", "waiting")[-1].alert

    in_order = advance(waiting, verdict("breach"), end(2), Rule())
    older = advance(advance(waiting, verdict("holds"), end(3), Rule()).alert, verdict("breach"), end(2), Rule())

    assert (in_order.reason, in_order.alert.opened_at) == ("fired", end(2))
    assert older.reason == "stale"


def test_windows_that_are_judged_late_one_after_the_other_count_towards_for() -> None:
    alert = live("holds", "waiting", "waiting", "waiting")[-1].alert
    steps = []
    for day in (2, 3, 4):
        steps.append(advance(alert, verdict("breach"), end(day), Rule(2 * DAY)))
        alert = steps[-1].alert

    assert [step.reason for step in steps] == ["pending_started", "pending_continues", "fired"]


def test_a_revision_of_the_newest_window_replaces_its_effect_also_while_newer_ones_wait() -> None:
    fired = live("holds", "breach", "waiting")[-1].alert

    assert advance(fired, verdict("holds"), end(2), Rule()).alert.condition == "inactive"


def test_a_revision_of_the_newest_window_replaces_its_effect() -> None:
    fired = live("holds", "breach")[-1].alert
    step = advance(fired, verdict("holds"), end(2), Rule())
    assert (step.reason, step.revised, step.alert.condition) == ("holds", True, "inactive")
    again = advance(step.alert, verdict("breach"), end(2), Rule())
    assert again.alert == fired


def test_a_revision_can_take_a_resolution_back() -> None:
    resolved = live("breach", "holds")[-1].alert
    step = advance(resolved, verdict("breach"), end(2), Rule())
    assert (step.reason, step.alert.condition, step.alert.opened_at) == ("still_firing", "firing", end(1))


def test_the_worst_value_is_remembered_from_firing_to_resolved() -> None:
    alert = new_alert("m", verdict("holds"))
    for day, value in enumerate((0.70, 0.61, 0.69), start=1):
        alert = advance(alert, verdict("breach", value), end(day), Rule()).alert
    assert (alert.first, alert.worst, alert.last, alert.rows) == (0.70, 0.61, 0.69, 18511)
    resolved = advance(alert, verdict("holds", 0.78), end(4), Rule()).alert
    assert (resolved.worst, resolved.last, resolved.last_ok_end) == (0.61, 0.78, end(4))


def test_the_key_is_about_what_is_watched_and_nothing_else() -> None:
    key = alert_key("m", "drift", "temp", "", "max")
    assert len(key) == 64
    others = {
        alert_key("m2", "drift", "temp", "", "max"),
        alert_key("m", "drift", "", "temp", "max"),
        alert_key("m", "drift", "temp", "a=b", "max"),
        alert_key("m", "drift", "temp", "", "min"),
    }
    assert key not in others
    assert len(others) == 4
    assert new_alert("m", verdict("holds", 0.9)).key == new_alert("m", verdict("breach", 0.1)).key


KINDS = st.lists(st.sampled_from(ALL), min_size=1, max_size=12)
DAYS = st.integers(0, 3).map(lambda n: n * DAY)
RULES = st.builds(Rule, DAYS, DAYS, DAYS)


def test_an_alert_that_an_older_version_stored_is_read() -> None:
    stored = live("holds", "breach")[-1].alert.to_data()
    new = {"why", "incident", "ended_at", "decided", "fired_in", "flipped_in", "flapping"}
    old = {name: value for name, value in stored.items() if name not in new}
    old["before"] = {name: value for name, value in stored["before"].items() if name not in new}
    alert = Alert.from_data(json.loads(json.dumps(old)))
    assert (alert.condition, alert.opened_at, alert.worst) == ("firing", end(2), alert.last)
    assert advance(alert, verdict("holds"), end(3), Rule()).reason == "resolved"


@given(KINDS, RULES)
def test_an_alert_survives_being_stored_as_json(kinds: list[Kind], rule: Rule) -> None:
    alert = live(*kinds, rule=rule)[-1].alert
    assert Alert.from_data(json.loads(json.dumps(alert.to_data()))) == alert


@given(KINDS, RULES, st.sampled_from(ALL))
def test_a_revision_ends_where_history_would_have_ended_with_it(kinds: list[Kind], rule: Rule, truth: Kind) -> None:
    # the newest window seen wrong first and right later == seen right at once, but for what people have been told
    wrong = live(*kinds, rule=rule)[-1].alert
    revised = advance(wrong, verdict(truth), end(len(kinds)), rule).alert
    right = live(*kinds[:-1], truth, rule=rule)[-1].alert
    if truth == "waiting":  # what was seen once counts as seen
        assert (revised.condition, revised.since, revised.held) == (right.condition, right.since, right.held)
    else:
        assert _untold(revised) == _untold(right)


def _untold(alert: Alert) -> Alert:
    """Without what people have been told, and which windows were waited for."""
    before = alert.before and replace(alert.before, waiting_end=None)
    return replace(alert, ended_at=None, waiting_end=None, before=before)


@given(KINDS, RULES)
def test_only_a_value_that_holds_resolves_and_only_a_breach_opens(kinds: list[Kind], rule: Rule) -> None:
    was_open = False
    for kind, step in zip(kinds, live(*kinds, rule=rule), strict=True):
        if step.alert.is_open and not was_open:
            assert kind == "breach"
        if was_open and not step.alert.is_open:
            assert kind == "holds"
        assert step.alert.held >= timedelta(0)
        was_open = step.alert.is_open
