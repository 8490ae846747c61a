"""A config.toml that is right, to be made wrong in one place at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from monitor.settings import Settings, SettingsError, load_settings

RIGHT = """
[[models]]
name = "flight-delay"
version = "2013-04"
task = "binary"

[models.predictions]
source = "predictions.parquet"
id = "prediction_id"
time = "timestamp"
entity = "entity_id"
score = "y_pred_proba"
prediction = "y_pred"
features = ["temp", "carrier"]
segments = ["origin"]

[models.outcomes]
source = "outcomes.parquet"
value = "y_true"

[models.reference]
source = "reference.parquet"

[models.population]
source = "schedule.parquet"
entity = "entity_id"

[models.release]
accuracy = { min = 0.728 }
coverage = { min = 0.95 }
"drift.*" = { max = 0.2 }

[[models.checks]]
check = "drift"
"""
SOURCES = ("predictions", "outcomes", "reference", "schedule")

Load = Callable[..., Settings]
Problems = Callable[..., list[str]]


@pytest.fixture
def right() -> str:
    """Settings that are right."""
    return RIGHT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of config.toml, with the files it names."""
    for name in SOURCES:
        (tmp_path / f"{name}.parquet").touch()
    return tmp_path


@pytest.fixture
def load(folder: Path) -> Load:
    """Load the right settings, with *changes* made to their text, *added* at its end."""

    def load(
        *changes: tuple[str, str], added: str = "", environ: Mapping[str, str] | None = None, text: str = RIGHT
    ) -> Settings:
        for old, new in changes:
            assert text.count(old) >= 1, f"{old!r} is not in the settings"
            text = text.replace(old, new, 1)
        (folder / "config.toml").write_text(f"{text}\n{added}\n")
        return load_settings(folder / "config.toml", environ or {}, folder / "secrets")

    return load


@pytest.fixture
def problems(load: Load, folder: Path) -> Problems:
    """What is wrong, one line each, for the same arguments."""

    def problems(*changes: tuple[str, str], **more: object) -> list[str]:
        with pytest.raises(SettingsError) as found:
            load(*changes, **more)
        assert str(found.value).splitlines() == [str(problem) for problem in found.value.problems]
        return [line.replace(f"{folder}/", "") for line in str(found.value).splitlines()]

    return problems
