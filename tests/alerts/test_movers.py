"""What stands in a message about the segments and columns that moved."""

from __future__ import annotations

from dataclasses import replace

import pytest

from checks.contract import Measurement
from monitor.alerts.movers import Seen, movers
from monitor.alerts.story import _share
from tests.alerts.scenes import Model, drift, verdict


def accuracy(segment: str, value: float | None, spread: float = 0.01) -> Measurement:
    low, high = (None, None) if value is None else (value - spread, value + spread)
    return Measurement("accuracy", value, low, high, 400, segment)


def psi(column: str, value: float, segment: str = "") -> Measurement:
    return Measurement("drift", value, rows=400, segment=segment, column=column)


RELEASED = {("accuracy", "", f"origin={name}"): value for name, value in (("EWR", 0.77), ("JFK", 0.79), ("LGA", 0.61))}
[LEAD] = Model().see(1, verdict("breach")).alerts


def test_a_message_says_which_segments_are_worst_and_which_columns_moved_most() -> None:
    seen = Seen(
        (
            accuracy("", 0.668),
            accuracy("origin=JFK", 0.7),
            accuracy("origin=EWR", 0.612),
            accuracy("origin=LGA", 0.609),
            psi("wind", 0.05),
            psi("temp", 0.41),
            psi("carrier", 0.24),
        ),
        RELEASED,
        {("drift", "carrier", ""): 0.2},
    )
    [told] = Model().see(1, verdict("breach"), seen=seen).notifications
    assert told.message.movers.splitlines() == [
        "Worst segments: origin=EWR 0.612 (release 0.77), origin=JFK 0.7 (release 0.79)",
        "Moved most: carrier PSI 0.24 (at most 0.2), temp PSI 0.41, wind PSI 0.05",
    ]


@pytest.mark.parametrize(
    ("seen", "shown"),
    [
        # nothing was measured beside the lead
        (Seen(), ""),
        (Seen((accuracy("", 0.6),)), ""),
        # its interval still reaches what the release had: that may be chance
        (Seen((accuracy("origin=EWR", 0.75, 0.03),), RELEASED), ""),
        # it cannot tell
        (Seen((accuracy("origin=EWR", None),), RELEASED), ""),
        # the release has no value of the segment: what is promised of the whole counts
        (Seen((accuracy("origin=SFO", 0.6),), RELEASED), "Worst segments: origin=SFO 0.6 (promised 0.728)"),
        # another metric
        (Seen((replace(accuracy("origin=EWR", 0.1), metric="recall"),), RELEASED), ""),
        # columns that did not move, and those of a segment when the lead is about the whole
        (Seen((psi("temp", 0.0), psi("wind", 0.9, "origin=EWR"))), ""),
        # more than there is room for
        (
            Seen(tuple(psi(f"c{place}", 0.1 * place) for place in range(1, 6))),
            "Moved most: c5 PSI 0.5, c4 PSI 0.4, c3 PSI 0.3 and 2 more",
        ),
    ],
)
def test_only_what_was_measured_and_is_clearly_worse_is_shown(seen: Seen, shown: str) -> None:
    assert movers(LEAD, seen) == shown


def test_of_a_segment_its_own_columns_are_shown_and_of_a_drifted_column_the_others() -> None:
    seen = Seen((psi("temp", 0.9), psi("wind", 0.4, "origin=EWR"), accuracy("origin=JFK", 0.1)))
    assert movers(replace(LEAD, segment="origin=EWR"), seen) == "Moved most: wind PSI 0.4"
    [warned] = Model().see(1, drift("breach")).alerts
    assert movers(warned, Seen((psi("temp", 0.9), psi("wind", 0.4)))) == "Moved most: wind PSI 0.4"


def test_a_bound_from_above_is_passed_from_below() -> None:
    slow = replace(LEAD, metric="outcome_lag", side="max", threshold=7200.0, unit="seconds")
    lag = {("outcome_lag", "", "origin=EWR"): 3600.0}
    seen = Seen((Measurement("outcome_lag", 9000.0, 8000.0, 9900.0, 10, "origin=EWR"),), lag)
    assert movers(slow, seen) == "Worst segments: origin=EWR 2h 30m (release 1h)"


def test_nothing_moved_is_said_once_it_is_resolved() -> None:
    model = Model()
    seen = Seen((accuracy("origin=EWR", 0.612), psi("temp", 0.41)), RELEASED)
    model.see(1, verdict("breach"), seen=seen)
    [told] = model.see(2, verdict("holds"), seen=seen).notifications
    assert told.message.movers == ""


def test_rows_come_with_the_share_of_outcomes_that_are_in() -> None:
    [told] = Model().see(1, verdict("breach"), seen=Seen(rows=19_084, outcomes=18_511)).notifications
    rows = {field.label: field.text for field in told.message.fields}["Rows"]
    assert rows == "18,511; outcomes are in for 97 % of the window"


@pytest.mark.parametrize(
    ("part", "whole", "share"),
    [(0, 10, "0 %"), (1, 100_000, "<1 %"), (97, 100, "97 %"), (99_999, 100_000, ">99 %"), (10, 10, "100 %")],
)
def test_a_share_never_claims_all_or_nothing(part: int, whole: int, share: str) -> None:
    assert _share(part, whole) == share


def test_durations_are_written_as_durations() -> None:
    late = verdict("breach", 0.31 + 15_000, metric="training_time", unit="seconds", rows=0)
    [told] = Model().see(1, replace(late, threshold=14_400.0, low=None, high=None)).notifications
    fields = {field.label: field.text for field in told.message.fields}
    assert "training_time 4h 10m > 4h" in told.message.title
    assert fields["Promised"] == "at most 4h (release 2013-04)"
    assert "Rows" not in fields
