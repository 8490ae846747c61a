"""docs/api.md: its notebook runs, its settings are valid, and it names every path and every span."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from litestar import Litestar

from monitor.history.engine import open_engine
from monitor.history.migrations import migrate
from monitor.settings import load_settings
from monitor.web.api.openapi import complete
from tests.web.filled import fill
from tests.web.serving import application

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
CONFIG = """
[[models]]
name = "flight-delay"
version = "1"
task = "binary"
predictions = { source = "rows.parquet", id = "id", time = "at", prediction = "said" }
release = { volume = { min = 1 } }
[history]
url = "sqlite:///history.db"
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def settings(folder: Path, more: str = "") -> None:
    (folder / "rows.parquet").touch()
    (folder / "config.toml").write_text(CONFIG + more)


def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    settings(tmp_path)
    engine = open_engine(f"sqlite:///{tmp_path}/history.db")
    migrate(engine)
    fill(engine, "flight-delay")
    engine.dispose()
    monkeypatch.chdir(tmp_path)
    (notebook,) = blocks("python")
    known: dict[str, object] = {}
    exec(notebook, known)  # noqa: S102  # it is our own documentation

    assert "breach" in capsys.readouterr().out
    assert [len(known[name]) for name in ("known", "worst", "open_now")] == [4, 1, 1]  # type: ignore[arg-type]  # DataFrames


@pytest.mark.parametrize("block", blocks("toml"))
def test_its_settings_are_valid(tmp_path: Path, block: str) -> None:
    settings(tmp_path, block)
    secrets = {"ONCALL_TOKEN": "o" * 32, "GRAFANA_TOKEN": "g" * 32}
    assert load_settings(tmp_path / "config.toml", secrets).web


def test_every_path_and_every_parameter_is_named() -> None:
    app: Litestar = application()
    described = complete(app.openapi_schema.to_schema())
    paths = {path.removeprefix("/api/v1") for path in described["paths"]}
    named = {path.replace("{id}", "{}") for path in re.findall(r"`(?:POST |DELETE )?(/[^`]*)`", PAGE)}
    assert {re.sub(r"\{\w+_id\}", "{}", path) for path in paths} - named == set()
    parameters = {
        each["name"]
        for path in described["paths"].values()
        for one in path.values()
        for each in one.get("parameters", ())
    }
    assert [name for name in parameters if not re.search(rf"`{name}[`=]|\{{{name}\}}|\{{id\}}", PAGE)] == []


SPANS = {"evaluation", "report", "check", "delivery"}


@pytest.mark.parametrize("span", sorted(SPANS))
def test_every_span_is_described(span: str) -> None:
    source = Path(__file__).parents[2] / "monitor"
    names = {
        name for path in source.rglob("*.py") for name in re.findall(r'traces\.span\(\s*"(\w+)"', path.read_text())
    }
    assert names == SPANS
    assert f"| `{span}`" in PAGE
