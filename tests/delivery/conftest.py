"""A fake Slack and an empty history for the tests of delivery."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.delivery.boxes import new_history
from tests.delivery.fake_slack import FakeSlack


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    """A fake Slack of one's own."""
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An empty history, once in SQLite and once in PostgreSQL."""
    made = new_history(database_url)
    yield made
    made.dispose()
