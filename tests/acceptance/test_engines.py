"""The same flights in PostgreSQL and on Spark give the same values and verdicts as in Parquet files, to 1e-9."""

from __future__ import annotations

import json
import math
import subprocess
from pathlib import Path

import duckdb
import psycopg
import pytest

from tests.world import command, environment

ROOT = Path(__file__).parents[2]
FLIGHTS = ROOT / "examples" / "flights"
TYPES = {"VARCHAR": "text", "FLOAT": "real", "DOUBLE": "double precision", "BIGINT": "bigint", "TIMESTAMP": "timestamp"}


def load(url: str, table: str, where: str = "TRUE") -> None:
    """Copy a Parquet file of the example into a table."""
    source = f"FROM '{FLIGHTS / table}.parquet' WHERE {where}"
    rows = duckdb.sql(f"SELECT * {source}")
    columns = ", ".join(f'"{name}" {TYPES[str(kind)]}' for name, kind in zip(rows.columns, rows.types, strict=True))
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {table} ({columns})".encode())
        with cursor.copy(f"COPY {table} FROM STDIN".encode()) as copy:
            for row in rows.fetchall():
                copy.write_row(row)


@pytest.fixture
def postgres_config(postgres_database: str, tmp_path: Path) -> Path:
    url = postgres_database.replace("postgresql+psycopg://", "postgresql://")
    week = "timestamp >= TIMESTAMP '2013-06-20' AND timestamp < TIMESTAMP '2013-07-12'"
    load(url, "predictions", week)
    load(url, "outcomes", "outcome_time >= TIMESTAMP '2013-06-19' AND outcome_time < TIMESTAMP '2013-07-14'")
    load(url, "reference")
    load(url, "schedule", week)
    text = (ROOT / "config.toml").read_text()
    for table in ("predictions", "outcomes", "reference", "schedule"):
        text = text.replace(f'source = "examples/flights/{table}.parquet"', f'source = "{url}"\ntable = "{table}"')
    config = tmp_path / "config.toml"
    config.write_text(text)
    return config


def evaluated(config: Path) -> dict[tuple[str, str], dict[str, object]]:
    words = ("evaluate", "--model", "flight-delay", "--window", "2013-06-23", "2013-06-30", "--format", "json")
    done = subprocess.run(
        command(*words, "--config", str(config)),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=environment(),
    )
    assert done.returncode == 1, f"a breach is exit code 1: {done.stderr}"
    return {(row["metric"], row["segment"]): row for row in json.loads(done.stdout)}


@pytest.fixture
def spark_config(spark: str, tmp_path: Path) -> Path:
    text = (ROOT / "config.toml").read_text()
    for table in ("predictions", "outcomes", "reference", "schedule"):
        query = f"SELECT * FROM parquet.`{FLIGHTS / table}.parquet`"
        text = text.replace(f'source = "examples/flights/{table}.parquet"', f'source = "{spark}"\nquery = "{query}"')
    config = tmp_path / "config.toml"
    config.write_text(text)
    return config


@pytest.mark.parametrize("engine", ["postgres", "spark"])
def test_each_engine_gives_the_values_and_verdicts_of_the_files(engine: str, request: pytest.FixtureRequest) -> None:
    config: Path = request.getfixturevalue(f"{engine}_config")
    files, database = evaluated(ROOT / "config.toml"), evaluated(config)

    assert set(files) == set(database)
    assert len(files) > 40
    for key, row in files.items():
        other = database[key]
        assert (row["verdict"], row["rows"]) == (other["verdict"], other["rows"]), key
        for number in ("value", "low", "high"):
            assert same(row[number], other[number]), (key, number, row[number], other[number])


def same(one: object, other: object) -> bool:
    if not isinstance(one, float | int) or not isinstance(other, float | int):
        return one == other
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
