"""Uplifts are differences of the rows' metrics and means, their intervals hold what they say, and splits are tested."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats
from sklearn import metrics

from checks.contract import CannotMeasure, Measurement, Window
from checks.experiment import Experiment
from checks.profile import Errors, Layout, Slice
from checks.statistics.comparison import Group
from checks.statistics.samples import beside
from checks.statistics.uplifts import compared, mean_of, split_chance
from checks.testing.rows import Row
from tests.checks.row_windows import arrow, on_engine, window_of

LAYOUT = Layout({}, {"city": ("A", "B")})
"""The variant is the column city, for that is the segment of the rows."""

ARMS = Experiment(variant="city", compare=("accuracy", "recall"))
TYPES = {"city": pa.string(), "revenue": pa.float64()}


def drawn(random: np.random.Generator, days: int, rows: int, right: tuple[float, float]) -> list[list[Row]]:
    """Rows of both arms with the chance that their prediction comes true; days differ, for both arms alike."""
    found: list[list[Row]] = []
    for _ in range(days):
        arm, said, day = random.integers(0, 2, rows), random.integers(0, 2, rows), random.normal(0, 0.05)
        true = np.where(random.random(rows) < np.array(right)[arm] + day, said, 1 - said)
        revenue = random.normal(10 + arm + 20 * day, 3)
        found.append(
            [
                {"prediction": int(a), "outcome": int(b), "city": "AB"[c], "revenue": float(d)}
                for a, b, c, d in zip(said, true, arm, revenue, strict=True)
            ]
        )
    return found


def found(window: Window, check: Experiment = ARMS) -> dict[tuple[str, str], Measurement]:
    return {(one.metric, one.column): one for one in check.measure(window) if isinstance(one, Measurement)}


def of_arm(days: Sequence[Sequence[Row]], arm: str, name: str) -> list[float]:
    return [float(str(row[name])) for day in days for row in day if row["city"] == arm and row[name] is not None]


def test_uplifts_are_differences_of_scikit_learns_metrics() -> None:
    days = drawn(np.random.default_rng(1), 6, 300, (0.7, 0.8))
    measured = found(window_of(days, LAYOUT))
    for name, metric in (("accuracy", metrics.accuracy_score), ("recall", metrics.recall_score)):
        champion, challenger = (metric(of_arm(days, arm, "outcome"), of_arm(days, arm, "prediction")) for arm in "AB")
        assert measured["uplift", name].value == pytest.approx(challenger - champion, abs=1e-12)
        assert measured["relative_uplift", name].value == pytest.approx((challenger - champion) / champion, abs=1e-12)
        assert measured["uplift", name].detail["champion"] == pytest.approx(champion)


@pytest.mark.parametrize("engine", ["duckdb", "postgresql"])
def test_the_mean_of_a_kpi_is_that_of_its_rows(engine: str, request: pytest.FixtureRequest) -> None:
    days = drawn(np.random.default_rng(2), 5, 200, (0.7, 0.7))
    days[0][0] = {**days[0][0], "revenue": None}
    check = Experiment(variant="city", compare=("accuracy",), kpi="revenue")
    with on_engine(engine, request, arrow(days, TYPES)) as table:
        measured = found(window_of(days, LAYOUT, table=table), check)
    champion, challenger = (np.mean(of_arm(days, arm, "revenue")) for arm in "AB")
    one, relative = measured["uplift", "revenue"], measured["relative_uplift", "revenue"]
    assert one.value == pytest.approx(challenger - champion)
    assert relative.value == pytest.approx((challenger - champion) / champion)
    assert one.rows == len(of_arm(days, "B", "revenue"))
    without = []
    for place in range(5):
        rest = [day for other, day in enumerate(days) if other != place]
        without.append(np.mean(of_arm(rest, "B", "revenue")) - np.mean(of_arm(rest, "A", "revenue")))
    half = stats.t.ppf(0.975, 4) * math.sqrt(4 / 5 * np.sum((np.array(without) - np.mean(without)) ** 2))
    welch = 1.96 * math.sqrt(sum(np.var(of_arm(days, arm, "revenue")) / 500 for arm in "AB"))
    assert (one.high or 0.0) - (one.value or 0.0) == pytest.approx(max(half, welch), rel=0.03)


def test_without_rows_the_rest_is_still_measured() -> None:
    days = drawn(np.random.default_rng(3), 3, 100, (0.7, 0.7))
    measured = found(window_of(days, LAYOUT), Experiment(variant="city", compare=("accuracy",), kpi="revenue"))
    assert measured["uplift", "accuracy"].value is not None
    assert measured["uplift", "revenue"].value is None
    assert str(measured["uplift", "revenue"].detail["reason"]).startswith("This window was built without its rows")


def test_intervals_hold_the_true_uplift_as_often_as_they_say() -> None:
    """Days move both arms together, so their difference is surer than either; 100 windows of 10 days."""
    random, inside, widths = np.random.default_rng(4), 0, []
    for _ in range(100):
        one = found(window_of(drawn(random, 10, 200, (0.7, 0.75)), LAYOUT))["uplift", "accuracy"]
        assert one.low is not None
        assert one.high is not None
        inside += one.low <= 0.05 <= one.high
        widths.append(one.high - one.low)
    assert inside >= 92
    assert np.mean(widths) < 0.12


def _means(value: float, spread: float, rows: int) -> Group:
    errors = Errors(rows=rows, error=value * rows, squared=(value**2 + spread**2) * rows)
    (of,) = beside([[Slice(rows, rows, errors=errors)]], lambda part: part.labelled)
    return Group("", of)


def test_one_bucket_has_the_interval_of_independent_rows() -> None:
    told = compared(mean_of("revenue"), _means(11, 3, 900), _means(10, 4, 800), 1, 0.95)
    half = stats.norm.ppf(0.975) * math.sqrt(9 / 899 + 16 / 799)
    assert [told.absolute.low, told.absolute.high] == pytest.approx([1 - half, 1 + half])
    # of a ratio, Fieller's interval is known: where |11 - r 10| = 1.96 √(v₁ + r² v₂)
    ends = np.roots([100 - 1.96**2 * 16 / 799, -220, 121 - 1.96**2 * 9 / 899]) - 1
    assert [told.relative.low, told.relative.high] == pytest.approx(sorted(ends), abs=1e-4)


def test_a_share_of_nothing_is_none_and_one_of_a_doubtful_number_is_open() -> None:
    none = compared(mean_of("revenue"), _means(1, 1, 50), _means(0, 1, 50), 1, 0.95)
    assert none.relative.value is None
    assert none.absolute.value == 1
    doubtful = compared(mean_of("revenue"), _means(1, 1, 50), _means(0.1, 1, 50), 1, 0.95)
    assert (doubtful.relative.low, doubtful.relative.high) == (-math.inf, math.inf)


@pytest.mark.parametrize(("challenger", "rows", "share"), [(480, 1000, 0.5), (100, 1000, 0.1), (900, 10_000, 0.1)])
def test_the_chance_of_a_split_is_scipys(challenger: int, rows: int, share: float) -> None:
    expected = stats.chisquare([challenger, rows - challenger], [rows * share, rows * (1 - share)]).pvalue
    assert split_chance(challenger, rows, share) == pytest.approx(expected, rel=1e-9)


def test_a_split_other_than_planned_is_told() -> None:
    days = drawn(np.random.default_rng(5), 4, 500, (0.7, 0.7))
    fair = found(window_of(days, LAYOUT))["sample_ratio", ""]
    assert (fair.value or 0.0) > 0.001
    lost = [[row for place, row in enumerate(day) if row["city"] == "A" or place % 4] for day in days]
    assert (found(window_of(lost, LAYOUT))["sample_ratio", ""].value or 1.0) < 0.001


def test_a_variant_without_rows_has_no_uplift() -> None:
    days = [[row for row in day if row["city"] == "A"] for day in drawn(np.random.default_rng(6), 2, 100, (0.7, 0.7))]
    one = found(window_of(days, LAYOUT))["uplift", "accuracy"]
    assert one.value is None
    assert one.detail["reason"] == "city=B: No row has both a usable prediction and an outcome."


def test_nothing_is_measured_without_a_variant_and_an_unknown_one_is_refused() -> None:
    window = window_of([[]], LAYOUT)
    assert found(window, Experiment()) == {}
    with pytest.raises(CannotMeasure, match=r"'arm' is no segment column; add it to predictions\.segments\."):
        found(window, Experiment(variant="arm"))
