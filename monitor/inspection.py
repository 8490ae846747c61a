"""``model-monitor check``: reach everything the settings name, and say what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.app import open_store, present
from monitor.history.store import HistoryUnavailable
from monitor.settings import ModelSettings, Settings

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was reached, or not."""

    ok: bool
    what: str
    where: str
    found: str


def inspect(settings: Settings, base: Path, tell: Callable[[str], None]) -> list[Finding]:
    """Open each source, find the columns, count the rows of the last bucket; reach the database and Slack."""
    found = []
    for model in settings.models:
        tell(model.name)
        found += _sources(model, base, present(settings))
    tell("the database")
    found.append(_database(settings, base))
    tell("Slack")
    found.append(_slack(settings))
    return found
