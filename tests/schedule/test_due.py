"""Which windows are due: a pure function of now, the plan and the history."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.history.records import BucketState, EvaluationState, WindowRecord
from monitor.schedule.due import DueWindow, due_windows, inputs_fingerprint, next_due_at
from monitor.schedule.plan import ANCHOR, Plan, tile_start, tiles

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
START = datetime(2026, 3, 2, tzinfo=UTC)
WEEKLY_EACH_DAY = Plan("7d each 1d", 7 * DAY, DAY, awaits_outcomes=False, checks=())
WITH_OUTCOMES = Plan("7d each 1d with outcomes", 7 * DAY, DAY, awaits_outcomes=True, checks=())


def due(
    now: datetime,
    plan: Plan = WEEKLY_EACH_DAY,
    *,
    newest: datetime | None = None,
    evaluated: Sequence[WindowRecord] = (),
    buckets: Mapping[datetime, BucketState] | None = None,
    outcome_delay: timedelta = timedelta(0),
    catch_up: timedelta = 7 * DAY,
) -> list[DueWindow]:
    return due_windows(
        now,
        plan,
        bucket=DAY,
        outcome_delay=outcome_delay,
        newest=max((each.end for each in evaluated), default=newest),
        evaluated=evaluated,
        buckets=buckets or {},
        earliest=START,
        catch_up=catch_up,
    )


def window(
    end: datetime, *, state: EvaluationState = "done", inputs: str = "", revision: int = 0, at: datetime = START
) -> WindowRecord:
    return WindowRecord(end - 7 * DAY, end, revision, inputs, state, at)


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        # Before the first tile after the start has ended, nothing is due.
        (START + 23 * HOUR, []),
        # At its very end it is.
        (START + DAY, [START + DAY]),
        # Each missed tile is due, oldest first.
        (START + 3 * DAY + HOUR, [START + DAY, START + 2 * DAY, START + 3 * DAY]),
    ],
)
def test_new_windows_end_with_each_tile(now: datetime, ends: list[datetime]) -> None:
    assert ends == [found.end for found in due(now)]


def test_a_plan_that_awaits_outcomes_is_due_only_when_they_are_in() -> None:
    early = due(START + DAY + 7 * HOUR, WITH_OUTCOMES, outcome_delay=8 * HOUR)
    late = due(START + DAY + 8 * HOUR, WITH_OUTCOMES, outcome_delay=8 * HOUR)

    assert early == []
    assert [(found.end, found.as_of) for found in late] == [(START + DAY, START + DAY + 8 * HOUR)]


def test_windows_too_old_to_catch_up_with_are_said_to_be_so_and_the_others_evaluated() -> None:
    found = due(START + 12 * DAY, evaluated=[window(START + DAY)], catch_up=7 * DAY)

    assert [each.reason for each in found] == ["too_old"] * 3 + ["new"] * 8


def test_after_a_long_stop_windows_go_on_from_the_newest_ever_evaluated() -> None:
    found = due(START + 60 * DAY, newest=START + 50 * DAY, catch_up=400 * DAY)

    assert [START + (51 + day) * DAY for day in range(10)] == [each.end for each in found]


def test_a_changed_bucket_makes_its_windows_due_as_a_new_revision() -> None:
    end = START + DAY
    inside = tiles(end - 7 * DAY, end, DAY)
    before = {at: BucketState(0, 100, 90, START) for at in inside}
    after = before | {inside[-1]: BucketState(1, 100, 95, START + DAY)}
    seen = inputs_fingerprint(WITH_OUTCOMES, DAY, end - 7 * DAY, end, before)

    unchanged = due(end, WITH_OUTCOMES, evaluated=[window(end, inputs=seen)], buckets=before)
    changed = due(end, WITH_OUTCOMES, evaluated=[window(end, inputs=seen)], buckets=after)

    assert unchanged == []
    assert [(found.reason, found.revision, found.as_of) for found in changed] == [("revision", 1, START + DAY)]


def test_late_outcomes_do_not_revise_what_does_not_look_at_outcomes() -> None:
    end = START + DAY
    inside = tiles(end - 7 * DAY, end, DAY)
    before = {at: BucketState(0, 100, 90, START) for at in inside}
    after = {at: BucketState(1, 100, 100, START + DAY) for at in inside}
    seen = inputs_fingerprint(WEEKLY_EACH_DAY, DAY, end - 7 * DAY, end, before)

    assert due(end, evaluated=[window(end, inputs=seen)], buckets=after) == []


def test_windows_whose_buckets_are_unknown_under_a_new_baseline_are_left_alone() -> None:
    assert due(START + DAY, evaluated=[window(START + DAY, inputs="something else")], buckets={}) == []


def test_a_failed_window_is_tried_again_with_growing_patience() -> None:
    at = START + DAY
    first = [window(at, state="failed", at=at)]
    later = [window(at, state="failed", at=at, revision=4)]

    assert due(at + timedelta(seconds=59), evaluated=first) == []
    assert [(found.reason, found.revision) for found in due(at + timedelta(minutes=1), evaluated=first)] == [
        ("retry", 1)
    ]
    assert due(at + timedelta(minutes=15), evaluated=later) == []
    assert [found.reason for found in due(at + timedelta(minutes=16), evaluated=later)] == ["retry"]


def test_a_window_that_waits_for_outcomes_is_looked_at_again_at_twice_its_age() -> None:
    end = START + DAY
    waiting = replace(window(end, at=end + 2 * DAY), provisional=True)
    looked_twice = replace(waiting, evaluated_at=end + 4 * DAY, revision=1)

    def again(now: datetime, one: WindowRecord) -> list[tuple[str, int, datetime]]:
        found = due(now, WITH_OUTCOMES, evaluated=[one], outcome_delay=30 * DAY)
        return [(each.reason, each.revision, each.as_of) for each in found]

    assert again(end + 4 * DAY - HOUR, waiting) == []
    assert again(end + 5 * DAY, waiting) == [("retry", 1, end + 4 * DAY)]
    assert again(end + 8 * DAY - HOUR, looked_twice) == []
    assert [reason for reason, _, _ in again(end + 8 * DAY, looked_twice)] == ["retry"]


def test_where_the_delay_became_shorter_nothing_is_judged_as_of_what_was_seen_before() -> None:
    seen = {START: BucketState(0, 100, 90, START + 20 * DAY)}

    found = due(START + 21 * DAY, WITH_OUTCOMES, newest=START + 10 * DAY, buckets=seen, outcome_delay=2 * DAY)

    assert [each.end for each in found] == [START + day * DAY for day in range(11, 20)]
    assert {each.reason for each in found} == {"new"}, "none is too old: they were not due before"
    assert [each.as_of for each in found] == [START + 20 * DAY] * 8 + [START + 21 * DAY]


@given(
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=40)),
    st.sampled_from([HOUR, 6 * HOUR, DAY, 7 * DAY]),
    st.integers(1, 5),
)
def test_windows_tile_the_line_without_gap_or_overlap(ahead: timedelta, every: timedelta, times: int) -> None:
    plan = Plan("p", every * times, every, awaits_outcomes=False, checks=())

    found = due(START + ahead, plan, catch_up=timedelta(days=400))

    assert all(each.end - each.start == plan.window for each in found)
    assert all(later.end - earlier.end == every for earlier, later in itertools.pairwise(found))
    assert all((each.end - ANCHOR) % every == timedelta(0) for each in found)
    assert all(each.end <= START + ahead for each in found)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=10)))
def test_nothing_is_due_before_next_due_at_and_something_is_then(ahead: timedelta) -> None:
    now = START + ahead
    done = [window(found.end) for found in due(now)]
    newest = max((each.end for each in done), default=None)

    upcoming = next_due_at(
        now, WEEKLY_EACH_DAY, outcome_delay=timedelta(0), newest=newest, evaluated=done, earliest=START
    )

    assert upcoming > now
    assert due(upcoming - timedelta(microseconds=1), evaluated=done) == []
    assert len(due(upcoming, evaluated=done)) == 1


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        # Days begin at midnight UTC.
        (DAY, datetime(2026, 11, 25, tzinfo=UTC)),
        # Weeks begin on Monday.
        (7 * DAY, datetime(2026, 11, 23, tzinfo=UTC)),
        (6 * HOUR, datetime(2026, 11, 25, 12, tzinfo=UTC)),
    ],
)
def test_tiles_start_where_people_expect(step: timedelta, expected: datetime) -> None:
    assert expected == tile_start(datetime(2026, 11, 25, 13, 30, tzinfo=UTC), step)
