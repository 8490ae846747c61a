"""docs/settings.md names every table and key there is, and none that there is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from monitor import settings
from monitor.settings.schema import keys_of

TEXT = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()
TABLES: dict[str, type[BaseModel]] = {
    "[[models]]": settings.ModelSettings,
    "[models.predictions]": settings.Predictions,
    "[models.outcomes]": settings.Outcomes,
    "[models.reference]": settings.Reference,
    "[models.population]": settings.Population,
    "[models.catalogue]": settings.Catalogue,
    "[models.trainings]": settings.Trainings,
    "[models.release]": settings.Threshold,
    "[[models.checks]]": settings.CheckSettings,
    "[history]": settings.HistorySettings,
    "[schedule]": settings.ScheduleSettings,
    "[alerts]": settings.AlertSettings,
    "[[alerts.escalation]]": settings.Escalation,
    "[[alerts.maintenance]]": settings.Maintenance,
    "[alerts.digest]": settings.Digest,
    "[slack]": settings.SlackSettings,
    "[[slack.routes]]": settings.SlackRoute,
    "[[webhooks]]": settings.Webhook,
    "[[alertmanagers]]": settings.Alertmanager,
    "[web]": settings.WebSettings,
    "[[web.tokens]]": settings.WebToken,
    "[clock]": settings.ClockSettings,
    "At the top": settings.Settings,
}


def _section(title: str) -> str:
    name = f"`{title}`" if title.startswith("[") else title
    found = re.search(rf"^## {re.escape(name)}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found, f"docs/settings.md has no section {name}"
    return found[1]


@pytest.mark.parametrize("title", TABLES)
def test_every_key_is_documented(title: str) -> None:
    section = _section(title)
    assert [key for key in keys_of(TABLES[title]) if f"`{key}`" not in section] == []


@pytest.mark.parametrize("title", TABLES)
def test_every_documented_key_exists_and_says_whether_it_is_required(title: str) -> None:
    fields = {field.alias or name: field for name, field in TABLES[title].model_fields.items()}
    for keys, default in re.findall(r"^\| (`[a-z_`, ]+`) \| ([^|]*) \|", _section(title), re.MULTILINE):
        for key in keys.replace("`", "").split(", "):
            assert key in fields, f"{title} has no key {key}"
            if default.strip():
                assert (default.strip() == "required") == fields[key].is_required(), key


def test_every_table_of_the_schema_is_a_section() -> None:
    tables = {
        value
        for value in vars(settings).values()
        if isinstance(value, type) and issubclass(value, BaseModel) and value.__module__ == settings.__name__
    }
    assert tables - {settings.Table, settings.Source, *TABLES.values()} == set()
