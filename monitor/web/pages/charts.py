"""The charts of promises: what is on them, where they are, and those that were drawn lately."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import quote

from monitor.alerts.chart import Chart, Extent, Point, Span, alt_text_of, thinned
from monitor.alerts.message import About
from monitor.alerts.silence import Silence, matches
from monitor.alerts.words import comparison
from monitor.delivery.drawing import Drawing
from monitor.history.rows import EpisodeRow, HistoryRow
from monitor.history.strips import Judged, Key, Stretch
from monitor.release.contract import side_of
from monitor.release.words import display_name
from monitor.schedule.plan import AWAITS_OUTCOMES
from monitor.web.pages.period import Period
from monitor.web.pages.templating import query

MOST_NUMBERS = 7
TICK = timedelta(microseconds=1)
"""The API leaves out what ends when a time does; a chart does not."""
MOST_KEPT = 256
"""Pictures of 15 kB each."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart on a page: its heading, where the picture is but for its look and where all its numbers are, what it
    shows, and the newest numbers in it, with whether there are older ones."""

    name: str
    address: str
    numbers: str
    alt: str
    newest: HistoryRow
    windows: Sequence[Judged]
    older: bool
    waits: bool


def figure(model: str, key: Key, stretch: Stretch, unit: str, period: Period) -> Figure:
    """The chart of a promise, with the address it is drawn at."""
    metric, column, segment, side = key
    since, until, name = period.since.isoformat(), period.until.isoformat(), display_name(metric, column)
    address = query(model=model, metric=metric, column=column, segment=segment, side=side, since=since, until=until)
    end = (period.until + TICK).isoformat()
    numbers = query(model=model, metric=name, since=since, until=end, limit=10_000, format="csv")
    title, newest = display_name(metric, column, segment), stretch.newest[0].row
    threshold = next((each.row.threshold for each in stretch.newest if each.row.threshold is not None), None)
    extent = Extent(stretch.windows, stretch.breaches, stretch.first, stretch.last)
    return Figure(
        title,
        f"/chart.svg{address}",
        f"/api/v1/measurements{numbers}&segment={quote(segment)}",
        alt_text_of(model, title, extent, comparison(side_of(side), newest.value, threshold, unit)),
        newest,
        stretch.newest,
        stretch.windows > len(stretch.newest),
        any(_waits(each) for each in stretch.newest),
    )


def chart_of(
    key: Key,
    windows: Sequence[Judged],
    episodes: Iterable[EpisodeRow],
    silences: Iterable[Silence],
    units: Mapping[str, str],
    owner: str | None,
) -> Chart | None:
    """One promise over its windows; None where there never was a value."""
    if not any(each.row.value is not None for each in windows):
        return None
    metric, column, segment, side = key
    newest = windows[-1].row
    name = display_name(metric, column)
    about = About(name, segment, newest.severity or "")
    return Chart(
        model=newest.model,
        metric=display_name(metric, column, segment),
        side=side_of(side),
        unit=units.get(metric, ""),
        points=tuple(_point(each) for each in thinned(windows, lambda each: each.row.verdict)),
        incidents=tuple(
            Span(each.opened_at, each.resolved_at)
            for each in episodes
            if (each.model, each.metric, each.segment) == (newest.model, name, segment)
        ),
        silences=tuple(
            Span(each.starts_at, each.ends_at) for each in silences if matches(each, about, newest.model, owner)
        ),
    )


def tag_of(chart: Chart, look: str) -> str:
    """The same for the same picture."""
    told = json.dumps([chart.to_data(), look], default=datetime.isoformat, sort_keys=True)
    return f'"{sha256(told.encode()).hexdigest()[:24]}"'


class Pictures:
    """Draws charts, and keeps those asked for lately."""

    def __init__(self, drawing: Drawing) -> None:
        self._drawing = drawing
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def svg(self, chart: Chart, look: str) -> bytes:
        """The picture of a chart. Raises CannotDraw."""
        tag = tag_of(chart, look)
        with self._lock:
            if tag in self._kept:
                self._kept.move_to_end(tag)
                return self._kept[tag]
        drawn = self._drawing.svg(chart, look)
        with self._lock:
            self._kept[tag] = drawn
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return drawn


def _point(each: Judged) -> Point:
    row = each.row
    share = each.outcomes / each.seen if _waits(each) and each.seen else None
    judged = (row.verdict or "", row.threshold, row.released_value, row.version)
    return Point(row.window_end, row.value, row.low, row.high, *judged, share)


def _waits(each: Judged) -> bool:
    return each.plan.endswith(AWAITS_OUTCOMES)
