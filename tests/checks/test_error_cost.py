"""The cost of errors: confusion counts times prices, per day."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.contract import CannotMeasure, Measurement, Window
from checks.error_cost import ErrorCost
from checks.profile import Layout, Profile, Slice

START = datetime(2024, 3, 4, tzinfo=UTC)
LAYOUT = Layout({})
COSTS = {"1": {"0": 5, "1": -1}, "0": {"1": 40.0}}
CHECK = ErrorCost.model_validate({"costs": COSTS})


def day(needless: int, missed: int, right: int = 0, rows: int | None = None) -> Profile:
    confusion = {("1", "0"): needless, ("0", "1"): missed, ("1", "1"): right, ("0", "0"): 50}
    labelled = sum(confusion.values())
    return Profile(LAYOUT, {"": Slice(rows or labelled, labelled, confusion=confusion)})


def measured(*buckets: Profile, length: float | None = None) -> Measurement:
    end = START + timedelta(days=len(buckets) if length is None else length)
    (found,) = CHECK.measure(Window(START, end, "binary", buckets))
    assert isinstance(found, Measurement)
    return found


def test_each_error_has_its_price() -> None:
    found = measured(day(2, 1, 10, rows=126), day(4, 0))
    assert found.value == (2 * 5 + 40 - 10 + 4 * 5) / 2
    assert found.rows == 117
    assert found.detail["label_share"] == 117 / 180


def test_the_interval_is_that_of_the_mean_of_days() -> None:
    found = measured(day(2, 0), day(4, 0), day(9, 0))
    spread = math.sqrt(sum((cost - 25) ** 2 for cost in (10, 20, 45)) / 2 / 3)
    assert found.value == 25
    assert (found.low, found.high) == pytest.approx((25 - 4.302653 * spread, 25 + 4.302653 * spread))


def test_an_hour_is_told_as_money_per_day_with_the_interval_of_independent_rows() -> None:
    found = measured(day(10, 0), length=1 / 24)
    spread = math.sqrt(60 / 59 * (250 - 50**2 / 60)) * 24 * 1.959964
    assert found.value == pytest.approx(50 * 24)
    assert (found.low, found.high) == pytest.approx((1200 - spread, 1200 + spread))


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), min_size=2, max_size=9))
def test_the_cost_lies_in_its_interval_and_adds_up(errors: list[tuple[int, int]]) -> None:
    found = measured(*(day(*one) for one in errors))
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert found.value * len(errors) == pytest.approx(sum(5 * one + 40 * other for one, other in errors))
    assert found.low - 1e-9 <= found.value <= found.high + 1e-9


def test_without_outcomes_prices_or_days_nothing_is_told() -> None:
    empty = Profile(LAYOUT, {"": Slice(9)})
    assert measured(empty, empty).value is None
    with pytest.raises(CannotMeasure, match="Errors have no price"):
        list(ErrorCost().measure(Window(START, START + timedelta(days=1), "binary", (day(1, 1),))))
    with pytest.raises(CannotMeasure, match="no cost per day"):
        measured(day(1, 1), length=0)


@pytest.mark.parametrize("costs", [{"1": 5}, {"1": {"0": "much"}}])
def test_prices_are_numbers_by_predicted_and_actual(costs: object) -> None:
    with pytest.raises(ValueError, match=r"write what is predicted|valid number"):
        ErrorCost.model_validate({"costs": costs})
