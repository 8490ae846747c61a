"""Business KPIs: sums, means, ratios and SQL over the rows, the same on DuckDB and on PostgreSQL."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydantic import ValidationError

from checks.business_kpi import BusinessKpi
from checks.contract import CannotMeasure, Measurement, Past, Roles, Window
from checks.profile import Layout, Profile

if TYPE_CHECKING:
    import ibis.expr.types as ir

START = datetime(2024, 3, 4, tzinfo=UTC)
DAY = timedelta(days=1)
ROLES = Roles(time="at", segments=("city", "flag"))
LAYOUT = Layout({}, {"city": ("Oslo",), "flag": ("1", "0")})
Row = dict[str, Any]


@pytest.fixture(params=["duckdb", "postgres"])
def create(request: pytest.FixtureRequest) -> Iterator[Callable[[list[Row]], ir.Table]]:
    """Makes a table of rows on an engine."""
    import ibis
    import pyarrow as pa

    url = str(request.getfixturevalue("postgres_database")) if request.param == "postgres" else ""
    connection = ibis.connect(url.replace("postgresql+psycopg://", "postgres://")) if url else ibis.duckdb.connect()
    schema = pa.schema(
        {
            "at": pa.timestamp("us"),
            "city": pa.string(),
            "flag": pa.bool_(),
            "price": pa.float64(),
            "items": pa.int64(),
        }
    )
    yield lambda rows: connection.create_table("log", pa.Table.from_pylist(rows, schema=schema))
    connection.disconnect()


def row(hour: float, price: float | None, items: int | None = 1, city: str | None = "Oslo", flag: bool = True) -> Row:
    at = (START + timedelta(hours=hour)).replace(tzinfo=None)
    return {"at": at, "city": city, "flag": flag, "price": price, "items": items}


def measured(
    table: ir.Table, days: int = 4, past: dict[tuple[str, str, str], tuple[Past, ...]] | None = None, **parameters: Any
) -> dict[tuple[str, str], Measurement]:
    check = BusinessKpi(name="income", **parameters)
    window = Window(
        START,
        START + days * DAY,
        "binary",
        (Profile(LAYOUT),) * days,
        roles=ROLES,
        load_table=lambda: table,
        past=past or {},
    )
    found = list(check.measure(window))
    assert {one.column for one in found} == {"income"}
    return {(one.metric, one.segment): one for one in found}


ROWS = [
    row(1, 10.0),
    row(2, 20.0, 3),
    row(30, 5.0, 2, "Bergen", flag=False),
    row(50, None, None, None),
    row(51, math.nan),
    row(52, math.inf, 4),
    row(75, -1.0, 0),
]


def test_a_sum_is_a_census_of_what_are_numbers(create: Callable[[list[Row]], ir.Table]) -> None:
    found = measured(create(ROWS), column="price")
    whole = found["kpi", ""]
    assert (whole.value, whole.low, whole.high, whole.rows) == (34.0, None, None, 4)
    assert {segment: one.value for (metric, segment), one in found.items() if metric == "kpi"} == {
        "": 34.0,
        "city=Oslo": 29.0,
        "city=(other)": 5.0,
        "city=(null)": None,
        "flag=1": 29.0,
        "flag=0": 5.0,
    }


def test_means_and_ratios_have_the_interval_of_their_days(create: Callable[[list[Row]], ir.Table]) -> None:
    chance = random.Random(3)
    rows = [
        row(24 * day + k / 9, 50 + 5 * day + chance.gauss(0, 10), chance.randint(0, 5))
        for day in range(4)
        for k in range(150)
    ]
    table = create(rows)
    prices = np.array([one["price"] for one in rows])
    items = np.array([one["items"] for one in rows], dtype=float)
    day = np.repeat(np.arange(4), 150)

    def jackknife(top: np.ndarray[Any, Any], bottom: np.ndarray[Any, Any]) -> tuple[float, float, float]:
        value = top.sum() / bottom.sum()
        left = np.array([top[day != one].sum() / bottom[day != one].sum() for one in range(4)])
        half = 3.1824463 * math.sqrt(3 / 4 * ((left - left.mean()) ** 2).sum())
        return value, value - half, value + half

    mean = measured(table, column="price", aggregate="mean")["kpi", ""]
    assert (mean.value, mean.low, mean.high) == pytest.approx(jackknife(prices, np.ones(600)), rel=1e-6)
    ratio = measured(table, numerator="price", denominator="items")["kpi", ""]
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx(jackknife(prices, items), rel=1e-6)
    assert mean.rows == ratio.rows == 600


def test_the_mean_of_one_bucket_has_the_interval_of_independent_rows(create: Callable[[list[Row]], ir.Table]) -> None:
    prices = [float(k * k) for k in range(12)]
    found = measured(create([row(k, price) for k, price in enumerate(prices)]), 1, column="price", aggregate="mean")
    whole, half = found["kpi", ""], 1.959964 * float(np.std(prices, ddof=1)) / math.sqrt(12)
    assert (whole.low, whole.high) == pytest.approx((np.mean(prices) - half, np.mean(prices) + half), rel=1e-6)


def test_sql_runs_where_the_rows_are(create: Callable[[list[Row]], ir.Table]) -> None:
    rows = [row(1, 10.0), row(2, 20.0, 3), row(30, 5.0, 2, "Bergen")]
    sql = "sum(case when price > 7 then price else 0 end) / nullif(count(*), 0) -- a comment"
    found = measured(create(rows), sql=sql)
    assert found["kpi", ""].value == 10.0
    assert (found["kpi", "city=Oslo"].value, found["kpi", "city=(other)"].value) == (15.0, 0.0)
    assert found["kpi", "city=(other)"].rows == 1


@pytest.mark.parametrize(
    "sql",
    [
        "sum(price)); drop table log; select (1",
        "select 1",
        "drop table log",
        "sum(price) from log",
        "(select count(*) from pg_user)",
        "sum(price), 1",
    ],
)
def test_sql_that_is_more_than_an_expression_is_refused(create: Callable[[list[Row]], ir.Table], sql: str) -> None:
    table = create(ROWS)
    with pytest.raises(CannotMeasure, match=r"^The KPI's sql is not one expression"):
        measured(table, sql=sql)
    assert table.count().execute() == len(ROWS)


def test_nothing_is_no_kpi(create: Callable[[list[Row]], ir.Table]) -> None:
    table = create([])
    made: list[dict[str, Any]] = [{"column": "price"}, {"numerator": "price", "denominator": "items"}]
    for parameters in [*made, {"sql": "sum(price)"}]:
        found = measured(table, **parameters)
        assert {key: one.value for key, one in found.items()} == {("kpi", ""): None, ("kpi_change", ""): None}
        assert all(str(one.detail["reason"]).endswith(".") for one in found.values())


def test_a_wrong_column_is_named(create: Callable[[list[Row]], ir.Table]) -> None:
    table = create(ROWS)
    with pytest.raises(CannotMeasure, match=r"'prize' is not among predictions and outcomes; did you mean 'price'\?"):
        measured(table, column="prize")
    with pytest.raises(CannotMeasure, match=r"'city' holds string; name one with numbers"):
        measured(table, column="city")


def test_the_change_is_told_against_past_weeks_with_the_interval_scaled(
    create: Callable[[list[Row]], ir.Table],
) -> None:
    table = create([row(24 * day + k, float(day + k)) for day in range(4) for k in range(9)])
    past = {("kpi", "income", ""): tuple(Past(START - k * 7 * DAY, 2.0 + k) for k in range(3))}
    found = measured(table, past=past, column="price", aggregate="mean")
    kpi, change = found["kpi", ""], found["kpi_change", ""]
    assert kpi.value is not None
    assert kpi.low is not None
    assert (change.value, change.low) == pytest.approx((kpi.value / 3, kpi.low / 3))
    assert found["kpi_change", "city=Oslo"].value is None


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"name": "x"}, "add column, numerator with denominator, or sql"),
        ({"column": "price"}, "add name"),
        ({"name": "x", "numerator": "price"}, "a ratio needs both"),
        ({"name": "x", "column": "price", "sql": "sum(price)"}, "leave the others out"),
        ({"name": "a.b", "column": "price"}, "pattern"),
    ],
)
def test_a_kpi_is_one_thing_with_a_name(parameters: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        BusinessKpi.model_validate(parameters)
