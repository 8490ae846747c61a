"""Every check that is found measures the same on every engine: counts exactly, everything else to 1e-9.

The rows are hard: nulls, NaN, infinities, huge numbers, text that is easily broken, times at the edges of buckets,
repeated predictions, outcomes that are repeated, late, early, in the future, without a prediction or without a value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from checks.contract import CannotMeasure, Check, Measurement, Window
from checks.discovery import discover
from monitor.data.feed import Feed
from monitor.settings import ModelSettings, Population
from tests.data.logs import (
    DAY,
    Make,
    assert_equal_profiles,
    at,
    naive,
    outcome,
    prediction,
    reference_rows,
    small_model,
    tables,
    write,
)

DAYS = [at(day) for day in range(4)]
NOW = at(4.25)
NUMBERS = [None, math.nan, math.inf, -math.inf, 0.0, -0.0, 1e300, -1e300, 2.0**53 + 2, 1e-320, 7.0, 7.5]
TEXTS = ["red", "blue", "grün", None, "", "a'b", 'a"b', "a\\b", "\U0001f600", "NaN"]
INSTANT = timedelta(microseconds=300_000)


def hard_log() -> dict[str, pa.Table]:
    said = [
        prediction(
            f"p{place}",
            place / 30,
            x=NUMBERS[place % len(NUMBERS)],
            colour=TEXTS[place % len(TEXTS)],
            flag=(True, False, None)[place % 3],
            place=("N", "S", None, "elsewhere")[place % 4],
            score=(place % 23 / 22, None, math.nan)[place % 17 % 3 if place % 5 == 0 else 0],
            said=(0, 1, None)[place % 7 % 3],
        )
        for place in range(120)
    ]
    said += [prediction("p5", 5 / 30, x=99.0), prediction(None, 0.5), prediction("untimed", None)]
    edges = [("first", naive(1)), ("last", naive(1) - INSTANT), ("inside", naive(2) + INSTANT)]
    said += [prediction(name, 0) | {"at": moment} for name, moment in edges]
    true = [outcome(f"p{place}", place / 30 + (place % 9) / 8, place % 5 % 2) for place in range(0, 110, 1)]
    true += [outcome("p3", 1.5, 1), outcome("p4", 3.9, 0), outcome("p7", 9, 1), outcome("orphan", 2.5, 1)]
    true += [outcome("first", 0.9, 1), outcome("inside", 2.2, None), outcome(None, 2.2, 1), outcome("last", None, 1)]
    people = [
        {"who": f"p{place}", "place": ("N", "S", None)[place % 3], "day": naive(place / 30)} for place in range(150)
    ]
    kinds = pa.schema({"who": pa.string(), "place": pa.string(), "day": pa.timestamp("us")})
    return {**tables(said, true, reference_rows(90)), "people": pa.Table.from_pylist(people, kinds)}


def model() -> ModelSettings:
    said = small_model().predictions.model_copy(update={"entity": "id", "segments": ("place", "flag")})
    people = Population(source="people.parquet", entity="who", time="day")
    return small_model(predictions=said, population=people)


def window_of(feed: Feed) -> Window:
    """The whole log as one window."""
    baseline = feed.baseline(NOW)
    profiles = feed.profiles(baseline.layout, DAYS, NOW)
    return feed.window(DAYS[0], DAYS[-1] + DAY, NOW, [profiles[day] for day in DAYS], baseline.profile)


def measured(check: type[Check], window: Window) -> list[Measurement] | str:
    """What the check yields, or why it cannot."""
    try:
        found = [one for one in check().measure(window) if isinstance(one, Measurement)]
        return sorted(found, key=lambda one: (one.metric, one.column, one.segment))
    except CannotMeasure as problem:
        return str(problem)


def test_profiles_of_hard_rows_are_those_of_the_files(make: Make, tmp_path: Path) -> None:
    feed, files = make(model(), hard_log()), Feed(model(), tmp_path)
    here, there = files.baseline(NOW), feed.baseline(NOW)
    assert (here.layout, here.delay) == (there.layout, there.delay)
    assert here.profile is not None
    assert there.profile is not None
    assert_equal_profiles(here.profile, there.profile)
    assert files.counts(DAYS[0], NOW, NOW) == feed.counts(DAYS[0], NOW, NOW)
    expected = files.profiles(here.layout, DAYS, NOW)
    for day, profile in feed.profiles(here.layout, DAYS, NOW).items():
        assert_equal_profiles(profile, expected[day])
    files.close()


def test_the_rows_of_a_window_are_those_of_the_files(make: Make, tmp_path: Path) -> None:
    feed, files = make(model(), hard_log()), Feed(model(), tmp_path)
    here, there = (each.window(DAYS[0], NOW, NOW, [], None) for each in (files, feed))
    for name in ("table", "population"):
        one, other = (texts(getattr(each, name)) for each in (here, there))
        assert one == other, name
    assert here.newest == there.newest
    files.close()


def texts(table: Any) -> list[str]:
    """The rows of a table as text, for NaN is not NaN; -0.0 is 0.0."""
    rows = table.to_pyarrow().to_pylist()
    return sorted(repr({name: v + 0.0 if isinstance(v, float) else v for name, v in row.items()}) for row in rows)


def test_every_check_measures_what_it_measures_on_files(make: Make, tmp_path: Path) -> None:
    feed = make(model(), hard_log())
    write(tmp_path, hard_log())
    files = Feed(model(), tmp_path)
    here, there = window_of(files), window_of(feed)
    for kind, check in discover().items():
        assert_same(measured(check, here), measured(check, there), kind)
    files.close()


def assert_same(one: Any, other: Any, where: object) -> None:
    """Equal, numbers to 1e-9, through measurements, mappings and sequences."""
    if isinstance(one, Measurement):
        assert_same(vars_of(one), vars_of(other), (where, one.metric, one.column, one.segment))
    elif isinstance(one, float) and isinstance(other, float | int):
        assert one == pytest.approx(other, rel=1e-9, abs=1e-9, nan_ok=True), where
    elif isinstance(one, Mapping):
        assert set(one) == set(other), where
        for key, value in one.items():
            assert_same(value, other[key], (where, key))
    elif isinstance(one, Sequence) and not isinstance(one, str):
        assert len(one) == len(other), where
        for place, value in enumerate(one):
            assert_same(value, other[place], (where, place))
    else:
        assert one == other, where


def vars_of(one: Measurement) -> dict[str, object]:
    return {name: getattr(one, name) for name in one.__dataclass_fields__}
