"""A bound that pages is judged by its days; every other keeps the verdict of its window."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from checks.contract import Measurement
from monitor.release.contract import Bound
from monitor.release.days import Day, Days
from monitor.release.paging import Daybook, judged_by_days
from monitor.release.verdict import Verdict, judge_all

DAY = timedelta(days=1)
END = datetime(2026, 6, 1, tzinfo=UTC)
AT_LEAST = Bound("accuracy", "accuracy", "", "min", 0.75, averages=True)
AT_MOST = Bound("mae", "mae", "", "max", 2.0, averages=True)


def days(newest: list[float], usual: float, spread: float = 0.03) -> Days:
    values = [usual + spread * (-1 if place % 2 else 1) for place in range(60)] + newest
    return Days(Day(END - (len(values) - place) * DAY, value, 500, 0.01) for place, value in enumerate(values))


def judged(
    newest: list[float],
    bound: Bound = AT_LEAST,
    window: Measurement | None = None,
    *,
    usual: float = 0.8,
    opened: int | None = None,
    fired: int = 0,
    others: int = 0,
) -> Verdict:
    """The verdict where the window itself holds, unless it is said what it measured; *opened* is so many days ago."""
    measured = window or Measurement(bound.metric, usual, usual - 0.02, usual + 0.02, 3500)
    key = (bound.metric, "", "")
    since = {} if opened is None else {(key, bound.side): END - opened * DAY}
    book = Daybook({key: days(newest, usual)}, since, fired, others=others)
    (verdict,) = judged_by_days(judge_all([bound], [measured]), book)
    return verdict


def test_a_collapse_of_one_day_pages_though_the_window_holds() -> None:
    verdict = judged([0.5])

    assert (verdict.state, verdict.reason, verdict.rows) == ("breach", "falls_below", 500)
    assert verdict.since == END - DAY
    assert verdict.sentence.startswith("accuracy over the last day 0.5 [")
    assert verdict.sentence.endswith("is below the promised 0.75, 500 rows.")


def test_a_maximum_is_broken_from_above() -> None:
    verdict = judged([2.4, 2.5, 2.4], AT_MOST, usual=1.5)

    assert (verdict.state, verdict.reason) == ("breach", "rises_above")
    assert "mae over the last 3 days 2.433 [" in verdict.sentence


def test_what_may_be_chance_is_watched() -> None:
    verdict = judged([0.69])

    assert (verdict.state, verdict.reason, verdict.clears) == ("ok", "watch", False)
    assert verdict.sentence.endswith("below the promised 0.75, which is suspicious but may be chance, 500 rows.")


def test_the_other_bounds_that_page_share_the_budget() -> None:
    assert judged([0.678]).reason == "falls_below"
    assert judged([0.678], others=9).reason == "watch"


def test_what_paged_lately_has_spent_of_the_budget() -> None:
    assert judged([0.67]).reason == "falls_below"
    assert judged([0.67], fired=2).reason == "watch"


@pytest.mark.parametrize(
    ("every", "reason"),
    [
        (timedelta(days=7), "falls_below"),
        (DAY, "falls_below"),
        (timedelta(hours=12), "watch"),  # two looks a day are two chances to be wrong
        (timedelta(hours=1), "watch"),
    ],
)
def test_windows_that_end_more_often_than_daily_ask_for_more_evidence(every: timedelta, reason: str) -> None:
    assert judged([0.683], replace(AT_LEAST, every=every)).reason == reason


def test_looks_within_a_day_are_over_nearly_the_same_rows_and_count_as_three() -> None:
    assert [replace(AT_LEAST, every=DAY / looks).looks for looks in (1, 2, 3, 4, 24)] == [1, 2, 3, 3, 3]


def test_an_alert_stays_until_the_days_since_are_clearly_back() -> None:
    after_a_week = judged([0.5, *[0.8] * 7], opened=7)
    after_a_month = judged([0.5, *[0.8] * 30], opened=30)

    assert (after_a_week.state, after_a_week.reason, after_a_week.clears) == ("ok", "not_back", False)
    assert "is not clearly back at the promised 0.75" in after_a_week.sentence
    assert (after_a_month.reason, after_a_month.clears) == ("holds", True)


BROKEN = Measurement("accuracy", 0.74, 0.735, 0.745, 3500)


@pytest.mark.parametrize(
    ("bound", "said"),
    [
        (AT_LEAST, "holds"),
        (replace(AT_LEAST, clear=0.82), "not_clear"),  # the days keep the promise, and end no alert
    ],
)
def test_a_window_that_seems_broken_but_whose_days_are_within_chance_does_not_page(bound: Bound, said: str) -> None:
    verdict = judged([0.8], bound, BROKEN, usual=0.78)

    assert (verdict.state, verdict.reason) == ("ok", said)


def test_days_below_the_promise_within_chance_are_not_said_to_hold() -> None:
    verdict = judged([], window=BROKEN, usual=0.7496)

    assert (verdict.state, verdict.reason) == ("ok", "inconclusive")
    assert "is below the promised 0.75, but its interval still reaches it" in verdict.sentence


def test_an_alert_ends_only_where_its_days_reach_clear() -> None:
    back = [0.5, *[0.8] * 30]

    assert judged(back, replace(AT_LEAST, clear=0.82), BROKEN, opened=30).reason == "not_clear"
    assert judged(back, replace(AT_LEAST, clear=0.78), BROKEN, opened=30).reason == "holds"


@pytest.mark.parametrize(
    "bound",
    [
        replace(AT_LEAST, severity="warn"),  # it wakes nobody
        replace(AT_LEAST, averages=False),  # its window is not the mean of its days
    ],
)
def test_other_bounds_keep_the_verdict_of_their_window(bound: Bound) -> None:
    window = Measurement("accuracy", 0.7, 0.68, 0.72, 3500)

    assert judged([0.5], bound, window) == judge_all([bound], [window])[0]
    assert judged([0.5], bound).reason == "holds"


@pytest.mark.parametrize(
    "window",
    [
        Measurement("accuracy", 0.7, None, None, 3500),  # exact: nothing about it is chance
        Measurement("accuracy", None, rows=0),  # nothing was measured
    ],
)
def test_what_is_exact_or_unknown_stays_so(window: Measurement) -> None:
    assert judged([0.8], window=window) == judge_all([AT_LEAST], [window])[0]


def test_days_too_few_to_tell_leave_the_verdict_to_the_window() -> None:
    window = Measurement("accuracy", 0.7, 0.68, 0.72, 3500)
    few = Daybook(days={("accuracy", "", ""): Days(days([0.5], 0.8).days[-20:])})

    assert judged_by_days(judge_all([AT_LEAST], [window]), few) == judge_all([AT_LEAST], [window])
    assert judged_by_days(judge_all([AT_LEAST], [window]), Daybook()) == judge_all([AT_LEAST], [window])
