"""The contract as it is kept in the history says what config.toml said, and is read back as the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
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


def test_what_is_kept_of_one_contract_is_the_same_text_in_every_process() -> None:
    code = (
        "from monitor.release.written import plain; from monitor.settings import Threshold;"
        "print(plain(Threshold.model_validate({'for': '1d', 'severity': 'warn', 'min_rows': 5, 'clear': 1, 'min': 0})))"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(told) == 1
