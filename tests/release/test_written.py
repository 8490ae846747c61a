"""The contract as it is kept in the history says what config.toml said, and is read back as the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from checks.discovery import discover
from monitor.release.contract import build_contract
from monitor.release.written import PROMISE, written
from monitor.settings import ModelSettings

ROWS = {"source": "rows.parquet", "id": "id", "time": "at", "prediction": "said"}


@pytest.mark.parametrize(
    "said",
    [
        # numbers and names
        {"release": {"accuracy": {"min": 0.7}, "drift.*": {"max": 0.2, "severity": "warn"}}},
        # durations, and a key that is a word of Python
        {"release": {"training_time": {"max": "4h", "for": "2d", "window": "28d"}}},
        # relative bounds, segments
        {"release": {"accuracy": {"min_of_release": 0.95, "segments": ["origin"]}}},
        # checks with parameters of their own
        {"checks": [{"check": "drift", "window": "14d"}, {"check": "accuracy", "beta": 1.5}]},
    ],
)
def test_a_contract_written_and_read_back_is_the_same(said: dict[str, object]) -> None:
    model = ModelSettings.model_validate(
        {"name": "m", "version": "1", "task": "binary", "window": "14d", "predictions": ROWS, **said}
    )
    kept = json.loads(json.dumps(written(model)))
    back = {name: kept[name] for name in PROMISE if name in kept}
    again = ModelSettings.model_validate({"name": "m", "version": "1", "task": "binary", "predictions": ROWS, **back})

    assert kept["release"] == said.get("release", {})
    assert kept["checks"] == said.get("checks", [])
    assert build_contract(again, discover()).hash == build_contract(model, discover()).hash
    assert Path(model.predictions.source).name not in json.dumps(kept), "sources may hold passwords"
