"""Charts of incidents that people were told of: drawn once each time one opens and once each time it is resolved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine

from monitor.alerts.chart import Chart, Point, Span, alt_text
from monitor.delivery.drawing import CannotDraw, Drawing
from monitor.history import charts
from monitor.history.records import ArtifactRecord
from monitor.history.rows import HistoryRow
from monitor.history.values import packed
from monitor.release.contract import side_of
from monitor.release.words import display_name

log = structlog.get_logger(__name__)

RECENT = timedelta(days=1)
"""Nobody needs the chart of an incident of which nothing was told for so long."""


class Charts:
    """Draws for everybody who is told by one of *receivers*; *units* are those of metrics."""

    def __init__(self, engine: Engine, receivers: Sequence[str], units: Mapping[str, str], drawing: Drawing) -> None:
        self._engine = engine
        self._receivers = receivers
        self._units = units
        self._drawing = drawing
        self._hopeless: set[tuple[int, str]] = set()

    def draw_one(self, now: datetime) -> bool:
        """Draw one chart that is missing, at the wall time *now*; True when there may be more.

        Of two daemons that draw the same chart one keeps it. This one does not try again what it cannot draw. Raises
        HistoryUnavailable.
        """
        wanted = self._next(now)
        if wanted is None:
            return False
        if not self._draw(wanted, now):
            self._hopeless.add((wanted.incident_id, wanted.name))
        return True

    def outstanding(self, now: datetime) -> bool:
        """Whether one is still to be drawn. Raises HistoryUnavailable."""
        return self._next(now) is not None

    def _next(self, now: datetime) -> charts.Undrawn | None:
        missing = charts.undrawn(self._engine, self._receivers, now - RECENT)
        return next((one for one in missing if (one.incident_id, one.name) not in self._hopeless), None)

    def _draw(self, wanted: charts.Undrawn, now: datetime) -> bool:
        """Whether the chart is kept now."""
        drawn = chart_of(wanted, self._windows(wanted), self._units)
        if drawn is None:
            return False
        try:
            content = self._drawing.png(drawn)
        except CannotDraw as problem:
            log.warning("chart_failed", message=str(problem), model=wanted.model, incident=wanted.incident_id)
            return False
        record = ArtifactRecord(charts.CHECK, wanted.name, "image/png", len(content), packed(content))
        return charts.keep(self._engine, wanted, record, self._receivers, now)

    def _windows(self, incident: charts.Undrawn) -> list[HistoryRow]:
        return charts.windows_of(self._engine, incident.incident_id, incident.model)

    def describe(self, incident: charts.Undrawn) -> str:
        """What the chart of an incident shows, in words."""
        drawn = chart_of(incident, self._windows(incident), self._units)
        return f"Chart of {incident.model}" if drawn is None else alt_text(drawn)


def chart_of(incident: charts.Undrawn, rows: Sequence[HistoryRow], units: Mapping[str, str]) -> Chart | None:
    """The chart of these windows; None where there is nothing to be seen on it."""
    points = tuple(
        Point(
            row.window_end,
            row.value,
            row.low,
            row.high,
            row.verdict or "",
            row.threshold,
            row.released_value,
            row.version,
        )
        for row in rows
    )
    if not any(point.value is not None for point in points):
        return None
    newest = rows[-1]
    judged = next((row for row in reversed(rows) if row.threshold is not None), newest)
    return Chart(
        model=f"{incident.model} {incident.version}",
        metric=display_name(newest.metric, newest.column, newest.segment),
        side=side_of(judged.side),
        unit=units.get(newest.metric, ""),
        points=points,
        incidents=tuple(Span(spell.began, spell.ended) for spell in incident.spells),
    )
