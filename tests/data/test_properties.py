"""What holds for any log: profiles add up, and the cheap count agrees with them."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

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
QUICKLY = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


def profiles(model: Any, rows: list[Any], outcomes: list[Any], as_of: float) -> tuple[Feed, Any, Any]:
    with TemporaryDirectory() as folder:
        write(Path(folder), tables(rows, outcomes))
        feed = Feed(model, Path(folder))
        layout = feed.baseline(at(as_of)).layout
        found = feed.profiles(layout, [at(day) for day in range(4)], at(as_of))
        counts = feed.counts(at(0), at(4), at(as_of))
        feed.close()
    return feed, found, counts


@QUICKLY
@given(rows=PREDICTIONS, outcomes=OUTCOMES, as_of=st.floats(0, 7))
def test_counts_agree_with_profiles(rows: list[Any], outcomes: list[Any], as_of: float) -> None:
    _, found, counts = profiles(small_model(), rows, outcomes, as_of)
    for start, profile in found.items():
        counted = counts.get(start, BucketCount(0, 0))
        assert (profile.whole.rows, profile.whole.labelled) == (counted.rows, counted.outcomes)
        assert all(column.rows == counted.rows for column in profile.whole.columns.values())
        assert sum(profile.whole.confusion.values()) <= profile.whole.labelled
        in_segments = [part.rows for name, part in profile.slices.items() if name]
        assert sum(in_segments) == profile.whole.rows


@QUICKLY
@given(rows=PREDICTIONS, outcomes=OUTCOMES, split=st.integers(0, 25))
def test_profiles_of_two_halves_merge_to_that_of_the_whole(rows: list[Any], outcomes: list[Any], split: int) -> None:
    """With ids that no two rows share; a duplicate is one only where both of it are read."""
    rows = [row | {"id": f"u{place}"} for place, row in enumerate(rows)]
    outcomes = [one | {"id": f"u{place}"} for place, one in enumerate(outcomes[: len(rows)])]
    _, whole, _ = profiles(small_model(), rows, outcomes, 7)
    _, one, _ = profiles(small_model(), rows[:split], outcomes[:split], 7)
    _, other, _ = profiles(small_model(), rows[split:], outcomes[split:], 7)
    for start, profile in whole.items():
        assert_equal_profiles(profile, Profile.merge([one[start], other[start]]))
