"""What cannot be judged is told as such after a while, and never moves what it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.alerts.rule import Rule
from monitor.release.verdict import Verdict
from tests.alerts.scenes import DAY, Model, drift, end, verdict

GONE = "predictions.parquet is gone."


def reasons(model: Model) -> list[tuple[str, str]]:
    """Side and condition of each alert that has one."""
    return [(one.metric, one.condition) for one in model.alerts.values() if one.side == "blind"]


def unread(one: Verdict) -> Verdict:
    """The verdict of a window whose source could not be read."""
    return replace(one, state="error", reason="source_failed", sentence=f"accuracy was not measured: {GONE}")


Seen = tuple[Verdict, ...]
JUDGED, UNKNOWN, FAILED = verdict("holds", 0.775), verdict("unknown"), verdict("error")
JFK, NAMED = verdict("unknown", segment="origin=JFK"), verdict("unknown", segment="origin=JFK", named=True)

TABLE: list[tuple[Rule, tuple[Seen, ...], int | None, int | None]] = [
    # Three evaluations without an answer.
    (Rule(), ((JUDGED,), (UNKNOWN,), (UNKNOWN,), (UNKNOWN,)), 4, None),
    # Two are not enough.
    (Rule(), ((JUDGED,), (UNKNOWN,), (UNKNOWN,), (JUDGED,), (UNKNOWN,), (UNKNOWN,)), None, None),
    # Three from the very first on.
    (Rule(), ((UNKNOWN,), (UNKNOWN,), (UNKNOWN,)), 3, None),
    # Unknown and error are both no answer.
    (Rule(), ((JUDGED,), (UNKNOWN,), (FAILED,), (UNKNOWN,)), 4, None),
    # One answer ends it, whatever it is: that it breaches is told elsewhere.
    (Rule(), ((UNKNOWN,), (UNKNOWN,), (UNKNOWN,), (verdict("breach"),)), 3, 4),
    (Rule(), ((UNKNOWN,), (UNKNOWN,), (UNKNOWN,), (verdict("inconclusive"),)), 3, 4),
    # As the rule says.
    (Rule(blind_after=DAY), ((JUDGED,), (UNKNOWN,)), 2, None),
    (Rule(blind_after=5 * DAY), (*((UNKNOWN,),) * 5,), 5, None),
    (Rule(blind_after=timedelta(0)), ((UNKNOWN,),), 1, None),
    # A segment that nobody named is unknown as it likes, as long as the whole is judged.
    (Rule(), (*((JUDGED, JFK),) * 5,), None, None),
    # With the whole unknown too, it is one alert.
    (Rule(), (*((UNKNOWN, JFK),) * 5,), 3, None),
    # A segment judged is an answer.
    (Rule(), (*((UNKNOWN, verdict("holds", segment="origin=JFK")),) * 5,), None, None),
    # A segment that a threshold names is a promise of its own.
    (Rule(), (*((JUDGED, NAMED),) * 5,), 3, None),
]


@pytest.mark.parametrize(("rule", "windows", "opened", "ended"), TABLE)
def test_a_promise_without_an_answer_is_told(
    rule: Rule, windows: tuple[Seen, ...], opened: int | None, ended: int | None
) -> None:
    model = Model(rule)
    found: dict[str, list[int]] = {"opened": [], "resolved": []}
    for day, verdicts in enumerate(windows, start=1):
        changes = model.see(day, *verdicts)
        blind = [one for one in changes.transitions if one.alert.side == "blind"]
        found["opened"] += [day for one in blind if one.alert.condition == "firing"]
        found["resolved"] += [day for one in blind if one.alert.condition == "resolved"]
    assert found == {"opened": [opened] if opened else [], "resolved": [ended] if ended else []}


def test_it_says_what_since_when_why_and_what_was_last() -> None:
    model = Model()
    model.see(1, JUDGED)
    for day in (2, 3):
        assert model.see(day, UNKNOWN).notifications == ()
    [told] = model.see(4, UNKNOWN).notifications
    assert (told.reason, told.message.state) == ("opened", "warn")
    assert told.message.title == "🟡 WARN · flight-delay 2013-04 · accuracy cannot be judged"
    assert told.message.changed == (
        "accuracy cannot be judged. Too few rows. "
        "Last judged: 0.775 [0.762, 0.788], in the window up to 2013-06-04 00:00 UTC."
    )
    assert {field.label: field.text for field in told.message.fields} == {
        "Last judged": "2013-05-28 00:00 → 2013-06-04 00:00 UTC",
        "Last value": "0.775 [0.762, 0.788]",
        "Since": "2013-06-07 00:00 UTC",
    }
    [over] = model.see(5, JUDGED).notifications
    assert (over.reason, over.message.changed) == ("resolved", "accuracy can be judged again. It is so.")
    assert over.message.title == "🟢 RESOLVED · flight-delay 2013-04 · accuracy can be judged again"


def test_what_was_never_judged_says_so() -> None:
    model = Model(Rule(blind_after=DAY))
    [told] = model.see(1, UNKNOWN).notifications
    assert told.message.changed == "accuracy cannot be judged. Too few rows. Nothing was judged before."
    assert told.message.fields[0].text == "none decided yet"


def test_its_severity_is_its_own() -> None:
    model = Model(Rule(blind_after=DAY, blind_severity="page"))
    [told] = model.see(1, drift("unknown")).notifications
    assert told.message.state == "page"


def test_it_leaves_the_condition_and_its_incident_as_they_are() -> None:
    model = Model(Rule(keep_firing_for=DAY))
    model.see(1, verdict("breach"))
    for day in range(2, 9):
        model.see(day, FAILED)
    accuracy, blind = model.alerts.values()
    assert (accuracy.condition, accuracy.last, accuracy.decided_end) == ("firing", verdict("breach").value, end(1))
    assert (blind.condition, model.incidents[1].sequence) == ("firing", 2), "one more message, in the same incident"


def test_a_source_that_cannot_be_read_is_one_alert_for_all_promises() -> None:
    model = Model()
    model.see(1, JUDGED, drift("holds"))
    for day in (2, 3, 4, 5):
        changes = model.see(day, unread(JUDGED), unread(drift("holds")), source_failure=GONE)
        assert len(changes.notifications) == (1 if day == 4 else 0)
        if day == 4:
            told = changes.notifications[0].message
            inhibited = [step.alert.metric for step in changes.steps if step.reason == "inhibited"]
    assert told.title == "🟡 WARN · flight-delay 2013-04 · source cannot be read"
    assert told.changed == (
        "source cannot be read. predictions.parquet is gone. Last judged: in the window up to 2013-06-04 00:00 UTC."
    )
    assert inhibited == ["accuracy", "drift"]
    assert reasons(model) == [("source", "firing"), ("accuracy", "pending"), ("drift", "pending")]
    [over] = model.see(6, JUDGED, drift("holds")).notifications
    assert (over.reason, over.message.changed) == ("resolved", "source can be read again.")
    assert reasons(model) == [("source", "resolved"), ("accuracy", "inactive"), ("drift", "inactive")]


def test_what_stays_blind_once_the_source_is_read_is_told_then() -> None:
    model = Model()
    for day in (1, 2, 3, 4):
        model.see(day, unread(JUDGED), unread(drift("holds")), source_failure=GONE)
    [told] = model.see(5, UNKNOWN, drift("holds")).notifications
    assert told.message.title == "🟡 WARN · flight-delay 2013-04 · accuracy cannot be judged"
    assert reasons(model) == [("source", "resolved"), ("accuracy", "firing"), ("drift", "inactive")]


def test_the_source_of_two_plans_is_told_once_and_until_both_are_read() -> None:
    model = Model()
    for day in (1, 2, 3, 4):
        model.see(day, unread(JUDGED), plan="with outcomes", source_failure=GONE)
        model.see(day, unread(drift("holds")), plan="without", source_failure=GONE)
    assert model.incidents[1].sequence == 1
    model.see(5, JUDGED, plan="with outcomes")
    [told] = model.see(5, unread(drift("holds")), plan="without", source_failure=GONE).notifications
    assert (told.reason, told.message.changed.startswith("source cannot be read")) == ("opened", True)


def test_a_reading_that_succeeds_at_a_later_attempt_was_none_without_answer() -> None:
    model = Model(Rule(blind_after=DAY))
    model.see(1, JUDGED)
    model.see(2, unread(JUDGED), source_failure=GONE)
    [told] = model.see(2, JUDGED).notifications
    assert told.message.changed == "source can be read again."
    assert (told.reason, reasons(model)) == ("resolved", [("source", "inactive"), ("accuracy", "inactive")])


def test_what_is_told_stays_told_when_the_source_fails_too() -> None:
    model = Model()
    for day in (1, 2, 3):
        model.see(day, UNKNOWN)
    changes = model.see(3, unread(JUDGED), source_failure=GONE)
    assert (changes.notifications, dict(reasons(model))["accuracy"]) == ((), "firing")


def test_two_promises_without_an_answer_are_two_alerts_in_one_message() -> None:
    model = Model()
    for day in (1, 2, 3):
        changes = model.see(day, UNKNOWN, NAMED)
    [change] = changes.incidents
    assert [one.segment for one in change.opened] == ["", "origin=JFK"]


def test_a_model_that_promises_nothing_has_no_source_to_be_told_of() -> None:
    assert Model().see(1, source_failure=GONE).steps == ()
