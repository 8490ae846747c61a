"""Outcome lag: quantiles of counts, the ratio to the reference, and the share of rows with an outcome."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.contract import Measurement, Window
from checks.outcome_lag import OutcomeLag
from checks.profile import LAG_EDGES, Layout, Profile, Slice
from checks.statistics.histograms import quantile

END = datetime(2024, 3, 4, tzinfo=UTC)
LAYOUT = Layout({})
HOUR = 3600.0


def lags(*seconds: float) -> tuple[int, ...]:
    """Counts as a profile holds them."""
    places = np.searchsorted(LAG_EDGES, seconds, side="right")
    return tuple(int(count) for count in np.bincount(places, minlength=len(LAG_EDGES) + 1))


def measured(live: Profile, reference: Profile | None = None, share: float = 0.5) -> dict[str, Measurement]:
    window = Window(END - timedelta(days=1), END, "binary", (live,), reference)
    return {one.metric + one.segment: one for one in OutcomeLag(quantile=share).measure(window)}


def profile(*seconds: float, rows: int = 10, labelled: int = 8) -> Profile:
    slices = {"": Slice(rows, labelled), "city=Oslo": Slice(4, 1), "city=Bergen": Slice()}
    return Profile(LAYOUT, slices, lags=lags(*seconds))


def test_the_lag_is_compared_with_the_reference() -> None:
    found = measured(profile(*[5 * HOUR] * 100), profile(*[2.5 * HOUR] * 50))
    assert found["outcome_lag"].value == pytest.approx(5 * HOUR, abs=HOUR)
    assert found["outcome_lag_change"].value == pytest.approx(2, abs=0.4)
    assert found["outcome_lag"].rows == 100
    assert "reason" not in found["outcome_lag"].detail


def test_the_share_of_labels_is_told_for_each_segment() -> None:
    found = measured(profile())
    assert (found["label_share"].value, found["label_sharecity=Oslo"].value) == (0.8, 0.25)
    assert found["label_sharecity=Bergen"].value is None


def test_without_lags_there_is_a_reason() -> None:
    nothing = measured(profile(), profile(HOUR))
    assert nothing["outcome_lag"].value is nothing["outcome_lag_change"].value is None
    without_reference = measured(profile(HOUR))["outcome_lag_change"]
    assert without_reference.detail["reason"] == (
        "No outcome of a reference tells how late outcomes came when the model was released."
    )
    assert "reason" not in measured(profile(HOUR))["outcome_lag"].detail


@given(st.lists(st.floats(0, 4e7), min_size=1, max_size=60), st.floats(0.01, 0.99))
def test_a_quantile_of_counts_lies_in_the_cell_of_the_sample_quantile(seconds: list[float], share: float) -> None:
    found = quantile(lags(*seconds), LAG_EDGES, share)
    exact = float(np.quantile(seconds, share, method="inverted_cdf"))
    ends = [0.0, *LAG_EDGES]
    cell = int(np.searchsorted(LAG_EDGES, exact, side="right"))
    assert found is not None
    assert ends[cell] <= found <= ([*ends, ends[-1]])[cell + 1] * (1 + 1e-12)
