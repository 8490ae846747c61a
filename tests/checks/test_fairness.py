"""Gaps are those of scikit-learn's metrics on the rows, and their intervals allow for having looked for the worst."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn import metrics

from checks.contract import CannotMeasure, Measurement
from checks.fairness import Fairness
from checks.profile import Layout, Slice
from checks.statistics.comparison import Group, comparable, difference
from checks.statistics.samples import beside
from checks.testing.rows import Row
from tests.checks.row_windows import window_of

CITIES = ("Oslo", "Bergen", "Bodø", "Moss", "Hamar")
LAYOUT = Layout({}, {"city": CITIES})


def drawn(random: np.random.Generator, days: int, rows: int, right: Sequence[float]) -> list[list[Row]]:
    """Rows of the first cities, each with its chance that the prediction comes true."""
    found: list[list[Row]] = []
    for _ in range(days):
        said, city = random.integers(0, 2, rows), random.integers(0, len(right), rows)
        true = np.where(random.random(rows) < np.array(right)[city], said, 1 - said)
        found.append(
            [
                {"prediction": int(a), "outcome": int(b), "city": CITIES[c]}
                for a, b, c in zip(said, true, city, strict=True)
            ]
        )
    return found


def gaps(days: list[list[Row]], check: Fairness | None = None) -> dict[str, Measurement]:
    found = (check or Fairness()).measure(window_of(days, LAYOUT))
    return {one.column: one for one in found if isinstance(one, Measurement)}


def test_gaps_are_those_of_scikit_learns_metrics() -> None:
    days = drawn(np.random.default_rng(1), 5, 400, (0.9, 0.8, 0.6))
    values: dict[str, list[float]] = {"accuracy": [], "recall": [], "false_positive_rate": [], "selection_rate": []}
    for city in CITIES[:3]:
        own = [row for day in days for row in day if row["city"] == city]
        said, true = ([row[name] for row in own] for name in ("prediction", "outcome"))
        values["accuracy"].append(metrics.accuracy_score(true, said))
        values["recall"].append(metrics.recall_score(true, said))
        values["false_positive_rate"].append(1 - metrics.recall_score(true, said, pos_label=0))
        values["selection_rate"].append(float(np.mean(np.array(said) == 1)))
    found = gaps(days)
    assert {name: one.value for name, one in found.items()} == {
        f"{name}.city": pytest.approx(max(ones) - min(ones), abs=1e-12) for name, ones in values.items()
    }
    worst = found["accuracy.city"].detail
    assert worst["highest"] == {"city=Oslo": pytest.approx(values["accuracy"][0])}
    assert worst["lowest"] == {"city=Bodø": pytest.approx(values["accuracy"][2])}


def test_equal_groups_have_a_gap_and_an_interval_down_to_0() -> None:
    """The greatest of ten differences of five equal cities is never 0; its low end says more than 0 in at most 5 %."""
    random = np.random.default_rng(2)
    found = [
        gaps(drawn(random, 7, 800, (0.8,) * 5), Fairness(compare=("accuracy",)))["accuracy.city"] for _ in range(60)
    ]
    assert min(one.value or 0.0 for one in found) > 0.005
    assert sum(one.low is not None and one.low > 0 for one in found) <= 3


def test_a_true_gap_is_seen_and_inside_its_interval() -> None:
    random = np.random.default_rng(3)
    check = Fairness(compare=("accuracy",))
    found = [gaps(drawn(random, 14, 800, (0.9, 0.85, 0.7)), check)["accuracy.city"] for _ in range(30)]
    assert all(one.low is not None and one.low > 0.1 for one in found)
    assert sum(float(one.low or 0) <= 0.2 <= float(one.high or 0) for one in found) >= 28


def test_two_shares_of_one_bucket_have_newcombes_interval() -> None:
    """The example of Newcombe (1998), method 10: 56/70 and 48/80, difference 0.20 [0.0524, 0.3339]."""
    one, other = (
        [Slice(right + wrong, right + wrong, confusion={("1", "1"): right, ("0", "1"): wrong})]
        for right, wrong in ((56, 14), (48, 32))
    )
    first, second = map(Group, "ab", beside([one, other], lambda part: part.labelled))
    low, high, _ = difference(comparable("binary")["accuracy"], first, second, 1, 0.95)
    assert [low, high] == pytest.approx([0.0524, 0.3339], abs=5e-5)


def test_small_groups_are_left_out() -> None:
    days = drawn(np.random.default_rng(4), 3, 300, (0.9, 0.9))
    days[0] += [{"prediction": 1, "outcome": 0, "city": "Hamar"}] * 99
    found = gaps(days)["accuracy.city"]
    assert (found.value or 1.0) < 0.1
    assert found.detail["left_out"] == 3
    assert (gaps(days, Fairness(min_rows=99))["accuracy.city"].value or 0.0) > 0.8


def test_one_group_alone_has_no_gap() -> None:
    one = gaps(drawn(np.random.default_rng(5), 2, 200, (0.9,)))["accuracy.city"]
    assert one.value is None
    assert one.detail["reason"] == "Fewer than two values of 'city' have 100 rows with accuracy."


def test_what_is_unknown_is_refused_with_what_there_is() -> None:
    with pytest.raises(ValidationError, match="'acuracy' is no metric to compare by; there are: accuracy, "):
        Fairness(compare=("acuracy",))
    with pytest.raises(CannotMeasure, match=r"'mae' is not measured of binary models; there are: accuracy, "):
        gaps([[]], Fairness(compare=("mae",)))
    with pytest.raises(CannotMeasure, match=r"segments names 'town', which is no segment column; there are: city\."):
        gaps([[]], Fairness(segments=("town",)))
