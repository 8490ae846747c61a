"""What the pages and the API answer from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine

from monitor.delivery.drawing import Drawing
from monitor.schedule.vitals import UnderWay
from monitor.settings import Settings
from monitor.web.standing import Standing


@dataclass(frozen=True, slots=True)
class Reader:
    """The history, what config.toml says, and the two clocks.

    *engine* raises HistoryUnavailable until the database has answered; *now* is monitor time, *wall_now* wall time.
    *units* are those of metrics that have one, *drawing* makes their charts, and
    *under_way* are the evaluations that this daemon is at; *standing* is what the fleet page knows already.
    """

    engine: Callable[[], Engine]
    settings: Settings
    now: Callable[[], datetime]
    wall_now: Callable[[], datetime]
    units: Mapping[str, str] = field(default_factory=dict)
    drawing: Drawing = field(default_factory=Drawing)
    under_way: Callable[[], Sequence[UnderWay]] = tuple
    standing: Standing = field(default_factory=Standing)
