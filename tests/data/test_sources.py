"""Every kind of source gives the same rows."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from monitor.data.feed import BucketCount, Feed
from monitor.settings import ModelSettings
from tests.data.logs import (
    Tables,
    assert_equal_profiles,
    at,
    into_postgres,
    outcome,
    prediction,
    small_model,
    tables,
    write,
)


def log() -> Tables:
    rows = [prediction(f"p{place}", place / 4, x=place / 3, said=place % 2) for place in range(8)]
    return tables(rows, [outcome(f"p{place}", place / 4 + 0.1, place % 3 % 2) for place in range(6)])


def reading(predictions: str, outcomes: str) -> ModelSettings:
    model = small_model()
    said = model.predictions.model_copy(update={"source": predictions})
    assert model.outcomes is not None
    return small_model(predictions=said, outcomes=model.outcomes.model_copy(update={"source": outcomes}))


COPIES = {
    "csv": "(FORMAT csv)",
    "csv.gz": "(FORMAT csv, COMPRESSION gzip)",
    "json": "(FORMAT json, ARRAY true)",
    "jsonl": "(FORMAT json)",
    "ndjson": "(FORMAT json)",
}


@pytest.mark.parametrize("kind", COPIES)
def test_every_kind_of_file_gives_the_profile_of_parquet(tmp_path: Path, kind: str) -> None:
    write(tmp_path, log())
    with duckdb.connect() as connection:
        for name in ("predictions", "outcomes"):
            copied = f"COPY (FROM '{tmp_path}/{name}.parquet') TO '{tmp_path}/{name}.{kind}' {COPIES[kind]}"
            connection.execute(copied)
    parquet, other = Feed(small_model(), tmp_path), Feed(reading(f"predictions.{kind}", f"outcomes.{kind}"), tmp_path)
    layout = parquet.baseline(at(3)).layout
    expected = parquet.profiles(layout, [at(0), at(1)], at(3))
    for start, profile in other.profiles(layout, [at(0), at(1)], at(3)).items():
        assert_equal_profiles(profile, expected[start])
    parquet.close()
    other.close()


def test_a_glob_reads_all_files_and_their_different_columns(tmp_path: Path) -> None:
    write(tmp_path, log())
    (tmp_path / "days").mkdir()
    whole = log()["predictions"]
    write(tmp_path / "days", {"one": whole.slice(0, 3), "two": whole.slice(3).drop_columns(["x"])})
    feed = Feed(reading("days/*.parquet", "outcomes.parquet"), tmp_path)
    assert feed.counts(at(0), at(2), at(3)) == {at(0): BucketCount(4, 4), at(1): BucketCount(4, 2)}
    layout = feed.baseline(at(3)).layout
    assert feed.profiles(layout, [at(0)], at(3))[at(0)].whole.columns["x"].null == 1
    feed.close()


def test_an_absolute_path_with_a_quote_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "it's"
    folder.mkdir()
    write(folder, log())
    feed = Feed(reading(str(folder / "predictions.parquet"), str(folder / "outcomes.parquet")), Path("/"))
    assert feed.counts(at(0), at(1), at(3)) == {at(0): BucketCount(4, 4)}
    feed.close()


def test_a_query_and_a_table_in_a_schema(postgres_database: str, tmp_path: Path) -> None:
    import psycopg

    write(tmp_path, log())
    into_postgres(postgres_database, log())
    with psycopg.connect(postgres_database.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute('CREATE SCHEMA "Log"')
        connection.execute('ALTER TABLE outcomes SET SCHEMA "Log"')
    model = small_model()
    assert model.outcomes is not None
    query = "SELECT p.*, 1 AS one FROM predictions p WHERE p.x >= 1 -- a comment\n;"
    feed = Feed(
        small_model(
            predictions=model.predictions.model_copy(update={"source": postgres_database, "query": query}),
            outcomes=model.outcomes.model_copy(update={"source": postgres_database, "table": "Log.outcomes"}),
        ),
        tmp_path,
    )
    assert feed.counts(at(0), at(2), at(3)) == {at(0): BucketCount(1, 1), at(1): BucketCount(4, 2)}
    feed.close()
