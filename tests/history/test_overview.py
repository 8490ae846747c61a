"""The fleet at a glance: who was evaluated since, and how each promise went, a window a day."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine

from monitor.history import incidents
from monitor.history.heat import Heat, heat
from monitor.history.overview import Passed, courses, evaluated_since, newest_id
from monitor.history.records import EvaluationRecord, MeasurementRecord, TransitionRecord, VerdictRecord
from monitor.history.store import Store
from monitor.history.strips import ended, judged, measured, newest_of, stretches
from tests.history.conftest import DAY, LEASE, START, WALL, Record

ACCURACY = ("flights", "accuracy", "", "", "min")


def accuracy(value: float | None, verdict: str = "ok", segment: str = "") -> VerdictRecord:
    return VerdictRecord("accuracy", verdict, "holds", "page", "min", segment=segment, threshold=0.7, value=value)


def test_a_course_is_of_one_promise_and_the_revision_that_stands(engine: Engine, record: Record) -> None:
    for day, value in enumerate((0.8, 0.9, None), start=1):
        record(day, verdicts=[accuracy(value), accuracy(0.1, "breach", segment="origin=JFK")])
    record(2, verdicts=[accuracy(0.6, "breach")], revision=1)
    record(2, "others", verdicts=[accuracy(0.5)])

    found = courses(engine, [ACCURACY, ("nobody", "accuracy", "", "", "min")], START + 3 * DAY, 30)

    assert found == {
        ACCURACY: [
            Passed(START + DAY, 0.8, "ok"),
            Passed(START + 2 * DAY, 0.6, "breach"),
            Passed(START + 3 * DAY, None, "ok"),
        ]
    }


def test_a_course_goes_back_as_many_days_as_were_asked_for(engine: Engine, record: Record) -> None:
    for day in range(1, 8):
        record(day, verdicts=[accuracy(0.8)])
    [course] = courses(engine, [ACCURACY], START + 7 * DAY + timedelta(hours=9), 2).values()
    assert [each.at for each in course] == [START + day * DAY for day in (5, 6, 7)]
    assert courses(engine, [], START, 2) == {}


def test_a_model_judged_every_hour_is_shown_once_a_day(engine: Engine, store: Store) -> None:
    token = store.claim("flights", "me", WALL, LEASE)
    assert token is not None
    for hour in range(1, 49):
        end = START + timedelta(hours=hour)
        with store.recording("flights", token, WALL) as recording:
            made = recording.evaluation(EvaluationRecord("v1", "1h each 1h", end - timedelta(hours=1), end, end))
            recording.verdicts(made, [accuracy(0.8)])
    [course] = courses(engine, [ACCURACY], START + 2 * DAY, 30).values()
    assert [each.at for each in course] == [START + DAY, START + 2 * DAY]


def test_who_was_evaluated_since_is_told_in_order_or_not_at_all(engine: Engine, record: Record) -> None:
    ids = [record(day, model) for day, model in ((1, "a"), (1, "b"), (2, "a"))]
    assert [(one.id, one.model) for one in evaluated_since(engine, ids[0], 5) or ()] == [(ids[1], "b"), (ids[2], "a")]
    assert evaluated_since(engine, 0, 2) is None
    assert newest_id(engine) == ids[-1]


def test_verdicts_over_a_time_come_by_promise_with_how_many_outcomes_were_in(engine: Engine, record: Record) -> None:
    for day in (1, 2, 3):
        record(day, verdicts=[accuracy(0.8), accuracy(0.6, segment="origin=JFK")])
    record(3, "others", verdicts=[accuracy(0.5)])
    found = judged(engine, "flights", START + 2 * DAY, START + 3 * DAY)
    assert set(found) == {("accuracy", "", "", "min"), ("accuracy", "", "origin=JFK", "min")}
    assert [each.row.window_end for each in found["accuracy", "", "", "min"]] == [START + 2 * DAY, START + 3 * DAY]
    assert {(each.seen, each.outcomes, each.plan) for each in found["accuracy", "", "", "min"]} == {
        (10, 0, "1d each 1d")
    }
    assert judged(engine, "flights", START, START + 9 * DAY, "coverage") == {}


def test_a_promise_over_a_time_is_shown_by_its_newest_windows_and_told_with_all_its_breaches(
    engine: Engine, record: Record
) -> None:
    given_up, unknown = accuracy(0.9, segment="origin=JFK"), accuracy(None, segment="origin=LGA")
    for day, value in enumerate((0.8, 0.5, 0.8, 0.9, None, None), start=1):
        told = accuracy(value, "breach" if value and value < 0.7 else "ok")
        record(day, verdicts=[told, unknown, given_up] if day < 4 else [told, unknown])
    record(4, verdicts=[accuracy(0.4, "breach")], revision=1)
    record(3, "others", verdicts=[accuracy(0.5)])
    began, until = START + 2 * DAY, START + 5 * DAY
    windows = ended(engine, "flights", began, until)

    found = stretches(engine, windows, newest=2)

    whole, segment = found["accuracy", "", "", "min"], found["accuracy", "", "origin=JFK", "min"]
    assert (whole.windows, whole.breaches, whole.first, whole.last) == (4, 2, began, until)
    assert (segment.windows, segment.breaches) == (4, 0)
    assert set(found) == {key for key in judged(engine, "flights", began, until) if "LGA" not in key[2]}
    assert [(one.row.value, one.row.window_end) for one in whole.newest] == [(None, until), (0.4, until - DAY)]
    assert [(one.row.value, one.row.window_end) for one in segment.newest] == [(0.9, START + 3 * DAY)]
    assert stretches(engine, windows, newest=2, metric="coverage") == {}
    waiting = stretches(engine, windows, newest=1, metric="accuracy")["accuracy", "", "", "min"]
    assert [one.row.value for one in waiting.newest] == [None], "there were values before"


def test_measurements_over_a_time_are_of_those_metrics_and_the_whole_unless_segments_are_wanted(
    engine: Engine, record: Record
) -> None:
    drift = MeasurementRecord("drift", "drift", 0.3, column="temp", rows=5)
    record(1, measurements=[drift, MeasurementRecord("drift", "hellinger", 0.1, column="temp")])
    record(2, measurements=[drift, MeasurementRecord("drift", "drift", 0.4, column="temp", segment="origin=JFK")])
    whole = measured(engine, "flights", ["drift"], START, START + 2 * DAY)
    assert [(one.at, one.name, one.value) for one in whole] == [
        (START + day * DAY, "drift.temp", 0.3) for day in (1, 2)
    ]
    assert len(measured(engine, "flights", ["drift"], START, START + 2 * DAY, segment=None)) == 3


def test_the_evidence_of_an_incident_is_what_moved_its_alerts(engine: Engine, store: Store, record: Record) -> None:
    first, second = record(1), record(2)
    token = store.claim("flights", "me", WALL, LEASE)
    assert token is not None
    with store.recording("flights", token, WALL) as recording:
        incident = recording.open_new_incident(version="v1", severity="page", opened_at=START + DAY)
        about = ("k", "accuracy", "", "", "min")
        changes = [("inactive", "firing", "fired", second), ("firing", "recovering", "recovering_started", first)]
        recording.transitions(
            [
                TransitionRecord(*about, START + DAY, before, after, reason, 0.6, incident, evaluation)
                for before, after, reason, evaluation in changes
            ],
            WALL,
        )
    assert incidents.evidence(engine, incident, START + DAY) == (second, first)
    assert incidents.evidence(engine, incident, START + 2 * DAY) == ()
    assert incidents.evidence(engine, incident + 1, START) == ()


def test_of_many_windows_those_that_do_not_overlap_are_enough_and_of_few_none_is_left_out(
    engine: Engine, record: Record
) -> None:
    drift = MeasurementRecord("drift", "drift", 0.3, column="temp")
    for hour in range(240):
        record(10 + hour / 24, measurements=[drift])
    last = START + (10 + 239 / 24) * DAY
    few, many = (ended(engine, "flights", START, until) for until in (START + 14 * DAY, last))
    assert len(heat(engine, few, "drift", 100).most["temp"]) == 97
    days = [last - day * DAY for day in reversed(range(10))]
    assert heat(engine, many, "drift", 10) == Heat([(day,) for day in days], {"temp": [0.3] * 10}, {"temp": 0.3})
    assert heat(engine, many, "coverage", 10).most == heat(engine, {}, "drift", 10).most == {}


def test_the_largest_value_of_neighbouring_windows_is_shown_beside_the_newest(engine: Engine, record: Record) -> None:
    for day, (temp, wind) in enumerate(((0.1, 0.5), (0.9, None), (0.2, None), (0.3, None), (0.0, None))):
        measured = [MeasurementRecord("drift", "drift", temp, column="temp")]
        record(
            day, measurements=measured + [MeasurementRecord("drift", "drift", wind, column="wind")] * (wind is not None)
        )
    record(4, measurements=[MeasurementRecord("drift", "drift", 0.7, column="rain")], plan="7d each 1d")
    found = heat(engine, ended(engine, "flights", START, START + 4 * DAY), "drift", 3)
    ends = [START + day * DAY for day in (0, 1, 2, 3, 4, 4)]
    assert found.cells == [tuple(ends[first : first + 2]) for first in (0, 2, 4)]
    assert found.most == {"temp": [0.9, 0.3, 0.0], "wind": [0.5, None, None], "rain": [None, None, 0.7]}
    assert found.now == {"temp": 0.0, "rain": 0.7}


def test_the_newest_is_that_of_the_metric_whatever_else_was_measured_since(engine: Engine, record: Record) -> None:
    record(1, measurements=[MeasurementRecord("coverage", "coverage", 0.9, detail={"population": 7})])
    record(2, measurements=[MeasurementRecord("coverage", "coverage", 0.5, segment="origin=JFK")])
    for hour in range(1, 9):
        record(2 + hour / 24, plan="1h each 1h")
    windows = ended(engine, "flights", START, START + 3 * DAY)
    newest = newest_of(engine, windows, "coverage", 2)
    assert newest is not None
    assert (newest.at, newest.value, newest.detail) == (START + DAY, 0.9, {"population": 7})
    assert newest_of(engine, windows, "coverage", 1) is None
    assert newest_of(engine, windows, "drift", 2) is None
