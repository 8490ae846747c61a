"""What verdicts on a candidate's rows mean for its release, and how it stands to the champion."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.contract import Measurement
from monitor.release.contract import Bound
from monitor.release.gate import Answer, Line, Standing, lines_of, ruling
from monitor.release.verdict import judge, judge_all

ACCURACY = Bound("accuracy", "accuracy", "", "min", 0.75, needs_outcomes=True)
ERROR = Bound("mae", "mae", "", "max", 12.0, needs_outcomes=True)
DRIFT = Bound("drift.temp", "drift", "temp", "max", 0.2, severity="warn")


def accuracy(value: float | None, low: float | None = None, high: float | None = None) -> Measurement:
    return Measurement("accuracy", value, low, high, 1000)


def mae(value: float, low: float, high: float) -> Measurement:
    return Measurement("mae", value, low, high, 1000)


def line(bound: Bound, measurement: Measurement | None, champion: Measurement | None = None) -> Line:
    known = {} if champion is None else {(bound.metric, bound.column, ""): champion}
    (found,) = lines_of([judge(bound, measurement)], known)
    return found


@pytest.mark.parametrize(
    ("measurement", "answer", "close"),
    [
        # the whole interval is on the promised side
        (accuracy(0.8, 0.78, 0.82), "holds", False),
        # the value is, its interval is not: it holds, and that is said
        (accuracy(0.76, 0.74, 0.78), "holds", True),
        # open towards the bound is no better than beyond it
        (accuracy(0.76, None, 0.78), "holds", True),
        # a number without interval is exact
        (accuracy(0.75), "holds", False),
        # no breach of a live model, and a candidate has shown nothing
        (accuracy(0.74, 0.72, 0.76), "cannot_tell", False),
        # clearly below
        (accuracy(0.7, 0.68, 0.72), "falls_below", False),
        # no value, and no measurement at all
        (accuracy(None), "cannot_tell", False),
        (None, "cannot_tell", False),
    ],
)
def test_a_value_on_the_promised_side_holds_and_one_within_chance_of_it_cannot_be_told(
    measurement: Measurement | None, answer: Answer, close: bool
) -> None:
    found = line(ACCURACY, measurement)

    assert (found.answer, found.is_close) == (answer, close)


HOLDS, BELOW, UNTOLD = accuracy(0.8), accuracy(0.7), accuracy(None)


@pytest.mark.parametrize(
    ("measurements", "answer"),
    [
        ([HOLDS], "holds"),
        ([HOLDS, BELOW], "falls_below"),
        # what falls below weighs more than what cannot be told
        ([UNTOLD, BELOW], "falls_below"),
        ([UNTOLD, HOLDS], "cannot_tell"),
        # nothing decides
        ([], "cannot_tell"),
    ],
)
def test_every_bound_that_pages_must_hold(measurements: list[Measurement], answer: Answer) -> None:
    assert ruling(lines_of([judge(ACCURACY, one) for one in measurements])) == answer


def test_a_bound_that_warns_is_shown_last_and_decides_nothing() -> None:
    drift = Measurement("drift", 0.9, 0.8, 1.0, 1000, column="temp")
    lines = lines_of(judge_all([DRIFT, ACCURACY], [drift, HOLDS]))

    assert [found.verdict.bound.metric for found in lines] == ["accuracy", "drift"]
    assert lines[1].answer == "falls_below"
    assert ruling(lines) == "holds"
    assert ruling(lines[1:]) == "cannot_tell"


@pytest.mark.parametrize(
    ("bound", "candidate", "champion", "standing"),
    [
        # clearly lower where high is good, clearly higher where low is
        (ACCURACY, accuracy(0.76, 0.755, 0.765), accuracy(0.8, 0.79, 0.81), "worse"),
        (ERROR, mae(11.0, 10.9, 11.1), mae(9.0, 8.9, 9.1), "worse"),
        (ACCURACY, accuracy(0.9, 0.89, 0.91), accuracy(0.8, 0.79, 0.81), "better"),
        # within chance
        (ACCURACY, accuracy(0.79, 0.77, 0.81), accuracy(0.8, 0.78, 0.82), "alike"),
        # nobody knows how far chance goes
        (ACCURACY, accuracy(0.76), accuracy(0.8, 0.79, 0.81), "unknown"),
        (ACCURACY, accuracy(0.76, 0.7, float("inf")), accuracy(0.8, 0.79, 0.81), "unknown"),
    ],
)
def test_the_candidate_is_worse_where_the_whole_difference_is(
    bound: Bound, candidate: Measurement, champion: Measurement, standing: Standing
) -> None:
    found = line(bound, candidate, champion)

    assert found.comparison is not None
    assert found.comparison.standing == standing
    assert ruling([found]) == ("falls_below" if standing == "worse" else "holds")


def test_worse_than_the_champion_in_what_only_warns_decides_nothing() -> None:
    warns = replace(ACCURACY, severity="warn")
    worse = line(warns, accuracy(0.76, 0.755, 0.765), accuracy(0.8, 0.79, 0.81))

    assert worse.is_worse
    assert ruling([line(ERROR, mae(9.0, 8.9, 9.1)), worse]) == "holds"


def test_nothing_is_compared_that_needs_no_outcome_or_that_the_champion_lacks() -> None:
    drift = Measurement("drift", 0.1, column="temp")

    assert line(DRIFT, drift, drift).comparison is None
    assert line(ACCURACY, HOLDS).comparison is None
    assert line(ACCURACY, HOLDS, UNTOLD).comparison is None
    assert line(ACCURACY, UNTOLD, HOLDS).comparison is None


ENDS = st.floats(0, 0.2)


@given(st.floats(0, 1), st.floats(0, 1), ENDS, ENDS, ENDS, ENDS)
def test_a_difference_is_wider_than_each_interval_and_turns_with_the_sides(
    one: float, other: float, down: float, up: float, other_down: float, other_up: float
) -> None:
    left, right = accuracy(one, one - down, one + up), accuracy(other, other - other_down, other + other_up)
    there, back = line(ACCURACY, left, right).comparison, line(ACCURACY, right, left).comparison

    assert there is not None
    assert back is not None
    assert there.low is not None
    assert there.high is not None
    assert back.low is not None
    assert there.high - there.low >= max(down + up, other_down + other_up) - 1e-9
    assert there.low <= there.difference <= there.high
    assert there.high == pytest.approx(-back.low)
