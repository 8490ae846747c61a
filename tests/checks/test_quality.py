"""What is wrong with rows is counted exactly, from the profiles where they can tell, else from the rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import binomtest

from checks.contract import CannotMeasure, Measurement, Window
from checks.profile import Categories, Distribution, Layout, Numbers
from checks.quality import Quality
from checks.statistics.quality import outside
from checks.statistics.shares import Share, interval
from checks.testing.rows import Row, distribution
from tests.checks.row_windows import arrow, on_engine, window_of, with_segment_columns

LAYOUT = Layout(
    {
        "size": Numbers((0.0, 1.0, 2.0)),
        "colour": Categories(("red", "blue")),
        "prediction": Categories(("0", "1")),
        "score": Numbers((0.25, 0.5)),
    },
    {"city": ("Oslo", "Bergen")},
)
TYPES = {"size": pa.float64(), "colour": pa.string(), "score": pa.float64(), "city": pa.string()}
REFERENCE: list[Row] = [
    {
        "size": place % 21 / 10,
        "colour": ("red", "blue")[place % 2],
        "prediction": place % 2,
        "score": place % 9 / 10,
        "city": "Oslo",
    }
    for place in range(200)
]
Key = tuple[str, str, str]


def found(window: Window, check: Quality | None = None) -> dict[Key, Measurement]:
    measured = [one for one in (check or Quality()).measure(window) if isinstance(one, Measurement)]
    return {(one.metric, one.column, one.segment): one for one in measured}


def rows(count: int, **columns: Sequence[object] | object) -> list[Row]:
    usual: Row = {"size": 1.0, "colour": "red", "prediction": 1, "score": 0.4, "city": "Oslo"}
    given = {name: value if isinstance(value, list) else [value] * count for name, value in columns.items()}
    return [{**usual, **{name: values[place] for name, values in given.items()}} for place in range(count)]


def value(column: str, metric: str, values: list[object], check: Quality | None = None) -> float | None:
    """The metric of a window of one day with these values in one column."""
    return found(window_of([rows(len(values), **{column: values})], LAYOUT, REFERENCE), check)[metric, column, ""].value


@pytest.mark.parametrize(
    ("column", "metric", "values", "expected"),
    [
        # null and NaN are missing, infinity is not
        ("size", "null_share", [None, math.nan, math.inf, 1.0], 0.5),
        # 2.0 is the greatest number of the reference, and inside; infinity is out, missing ones are not asked
        ("size", "out_of_range", [None, math.nan, math.inf, 2.0], 0.5),
        ("size", "out_of_range", [-0.5, -3.0, 0.5, 1.5], 0.5),
        # nothing but missing values has no share
        ("size", "out_of_range", [None, math.nan], None),
        # values the reference never had
        ("colour", "unseen_categories", ["red", "green", None, "blue"], 1 / 3),
        # a prediction is a class that is known; a null is none
        ("prediction", "invalid_predictions", [1, 0, None, 2], 0.5),
        # a score lies between 0 and 1, whatever the reference's least and greatest were
        ("score", "invalid_predictions", [0.95, 1.0, 0.0, math.nan], 0.25),
        ("score", "invalid_predictions", [-0.25, -0.25, None, None], 1.0),
    ],
)
def test_shares_are_those_of_the_rows(column: str, metric: str, values: list[object], expected: float | None) -> None:
    assert value(column, metric, values) == (expected if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("values", "allowed", "expected"),
    [
        (["red", "red", "blue", None], ("red",), 1 / 3),  # known but not allowed
        (["red", "green"], ("red", "blue"), 0.5),  # all that is allowed is told apart, so what is not is wrong
        (["red", "blue"], ("red", "green"), 0.5),  # green is not told apart, but there is no such row
    ],
)
def test_allowed_values_replace_those_of_the_reference(
    values: list[object], allowed: tuple[str, ...], expected: float
) -> None:
    check = Quality(allowed={"colour": allowed})
    assert value("colour", "unseen_categories", values, check) == pytest.approx(expected)


@pytest.mark.parametrize("engine", ["duckdb", "postgresql"])
def test_rows_are_asked_where_the_profile_cannot_tell(engine: str, request: pytest.FixtureRequest) -> None:
    """Limits inside a cell, and an allowed value that is not told apart; per day and per segment."""
    random = np.random.default_rng(3)
    days: list[list[Row]] = []
    for count in (40, 50, 0, 60):
        sizes = [None if size < -1.5 else float(size) for size in random.normal(1, 1, count)]
        colours = random.choice(["red", "green", "grey"], count).tolist()
        days.append(rows(count, size=sizes, colour=colours, city=random.choice(["Oslo", "Bergen"], count).tolist()))
    if engine == "duckdb":  # a NaN in a Python row
        days[0][0] = {**days[0][0], "size": math.nan}
    check = Quality(ranges={"size": (0.2, 1.7)}, allowed={"colour": ("red", "green")})
    every = [row for day in days for row in day]
    with on_engine(engine, request, arrow(days, TYPES)) as table:
        measured = found(with_segment_columns(window_of(days, LAYOUT, REFERENCE, table), days), check)
    for segment, part in (("", every), ("city=Oslo", [row for row in every if row["city"] == "Oslo"])):
        written = [float(str(row["size"])) for row in part if row["size"] is not None]
        there = [size for size in written if not math.isnan(size)]
        one = measured["out_of_range", "size", segment]
        assert one.detail["counted_from"] == "rows"
        assert one.value == pytest.approx(sum(not 0.2 <= size <= 1.7 for size in there) / len(there))
        assert one.rows == len(there)
        assert one.low is not None
        assert one.high is not None
        assert one.low < float(one.value or 0) < one.high
        unseen = measured["unseen_categories", "colour", segment]
        assert unseen.value == pytest.approx(sum(row["colour"] == "grey" for row in part) / len(part))


def test_without_rows_what_the_profile_cannot_tell_has_no_value() -> None:
    check = Quality(ranges={"size": (0.2, 1.7)})
    one = found(window_of([rows(3, size=[0.1, 0.5, 1.8])], LAYOUT, REFERENCE), check)["out_of_range", "size", ""]
    assert one.value is None
    assert one.detail["reason"] == "The profile cannot tell how many, and the rows are not there to be asked."


@given(
    st.lists(st.floats(-3, 3), max_size=20),
    st.tuples(st.floats(-3, 3), st.floats(-3, 3)).map(sorted),
    st.lists(st.floats(-3, 3), max_size=5, unique=True).map(sorted),
)
@settings(max_examples=300)
def test_cells_count_exactly_or_say_that_they_cannot(
    values: list[float], limits: list[float], edges: list[float]
) -> None:
    cells = Numbers(tuple(edges))
    counted = outside(cells, distribution(values, cells), limits=(limits[0], limits[1]))
    assert counted in {None, Share(sum(not limits[0] <= one <= limits[1] for one in values), len(values))}


def test_limits_around_everything_are_always_told_by_cells() -> None:
    cells = Numbers((0.0, 1.0))
    assert outside(cells, distribution([-5.0, 0.5, 7.0], cells), limits=(-5.0, 7.0)) == Share(0, 3)


def test_more_values_than_are_told_apart_are_not_called_new() -> None:
    reference = [*REFERENCE, {**REFERENCE[0], "colour": "rare"}]
    one = found(window_of([rows(2, colour=["red", "new"])], LAYOUT, reference))["unseen_categories", "colour", ""]
    assert one.value is None
    assert str(one.detail["reason"]).startswith("The reference has more values of 'colour' than the 1,000 told apart")


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        ("size", [1.0] * 50, 1.0),  # one number
        ("size", [1.0] * 49 + [1.1], 0.0),  # two numbers in one cell
        ("colour", ["red"] * 50, 1.0),
        ("colour", ["red"] * 50 + ["new"], 0.0),
        ("colour", ["red"] * 5, None),  # 1 in 32 by chance
        ("colour", ["new"] * 50, None),  # not told apart: may be several
        ("colour", [None] * 50, None),
    ],
)
def test_a_column_is_constant_where_chance_does_not_explain_it(
    column: str, values: list[object], expected: float | None
) -> None:
    assert value(column, "constant", values) == expected


def test_a_column_that_never_varied_is_not_constant_now() -> None:
    reference = [{**row, "colour": "red"} for row in REFERENCE]
    assert ("constant", "colour", "") not in found(window_of([rows(50)], LAYOUT, reference))


def test_a_column_that_vanished_on_one_day_has_changed() -> None:
    window = window_of([rows(10), rows(10)], LAYOUT, REFERENCE)
    whole = window.buckets[1].whole
    gone = replace(whole, columns={**whole.columns, "size": Distribution((0,) * 4, absent=10)})
    window = replace(window, buckets=(window.buckets[0], replace(window.buckets[1], slices={"": gone})))
    measured = found(window)
    assert measured["type_changed", "size", ""].value == 1.0
    assert measured["type_changed", "size", ""].detail == {"absent": 10, "was": "number"}
    assert measured["type_changed", "colour", ""].value == 0.0
    assert measured["null_share", "size", ""].value == 0.5


def test_the_health_of_the_log_is_told() -> None:
    window = window_of([rows(30, outcome=1)], LAYOUT, REFERENCE)
    window = replace(window, buckets=(replace(window.buckets[0], duplicate_predictions=10, orphan_outcomes=20),))
    measured = found(window)
    assert (measured["duplicate_predictions", "", ""].value, measured["duplicate_predictions", "", ""].rows) == (
        0.25,
        40,
    )
    assert (measured["orphan_outcomes", "", ""].value, measured["orphan_outcomes", "", ""].rows) == (0.4, 50)


def test_without_a_reference_what_needs_none_is_measured() -> None:
    measured = found(window_of([rows(10)], LAYOUT))
    assert {metric for metric, *_ in measured} == {
        *("null_share", "type_changed", "invalid_predictions", "duplicate_predictions", "orphan_outcomes"),
    }


def test_the_interval_of_one_bucket_is_wilsons() -> None:
    low, high, _ = interval([Share(7, 60)], 1, 0.95)
    expected = binomtest(7, 60).proportion_ci(method="wilson")
    assert [low, high] == pytest.approx([expected.low, expected.high])


def test_the_interval_of_days_is_the_jackknife_of_their_rows() -> None:
    from scipy.stats import t

    parts = [Share(5, 10), Share(1, 20), Share(30, 40), Share(0, 0)]
    held = np.array([(5, 10), (1, 20), (30, 40)])
    without = (36 - held[:, 0]) / (70 - held[:, 1])
    error = np.sqrt(2 / 3 * ((without - without.mean()) ** 2).sum())
    low, high, _ = interval(parts, 4, 0.9)
    assert low == pytest.approx(max(0.0, 36 / 70 - t.ppf(0.95, 2) * error))
    assert high == pytest.approx(min(1.0, 36 / 70 + t.ppf(0.95, 2) * error))


def test_parameters_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValidationError, match="the range of 'size' holds nothing: 2 is above 1"):
        Quality(ranges={"size": (2, 1)})
    with pytest.raises(
        CannotMeasure, match=r"ranges names 'colour', which is no column of numbers; there are: size, score\."
    ):
        found(window_of([rows(1)], LAYOUT), Quality(ranges={"colour": (0, 1)}))
