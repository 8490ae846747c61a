"""Feeds over small logs, on every engine and on each mixture of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from monitor.data.feed import Feed
from monitor.settings import ModelSettings
from tests.data.logs import FLIGHTS, Make, Tables, into_postgres, on_postgres, on_spark, write

ENGINES = ("duckdb", "postgresql", "outcomes on postgresql", "predictions on postgresql", "spark")


@pytest.fixture(params=ENGINES)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes a feed over tables: on files, PostgreSQL, Spark, and with predictions and outcomes on different engines."""
    feeds: list[Feed] = []

    def made(model: ModelSettings, given: Tables) -> Feed:
        write(tmp_path, given)
        if request.param == "spark":
            model = on_spark(model, str(request.getfixturevalue("spark")), tmp_path)
        elif request.param != "duckdb":
            url = str(request.getfixturevalue("postgres_database"))
            into_postgres(url, given)
            roles = {"postgresql": (), "outcomes on postgresql": ("outcomes",)}.get(request.param, ("predictions",))
            model = on_postgres(model, url, *roles)
        feeds.append(Feed(model, tmp_path))
        return feeds[-1]

    yield made
    for feed in feeds:
        feed.close()


@pytest.fixture
def on_files(tmp_path: Path) -> Iterator[Make]:
    """Makes a feed over Parquet files."""
    feeds: list[Feed] = []

    def made(model: ModelSettings, given: Tables) -> Feed:
        write(tmp_path, given)
        feeds.append(Feed(model, tmp_path))
        return feeds[-1]

    yield made
    for feed in feeds:
        feed.close()


@pytest.fixture(scope="session")
def flights() -> dict[str, pd.DataFrame]:
    return {
        name: pd.read_parquet(FLIGHTS / f"{name}.parquet")
        for name in ("predictions", "outcomes", "reference", "schedule")
    }
