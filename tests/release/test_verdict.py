"""A measurement and a bound become one of four verdicts, with a named reason and a sentence for people."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from checks.contract import Measurement
from monitor.release.contract import Bound
from monitor.release.maturity import Usual
from monitor.release.verdict import STATES, Facts, Failure, judge, judge_all

AT_LEAST = Bound("accuracy", "accuracy", "", "min", 0.728, version="2013-04", needs_outcomes=True)
AT_MOST = Bound("drift.*", "drift", "*", "max", 0.2, severity="warn")
OF_RELEASE = Bound("accuracy", "accuracy", "", "min", 0.95, of_release=True, version="2013-04")
IN_TIME = Bound("training_time", "training_time", "", "max", 14400.0, unit="seconds")
NAN, INF = math.nan, math.inf


def accuracy(
    value: float | None, low: float | None = None, high: float | None = None, rows: int = 18511
) -> Measurement:
    return Measurement("accuracy", value, low, high, rows)


def drift(
    value: float | None, low: float | None = None, high: float | None = None, column: str = "temp"
) -> Measurement:
    return Measurement("drift", value, low, high, 1000, column=column)


@pytest.mark.parametrize(
    ("bound", "measurement", "released", "reason", "sentence"),
    [
        # the whole interval is below
        (
            AT_LEAST,
            accuracy(0.668, 0.655, 0.681),
            0.781,
            "falls_below",
            "accuracy 0.668 [0.655, 0.681] is below the promised 0.728 (release 2013-04: 0.781), 18,511 rows.",
        ),
        # a number without interval is exact
        (AT_LEAST, accuracy(0.7), None, "falls_below", "accuracy 0.7 is below the promised 0.728, 18,511 rows."),
        # the interval still reaches the bound: suspicious, no breach
        (
            AT_LEAST,
            accuracy(0.72, 0.7, 0.74),
            0.781,
            "inconclusive",
            (
                "accuracy 0.72 [0.7, 0.74] is below the promised 0.728 (release 2013-04: 0.781), "
                "but its interval still reaches it, 18,511 rows."
            ),
        ),
        # ... also where it touches it
        (
            AT_LEAST,
            accuracy(0.72, 0.7, 0.728),
            None,
            "inconclusive",
            "accuracy 0.72 [0.7, 0.728] is below the promised 0.728, but its interval still reaches it, 18,511 rows.",
        ),
        # ... or has no end on that side
        (
            AT_LEAST,
            accuracy(0.6, 0.5, None),
            None,
            "inconclusive",
            "accuracy 0.6 [0.5, ∞] is below the promised 0.728, but its interval still reaches it, 18,511 rows.",
        ),
        (
            AT_LEAST,
            accuracy(0.6, -INF, INF),
            None,
            "inconclusive",
            ("accuracy 0.6 [-∞, ∞] is below the promised 0.728, but its interval still reaches it, 18,511 rows."),
        ),
        # on the bound is on the promised side
        (
            AT_LEAST,
            accuracy(0.728, 0.7, 0.75),
            0.781,
            "holds",
            "accuracy 0.728 [0.7, 0.75] is at least the promised 0.728 (release 2013-04: 0.781), 18,511 rows.",
        ),
        # on the promised side, however wide the interval
        (
            AT_LEAST,
            accuracy(0.8, 0.1, 0.9),
            None,
            "holds",
            "accuracy 0.8 [0.1, 0.9] is at least the promised 0.728, 18,511 rows.",
        ),
        # numbers that differ look different
        (
            AT_LEAST,
            accuracy(0.72799),
            None,
            "falls_below",
            "accuracy 0.72799 is below the promised 0.728, 18,511 rows.",
        ),
        # the other side
        (AT_MOST, drift(0.31), None, "rises_above", "drift.temp 0.31 is above the promised 0.2, 1,000 rows."),
        (
            AT_MOST,
            drift(0.31, 0.1, 0.5),
            None,
            "inconclusive",
            "drift.temp 0.31 [0.1, 0.5] is above the promised 0.2, but its interval still reaches it, 1,000 rows.",
        ),
        (
            AT_MOST,
            drift(0.31, 0.21, None),
            None,
            "rises_above",
            "drift.temp 0.31 [0.21, ∞] is above the promised 0.2, 1,000 rows.",
        ),
        (AT_MOST, drift(0.2), None, "holds", "drift.temp 0.2 is at most the promised 0.2, 1,000 rows."),
        # a share of the release's own value
        (
            OF_RELEASE,
            accuracy(0.7),
            0.8,
            "falls_below",
            "accuracy 0.7 is below the promised 0.76 (95 % of release 2013-04: 0.8), 18,511 rows.",
        ),
        (
            OF_RELEASE,
            accuracy(0.7),
            None,
            "no_release_value",
            "accuracy 0.7 cannot be held to 95 % of the release's own value: release 2013-04 has no value of its own.",
        ),
        (
            OF_RELEASE,
            accuracy(0.7),
            -0.2,
            "no_release_value",
            "accuracy 0.7 cannot be held to 95 % of the release's own value: release 2013-04 has -0.2 itself.",
        ),
        # seconds are written as durations
        (
            IN_TIME,
            Measurement("training_time", 20000.0, rows=1),
            None,
            "rises_above",
            "training_time 5h 33m 20s is above the promised 4h, 1 row.",
        ),
        # nothing to judge on
        (
            AT_LEAST,
            Measurement("accuracy", None),
            None,
            "outcomes_not_in",
            "accuracy cannot be judged yet: no outcome of this window is in.",
        ),
        # no number
        (
            AT_LEAST,
            accuracy(None),
            None,
            "cannot_tell",
            "accuracy cannot be told: the check gave no value on 18,511 rows.",
        ),
        (
            AT_LEAST,
            Measurement("accuracy", None, rows=9, detail={"reason": "one class only."}),
            None,
            "cannot_tell",
            "accuracy cannot be told on 9 rows: one class only.",
        ),
        # numbers that are none
        (
            AT_LEAST,
            accuracy(NAN),
            None,
            "cannot_tell",
            "accuracy cannot be told: the check gave not a number on 18,511 rows.",
        ),
        (
            AT_LEAST,
            accuracy(INF),
            None,
            "cannot_tell",
            "accuracy cannot be told: the check gave infinite on 18,511 rows.",
        ),
        (
            AT_LEAST,
            accuracy(0.9, NAN, 0.95),
            None,
            "cannot_tell",
            "accuracy cannot be told: the check gave 0.9 [not a number, 0.95] on 18,511 rows.",
        ),
    ],
)
def test_a_measurement_is_judged(
    bound: Bound, measurement: Measurement, released: float | None, reason: str, sentence: str
) -> None:
    verdict = judge(bound, measurement, released=released)
    assert (verdict.reason, verdict.sentence) == (reason, sentence)
    assert verdict.state == STATES[verdict.reason]
    assert verdict.clears == (reason == "holds")


@pytest.mark.parametrize(
    ("bound", "measurement", "released", "reason", "sentence"),
    [
        # short of where an alert ends
        (
            replace(AT_LEAST, clear=0.74),
            accuracy(0.73, 0.72, 0.75),
            0.781,
            "not_clear",
            (
                "accuracy 0.73 [0.72, 0.75] is at least the promised 0.728 (release 2013-04: 0.781), 18,511 rows, "
                "but short of 0.74, where an alert on it ends."
            ),
        ),
        # at the bound itself it keeps its promise
        (replace(AT_LEAST, clear=0.74), accuracy(0.728), None, "not_clear", None),
        # from there on it has cleared
        (replace(AT_LEAST, clear=0.74), accuracy(0.74), None, "holds", None),
        # of a max it is the other way round
        (replace(AT_MOST, clear=0.15), drift(0.151), None, "not_clear", None),
        (replace(AT_MOST, clear=0.15), drift(0.15), None, "holds", None),
        # a share of the release's own value, as its bound: 0.97 of 0.8 is 0.776
        (replace(OF_RELEASE, clear=0.97), accuracy(0.775), 0.8, "not_clear", None),
        (replace(OF_RELEASE, clear=0.97), accuracy(0.776), 0.8, "holds", None),
        # beyond the bound it plays no part
        (replace(AT_LEAST, clear=0.74), accuracy(0.72, 0.7, 0.75), None, "inconclusive", None),
        (replace(AT_LEAST, clear=0.74), accuracy(0.72), None, "falls_below", None),
    ],
)
def test_a_bound_may_say_where_an_alert_ends(
    bound: Bound, measurement: Measurement, released: float | None, reason: str, sentence: str | None
) -> None:
    verdict = judge(bound, measurement, released=released)
    assert (verdict.reason, verdict.clears) == (reason, reason == "holds")
    assert verdict.holds == (reason in {"holds", "not_clear"})
    assert sentence is None or verdict.sentence == sentence


FAILED = Failure("check_failed", "The check accuracy raised ValueError: oh.")
NO_SOURCE = Failure("source_failed", "predictions.parquet is gone.")


@pytest.mark.parametrize(
    ("failure", "facts", "reason", "sentence"),
    [
        # the check failed, or the source did
        (FAILED, Facts(5, 5), "check_failed", "accuracy was not measured: The check accuracy raised ValueError: oh."),
        (NO_SOURCE, Facts(), "source_failed", "accuracy was not measured: predictions.parquet is gone."),
        # rows, and no outcome yet
        (None, Facts(5, 0), "outcomes_not_in", "accuracy cannot be judged yet: no outcome of this window is in."),
        # no rows, so that there is no outcome to wait for
        (None, Facts(0, 0), "too_few_rows", "accuracy cannot be judged: the window holds no rows for it."),
        # rows, outcomes, and nothing yielded
        (None, Facts(5, 5), "not_measured", "accuracy was not measured: its check yielded no such number."),
        (None, Facts(), "not_measured", "accuracy was not measured: its check yielded no such number."),
    ],
)
def test_what_was_not_measured_is_judged_too(failure: Failure | None, facts: Facts, reason: str, sentence: str) -> None:
    verdict = judge(AT_LEAST, None, failure=failure, facts=facts)
    assert (verdict.reason, verdict.sentence, verdict.value) == (reason, sentence, None)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (Facts(100, 10, usual=Usual(0.9, 0.5)), "provisional"),
        (Facts(100, 44, usual=Usual(0.9, 0.5)), "provisional"),
        (Facts(100, 45, usual=Usual(0.9, 0.5)), "falls_below"),  # half of what is usual
        (Facts(100, 10, usual=Usual(0.1, 0.5)), "falls_below"),  # most predictions never get an outcome
        (Facts(100, 10), "falls_below"),  # nobody knows what is usual
    ],
)
def test_a_window_that_waits_for_most_of_its_outcomes_is_not_judged(facts: Facts, reason: str) -> None:
    assert judge(AT_LEAST, accuracy(0.1, 0.05, 0.15), facts=facts).reason == reason
    without = replace(AT_LEAST, needs_outcomes=False)
    assert judge(without, accuracy(0.1, 0.05, 0.15), facts=facts).reason == "falls_below"


def test_what_a_provisional_verdict_says() -> None:
    verdict = judge(AT_LEAST, accuracy(0.1, 0.05, 0.15), facts=Facts(1000, 118, usual=Usual(0.96, 0.5)))
    assert (verdict.state, verdict.sentence) == (
        "unknown",
        "accuracy cannot be judged yet: outcomes are in for 12 % of the window, and 96 % are usual.",
    )


def test_too_few_rows_are_unknown_however_bad_the_value() -> None:
    bound = Bound("accuracy", "accuracy", "", "min", 0.728, min_rows=50)
    verdict = judge(bound, accuracy(0.1, rows=49))
    assert (verdict.state, verdict.reason) == ("unknown", "too_few_rows")
    assert (
        verdict.sentence == "accuracy cannot be judged: it was measured on 49 rows, and at least 50 rows are asked for."
    )
    assert judge(bound, accuracy(0.1, rows=50)).state == "breach"


def test_a_segment_without_outcomes_has_too_few_rows_where_others_have_some() -> None:
    empty = Measurement("accuracy", None, segment="origin=EWR")
    assert judge(AT_LEAST, empty, facts=Facts(10, 7)).reason == "too_few_rows"
    assert judge(AT_LEAST, empty, facts=Facts(10, 0)).reason == "outcomes_not_in"
    assert judge(AT_LEAST, empty, facts=Facts(0, 0)).reason == "too_few_rows"


def test_numbers_that_are_none_are_not_kept() -> None:
    verdict = judge(AT_LEAST, accuracy(INF, -INF, NAN), released=NAN)
    assert (verdict.value, verdict.low, verdict.high, verdict.released) == (None, None, None, None)


SEGMENTED = Bound("accuracy", "accuracy", "", "min", 0.728, segments=("origin",))
MEASURED = (
    accuracy(0.8),
    Measurement("accuracy", 0.6, rows=10, segment="origin=EWR"),
    Measurement("accuracy", 0.9, rows=10, segment="carrier=UA"),
    drift(0.1, column="temp"),
    drift(0.3, column="humid"),
    Measurement("roc_auc", 0.5, rows=10),
)


def test_each_bound_judges_what_it_is_about() -> None:
    verdicts = judge_all(
        [SEGMENTED, AT_MOST], MEASURED, released={("accuracy", "", "origin=EWR"): 0.75}, rows=9, outcomes=9
    )
    found = [(one.bound.name, one.column, one.segment, one.state, one.released) for one in verdicts]
    assert found == [
        ("accuracy", "", "", "ok", None),
        ("accuracy", "", "origin=EWR", "breach", 0.75),
        ("drift.*", "temp", "", "ok", None),
        ("drift.*", "humid", "", "breach", None),
    ]


@pytest.mark.parametrize(
    ("bound", "column"),
    [
        # the whole is always due
        (SEGMENTED, ""),
        # one column that was not measured
        (Bound("drift.dest", "drift", "dest", "max", 0.2), "dest"),
        # no column was
        (Bound("bias.*", "bias", "*", "max", 0.2), "*"),
    ],
)
def test_a_bound_on_what_was_not_measured_is_an_error(bound: Bound, column: str) -> None:
    verdicts = judge_all([bound], MEASURED[1:], rows=9, outcomes=9)
    assert [(one.reason, one.column, one.segment) for one in verdicts][:1] == [("not_measured", column, "")]


OF_JFK = Bound("accuracy[origin=JFK]", "accuracy", "", "min", 0.7, segment="origin=JFK", needs_outcomes=True)


@pytest.mark.parametrize(
    ("measured", "rows", "reason"),
    [
        # it was measured
        ([Measurement("accuracy", 0.8, rows=9, segment="origin=JFK")], 9, "holds"),
        ([Measurement("accuracy", 0.6, rows=9, segment="origin=JFK")], 9, "falls_below"),
        # only others of its column were: it has no rows in this window
        ([Measurement("accuracy", 0.6, rows=9, segment="origin=EWR")], 9, "too_few_rows"),
        # no row at all
        ([Measurement("accuracy", None)], 0, "too_few_rows"),
        # the check does not measure segments of that column
        ([Measurement("accuracy", 0.6, rows=9, segment="carrier=AA")], 9, "not_measured"),
        ([Measurement("accuracy", 0.6, rows=9)], 9, "not_measured"),
    ],
)
def test_a_threshold_of_one_segment_has_one_verdict(measured: list[Measurement], rows: int, reason: str) -> None:
    (verdict,) = judge_all([OF_JFK], measured, rows=rows, outcomes=rows)
    assert (verdict.segment, verdict.reason) == ("origin=JFK", reason)
    assert verdict.sentence.startswith("accuracy [origin=JFK] ")


def test_a_failed_check_fails_the_thresholds_of_its_segments_too() -> None:
    (verdict,) = judge_all([OF_JFK], [], failures={"accuracy": "It took too long."}, rows=9, outcomes=9)
    assert (verdict.state, verdict.reason) == ("error", "check_failed")


def test_each_verdict_knows_how_many_numbers_were_compared_with_bounds_of_its_severity() -> None:
    late = Bound("training_time", "training_time", "", "max", 14400.0)
    verdicts = judge_all([SEGMENTED, late, AT_MOST], MEASURED, rows=9, outcomes=9)
    assert [(one.bound.name, one.state, one.comparisons) for one in verdicts] == [
        ("accuracy", "ok", 2),
        ("accuracy", "breach", 2),
        ("training_time", "error", 2),  # nothing was compared
        ("drift.*", "ok", 2),
        ("drift.*", "breach", 2),
    ]


def test_a_failed_check_costs_its_own_metrics_only() -> None:
    verdicts = judge_all([SEGMENTED, AT_MOST], MEASURED[3:], failures={"accuracy": "It took too long."})
    assert [(one.bound.name, one.reason) for one in verdicts] == [
        ("accuracy", "check_failed"),
        ("drift.*", "holds"),
        ("drift.*", "rises_above"),
    ]


def test_a_source_that_failed_costs_what_was_not_measured_before() -> None:
    verdicts = judge_all([SEGMENTED, AT_MOST], MEASURED[:1], source_failure="The file is gone.")
    assert [(one.bound.name, one.reason) for one in verdicts] == [("accuracy", "holds"), ("drift.*", "source_failed")]


shares = st.floats(0, 1)
anything = st.none() | st.floats(allow_nan=True, allow_infinity=True)
bounds = st.builds(
    Bound,
    name=st.just("accuracy"),
    metric=st.just("accuracy"),
    column=st.just(""),
    side=st.sampled_from(["min", "max"]),
    limit=st.floats(-10, 10),
    of_release=st.booleans(),
    min_rows=st.integers(1, 100),
    needs_outcomes=st.booleans(),
)
measurements = st.builds(
    Measurement,
    metric=st.just("accuracy"),
    value=anything,
    low=anything,
    high=anything,
    rows=st.integers(0, 200),
)


@given(bounds, measurements, anything)
def test_any_measurement_has_a_verdict_and_a_sentence(
    bound: Bound, measured: Measurement, released: float | None
) -> None:
    verdict = judge(bound, measured, released=released)
    assert verdict.sentence.startswith("accuracy ")
    assert verdict.sentence.endswith(".")
    if measured.value is None or not math.isfinite(measured.value):
        assert verdict.state == "unknown"


near = st.none() | st.floats(-20, 20)


@given(bounds, st.builds(replace, measurements, value=near, low=near, high=near), near)
def test_a_breach_means_that_nothing_of_the_interval_is_on_the_promised_side(
    bound: Bound, measured: Measurement, released: float | None
) -> None:
    verdict = judge(bound, measured, released=released)
    if verdict.state != "breach":
        return
    threshold = verdict.threshold
    assert threshold is not None
    end = measured.high if bound.side == "min" else measured.low
    for number in (measured.value, end):
        assert number is None or (number < threshold if bound.side == "min" else number > threshold)


@given(bounds, shares, shares, shares)
def test_a_better_value_never_has_a_worse_verdict(bound: Bound, one: float, other: float, width: float) -> None:
    assume(not bound.of_release)
    rank = {"falls_below": 0, "rises_above": 0, "inconclusive": 1, "holds": 2}
    better, worse = (max(one, other), min(one, other)) if bound.side == "min" else (min(one, other), max(one, other))
    ranks = [
        rank[judge(bound, Measurement("accuracy", value, value - width, value + width, 100)).reason]
        for value in (worse, better)
    ]
    assert ranks == sorted(ranks)


@given(bounds, shares, shares, st.integers(100, 10**9))
def test_a_number_on_enough_rows_is_never_unknown(bound: Bound, value: float, released: float, rows: int) -> None:
    verdict = judge(bound, Measurement("accuracy", value, None, None, rows), released=released)
    assert verdict.state in {"ok", "breach"}
    assert verdict.reason != "inconclusive"


@given(st.lists(bounds, max_size=4), st.lists(measurements, max_size=1))
def test_every_bound_has_a_verdict(several: list[Bound], measured: list[Measurement]) -> None:
    verdicts = judge_all(several, measured)
    assert [verdict.bound for verdict in verdicts] == several
