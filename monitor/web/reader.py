"""What the pages and the API answer from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from monitor.settings import Settings


@dataclass(frozen=True, slots=True)
class Reader:
    """The history, what config.toml says, and the two clocks.

    *engine* raises HistoryUnavailable until the database has answered; *now* is monitor time, *wall_now* wall time.
    """

    engine: Callable[[], Engine]
    settings: Settings
    now: Callable[[], datetime]
    wall_now: Callable[[], datetime]
