"""What a profile says of nasty rows, the same on every engine and on each mixture of engines."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import ibis
import pyarrow as pa
import pytest

from checks.profile import LAG_EDGES, Layout, Numbers, Profile
from monitor.data.feed import BucketCount, Feed
from monitor.settings import ModelSettings, Outcomes, Predictions
from tests.data.logs import (
    Make,
    assert_equal_profiles,
    at,
    outcome,
    prediction,
    reference_rows,
    small_model,
    tables,
)

NAN, INF = float("nan"), float("inf")


def profiled(feed: Feed, *days: int, as_of: float = 30) -> list[Profile]:
    layout = feed.baseline(at(as_of)).layout
    found = feed.profiles(layout, [at(day) for day in days], at(as_of))
    assert [at(day) for day in days] == list(found)
    counts = feed.counts(at(min(days)), at(max(days) + 1), at(as_of))
    for start, profile in found.items():  # the cheap count says what the profile says
        counted = counts.get(start, BucketCount(0, 0))
        assert (profile.whole.rows, profile.whole.labelled) == (counted.rows, counted.outcomes)
    return list(found.values())


def test_numbers_count_nan_infinity_and_null_apart(make: Make) -> None:
    values = [NAN, INF, -INF, 1e300, None, 5.0, 29.5, 59.0, 1e-300, -1e99, 1e99]
    rows = [prediction(f"p{place}", 0.5, x=value) for place, value in enumerate(values)]

    (profile,) = profiled(make(small_model(), tables(rows, [])), 0)

    x, cells = profile.whole.columns["x"], profile.layout.columns["x"]
    assert isinstance(cells, Numbers)
    assert (x.null, x.nan, x.infinite, x.absent, sum(x.counts)) == (1, 1, 3, 0, 6)
    assert (x.low, x.high) == (-1e99, 1e99)
    assert x.counts[:2] == (1, 1), "below the least of the reference, and between it and the next edge"
    assert x.counts[-2:] == (1, 1), "59, the greatest of the reference, and beyond it"


def test_a_value_on_an_edge_belongs_to_the_cell_above_it(make: Make) -> None:
    feed = make(small_model(), tables([prediction("a", 0.5, x=20.0), prediction("b", 0.5, x=19.999)], []))
    (profile,) = profiled(feed, 0)
    cells = profile.layout.columns["x"]
    assert isinstance(cells, Numbers)
    place = sum(edge <= 20.0 for edge in cells.edges)
    below = sum(edge <= 19.999 for edge in cells.edges)
    counts = profile.whole.columns["x"].counts
    expected = {place: 2} if place == below else {place: 1, below: 1}
    assert {cell: count for cell, count in enumerate(counts) if count} == expected


def test_texts_count_known_other_and_null(make: Make) -> None:
    rows = [
        prediction(f"p{place}", 0.5, colour=colour) for place, colour in enumerate(["grün", "grün", "?'\"\\", None])
    ]

    (profile,) = profiled(make(small_model(), tables(rows, [])), 0)

    colour = profile.whole.columns["colour"]
    assert profile.layout.columns["colour"].values == ("blue", "grün", "red")  # type: ignore[union-attr]  # a text
    assert (colour.counts, colour.null) == ((0, 2, 0, 1), 1)


def test_flags_and_classes_are_the_categories_0_and_1(make: Make) -> None:
    rows = [prediction("a", 0.5, flag=True, said=1), prediction("b", 0.5, flag=None, said=None)]

    (profile,) = profiled(make(small_model(), tables(rows, [])), 0)

    assert profile.layout.columns["flag"].values == ("0", "1")  # type: ignore[union-attr]  # a text
    assert profile.whole.columns["flag"].counts == (0, 1, 0)
    assert (profile.whole.columns["flag"].null, profile.whole.columns["said"].null) == (1, 1)


def test_segments_tell_known_other_and_null_values_apart(make: Make) -> None:
    rows = [prediction(f"p{place}", 0.5, place=value) for place, value in enumerate(["N", "N", "Mars", None])]

    (profile,) = profiled(make(small_model(), tables(rows, [outcome("p0", 0.6, 0)])), 0)

    assert {name: (part.rows, part.labelled) for name, part in profile.slices.items()} == {
        "": (4, 1),
        "place=N": (2, 1),
        "place=(other)": (1, 0),
        "place=(null)": (1, 0),
    }


def test_classes_scores_and_losses_of_labelled_rows(make: Make) -> None:
    rows = [
        prediction("right", 0.5, score=0.8, said=1),
        prediction("wrong", 0.5, score=0.999999, said=1),
        prediction("sure", 0.5, score=1.0, said=0),  # log loss is clipped, not infinite
        prediction("broken", 0.5, score=NAN, said=None),  # an outcome, but nothing to compare it with
        prediction("waiting", 0.5),
    ]
    outcomes = [outcome("right", 0.6, 1), outcome("wrong", 0.6, 0), outcome("sure", 0.6, 0), outcome("broken", 0.6, 1)]

    (profile,) = profiled(make(small_model(), tables(rows, outcomes)), 0)

    whole = profile.whole
    assert whole.scores is not None
    assert (whole.rows, whole.labelled) == (5, 4)
    assert whole.confusion == {("1", "1"): 1, ("1", "0"): 1, ("0", "0"): 1}
    assert {cell: rows for cell, rows in enumerate(whole.scores.positives) if rows} == {800: 1}
    assert {cell: rows for cell, rows in enumerate(whole.scores.negatives) if rows} == {999: 2}
    assert whole.scores.squared_error == pytest.approx(0.04 + 0.999999**2 + 1)
    assert whole.scores.log_loss == pytest.approx(0.2231435513 + 13.8155105579 + 34.539, rel=1e-4)
    assert whole.columns["truth"].counts == (2, 2, 0)
    assert whole.columns["truth"].null == 1


def test_the_last_of_repeated_predictions_wins_and_the_others_are_counted(make: Make) -> None:
    rows = [
        prediction("a", 0.5, said=0),
        prediction("a", 0.6, said=1),  # the last in time
        prediction("a", 0.4, said=0),
        prediction("b", 0.5, said=0, score=0.1),
        prediction("b", 0.5, said=1, score=0.9),  # at one time the greatest
        prediction(None, 0.5),
        prediction(None, 0.5),  # without an id nobody can tell them to be the same
        prediction("a", 1.5),  # in another bucket it is another prediction
    ]
    outcomes = [outcome("a", 0.7, 1), outcome("b", 0.7, 1)]

    first, second = profiled(make(small_model(), tables(rows, outcomes)), 0, 1)

    assert (first.duplicate_predictions, second.duplicate_predictions) == (3, 0)
    assert (first.whole.rows, first.whole.labelled) == (4, 2)
    assert first.whole.confusion == {("1", "1"): 2}
    assert second.whole.rows == 1


def test_the_last_of_repeated_outcomes_wins_and_the_others_are_counted(make: Make) -> None:
    outcomes = [
        outcome("a", 0.7, 0),
        outcome("a", 0.9, 1),  # the last in time
        outcome("b", 0.7, 0),
        outcome("b", 0.7, 1),  # at one time the greatest
        outcome("c", 0.7, 0),
        outcome("c", 0.9, None),  # says nothing, so it takes nothing back
    ]
    rows = [prediction(name, 0.5) for name in "abc"]

    (profile,) = profiled(make(small_model(), tables(rows, outcomes)), 0)

    assert profile.duplicate_outcomes == 2
    assert profile.whole.confusion == {("0", "1"): 2, ("0", "0"): 1}


def test_outcomes_come_early_late_in_the_future_without_time_or_to_nobody(make: Make) -> None:
    rows = [prediction(name, 1.5) for name in ("early", "prompt", "late", "future", "untimed", "ancient", "none")]
    outcomes = [
        outcome("early", 1.4, 1),  # used, and counted
        outcome("prompt", 1.55, 1),
        outcome("late", 2.25, 1),  # longer than the delay of 12 hours
        outcome("future", 4.5, 1),  # after as_of: not known yet
        outcome("untimed", None, 1),  # nobody can say whether it is known
        outcome("ancient", -9, 1),  # more than a week before its prediction: not its outcome
        outcome("nobody", 2.5, 1),
        outcome(None, 2.5, 1),
        outcome("nobody", 1.75, None),  # says nothing, so it is not even an orphan
    ]

    first, second = profiled(make(small_model(), tables(rows, outcomes)), 1, 2, as_of=4)

    assert (first.whole.rows, first.whole.labelled) == (7, 3)
    assert (first.early_outcomes, first.late_outcomes, first.future_outcomes) == (1, 1, 1)
    assert (first.orphan_outcomes, second.orphan_outcomes) == (0, 2)
    lags = {edge: rows for edge, rows in zip((0, *LAG_EDGES), first.lags, strict=True) if rows}
    assert lags == {0: 1, 3600.0: 1, 64800.0: 1}


def test_predictions_after_as_of_do_not_exist_yet(make: Make) -> None:
    rows = [prediction("a", 0.25), prediction("b", 0.5), prediction("c", 0.75)]

    today, tomorrow = profiled(make(small_model(), tables(rows, [])), 0, 1, as_of=0.5)

    assert (today.whole.rows, tomorrow.whole.rows) == (1, 0)


def test_buckets_are_half_open_to_the_microsecond(make: Make) -> None:
    tick = timedelta(microseconds=1)
    edge = at(1).replace(tzinfo=None)
    rows = [prediction("before", 0) | {"at": edge - tick}, prediction("at", 1), prediction("last", 1) | {"at": edge}]

    first, second = profiled(make(small_model(), tables(rows, [])), 0, 1)

    assert (first.whole.rows, second.whole.rows) == (1, 2)


def test_an_empty_bucket_has_a_profile_of_zeros(make: Make) -> None:
    rows = [prediction("a", 0.5), prediction("b", 2.5)]

    full, empty, _ = profiled(make(small_model(), tables(rows, [outcome("nobody", 1.5, 1)])), 0, 1, 2)

    assert set(empty.slices) == {""}
    assert (empty.whole.rows, empty.whole.labelled, empty.orphan_outcomes) == (0, 0, 1)
    assert set(empty.whole.columns) == set(full.whole.columns)
    assert all(column.rows == 0 for column in empty.whole.columns.values())
    assert Profile.merge([full, empty]).whole.rows == 1


def test_a_log_without_rows_has_profiles_of_zeros(make: Make) -> None:
    (profile,) = profiled(make(small_model(), tables([], [])), 0)
    assert profile.whole.rows == 0


def test_buckets_asked_together_and_alone_are_the_same(make: Make) -> None:
    rows = [prediction(f"p{place}", place / 7, x=float(place), score=(place % 10) / 10) for place in range(30)]
    rows += [prediction("p3", 0.9)]
    outcomes = [outcome(f"p{place}", place / 7 + 1, place % 2) for place in range(0, 30, 2)]
    feed = make(small_model(), tables(rows, outcomes))
    layout = feed.baseline(at(9)).layout

    together = feed.profiles(layout, [at(0), at(1), at(3)], at(9))

    for start, profile in together.items():
        assert_equal_profiles(feed.profiles(layout, [start], at(9))[start], profile)


def test_a_column_that_is_gone_or_of_another_type_is_absent_in_all_rows(make: Make) -> None:
    given = tables([prediction("a", 0.5), prediction("b", 0.5)], [])
    live = given["predictions"].drop_columns(["colour", "place"])
    x = pa.array(["much", "little"])
    given["predictions"] = live.set_column(live.column_names.index("x"), "x", x)

    (profile,) = profiled(make(small_model(), given), 0)

    for name in ("x", "colour"):
        column = profile.whole.columns[name]
        assert (column.absent, column.null, sum(column.counts)) == (2, 0, 0), name
    assert profile.whole.columns["flag"].absent == 0
    assert set(profile.slices) == {""}, "no segment column, no segments"


def test_a_column_of_nulls_is_null_not_absent(make: Make) -> None:
    rows = [prediction("a", 0.5, x=None, colour=None), prediction("b", 0.5, x=None, colour=None)]

    (profile,) = profiled(make(small_model(), tables(rows, [])), 0)

    for name in ("x", "colour"):
        column = profile.whole.columns[name]
        assert (column.null, column.absent, column.low) == (2, 0, None), name


def test_a_model_without_a_prediction_column_is_cut_at_its_threshold(make: Make) -> None:
    said = small_model().predictions.model_copy(update={"prediction": None, "threshold": 0.3})
    rows = [prediction("a", 0.5, score=0.3), prediction("b", 0.5, score=0.29), prediction("c", 0.5, score=None)]
    outcomes = [outcome(name, 0.6, 1) for name in "abc"]

    (profile,) = profiled(make(small_model(predictions=said), tables(rows, outcomes)), 0)

    assert profile.whole.confusion == {("1", "1"): 1, ("0", "1"): 1}
    assert profile.whole.labelled == 3


def test_ids_of_two_columns_and_of_different_types_match(make: Make) -> None:
    model = small_model(
        predictions=small_model().predictions.model_copy(update={"id": ("shop", "number")}),
        outcomes=Outcomes(source="outcomes.parquet", id=("store", "no"), value="truth", time="known"),
    )
    given = tables([prediction(None, 0.5)] * 3, [outcome(None, 0.6, 1)] * 3)
    shop, number = pa.array(["A", "A", "B"]), pa.array([1, 2, 1], pa.int64())
    given["predictions"] = given["predictions"].append_column("shop", shop).append_column("number", number)
    store, no = pa.array(["A", "B", "A"]), pa.array([1.0, 1.0, 3.0], pa.float64())
    given["outcomes"] = given["outcomes"].append_column("store", store).append_column("no", no)

    (profile,) = profiled(make(model, given), 0)

    assert (profile.whole.rows, profile.whole.labelled, profile.orphan_outcomes) == (3, 2, 1)


def test_outcomes_without_a_time_are_known_at_once(make: Make) -> None:
    model = small_model(outcomes=Outcomes(source="outcomes.parquet", value="truth"))
    rows = [prediction("a", 0.5), prediction("b", 0.5)]

    (profile,) = profiled(make(model, tables(rows, [outcome("a", 99, 1), outcome("c", 0.5, 1)])), 0)

    assert profile.whole.labelled == 1
    assert (profile.orphan_outcomes, profile.late_outcomes, sum(profile.lags)) == (0, 0, 0)


def test_a_model_without_outcomes_has_rows_only(make: Make) -> None:
    model = small_model(outcomes=None)
    given = tables([prediction("a", 0.5)], [])

    (profile,) = profiled(make(model, given), 0)

    assert (profile.whole.rows, profile.whole.labelled) == (1, 0)
    assert "truth" in profile.layout.columns, "in the reference it is one more column"


def regression() -> ModelSettings:
    return small_model(
        task="regression",
        predictions=Predictions(source="predictions.parquet", id="id", time="at", prediction="score", features=("x",)),
        outcomes=Outcomes(source="outcomes.parquet", value="truth", time="known"),
    )


def test_errors_of_a_regression(make: Make) -> None:
    rows = [prediction(name, 0.5, score=score) for name, score in (("a", 3.0), ("b", 1.0), ("c", NAN), ("d", 2.0))]
    outcomes = [outcome("a", 0.6, 1), outcome("b", 0.6, 0), outcome("c", 0.6, 5)]

    (profile,) = profiled(make(regression(), tables(rows, outcomes)), 0)

    errors = profile.whole.errors
    assert errors is not None
    centre = profile.layout.columns["truth"].centre  # type: ignore[union-attr]  # a number
    assert (errors.rows, errors.error, errors.absolute, errors.squared) == (2, 3.0, 3.0, 5.0)
    assert (errors.outcome, errors.outcome_squared) == (1 - 2 * centre, (1 - centre) ** 2 + centre**2)
    assert (errors.relative, errors.relative_rows) == (2.0, 1), "an outcome of 0 has no relative error"
    assert (profile.whole.labelled, profile.whole.confusion, profile.whole.scores) == (3, {}, None)
    assert (profile.whole.columns["score"].nan, profile.whole.columns["truth"].null) == (1, 1)


@pytest.mark.parametrize("task", ["multiclass", "ranking"])
def test_other_tasks_have_no_scores(make: Make, task: str) -> None:
    feed = make(small_model(task=task), tables([prediction("a", 0.5, said=7)], [outcome("a", 0.6, 7)]))

    (profile,) = profiled(feed, 0)

    assert (profile.whole.labelled, profile.whole.scores, profile.whole.errors) == (1, None, None)
    assert profile.whole.confusion == ({("7", "7"): 1} if task == "multiclass" else {})


def test_late_is_learned_from_the_reference_where_nothing_says_it(make: Make) -> None:
    model = small_model(outcomes=Outcomes(source="outcomes.parquet", value="truth", time="known"))
    rows = [prediction("a", 0.5), prediction("b", 0.5)]
    outcomes = [outcome("a", 0.5 + 6 / 24, 1), outcome("b", 0.5 + 6.1 / 24, 1)]  # the reference's slowest took 6 hours

    (profile,) = profiled(make(model, tables(rows, outcomes)), 0)

    assert profile.late_outcomes == 1


def test_held_and_streamed_rows_give_the_same_profile(on_files: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [prediction(f"p{place}", place / 20, x=float(place % 60), score=(place % 11) / 11) for place in range(60)]
    outcomes = [outcome(f"p{place}", place / 20 + 0.1, place % 2) for place in range(50)]
    feed = on_files(small_model(), tables(rows, outcomes))
    held = profiled(feed, 0, 1, 2)

    monkeypatch.setattr("monitor.data.log.HELD", 0)

    for one, other in zip(held, profiled(feed, 0, 1, 2), strict=True):
        assert_equal_profiles(one, other)


def test_many_rows_are_in_their_buckets_where_the_machine_has_another_time_zone(
    on_files: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connected(**settings: Any) -> Any:
        engine = connect(**settings)
        engine.con.execute("SET GLOBAL TimeZone = 'Asia/Tokyo'")  # what further connections have
        return engine

    connect = ibis.duckdb.connect
    monkeypatch.setattr("ibis.duckdb.connect", connected)
    monkeypatch.setattr("monitor.data.log.HELD", 0)
    given = tables([prediction(f"p{place}", place / 20) for place in range(60)], [outcome("p1", 0.1, 1)])
    said = given["predictions"]
    zoned = said["at"].cast(pa.timestamp("us", "UTC"))
    given["predictions"] = said.set_column(said.column_names.index("at"), "at", zoned)

    found = profiled(on_files(small_model(), given), 0, 1, 2)

    assert [one.whole.rows for one in found] == [20, 20, 20]
    assert [sum(one.whole.columns["colour"].counts) for one in found] == [20, 20, 20]


def test_a_file_with_a_new_column_and_a_new_file_are_seen(on_files: Make, tmp_path: Any) -> None:
    model = small_model(predictions=small_model().predictions.model_copy(update={"source": "p*.parquet"}))
    feed = on_files(model, tables([prediction("a", 0.5)], []))
    layout: Layout = feed.baseline(at(2)).layout
    assert feed.profiles(layout, [at(0)], at(2))[at(0)].whole.rows == 1

    more = tables([prediction("b", 0.5)], [])["predictions"].append_column("fresh", pa.array([1]))
    pa.parquet.write_table(more.drop_columns(["colour"]), tmp_path / "p2.parquet")

    profile = feed.profiles(layout, [at(0)], at(2))[at(0)]
    assert (profile.whole.rows, profile.whole.columns["colour"].null) == (2, 1)


def test_the_reference_is_profiled_as_one_bucket(make: Make) -> None:
    baseline = make(small_model(), tables([], [])).baseline(at(0))
    assert baseline.profile is not None
    assert (baseline.profile.whole.rows, baseline.profile.whole.labelled) == (60, 60)
    assert baseline.delay == timedelta(hours=6)
    assert set(baseline.profile.slices) == {"", "place=N", "place=S"}


def test_repeated_rows_of_the_reference_count_once(make: Make) -> None:
    baseline = make(small_model(), tables([], [], [*reference_rows(), *reference_rows(5)])).baseline(at(0))
    assert baseline.profile is not None
    assert (baseline.profile.whole.rows, baseline.profile.duplicate_predictions) == (60, 5)


def test_a_reference_without_times_teaches_no_delay(make: Make) -> None:
    given = tables([], [])
    given["reference"] = given["reference"].drop_columns(["at", "known", "id"])
    baseline = make(small_model(), given).baseline(datetime.fromisoformat("2024-01-01T00:00:00Z"))
    assert baseline.profile is not None
    assert (baseline.delay, baseline.profile.whole.rows) == (None, 60)


def test_a_statement_is_compiled_once_and_reads_each_source_once(on_files: Make) -> None:
    rows = [prediction("a", 0.5, x=1.0), prediction("b", 1.5, x=2.0), prediction("c", 1.6)]
    feed = on_files(small_model(), tables(rows, [outcome("a", 0.6, 1)]))
    layout = feed.baseline(at(2)).layout
    first = feed.profiles(layout, [at(0)], at(2))[at(0)]
    compiled = dict(feed._engines.compiled)

    second = feed.profiles(layout, [at(1)], at(3))[at(1)]

    assert feed._engines.compiled == compiled, "another bucket, another clock: the same text"
    assert (first.whole.rows, second.whole.rows) == (1, 2)
    (selection,) = (one.sql for one in compiled.values() if '"actual"' in one.sql and '"x0"' in one.sql)
    assert selection.count("predictions.parquet") == 1
    assert selection.count("outcomes.parquet") == 1
