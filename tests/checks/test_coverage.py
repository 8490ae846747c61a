"""Coverage counts each entity of the population once, by its best prediction, on DuckDB and on PostgreSQL alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from checks.contract import CannotMeasure, Measurement, Roles, Window
from checks.coverage import Coverage
from checks.profile import Layout, Profile

if TYPE_CHECKING:
    import ibis.expr.types as ir

START = datetime(2024, 3, 4, tzinfo=UTC)
ROLES = Roles(entity="customer", prediction="said", score="score", fallback="fallback", segments=("country",))
LAYOUT = Layout({}, {"country": ("DE", "NO", "1")})

Columns = Mapping[str, tuple[str, Sequence[object]]]
"""Name -> Arrow type and values."""
Create = Callable[[str, Columns], "ir.Table"]


@pytest.fixture(params=["duckdb", "postgres"])
def create(request: pytest.FixtureRequest) -> Iterator[Create]:
    """Makes a table on an engine."""
    import ibis
    import pyarrow

    if request.param == "duckdb":
        connection = ibis.duckdb.connect()
    else:
        url = str(request.getfixturevalue("postgres_database"))
        connection = ibis.connect(url.replace("postgresql+psycopg://", "postgres://"))

    def table(name: str, columns: Columns) -> ir.Table:
        arrays = {column: pyarrow.array(values, type=kind) for column, (kind, values) in columns.items()}
        return connection.create_table(name, pyarrow.table(arrays))

    yield table
    connection.disconnect()


def predictions(*rows: tuple[object, object, object], entity: str = "int64", said: str = "float64") -> Columns:
    """Rows of (customer, what was said, fallback)."""
    return {
        "customer": (entity, [row[0] for row in rows]),
        "said": (said, [row[1] for row in rows]),
        "score": ("float64", [row[1] if isinstance(row[1], float) else None for row in rows]),
        "fallback": ("bool", [row[2] for row in rows]),
    }


def people(
    *entities: object, kind: str = "int64", country: Sequence[object] | None = None, of: str = "string"
) -> Columns:
    known: Columns = {} if country is None else {"country": (of, country)}
    return {"entity": (kind, list(entities)), **known}


def measured(table: ir.Table, population: ir.Table, roles: Roles = ROLES) -> dict[str, Measurement]:
    """Coverage by segment."""
    return {one.segment: one for one in found(table, population, roles) if one.metric == "coverage"}


def found(table: ir.Table, population: ir.Table, roles: Roles = ROLES, layout: Layout = LAYOUT) -> list[Measurement]:
    window = Window(
        start=START,
        end=START + timedelta(days=1),
        task="binary",
        buckets=(Profile(layout),),
        roles=roles,
        load_table=lambda: table,
        load_population=lambda: population,
    )
    return list(Coverage().measure(window))


def test_each_entity_counts_once_by_its_best_prediction(create: Create) -> None:
    table = create(
        "predictions",
        predictions(
            (1, 1.0, False),  # covered
            (1, None, False),  # 1 again, worse
            (1, 0.0, False),  # 1 again, as good
            (2, 1.0, True),  # fallback
            (2, None, False),  # 2 again, worse
            (3, None, None),  # null
            (4, math.nan, False),  # NaN is null
            (5, math.nan, True),  # a fallback that says nothing is null
            (6, 1.0, None),  # not marked: covered
            (9, 1.0, False),  # not of the population
            (None, 1.0, False),  # about nobody
        ),
    )
    by_segment = measured(table, create("people", people(1, 2, 3, 4, 5, 6, 7, 8, 8, None)))
    assert by_segment.keys() == {""}
    assert by_segment[""].value == 2 / 8
    assert by_segment[""].rows == 8
    assert (by_segment[""].low, by_segment[""].high) == (None, None)
    assert by_segment[""].detail == {"missing": 2, "null": 3, "fallback": 1, "covered": 2, "population": 8}


def test_segments_of_the_population_are_measured_on_their_own(create: Create) -> None:
    table = create("predictions", predictions((1, 1.0, False), (3, 1.0, False), (5, 1.0, True)))
    countries = ["DE", "DE", "NO", "FR", None]
    by_segment = measured(table, create("people", people(1, 2, 3, 4, 5, country=countries)))
    values = {segment: (one.value, one.rows) for segment, one in by_segment.items()}
    assert values == {
        "": (2 / 5, 5),
        "country=DE": (1 / 2, 2),
        "country=NO": (1.0, 1),
        "country=(other)": (0.0, 1),
        "country=(null)": (0.0, 1),
    }


def test_an_entity_of_several_segments_counts_under_the_most_frequent(create: Create) -> None:
    table = create("predictions", predictions((1, 1.0, False)))
    listed = create("people", people(1, 1, 1, 2, 2, country=["FR", "NO", None, None, "FR"]))
    values = {segment: (one.value, one.rows) for segment, one in measured(table, listed).items()}
    assert values == {"": (1 / 2, 2), "country=NO": (1.0, 1), "country=(other)": (0.0, 1)}


def test_a_segment_may_take_several_columns_together(create: Create) -> None:
    table = create("predictions", predictions((1, 1.0, False), (3, 1.0, False), (4, 1.0, False)))
    listed = create(
        "people",
        {
            **people(1, 2, 3, 4, 5, country=["DE", "DE", "NO", "DE", "NO"]),
            "adult": ("bool", [True, True, False, None, True]),
        },
    )
    roles = Roles(entity="customer", prediction="said", segments=("country+adult", "country+city"))
    layout = Layout({}, {"country+adult": ("DE+1", "NO+0"), "country+city": ("DE+Bonn",)})
    values = {
        one.segment: (one.value, one.rows) for one in found(table, listed, roles, layout) if one.metric == "coverage"
    }
    assert values == {
        "": (3 / 5, 5),
        "country+adult=DE+1": (1 / 2, 2),
        "country+adult=NO+0": (1.0, 1),
        "country+adult=(other)": (0.0, 1),  # NO+1
        "country+adult=(null)": (1.0, 1),  # a part is not known
    }, "the population has no column city"


def test_what_is_not_covered_is_told_by_reason(create: Create) -> None:
    table = create("predictions", predictions((1, 1.0, False), (2, 1.0, True), (3, None, False), (4, None, False)))
    measurements = found(table, create("people", people(1, 2, 3, 4, 5, country=["DE", "NO", "NO", "NO", "NO"])))
    shares = {(one.segment, one.column): one.value for one in measurements if one.metric == "uncovered"}
    assert shares == {
        ("", "missing"): 1 / 5,
        ("", "null"): 2 / 5,
        ("", "fallback"): 1 / 5,
        ("country=DE", "missing"): 0.0,
        ("country=DE", "null"): 0.0,
        ("country=DE", "fallback"): 0.0,
        ("country=NO", "missing"): 1 / 4,
        ("country=NO", "null"): 2 / 4,
        ("country=NO", "fallback"): 1 / 4,
    }
    assert {one.rows for one in measurements if one.segment == "country=NO"} == {4}


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("bool", [True, True, False]),  # booleans are 1 and 0
        ("int64", [1, 1, 0]),
        ("float64", [1.0, 1.0, 0.0]),  # whole numbers have no decimals
        ("string", ["1", "1", "0"]),
    ],
)
def test_segment_values_are_written_as_in_profiles(create: Create, kind: str, values: list[object]) -> None:
    table = create("predictions", predictions((1, 1.0, False)))
    by_segment = measured(table, create("people", people(1, 2, 3, country=values, of=kind)))
    assert {segment: one.value for segment, one in by_segment.items()} == {
        "": 1 / 3,
        "country=1": 1 / 2,
        "country=(other)": 0.0,
    }


@pytest.mark.parametrize(
    ("entity", "said", "kind", "listed"),
    [
        ("int32", [1, 2], "int64", [1, 2]),
        ("float64", [1.0, 2.0], "int64", [1, 2]),  # a nullable integer column out of pandas
        ("string", ["1", "2"], "int64", [1, 2]),
        ("string", ["é", "b"], "string", ["é", "b"]),
    ],
)
def test_one_entity_is_one_however_it_is_stored(
    create: Create, entity: str, said: list[object], kind: str, listed: list[object]
) -> None:
    table = create("predictions", predictions(*((one, 1.0, False) for one in said), entity=entity))
    assert measured(table, create("people", people(*listed, kind=kind)))[""].value == 1.0


def test_a_prediction_may_be_text_or_a_whole_number(create: Create) -> None:
    everybody = create("people", people(1, 2))
    for name, kind, said in [("texts", "string", "ja"), ("numbers", "int64", 1)]:
        table = create(name, predictions((1, said, False), (2, None, False), said=kind))
        assert measured(table, everybody)[""].value == 1 / 2


def test_without_a_prediction_column_the_score_counts(create: Create) -> None:
    table = create("predictions", predictions((1, 0.5, False), (2, math.nan, False)))
    roles = Roles(entity="customer", score="score")
    assert measured(table, create("people", people(1, 2)), roles)[""].value == 1 / 2


def test_the_fallback_mark_may_be_a_number(create: Create) -> None:
    table = create(
        "predictions",
        {"customer": ("int64", [1, 2, 3]), "said": ("int64", [1, 1, 1]), "fallback": ("int64", [0, 1, None])},
    )
    assert measured(table, create("people", people(1, 2, 3)))[""].value == 2 / 3


def test_a_window_without_rows_covers_nobody(create: Create) -> None:
    by_segment = measured(create("predictions", predictions()), create("people", people(1, 2)))[""]
    assert by_segment.value == 0.0
    assert by_segment.detail["missing"] == 2


def test_an_empty_population_cannot_be_covered(create: Create) -> None:
    measurements = found(create("predictions", predictions((1, 1.0, False))), create("people", people()))
    assert [(one.metric, one.column) for one in measurements] == [
        ("coverage", ""),
        *(("uncovered", reason) for reason in ("missing", "null", "fallback")),
    ]
    for one in measurements:
        assert one.value is None
        assert one.detail["reason"] == "The population of this window is empty."


@pytest.mark.parametrize(
    ("roles", "sentence"),
    [
        (
            Roles(prediction="said"),
            "Coverage needs to know whom a prediction is about; set predictions.entity.",
        ),
        (
            Roles(entity="customer"),
            "Coverage needs to know what was said; set predictions.prediction or predictions.score.",
        ),
        (
            Roles(entity="customer", prediction="said", fallback="customer_name"),
            "The fallback column 'customer_name' is string; coverage needs true and false, or 1 and 0.",
        ),
    ],
)
def test_what_coverage_lacks_is_said_in_a_sentence(roles: Roles, sentence: str) -> None:
    import ibis

    table = ibis.memtable({"customer": [1], "said": [1], "customer_name": ["x"]})
    with pytest.raises(CannotMeasure) as problem:
        measured(table, ibis.memtable({"entity": [1]}), roles)
    assert str(problem.value) == sentence
