"""A fake Slack and an empty history for the tests of delivery."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.delivery.fake_slack import FakeSlack


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    """A fake Slack of one's own."""
    with FakeSlack() as fake:
        yield fake
