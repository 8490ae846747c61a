"""The budget of false pages, held by the daemon's own judging: verdicts, days, alerts and incidents, day after day."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

import numpy as np
import pytest

from benchmarks.alarm_quality.judging import Told, alarm, bounds_of_one_model
from benchmarks.alarm_quality.scores import first_open
from benchmarks.alarm_quality.simulations import Chance, dropping, quiet

YEARS_OF_A_MODEL = 5
DAYS = 365 * YEARS_OF_A_MODEL


def lives(chance: Chance, models: int) -> Iterator[list[Told]]:
    """Years of models that sit exactly at their threshold, from a fixed seed."""
    random = np.random.default_rng(20261124)
    return (alarm(quiet(random, chance, DAYS)) for _ in range(models))


@pytest.mark.parametrize("chance", ["independent", "day-clustered"])
def test_models_exactly_at_their_threshold_page_no_more_than_the_budget(chance: Chance) -> None:
    found = list(lives(chance, models=6))  # 30 model-years

    pages = [sum(day.paged for day in told) for told in found]
    assert sum(pages) <= len(found) * YEARS_OF_A_MODEL, "alerts.false_pages is one in 365 days"
    assert sum(pages) / (len(found) * YEARS_OF_A_MODEL) == pytest.approx(0.2, abs=0.1), "as docs/alarm-quality.md says"
    assert max(pages) <= 2


def test_bounds_of_one_model_share_the_budget() -> None:
    random = np.random.default_rng(20261124)

    told = bounds_of_one_model([quiet(random, "day-clustered", 2 * 365) for _ in range(3)])

    assert sum(day.paged for day in told) <= 2


@pytest.mark.parametrize(("chance", "within"), [("independent", 3), ("day-clustered", 10)])
def test_a_drop_of_five_points_below_the_threshold_is_found_within_days(chance: Chance, within: int) -> None:
    random = np.random.default_rng(20261124)
    at = 120
    lived = [alarm(dropping(random, chance, at, at + 60, points=5)) for _ in range(12)]

    delays = [first_open(told, at) for told in lived if not told[at - 1].open]
    assert len(delays) >= 9
    assert None not in delays
    assert median(delay for delay in delays if delay is not None) <= within
