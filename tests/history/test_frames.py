"""The history in a notebook: the same answers as DataFrames, over a connection that cannot write."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_type_hints

import pandas as pd
import pytest
from sqlalchemy import Engine

from monitor.history import History, incidents, queries
from monitor.history.problems import HistoryUnavailable
from monitor.history.rows import HistoryRow
from monitor.history.tables import receivers
from tests.web.filled import HOSTILE, START, WALL, Filled, fill

DAY = timedelta(days=1)


@pytest.fixture
def filled(engine: Engine) -> Filled:
    return fill(engine)


@pytest.fixture
def history(database_url: str, filled: Filled) -> Iterator[History]:
    with History.open(database_url) as opened:
        yield opened


def rows_of(frame: pd.DataFrame) -> list[HistoryRow]:
    """A frame's rows as the history has them, with None for what pandas calls NaN."""
    cells = frame.astype(object).where(frame.notna(), None)
    return [HistoryRow(**{str(name): value for name, value in row.items()}) for row in cells.to_dict("records")]


def test_a_frame_is_the_answer_of_the_command(history: History, engine: Engine) -> None:
    frame = history.measurements("flights", "accuracy", segment="")
    assert rows_of(frame) == queries.history(engine, model="flights", metric="accuracy", segment="")
    assert rows_of(history.verdicts()) == queries.latest_verdicts(engine)
    assert list(history.incidents()["alerts"]) == [row.alerts for row in incidents.listed(engine, WALL)]
    assert list(history.models()["model"]) == ["flights"]
    assert list(history.silences()["author"]) == [HOSTILE]
    assert list(history.evaluations()["window_end"]) == [START + day * DAY for day in range(1, 6)]


@pytest.mark.parametrize(
    ("asked", "days"),
    [
        # everything
        ({}, [1, 2, 3, 4, 5]),
        # the newest ones
        ({"limit": 2}, [4, 5]),
        # a range, as text and as pandas has it
        ({"since": "2013-07-03", "until": pd.Timestamp("2013-07-05")}, [2, 3]),
        # what was known then
        ({"as_of": datetime(2013, 7, 3, 12, tzinfo=UTC)}, [1, 2]),
        # a verdict
        ({"verdict": "breach"}, [5]),
        # nothing
        ({"model": "nobody"}, []),
    ],
)
def test_a_frame_is_narrowed(history: History, asked: dict[str, object], days: list[int]) -> None:
    frame = history.measurements(metric="accuracy", **asked)  # type: ignore[arg-type]  # a table of keyword arguments
    assert list(frame["window_end"]) == [START + day * DAY for day in days]
    assert list(frame.columns) == list(get_type_hints(HistoryRow))
    assert str(frame["window_end"].dtype) == "datetime64[us, UTC]", "also where there is no row"


def test_a_profile_is_a_row_for_each_cell(history: History) -> None:
    frame = history.profile("flights", START, START + DAY)
    temp = frame[frame["column"] == "temp"].set_index("cell")
    assert list(temp.index[:3]) == ["[-inf, 0.0)", "[0.0, 10.0)", "[10.0, inf)"]
    assert temp.loc["[0.0, 10.0)", "rows"] == 2
    assert temp["share"].sum() == pytest.approx(1)
    assert temp["reference_share"].sum() == pytest.approx(1)
    assert HOSTILE in set(frame["cell"])
    with pytest.raises(ValueError, match=r"No rows of 'nobody' are stored"):
        history.profile("nobody", START, START + DAY)


def test_one_incident_is_told_whole(history: History, filled: Filled) -> None:
    told = history.incident(filled.incident)
    assert told is not None
    assert [each.metric for each in told.alerts] == ["accuracy"]
    assert history.incident(999) is None


def test_nothing_can_be_written(history: History) -> None:
    with history._engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA query_only = OFF")  # even who tries cannot
        with pytest.raises(Exception, match=r"cannot be written|read-only transaction"):
            connection.execute(receivers.insert().values(name="console"))


def test_a_history_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(HistoryUnavailable, match="There is no history at"):
        History.open(f"sqlite:///{tmp_path}/nothing.db")


def test_pandas_is_imported_for_an_answer_only(tmp_path: Path) -> None:
    code = "import sys; import monitor.history; assert not {'pandas', 'sqlalchemy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
    code = "import sys; from monitor.history import History; assert 'pandas' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
