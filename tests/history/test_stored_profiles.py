"""Distributions out of the stored profiles: of a window, of an evaluation, next to the reference."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from checks.profile import Categories, Distribution, Layout, Numbers, Profile, Slice
from monitor.history import stored_profiles
from monitor.history.records import BaselineRecord, EvaluationRecord, ProfileRecord
from monitor.history.store import Store
from monitor.history.stored_profiles import TooManyBuckets, profile_of, profile_of_evaluation

DAY = timedelta(days=1)
START = datetime(2013, 7, 1, tzinfo=UTC)
WALL = datetime(2026, 1, 1, tzinfo=UTC)

LAYOUT = Layout({"temp": Numbers((0.0, 10.0), centre=5.0), "city": Categories(("Oslo", "Rome"))}, {"city": ("Oslo",)})


def a_profile(times: int) -> Profile:
    temp = Distribution((0, 2 * times, times), null=times, total=3.0 * times, squares=9.0 * times, low=1.0, high=12.0)
    city = Distribution((times, 2 * times, times))
    whole = Slice(4 * times, 3 * times, {"temp": temp, "city": city})
    return Profile(LAYOUT, {"": whole, "city=Oslo": Slice(times, times, {})})


def keep(store: Store, version: str = "v1", fingerprint: str = "f", days: int = 2) -> int:
    """A baseline with *days* stored days, and the evaluation over them."""
    baseline = BaselineRecord("flights", version, fingerprint, LAYOUT.to_bytes(), START, a_profile(100).to_bytes())
    kept = store.save_baseline(baseline)
    token = store.claim("flights", "me", WALL, DAY)
    assert token is not None
    with store.recording("flights", token, WALL) as recording:
        evaluation = recording.evaluation(EvaluationRecord(version, fingerprint, START, START + days * DAY, WALL))
        buckets = {
            START + day * DAY: ProfileRecord(
                START + (day + 1) * DAY, 4, 3, a_profile(day + 1).to_bytes(), WALL + day * DAY
            )
            for day in range(days)
        }
        recording.profiles(kept, buckets)
    store.give_back("flights", token)
    return evaluation


def test_a_window_is_told_as_the_distributions_of_its_columns(store: Store, engine: Engine) -> None:
    keep(store)

    told = profile_of(engine, "flights", START, START + 2 * DAY)
    assert told is not None
    assert (told.model, told.version, told.segment, told.start, told.end) == (
        "flights",
        "v1",
        "",
        START,
        START + 2 * DAY,
    )
    assert (told.buckets, told.rows, told.outcomes, told.read_at) == (2, 12, 9, WALL + DAY)
    temp, city = told.columns
    assert (temp.column, temp.kind, temp.edges, temp.values) == ("temp", "numbers", (0.0, 10.0), ())
    assert (temp.window.counts, temp.window.rows, temp.window.null) == ((0, 6, 3), 12, 3)
    assert (temp.window.mean, temp.window.low, temp.window.high) == (6.0, 1.0, 12.0)
    assert temp.reference is not None
    assert temp.reference.counts == (0, 200, 100)
    assert (city.kind, city.edges, city.values) == ("categories", (), ("Oslo", "Rome"))
    assert (city.window.counts, city.window.mean) == ((3, 6, 3), None)


def test_an_evaluation_is_told_by_its_window(store: Store, engine: Engine) -> None:
    evaluation = keep(store)

    assert profile_of_evaluation(engine, evaluation) == profile_of(engine, "flights", START, START + 2 * DAY)
    assert profile_of_evaluation(engine, evaluation + 1) is None


@pytest.mark.parametrize(
    ("asked", "columns"),
    [
        # One of the columns.
        ({"columns": ["city"]}, ["city"]),
        # A column that nobody knows.
        ({"columns": ["nothing"]}, []),
        # A segment whose columns are not looked at.
        ({"segment": "city=Oslo"}, []),
    ],
)
def test_columns_and_segments_are_picked(
    store: Store, engine: Engine, asked: dict[str, object], columns: list[str]
) -> None:
    keep(store)
    told = profile_of(engine, "flights", START, START + DAY, **asked)  # type: ignore[arg-type]  # a table of keyword arguments
    assert told is not None
    assert [each.column for each in told.columns] == columns


@pytest.mark.parametrize(
    ("model", "version", "start", "segment"),
    [
        # Nobody knows the model.
        ("nobody", None, START, ""),
        # Nor the version.
        ("flights", "v2", START, ""),
        # Nothing is stored of that time.
        ("flights", None, START + 9 * DAY, ""),
        # Nor of that segment.
        ("flights", None, START, "city=Bonn"),
    ],
)
def test_what_is_not_stored_is_none(
    store: Store, engine: Engine, model: str, version: str | None, start: datetime, segment: str
) -> None:
    keep(store)
    assert profile_of(engine, model, start, start + DAY, version, segment=segment) is None


def test_the_newest_version_that_has_rows_there_is_taken(store: Store, engine: Engine) -> None:
    keep(store, "v1", days=2)
    keep(store, "v2", days=1)

    first, both = (
        profile_of(engine, "flights", START, START + DAY),
        profile_of(engine, "flights", START + DAY, START + 2 * DAY),
    )
    assert first is not None
    assert both is not None
    assert (first.version, both.version) == ("v2", "v1")


def test_a_range_that_would_take_seconds_is_refused(
    store: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(store, days=3)
    monkeypatch.setattr(stored_profiles, "MOST_BUCKETS", 2)

    with pytest.raises(TooManyBuckets) as problem:
        profile_of(engine, "flights", START, START + 3 * DAY)
    assert str(problem.value) == (
        "This range holds more than 2 stored profiles; ask for a shorter one, such as up to 2013-07-03T00:00."
    )
