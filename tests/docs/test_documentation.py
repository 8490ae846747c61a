"""The README and docs stay true: links lead somewhere, settings shown are valid, what is promised exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from monitor.settings import load_settings
from monitor.web.metrics import COUNTERS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "examples").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    local = [link for link in links if "://" not in link and not link.startswith("mailto:")]

    assert [] == [link for link in local if not (page.parent / link).exists()]


def test_the_config_of_the_repository_is_valid() -> None:
    settings = load_settings(ROOT / "config.toml", {})

    assert [model.name for model in settings.models] == ["flight-delay"]


def test_the_config_in_the_readme_is_valid(tmp_path: Path) -> None:
    block = re.search(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block, "the README shows a config"
    for source in re.findall(r'"([^"]+\.parquet)"', block[1]):
        path = tmp_path / source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "config.toml").write_text(block[1])

    assert load_settings(tmp_path / "config.toml", {}).models


def test_every_metric_for_prometheus_is_documented() -> None:
    page = (ROOT / "docs" / "commands.md").read_text()

    assert [] == [name for name in COUNTERS if f"_{name}_total" not in page]


@pytest.mark.parametrize("target", ["run", "test", "faults", "lint", "bench", "image", "lock"])
def test_every_make_target_of_the_readme_exists(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text()

    assert re.search(rf"^{target}:", makefile, re.MULTILINE)
