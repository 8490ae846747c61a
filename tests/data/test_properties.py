"""What holds for any log: profiles add up, and the cheap count agrees with them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.profile import Profile
from monitor.data.feed import BucketCount, Feed
from tests.data.logs import assert_equal_profiles, at, outcome, prediction, small_model, tables, write

NAMES = st.sampled_from([f"p{place}" for place in range(12)])
DAYS = st.floats(0, 3.999, allow_nan=False)
PREDICTIONS = st.lists(
    st.builds(
        prediction,
        NAMES | st.none(),
        DAYS,
        x=st.none() | st.floats(),
        colour=st.none() | st.sampled_from(["red", "blue", ""]),
        place=st.none() | st.sampled_from("NSX"),
        score=st.none() | st.floats(-0.5, 1.5) | st.just(float("nan")),
        said=st.none() | st.integers(0, 2),
    ),
    max_size=25,
)
OUTCOMES = st.lists(
    st.builds(outcome, NAMES | st.none(), st.none() | st.floats(-2, 6), st.none() | st.integers(0, 1)), max_size=25
)
QUICKLY = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))


class Warm:
    """One feed over files that change under it, as in a worker process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        write(folder, tables([], []))
        self._feed = Feed(small_model(), folder)
        self._layout = self._feed.baseline(at(0)).layout

    def read(
        self, rows: list[Any], outcomes: list[Any], as_of: float
    ) -> tuple[dict[datetime, Profile], dict[datetime, BucketCount]]:
        write(self._folder, tables(rows, outcomes))
        found = self._feed.profiles(self._layout, [at(day) for day in range(4)], at(as_of))
        return found, self._feed.counts(at(0), at(4), at(as_of))

    def close(self) -> None:
        self._feed.close()


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    warm = Warm(tmp_path_factory.mktemp("log"))
    yield warm
    warm.close()


@QUICKLY
@given(rows=PREDICTIONS, outcomes=OUTCOMES, as_of=st.floats(0, 7))
def test_counts_agree_with_profiles(warm: Warm, rows: list[Any], outcomes: list[Any], as_of: float) -> None:
    found, counts = warm.read(rows, outcomes, as_of)
    for start, profile in found.items():
        counted = counts.get(start, BucketCount(0, 0))
        assert (profile.whole.rows, profile.whole.labelled) == (counted.rows, counted.outcomes)
        assert all(column.rows == counted.rows for column in profile.whole.columns.values())
        assert sum(profile.whole.confusion.values()) <= profile.whole.labelled
        assert sum(part.rows for name, part in profile.slices.items() if name) == profile.whole.rows


@QUICKLY
@given(rows=PREDICTIONS, outcomes=OUTCOMES, split=st.integers(0, 25))
def test_profiles_of_two_halves_merge_to_that_of_the_whole(
    warm: Warm, rows: list[Any], outcomes: list[Any], split: int
) -> None:
    """With ids that no two rows share; a duplicate is one only where both of it are read."""
    rows = [row | {"id": f"u{place}"} for place, row in enumerate(rows)]
    outcomes = [one | {"id": f"u{place}"} for place, one in enumerate(outcomes[: len(rows)])]
    whole, _ = warm.read(rows, outcomes, 7)
    one, _ = warm.read(rows[:split], outcomes[:split], 7)
    other, _ = warm.read(rows[split:], outcomes[split:], 7)
    for start, profile in whole.items():
        assert_equal_profiles(profile, Profile.merge([one[start], other[start]]))
