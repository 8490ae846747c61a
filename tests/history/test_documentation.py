"""docs/history.md: its questions run, and it describes each column of each view and each table."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect

from monitor.history.records import EpisodeRecord, MeasurementRecord, VerdictRecord
from monitor.history.store import Store
from monitor.history.tables import metadata

DAY = timedelta(days=1)
START = datetime(2013, 7, 1, tzinfo=UTC)
WALL = datetime(2026, 1, 1, tzinfo=UTC)

DOCS = (Path(__file__).parents[2] / "docs/history.md").read_text(encoding="utf-8")
QUESTIONS = re.findall(r"```sql\n(.*?)```", DOCS, flags=re.DOTALL)


@pytest.fixture
def filled(store: Store, record: Callable[..., int]) -> None:
    measured = [
        MeasurementRecord("accuracy", "accuracy", 0.7, 0.65, 0.75, 100),
        MeasurementRecord("accuracy", "accuracy", 0.6, 0.55, 0.65, 50, segment="origin=EWR"),
        MeasurementRecord("drift", "drift", 0.3, 0.2, 0.4, 100, column="temp"),
    ]
    verdict = VerdictRecord("accuracy", "breach", "falls_below", "page", "min", threshold=0.728)
    record(1, "flight-delay", measurements=measured, verdicts=[verdict])
    token = store.claim("flight-delay", "me", WALL, DAY)
    assert token is not None
    with store.recording("flight-delay", token, WALL) as recording:
        incident = recording.open_new_incident(version="v1", severity="page", opened_at=START + DAY)
        recording.open_episode(incident, EpisodeRecord("k", "accuracy", "page", START + DAY))


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.split("\n")[0])
def test_each_question_of_the_documentation_is_answered(engine: Engine, question: str) -> None:
    with engine.connect() as connection:
        assert len(connection.exec_driver_sql(question).all()) == 1


@pytest.mark.parametrize("view", ["latest_verdicts", "measurement_history", "incident_history"])
def test_each_column_of_a_view_is_described(engine: Engine, view: str) -> None:
    section = DOCS.split(f"### `{view}`")[1].split("\n#")[0]
    table = [line for line in section.splitlines() if line.startswith("| ")]
    described = set(re.findall(r'`"?(\w+)"?`', " ".join(line.split("|")[1] for line in table)))

    assert described == {column["name"] for column in inspect(engine).get_columns(view)}


def test_each_table_is_described() -> None:
    section = DOCS.split("## Tables")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]

    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == set(metadata.tables)
