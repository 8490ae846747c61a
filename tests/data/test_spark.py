"""Spark Connect: what Ibis says differently there, what is wrong with a server, and what is looked at anew."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.data import columns, spark
from monitor.data.errors import SourceProblem, SourceUnreachable, SourceUnreadable, WrongType
from monitor.data.feed import Feed
from monitor.data.sources import Engines
from monitor.data.spark_dialect import Dialect
from monitor.settings import ModelSettings, Source
from tests.conftest import SparkServer
from tests.data.logs import assert_equal_profiles, at, on_spark, outcome, prediction, small_model, tables, write

HARD = pa.table(
    {
        "place": pa.array(range(12)),
        "x": pa.array([None, math.nan, math.inf, -math.inf, 0.0, -0.0, 1e300, -1e300, 1e-7, 0.1, 12345678.5, 2.5e-4]),
        "whole": pa.array([None, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 0, 1, 2, 3, 4, 5, 6], pa.int64()),
        "text": pa.array([None, "", " ", "grün", "a'b", 'a"b', "a\\b", "a\nb", "\U0001f600", "NaN", "null", "x" * 300]),
        "flag": pa.array([None, True, False] * 4),
    }
)


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[Engines]:
    made = Engines(tmp_path)
    yield made
    made.close()


def told(engines: Engines, source: Source, expression: Any) -> list[dict[str, Any]]:
    """The rows that *expression* makes of a source, in the order of ``place``."""
    table = engines.open(source, "here").table
    return list(expression(table).to_pyarrow().sort_by("place").to_pylist())


def both(tmp_path: Path, url: str, engines: Engines, expression: Any) -> tuple[str, str]:
    """The rows of HARD on DuckDB and on Spark, as text, for NaN is not NaN."""
    pq.write_table(HARD, tmp_path / "hard.parquet")
    query = f"SELECT * FROM parquet.`{tmp_path}/hard.parquet`"
    files = told(engines, Source(source="hard.parquet"), expression)
    return repr(files), repr(told(engines, Source(source=url, query=query), expression))


EXPRESSIONS = {
    "rows as they are": lambda t: t,
    "what is null": lambda t: t.select("place", x=t.x.isnull(), y=t.x.notnull(), n=t.whole.isnull(), t=t.text.isnull()),
    "what is infinite": lambda t: t.select("place", x=t.x.isinf()),
    "what is finite": lambda t: t.select("place", x=columns.finite(t.x)),
    "text of values": lambda t: t.select(
        "place", *[columns.label(t[name]).name(name) for name in HARD.column_names[1:]]
    ),
    "an order by hash": lambda t: t.select("place", x=columns.md5(columns.label(t.text))),
    "cells": lambda t: t.select("place", x=columns.cell(t.x, (-1.0, 0.0, 0.1, 12.0))),
    "the third and fourth": lambda t: t.order_by("place").limit(2, offset=2),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_hard_values_on_spark_are_those_on_duckdb(name: str, tmp_path: Path, spark: str, engines: Engines) -> None:
    files, there = both(tmp_path, spark, engines, EXPRESSIONS[name])
    assert there == files


def test_a_frame_of_spark_is_the_frame_of_duckdb(tmp_path: Path, spark: str) -> None:
    write(tmp_path, simple())
    on_files, there = Feed(small_model(), tmp_path), Feed(on_spark(small_model(), spark, tmp_path), tmp_path)
    one, other = (feed.window(at(0), at(2), at(2), [], None).sample(5) for feed in (on_files, there))
    values = [frame.astype(object).where(frame.notna(), None).to_dict("list") for frame in (one, other)]
    assert values[0] == values[1]
    on_files.close()
    there.close()


@pytest.mark.parametrize("role", ["predictions", "outcomes"])
def test_predictions_and_outcomes_may_be_on_spark_and_in_files(tmp_path: Path, spark: str, role: str) -> None:
    write(tmp_path, simple())
    on_files, apart = Feed(small_model(), tmp_path), Feed(on_spark(small_model(), spark, tmp_path, role), tmp_path)
    layout = on_files.baseline(at(2)).layout
    days = [at(0), at(1)]
    expected = on_files.profiles(layout, days, at(2))
    for day, profile in apart.profiles(layout, days, at(2)).items():
        assert_equal_profiles(profile, expected[day])
    on_files.close()
    apart.close()


def sql(expression: Any) -> str:
    """What Spark is asked, in one line; needs no server."""
    text = Dialect().to_sqlglot(expression).sql(dialect=Dialect.dialect)
    return str(text)


def test_nan_is_not_null_and_infinity_is_looked_for() -> None:
    table = ibis.table({"x": "float64"}, name="t")
    assert "ISNAN" not in sql(table.filter(table.x.isnull()))
    assert "ISNAN" not in sql(table.filter(table.x.notnull()))
    assert "FALSE" not in sql(table.filter(table.x.isinf()))
    assert "OFFSET 3" in sql(table.limit(1, offset=3))


def simple() -> dict[str, pa.Table]:
    return tables([prediction("a", 0.5), prediction("b", 1.5)], [outcome("a", 0.6, 1)])


def problem_of(feed: Feed, kind: type[SourceProblem]) -> str:
    with pytest.raises(kind) as raised:
        feed.counts(at(0), at(1), at(1))
    return str(raised.value)


def reading(url: str, **asked: str) -> ModelSettings:
    said = small_model().predictions.model_copy(update={"source": url, **asked})
    return small_model(predictions=said, outcomes=None, reference=None)


def test_a_server_that_is_not_there_is_said_within_the_time_allowed(
    tmp_path: Path, free_port: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark, "CONNECT_SECONDS", 2)
    url = f"sc://127.0.0.1:{free_port()}"
    began = time.monotonic()
    sentence = problem_of(Feed(reading(url, table="predictions"), tmp_path), SourceUnreachable)
    assert sentence == (
        f"small: predictions ({url}, table predictions): Spark does not answer (no connection within the time allowed)."
    )
    assert time.monotonic() - began < 10


def test_without_the_extra_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "monitor.data.spark")
    monkeypatch.delattr("monitor.data.spark")
    monkeypatch.setitem(sys.modules, "grpc", None)
    sentence = problem_of(Feed(reading("sc://127.0.0.1", table="predictions"), tmp_path), SourceUnreadable)
    assert sentence.endswith(
        ": Spark needs a package that is not installed (grpc); "
        "install model-monitor with its extra: pip install 'model-monitor[spark]'."
    )


@pytest.mark.parametrize(
    ("asked", "kind", "words"),
    [
        ({"table": "no.such"}, SourceUnreadable, 'name a table as table = "schema.name".'),
        (
            {"query": "SELECT * FROM parquet.`/no/such/path`"},
            SourceUnreachable,
            "correct the path, or write the files.",
        ),
        ({"query": "SELEC 1"}, SourceUnreadable, "correct table or query."),
        # only what can stand in brackets is read
        ({"query": "DROP TABLE IF EXISTS predictions"}, SourceUnreadable, "correct table or query."),
    ],
)
def test_what_spark_refuses_is_a_sentence(
    tmp_path: Path, spark: str, asked: dict[str, str], kind: type[SourceProblem], words: str
) -> None:
    feed = Feed(reading(spark, **asked), tmp_path)
    sentence = problem_of(feed, kind)
    assert sentence.startswith("small: predictions (sc://127.0.0.1:")
    assert sentence.endswith(words)
    feed.close()


def test_a_value_that_does_not_fit_is_a_sentence(tmp_path: Path, spark: str) -> None:
    feed = Feed(reading(spark, query="SELECT 'a' AS id, 'some day' AS at, 0.5D AS score, 1 AS said"), tmp_path)
    assert "some day" in problem_of(feed, WrongType)
    feed.close()


def test_a_table_is_looked_at_anew(tmp_path: Path, spark: str) -> None:
    """Spark remembers which files a table had."""
    folder = tmp_path / "log"
    folder.mkdir()
    whole = simple()["predictions"]
    pq.write_table(whole.slice(0, 1), folder / "one.parquet")
    name = f"log_{tmp_path.name.replace('-', '_')}"
    engines = Engines(tmp_path)
    admin: Any = engines.open(Source(source=spark, query="SELECT 1 AS one"), "here").engine
    admin.raw_sql(f"CREATE TABLE {name} USING parquet LOCATION '{folder}'")
    feed = Feed(reading(spark, table=f"default.{name}"), tmp_path)
    assert sum(found.rows for found in feed.counts(at(0), at(2), at(2)).values()) == 1

    pq.write_table(whole.slice(1), folder / "two.parquet")

    assert sum(found.rows for found in feed.counts(at(0), at(2), at(2)).values()) == 2
    feed.close()
    admin.raw_sql(f"DROP TABLE {name}")
    engines.close()


def test_a_server_that_goes_away_hangs_and_comes_back(
    spark_server: SparkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CONNECT_SECONDS", "ANSWER_SECONDS"):
        monkeypatch.setattr(spark, name, 20)
    write(tmp_path, simple())
    feed = Feed(on_spark(small_model(outcomes=None, reference=None), spark_server.url, tmp_path), tmp_path)
    assert feed.counts(at(0), at(1), at(1))[at(0)].rows == 1
    for name in ("CONNECT_SECONDS", "ANSWER_SECONDS"):
        monkeypatch.setattr(spark, name, 2)

    spark_server.freeze()
    began = time.monotonic()
    assert "Spark does not answer (" in problem_of(feed, SourceUnreachable)
    assert time.monotonic() - began < 30
    spark_server.freeze(thaw=True)

    spark_server.stop()
    assert "Spark does not answer (" in problem_of(feed, SourceUnreachable)

    for name in ("CONNECT_SECONDS", "ANSWER_SECONDS"):
        monkeypatch.setattr(spark, name, 60)
    spark_server.start()
    assert feed.counts(at(0), at(1), at(1))[at(0)].rows == 1
    feed.close()
