"""What a model said, brought into one form: several scores, intervals, fallbacks, segments; on each engine."""

from __future__ import annotations

import math
from typing import Any

import pyarrow as pa
import pytest

from checks.profile import ALL, SCORE_BINS, Categories, Distribution, Errors, Profile
from monitor.data.rows import classes_of
from monitor.settings import ModelSettings, Outcomes, Predictions, Reference, Share, Threshold
from tests.data.logs import Make, Tables, at, naive, outcome, prediction, small_model, tables

DAY = 0.5


def profiled(make: Make, model: ModelSettings, given: Tables) -> Profile:
    feed = make(model, given)
    layout = feed.baseline(at(5)).layout
    return feed.profiles(layout, [at(0)], at(5))[at(0)]


def with_columns(table: pa.Table, columns: dict[str, pa.DataType], rows: list[dict[str, Any]]) -> pa.Table:
    """*table* with further columns, whose values are in *rows*."""
    for name, kind in columns.items():
        table = table.append_column(name, pa.array([row.get(name) for row in rows], kind))
    return table


def several_scores(prediction_column: str | None) -> ModelSettings:
    predictions = Predictions(
        source="predictions.parquet", id="id", time="at", score=("p_cat", "p_dog"), prediction=prediction_column
    )
    outcomes = Outcomes(source="outcomes.parquet", value="kind")
    return ModelSettings(
        name="pets",
        version="1",
        task="multiclass",
        predictions=predictions,
        outcomes=outcomes,
        reference=Reference(source="reference.parquet"),
    )


PETS = [
    # id, said, score of cat, of dog, what came true
    ("right", "cat", 0.8, 0.2, "cat"),
    ("wrong", "dog", 0.4, 0.6, "cat"),
    ("outcome not in", "dog", 0.1, 0.9, None),
    ("another animal", "cat", 0.7, 0.3, "bird"),
    ("a score is missing", "cat", 0.7, None, "cat"),
    ("not a number", "cat", math.nan, 0.5, "cat"),
]


def pets() -> Tables:
    scores = pa.schema({"p_cat": pa.float64(), "p_dog": pa.float64()})
    rows = [
        {"id": name, "at": naive(DAY), "said": said, "p_cat": cat, "p_dog": dog} for name, said, cat, dog, _ in PETS
    ]
    schema = pa.schema([("id", pa.string()), ("at", pa.timestamp("us")), ("said", pa.string()), *scores])
    outcomes = [{"id": name, "kind": kind} for name, *_, kind in PETS if kind]
    reference = pa.Table.from_pylist([row | {"kind": "dog"} for row in rows], schema.append(pa.field("kind", "string")))
    return {
        "predictions": pa.Table.from_pylist(rows, schema),
        "outcomes": pa.Table.from_pylist(outcomes, pa.schema({"id": pa.string(), "kind": pa.string()})),
        "reference": reference,
    }


def test_of_several_scores_the_predicted_ones_is_counted_by_right_and_wrong(make: Make) -> None:
    scores = profiled(make, several_scores("said"), pets()).whole.scores

    assert scores is not None
    filled = {name: _filled(getattr(scores, name)) for name in ("positives", "negatives", "accepted", "rejected")}
    assert filled == {
        "positives": {800: 1},
        "negatives": {600: 1, 700: 1},
        "accepted": {600: 1, 700: 1, 800: 1, 900: 1},
        "rejected": {},
    }
    chances = (0.8, 0.4, 1e-15)  # a class without score came true at 0
    assert scores.log_loss == pytest.approx(-sum(map(math.log, chances)), rel=1e-9)
    distances = (0.2**2 + 0.2**2, 0.6**2 + 0.6**2, 0.7**2 + 0.3**2)
    assert scores.squared_error == pytest.approx(sum(distances), rel=1e-9)


def test_without_a_prediction_the_greatest_score_is_one(make: Make) -> None:
    whole = profiled(make, several_scores(None), pets()).whole

    assert whole.confusion == {("cat", "cat"): 1, ("dog", "cat"): 1, ("cat", "bird"): 1}
    assert (whole.rows, whole.labelled) == (6, 5)


@pytest.mark.parametrize(
    ("scores", "classes"),
    [
        (("p_cat", "p_dog"), ("cat", "dog")),
        (("p_cat", "p_car"), ("cat", "car")),  # only whole words are shared
        (("cat", "dog"), ("cat", "dog")),
        (("score.1.a", "score.1.b"), ("a", "b")),
    ],
)
def test_scores_are_of_the_classes_their_names_end_in(scores: tuple[str, ...], classes: tuple[str, ...]) -> None:
    model = several_scores("said")
    named = model.model_copy(update={"predictions": model.predictions.model_copy(update={"score": scores})})
    assert classes_of(named) == classes


def test_accepted_and_rejected_scores_are_counted_without_outcomes_too(make: Make) -> None:
    rows = [prediction("a", DAY, score=0.9, said=1), prediction("b", DAY, score=0.2), prediction("c", DAY, said=None)]

    scores = profiled(make, small_model(), tables(rows, [outcome("a", 0.6, 1)])).whole.scores

    assert scores is not None
    assert (_filled(scores.accepted), _filled(scores.rejected)) == ({900: 1}, {200: 1})
    assert (_filled(scores.positives), _filled(scores.negatives)) == ({900: 1}, {})


def test_a_default_served_instead_of_the_model_is_no_prediction_of_it(make: Make) -> None:
    said = small_model().predictions.model_copy(update={"fallback": "flag"})
    rows = [prediction("a", DAY, flag=True), prediction("b", DAY, flag=False), prediction("c", DAY, flag=None)]
    outcomes = [outcome(name, 0.6, 0) for name in "abc"]

    whole = profiled(make, small_model(predictions=said), tables(rows, outcomes)).whole

    assert (whole.rows, whole.labelled, whole.confusion) == (3, 3, {("0", "0"): 2})
    assert whole.scores is not None
    assert sum(whole.scores.negatives) == 2


def number_model(**changes: object) -> ModelSettings:
    said = {"source": "predictions.parquet", "id": "id", "time": "at", "prediction": "score", "features": ("x",)}
    return small_model(
        task="regression",
        predictions=Predictions.model_validate(said | changes),
        outcomes=Outcomes(source="outcomes.parquet", value="truth", time="known"),
    )


def numbers() -> Tables:
    """Predicted 12, 8, 0 and -3 where 10, 10, 0 and 3 came true."""
    said = {"a": 12.0, "b": 8.0, "c": 0.0, "d": -3.0}
    ends = {"a": (9.0, 11.0), "b": (11.0, 12.0), "c": (0.0, 0.0), "d": (None, 5.0)}
    rows = [prediction(name, DAY, score=score, low=ends[name][0], high=ends[name][1]) for name, score in said.items()]
    outcomes = [outcome(name, 0.6, truth) for name, truth in zip("abcd", (10, 10, 0, 3), strict=True)]
    given = tables(rows, outcomes)
    interval = {"low": pa.float64(), "high": pa.float64()}
    given["predictions"] = with_columns(given["predictions"], interval, rows)
    given["reference"] = with_columns(given["reference"], interval, [{}] * given["reference"].num_rows)
    return given


@pytest.mark.parametrize(
    ("changes", "within", "inside", "interval_rows"),
    [
        ({}, 0, 0, 0),
        ({"tolerance": 2}, 3, 0, 0),  # the error itself: 2, 2, 0, 6
        ({"tolerance": Share(of_one=0.2)}, 3, 0, 0),  # a share of what came true: 0 of 0 is within
        ({"tolerance": Share(of_one=0.1)}, 1, 0, 0),
        ({"interval": ("low", "high")}, 0, 2, 3),  # both ends belong to it; one without an end is none
    ],
)
def test_tolerance_and_interval_are_counted(
    make: Make, changes: dict[str, object], within: int, inside: int, interval_rows: int
) -> None:
    errors = profiled(make, number_model(**changes), numbers()).whole.errors

    assert isinstance(errors, Errors)
    assert (errors.within, errors.inside, errors.interval_rows) == (within, inside, interval_rows)
    assert errors.symmetric == pytest.approx(2 * 2 / 22 + 2 * 2 / 18 + 2 * 6 / 6, rel=1e-9)


def by_segment(*asked: str) -> ModelSettings:
    said = small_model().predictions.model_copy(update={"segments": asked})
    return small_model(predictions=said, release={"drift.*": Threshold(max=0.2, segments=asked)})


ROWS = [
    prediction("a", DAY, place="N", colour="red", x=1.0),
    prediction("b", DAY, place="N", colour="blue", x=None),
    prediction("c", DAY, place="S", colour=None, x=50.0),
    prediction("d", DAY, place=None, colour="red", x=7.0),
]


def test_columns_are_counted_by_the_segments_a_threshold_asks_for(make: Make) -> None:
    profile = profiled(make, by_segment("place"), tables(ROWS, [outcome("a", 0.6, 1)]))

    for column, cells in profile.layout.columns.items():
        whole = profile.whole.columns[column]
        parts = [part.columns[column] for name, part in profile.slices.items() if name != ALL]
        added = parts[0].merge(parts[1]).merge(parts[2])
        assert (added.counts, added.null, added.low, added.high) == (whole.counts, whole.null, whole.low, whole.high)
        assert added.total == pytest.approx(whole.total)
        assert all(len(part.counts) == cells.cells for part in parts)
    colours = profile.layout.columns["colour"]
    assert isinstance(colours, Categories)
    north = profile.slices["place=N"].columns["colour"]
    assert {value: n for value, n in zip(colours.values, north.counts, strict=False) if n} == {"red": 1, "blue": 1}
    assert profile.slices["place=N"].columns["x"].null == 1
    assert sum(profile.slices["place=N"].columns["truth"].counts) == 1


def test_columns_are_not_counted_by_segments_nobody_asks_for(make: Make) -> None:
    profile = profiled(make, small_model(), tables(ROWS, []))
    assert [name for name, part in profile.slices.items() if part.columns] == [ALL]
    assert isinstance(profile.whole.columns["x"], Distribution)


def test_a_segment_may_be_made_of_two_columns(make: Make) -> None:
    model = small_model()
    said = model.predictions.model_copy(update={"segments": ("place+flag",), "segment_values": 2})
    rows = [
        prediction("a", DAY, place="N"),
        prediction("b", DAY, place="S", flag=False),
        prediction("c", DAY, flag=None),
    ]

    profile = profiled(make, small_model(predictions=said), tables(rows, []))

    assert profile.layout.segments == {"place+flag": ("N+1", "S+0")}
    assert {name: part.rows for name, part in profile.slices.items()} == {
        "": 3,
        "place+flag=N+1": 1,
        "place+flag=S+0": 1,
        "place+flag=(null)": 1,
    }


def _filled(counts: tuple[int, ...]) -> dict[int, int]:
    assert len(counts) == SCORE_BINS
    return {place: count for place, count in enumerate(counts) if count}
