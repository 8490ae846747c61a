"""How much of the error a column explains: what matters is found, and what is noise is not."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.profile import Layout
from monitor.data import importance
from monitor.data.importance import correlation_ratio
from monitor.settings import ModelSettings
from tests.data.logs import Make, reference_rows, small_model, tables

SAMPLED = 0.562
"""What 300 rows of 900 say on every engine: they are chosen by the MD5 of their ids."""

AS_OF = datetime(2024, 1, 1, tzinfo=UTC)


def errors_where_red(rows: int = 900) -> list[dict[str, Any]]:
    """Rows whose prediction is wrong 6 times in 10 where the colour is red, and 1 time in 10 elsewhere."""
    chance = random.Random(15)
    found = []
    for place, row in enumerate(reference_rows(rows)):
        wrong = chance.random() < (0.6 if row["colour"] == "red" else 0.1)
        changes = {"x": None if place % 10 == 0 else chance.gauss(0, 1), "said": place % 2, "score": chance.random()}
        found.append({**row, **changes, "flag": chance.random() < 0.5, "truth": (place + wrong) % 2})
    return found


def taken(make: Make, model: ModelSettings, rows: list[dict[str, Any]]) -> Layout:
    return make(model, tables([], [], rows)).baseline(AS_OF).layout


def test_the_column_that_errors_depend_on_matters_and_noise_does_not(make: Make) -> None:
    rows = errors_where_red()
    layout = taken(make, small_model(), rows)

    error = np.array([row["said"] != row["truth"] for row in rows], float)
    colours = np.array([row["colour"] for row in rows])
    between = sum(sum(colours == one) * (error[colours == one].mean() - error.mean()) ** 2 for one in set(colours))
    share = 1 - (1 - between / (error.var() * 900)) * 899 / 897
    assert layout.importance["colour"] == pytest.approx(np.sqrt(share), abs=0.001)
    assert 0.45 < layout.importance["colour"] < 0.6
    assert {name: ratio for name, ratio in layout.importance.items() if name != "colour"} == dict.fromkeys(
        ("x", "flag", "place", "said", "score"), 0.0
    )


def test_absolute_errors_of_numbers_are_explained_as_well(make: Make) -> None:
    chance = random.Random(16)
    rows = [
        {
            **row,
            "score": float(place),
            "said": place,
            "truth": place + chance.randint(-3, 3) * (9 if row["flag"] else 1),
        }
        for place, row in enumerate(reference_rows(400))
    ]
    said = small_model().predictions.model_copy(update={"score": None})
    layout = taken(make, small_model(task="regression", predictions=said), rows)
    assert layout.importance["flag"] > 0.6
    assert layout.importance["colour"] < 0.2


@pytest.mark.parametrize(
    "changes",
    [
        {"truth": None},  # no outcomes
        {"said": 1, "truth": 1},  # never wrong
    ],
)
def test_a_reference_without_errors_tells_nothing(make: Make, changes: dict[str, Any]) -> None:
    assert taken(make, small_model(), [{**row, **changes} for row in reference_rows()]).importance == {}


def test_a_model_without_outcomes_has_no_importance(on_files: Make) -> None:
    assert taken(on_files, small_model(outcomes=None), reference_rows()).importance == {}


def test_a_large_reference_is_sampled_the_same_way_each_time(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importance, "SAMPLE", 300)
    feed = make(small_model(), tables([], [], errors_where_red()))
    layout = feed.baseline(AS_OF).layout
    assert layout.importance == feed.baseline(AS_OF).layout.importance
    assert layout.importance["colour"] == SAMPLED


@given(st.integers(2, 40), st.integers(0, 10**6))
def test_noise_explains_nothing(cells: int, seed: int) -> None:
    """Beyond chance, in 99 of 100; and never more than the plain ratio."""
    chance = np.random.default_rng(seed)
    error, place = chance.normal(size=500), chance.integers(0, cells, 500)
    held = [error[place == cell] for cell in range(cells) if (place == cell).any()]
    between = sum(len(one) * (one.mean() - error.mean()) ** 2 for one in held)
    spread = float(((error - error.mean()) ** 2).sum())
    ratio = correlation_ratio(float(between), spread, len(held), 500)
    assert 0 <= ratio <= np.sqrt(between / spread)
    assert ratio < 0.45
