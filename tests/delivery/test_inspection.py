"""``model-monitor check`` reaches whoever is told besides Slack, and posts nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.inspection import Finding, inspect
from monitor.settings import Alertmanager, HistorySettings, Settings, Webhook
from tests.delivery.fake_address import FakeAddress


@pytest.fixture
def address() -> Iterator[FakeAddress]:
    with FakeAddress() as fake:
        yield fake


def found(url: str, folder: Path) -> dict[str, Finding]:
    settings = Settings.model_validate(
        {
            "models": (),
            "history": HistorySettings.model_validate({"url": f"sqlite:///{folder}/history.db"}),
            "webhooks": (Webhook.model_validate({"name": "pager", "url": f"{url}/hook?token=secret"}),),
            "alertmanagers": (Alertmanager.model_validate({"name": "prometheus", "url": f"{url}/am/"}),),
        }
    )
    return {each.what: each for each in inspect(settings, folder, lambda _: None)}


def test_addresses_that_answer_are_well_and_nothing_is_posted(address: FakeAddress, tmp_path: Path) -> None:
    address.script(405, 200)  # a webhook need not know GET

    seen = found(address.url, tmp_path)

    assert [seen["webhook pager"].ok, seen["Alertmanager prometheus"].ok] == [True, True]
    assert [(one.method, one.path) for one in address.asked] == [
        ("GET", "/hook?token=secret"),
        ("GET", "/am/api/v2/status"),
    ]


def test_an_alertmanager_must_tell_its_status(address: FakeAddress, tmp_path: Path) -> None:
    address.script(200, 404)
    seen = found(address.url, tmp_path)["Alertmanager prometheus"]
    assert (seen.ok, seen.found) == (
        False,
        "The answer was HTTP 404. Correct the address in config.toml, or what it lets in.",
    )


def test_an_address_where_nobody_answers_is_said_without_the_address(tmp_path: Path) -> None:
    with FakeAddress() as gone:
        url = gone.url

    seen = found(url, tmp_path)

    for each in (seen["webhook pager"], seen["Alertmanager prometheus"]):
        assert not each.ok
        assert each.found.startswith("Nobody could be reached there: ")
        assert "secret" not in str(each)
