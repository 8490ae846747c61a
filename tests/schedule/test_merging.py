"""Merges of buckets are kept from one window to the next, and never taken for those of other buckets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from checks.contract import Window
from checks.parts import parts_of
from checks.profile import ALL, Layout, Numbers, Profile, Slice
from monitor.schedule.merging import Buckets, Merges

LAYOUT = Layout({"x": Numbers((0.0, 1.0))})
START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def bucket(rows: int, layout: Layout = LAYOUT) -> bytes:
    return Profile(layout, {ALL: Slice(rows)}).to_bytes()


def rows_of(merged: tuple[Profile, ...]) -> list[int]:
    return [profile.whole.rows for profile in merged]


def test_a_window_is_that_of_its_buckets_with_or_without_merges_at_hand() -> None:
    data = [bucket(rows) for rows in range(60)]
    end = START + 60 * HOUR
    merged = Merges().parts("hourly", LAYOUT, parts_of(START, end, data))
    plain = Window(START, end, "binary", tuple(Buckets(LAYOUT, data)))

    assert Window(START, end, "binary", Buckets(LAYOUT, data), merged=merged).parts == plain.parts
    assert rows_of(plain.parts) == [sum(range(24)), sum(range(24, 48)), sum(range(48, 60))]
    assert plain.live.whole.rows == sum(range(60))


def test_a_bucket_that_changed_is_merged_anew() -> None:
    merges = Merges()
    assert rows_of(merges.parts("hourly", LAYOUT, [[bucket(1), bucket(2)], [bucket(3)]])) == [3, 3]
    assert rows_of(merges.parts("hourly", LAYOUT, [[bucket(1), bucket(5)], [bucket(3)]])) == [6, 3]
    assert rows_of(merges.parts("hourly", LAYOUT, [[bucket(1)], [bucket(5), bucket(3)]])) == [1, 8]


def test_what_another_plan_has_merged_is_not_merged_again() -> None:
    merges, day = Merges(), [bucket(1), bucket(2)]
    merges.parts("hourly", LAYOUT, [day])
    [key] = merges.kept["hourly"]
    merges.kept["hourly"][key] = bucket(77)

    assert rows_of(merges.parts("daily", LAYOUT, [day])) == [77]


def test_a_layout_with_other_edges_has_merges_of_its_own() -> None:
    merges, other = Merges(), Layout({"x": Numbers((0.0, 2.0))})
    merges.parts("hourly", LAYOUT, [[bucket(1), bucket(2)]])
    [merged] = merges.parts("hourly", other, [[bucket(1, other), bucket(2, other)]])
    assert merged.layout == other


def test_only_the_newest_window_of_a_plan_is_kept() -> None:
    merges = Merges()
    for first in range(50):
        merges.parts("hourly", LAYOUT, [[bucket(first), bucket(first + 1)], [bucket(first + 2)]])
    assert len(merges.kept["hourly"]) == 2


def test_buckets_are_decoded_one_by_one_and_in_slices() -> None:
    buckets = Buckets(LAYOUT, [bucket(rows) for rows in range(4)])
    assert [one.whole.rows for one in buckets] == [0, 1, 2, 3]
    assert [one.whole.rows for one in buckets[1:3]] == [1, 2]
    assert (len(buckets), buckets[-1].whole.rows) == (4, 3)
