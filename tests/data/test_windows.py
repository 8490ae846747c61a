"""What a check is given that wants rows: the joined table, the population, a sample."""

from __future__ import annotations

from datetime import timedelta
from hashlib import md5
from math import inf, nextafter

import ibis.expr.types as ir
import pyarrow as pa
import pytest

from checks.contract import CannotMeasure, Roles, Window
from checks.coverage import Coverage
from monitor.data.errors import ColumnMissing
from monitor.data.feed import Feed
from monitor.data.window import key_bound
from monitor.settings import ModelSettings, Population
from tests.data.logs import Make, at, outcome, prediction, small_model, tables

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")  # Ibis 12 on DuckDB 1.5

PEOPLE = pa.table({"who": ["ann", "bob", "eve", "ann"], "place": ["N", "S", "S", "N"]})


def served() -> ModelSettings:
    said = small_model().predictions.model_copy(update={"entity": "who", "fallback": "flag"})
    return small_model(predictions=said, population=Population(source="people.parquet", entity="who"))


def log() -> dict[str, pa.Table]:
    rows = [
        prediction("a", 0.2, said=0, flag=False) | {"who": "ann"},
        prediction("a", 0.4, said=1, flag=False) | {"who": "ann"},  # the last of two
        prediction("b", 0.5, flag=True) | {"who": "bob"},  # a fallback answered
        prediction("c", 2.5, flag=False) | {"who": "bob"},  # after the window
    ]
    outcomes = [outcome("a", 0.6, 0), outcome("a", 0.9, 1), outcome("b", 5, 1)]
    given = tables(rows, outcomes)
    given["predictions"] = given["predictions"].append_column("who", pa.array([row["who"] for row in rows]))
    return given | {"people": PEOPLE}


def window_of(feed: Feed, as_of: float = 3) -> Window:
    return feed.window(at(0), at(2), at(as_of), [], None)


def rows_of(table: ir.Table) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = table.to_pyarrow().to_pylist()
    return rows


def test_the_table_has_each_prediction_once_with_its_last_known_outcome(make: Make) -> None:
    window = window_of(make(served(), log()))

    rows = sorted(rows_of(window.table), key=lambda row: str(row["id"]))

    assert [(row["id"], row["said"], row["truth"]) for row in rows] == [("a", 1, 1), ("b", 0, None)]
    assert rows[0]["at"] == (at(0.4)).replace(tzinfo=None)
    assert rows[0]["known"] == at(0.9).replace(tzinfo=None)
    assert set(rows[0]) == {*PEOPLE.column_names, "id", "at", "x", "colour", "flag", "score", "said", "truth", "known"}


def test_the_table_knows_only_what_was_known(make: Make) -> None:
    window = window_of(make(served(), log()), as_of=0.7)
    assert {(row["id"], row["truth"]) for row in rows_of(window.table)} == {("a", 0), ("b", None)}


def test_roles_name_the_columns(on_files: Make) -> None:
    assert window_of(on_files(served(), log())).roles == Roles(
        id="id",
        time="at",
        entity="who",
        prediction="said",
        score="score",
        fallback="flag",
        outcome="truth",
        segments=("place",),
    )


def test_coverage_is_measured_where_the_rows_are(make: Make) -> None:
    feed = make(served(), log())
    layout = feed.baseline(at(3)).layout
    buckets = list(feed.profiles(layout, [at(0), at(1)], at(3)).values())

    measured = Coverage().measure(feed.window(at(0), at(2), at(3), buckets, None))
    found = {one.segment: one for one in measured if one.metric == "coverage"}

    assert {name: (one.value, one.rows) for name, one in found.items()} == {
        "": (1 / 3, 3),
        "place=N": (1.0, 1),
        "place=S": (0.0, 2),
    }
    assert dict(found[""].detail) == {"covered": 1, "fallback": 1, "null": 0, "missing": 1, "population": 3}


def test_a_population_with_times_is_that_of_the_window(make: Make) -> None:
    times = pa.array([at(day).replace(tzinfo=None) for day in (0, 1.9, 2, -1)], pa.timestamp("us"))
    model = served()
    assert model.population is not None
    people = model.population.model_copy(update={"time": "due"})
    given = {**log(), "people": PEOPLE.append_column("due", times)}

    window = window_of(make(model.model_copy(update={"population": people}), given))

    assert sorted(str(row["entity"]) for row in rows_of(window.population)) == ["ann", "bob"]


def test_a_sample_is_bounded_and_always_the_same(make: Make) -> None:
    rows = [prediction(f"p{place}", place / 50, x=float(place)) for place in range(90)]
    feed = make(small_model(), tables(rows, [outcome("p3", 1, 1)]))

    sample = window_of(feed).sample(20)

    assert len(sample) == 20
    assert list(sample["id"]) == list(window_of(feed).sample(20)["id"])
    assert list(sample["id"])[:5] == list(window_of(feed).sample(5)["id"])
    assert len(window_of(feed).sample(1000)) == 90
    by_hash = sorted(
        (f"p{place}" for place in range(90)), key=lambda name: md5(name.encode(), usedforsecurity=False).hexdigest()
    )
    assert list(sample["id"]) == by_hash[:20], "the same on every engine"


def test_a_sample_of_many_rows_is_the_same_as_if_all_were_sorted(make: Make) -> None:
    many = [prediction(f"p{place}", place / 3000) for place in range(3000)]
    feed = make(small_model(), tables(many, []))

    sample = window_of(feed).sample(40)

    assert key_bound(40, len(many)) is not None, "the rows are cut off before they are sorted"
    by_hash = sorted(
        (row["id"] for row in many), key=lambda name: md5(name.encode(), usedforsecurity=False).hexdigest()
    )
    assert list(sample["id"]) == by_hash[:40]


def test_a_window_without_a_population_cannot_be_covered(on_files: Make) -> None:
    with pytest.raises(CannotMeasure, match=r"^There is no population to compare with; add"):
        _ = window_of(on_files(small_model(), log())).population


def test_an_entity_column_that_is_gone_costs_the_table_only(on_files: Make) -> None:
    given = log()
    given["predictions"] = given["predictions"].drop_columns(["who"])
    feed = on_files(served(), given)
    assert feed.counts(at(0), at(1), at(3))[at(0)].rows == 2
    with pytest.raises(ColumnMissing, match=r"the column 'who' \(predictions.entity\) is not there"):
        _ = window_of(feed).table


def test_source_columns_may_have_the_names_used_on_the_way(make: Make) -> None:
    given = log()
    names = {"x": "bucket", "colour": "id0", "score": "actual"}
    renamed = [names.get(name, name) for name in given["predictions"].column_names]
    given["predictions"] = given["predictions"].rename_columns(renamed)
    given["reference"] = given["reference"].rename_columns(names)
    said = served().predictions.model_copy(update={"score": "actual"})
    feed = make(served().model_copy(update={"predictions": said}), given)
    layout = feed.baseline(at(3)).layout
    assert {"bucket", "id0", "actual"} <= set(layout.columns)
    profile = feed.profiles(layout, [at(0)], at(3))[at(0)]
    assert profile.whole.columns["bucket"].rows == 2
    assert {"bucket", "id0", "actual"} <= set(rows_of(window_of(feed).table)[0])


def test_without_a_reference_the_first_rows_give_the_layout(make: Make) -> None:
    feed = make(small_model(reference=None), tables([prediction("a", 0.5, x=2.5)], [outcome("a", 0.6, 1)]))

    assert feed.layout_from_bucket(at(3), at(4), at(9)) is None
    layout = feed.layout_from_bucket(at(0), at(1), at(9))

    assert layout is not None
    assert layout.columns["x"].edges == (2.5, nextafter(2.5, inf))  # type: ignore[union-attr]  # a number
    assert layout.columns["truth"].values == ("1",)  # type: ignore[union-attr]  # classes
    assert layout.segments == {"place": ("N",)}
    assert feed.profiles(layout, [at(0)], at(9))[at(0)].whole.confusion == {("0", "1"): 1}


def test_a_layout_takes_features_left_out_of_the_configuration(on_files: Make) -> None:
    given = tables([], [])
    wide = given["reference"]
    wide = wide.append_column("tags", pa.array([["a"]] * 60)).append_column("day", wide["at"])
    given["reference"] = wide.append_column("price", pa.array(range(60)).cast(pa.decimal128(22, 2)))
    layout = on_files(small_model(), given).baseline(at(0)).layout
    assert list(layout.columns) == ["x", "colour", "flag", "place", "price", "said", "score", "truth"]


def test_big_references_are_sampled_for_their_edges(on_files: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = on_files(small_model(), tables([], [])).baseline(at(0)).layout
    monkeypatch.setattr("monitor.data.baseline.SAMPLE", 50)
    feed = on_files(small_model(), tables([], []))
    sampled = feed.baseline(at(0)).layout
    assert sampled.columns["x"] != whole.columns["x"]
    assert sampled == feed.baseline(at(0) + timedelta(days=1)).layout
