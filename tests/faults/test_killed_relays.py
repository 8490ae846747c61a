"""Relays are killed and paused at random moments while Slack misbehaves: nothing is lost, nothing comes twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from tests.delivery.boxes import states
from tests.faults.siege import Figures, Plan, besiege

FAULTS = {"500": 0.04, "500_after": 0.02, "429": 0.05, "lost": 0.05, "truncated": 0.02}


Tell = Callable[[str, object], None]


def assert_nothing_is_lost(engine: Engine, figures: Figures) -> None:
    assert figures.told.lost == [], "lost"
    assert set(states(engine)) == {"sent"}
    assert figures.invalid == []


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(Plan("kill", incidents=8, hits=15, faults=FAULTS), id="short"),
        pytest.param(
            Plan("kill", incidents=620, hits=1100, every=(0.05, 0.2), patience=1500), id="long", marks=pytest.mark.long
        ),
    ],
)
def test_relays_killed_at_random_lose_and_double_nothing(
    engine: Engine, database_url: str, plan: Plan, record_property: Tell
) -> None:
    figures = besiege(engine, database_url, plan)
    record_property("figures", f"{engine.name}: {figures}")
    assert_nothing_is_lost(engine, figures)
    assert figures.hits >= plan.hits / 2, "the fire was too thin to count"
    assert (figures.told.doubled, figures.told.strangers) == ([], [])


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(Plan("pause", incidents=8, hits=3, faults=FAULTS), id="short"),
        pytest.param(Plan("pause", incidents=620, hits=100, patience=1500), id="long", marks=pytest.mark.long),
    ],
)
def test_relays_paused_for_longer_than_their_lease_lose_nothing_and_hardly_double(
    engine: Engine, database_url: str, plan: Plan, record_property: Tell
) -> None:
    """A pause between the last look at the lease and the socket's write cannot be told from a slow network."""
    figures = besiege(engine, database_url, plan)
    record_property("figures", f"{engine.name}: {figures}")
    assert_nothing_is_lost(engine, figures)
    assert len(figures.told.strangers) <= figures.alerts / 1000, "more than 0.1 % came twice"
