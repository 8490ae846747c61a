"""Two samples are told apart where they differ together, and where nothing changed they are not."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks.multivariate_drift import START, Scene, drawn, measured
from checks.contract import CannotMeasure, Measurement, Roles, Window
from checks.multivariate_drift import MultivariateDrift
from checks.profile import Layout, Profile
from checks.statistics.domain import Placed, auc_of, interval, placements
from checks.statistics.scores import roc_auc_variance

PROFILE = Profile(Layout({}))
TIMED = Roles(time="at")


def window_of(before: pd.DataFrame, now: pd.DataFrame, roles: Roles = TIMED) -> Window:
    window = Window(START, START + pd.Timedelta(days=7), "binary", (PROFILE,), PROFILE, roles)
    return replace(window, load_sample=lambda _: now, load_reference_sample=lambda _: before)


def told(before: pd.DataFrame, now: pd.DataFrame, roles: Roles = TIMED) -> Measurement:
    (one,) = MultivariateDrift().measure(window_of(before, now, roles))
    assert isinstance(one, Measurement)
    return one


def test_a_broken_correlation_is_seen_though_every_column_is_as_before() -> None:
    """One run of the benchmark, at its full size."""
    one = measured(np.random.default_rng(1), Scene("", 1_000, 7, correlation=0.0))
    assert one.low is not None
    assert one.low > 0.55
    importance = one.detail["importance"]
    assert isinstance(importance, dict)
    assert set(list(importance)[:2]) == {"x0", "x1"}


def test_days_that_differ_as_days_do_are_told_apart_only_by_rows_of_the_same_days() -> None:
    """Held out by rows, the classifier recognises the days it has learned from; held out by days, it cannot."""
    random = np.random.default_rng(2)
    before, now = drawn(random, 600, 28, 1.0, 0.8), drawn(random, 300, 7, 1.0, 0.8)
    by_days, by_rows = told(before, now), told(before, now, Roles())
    assert by_days.low is not None
    assert by_days.low < 0.5
    assert by_rows.low is not None
    assert by_rows.low > 0.7
    assert "no days to compare" in str(by_rows.detail["interval"])


def test_the_same_rows_give_the_same_number() -> None:
    random = np.random.default_rng(4)
    before, now = (drawn(random, 150, 10, 0.0, 0.8)[["x0", "shop", "at"]] for _ in range(2))
    assert told(before, now) == told(before, now)


def test_a_new_category_and_nulls_tell_a_window() -> None:
    random = np.random.default_rng(5)
    before, now = (drawn(random, 300, 10, 0.0, 0.8)[["x0", "x3", "shop", "at"]] for _ in range(2))
    assert (told(before, now.assign(shop="new")).value or 0.0) > 0.95
    assert (told(before, now.assign(x3=np.nan)).value or 0.0) > 0.95


def test_the_area_is_scikit_learns_and_its_variance_delongs() -> None:
    random = np.random.default_rng(6)
    is_now = random.integers(0, 2, 500)
    scores = np.round(random.random(500) * 0.5 + is_now * 0.1, 2)  # with ties
    assert auc_of(scores, is_now) == pytest.approx(roc_auc_score(is_now, scores))
    sides = [[Placed(share, 1 / len(share), None)] for share in placements(scores, is_now)]
    auc, low, high = interval(sides, 0.95)
    counts = [np.bincount((scores[is_now == side] * 100).round().astype(int), minlength=1000) for side in (0, 1)]
    (variance,) = roc_auc_variance(*(np.array([held], dtype=float) for held in (counts[1], counts[0])))
    assert auc == pytest.approx(roc_auc_score(is_now, scores))
    assert (high - low) / 2 == pytest.approx(1.959964 * variance**0.5)


def test_days_as_draws_widen_the_interval() -> None:
    share, days = np.repeat([0.4, 0.6, 0.5, 0.7], 100), np.repeat(np.arange(4), 100)
    alone = interval([[Placed(share, 1 / 400, None)]] * 2, 0.95)
    by_day = interval([[Placed(share, 1 / 400, days)]] * 2, 0.95)
    assert by_day[2] - by_day[1] > 5 * (alone[2] - alone[1])


def test_roles_times_and_columns_of_another_kind_are_no_features() -> None:
    random = np.random.default_rng(7)
    before, now = drawn(random, 200, 10, 0.0, 0.8), drawn(random, 200, 10, 0.0, 0.8)
    before = before.assign(
        number=range(200),
        seen=before["at"],
        mixed=1.0,
        price=pd.Series([Decimal("1.5")] * 200, dtype=object),
        flag=True,
    )
    now = now.assign(
        number=range(900, 1100), seen=now["at"], mixed="a", price=1.5, flag=pd.Series([True, None] * 100, dtype=object)
    )
    one = told(before, now, Roles(id="number", time="at"))
    assert one.detail["features"] == 12  # the ten, price and flag
    named = told(before, now, Roles(time="at", features=("x0", "gone")))
    assert named.detail["features"] == 1


def test_too_little_to_learn_from_has_no_value() -> None:
    random = np.random.default_rng(8)
    before, now = drawn(random, 200, 10, 0.0, 0.8), drawn(random, 99, 7, 0.0, 0.8)
    one = told(before, now)
    assert one.value is None
    assert one.detail["reason"] == "The window has 99 rows and the reference 200; 100 of each are needed."
    assert told(before[["at"]], before[["at"]]).detail["reason"] == (
        "The window and the reference have no feature in common."
    )


def test_without_rows_it_cannot_be_measured() -> None:
    window = Window(START, START + pd.Timedelta(days=7), "binary", (PROFILE,), PROFILE)
    with pytest.raises(CannotMeasure, match="no sample of 5000 can be drawn"):
        list(MultivariateDrift().measure(window))
