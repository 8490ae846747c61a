"""The page of one model: what it promises and how that went, what moved, who is not served, and where it hurts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from monitor.history import evaluations, incidents
from monitor.history.engine import reading
from monitor.history.heat import heat
from monitor.history.overview import unjudged
from monitor.history.queries import latest_verdicts
from monitor.history.rows import EvaluationRow, HistoryRow, IncidentRow
from monitor.history.strips import Measured, ended, measured, newest_of, stretches
from monitor.settings import ModelSettings
from monitor.web.pages import fleet
from monitor.web.pages.charts import MOST_NUMBERS, Figure, figure
from monitor.web.pages.damage import MOST_CELLS, Absence, Damage, Strip, absences_of, damages_of, strips_of
from monitor.web.pages.period import Period
from monitor.web.reader import Reader
from monitor.web.standing import rank, stand_of

MOST_FIGURES = 12
MOST_EVALUATIONS = 12


@dataclass(frozen=True, slots=True)
class ModelPage:
    """Everything on it; *more* promises have no chart for want of room, *lead* is the verdict that makes its own."""

    name: str
    version: str
    owner: str
    runbook: str
    verdict: str
    evaluated_at: datetime | None
    lead: HistoryRow | None
    marks: Sequence[fleet.Mark]
    incidents: Sequence[IncidentRow]
    promises: Sequence[HistoryRow]
    figures: Sequence[Figure]
    more: int
    strips: Sequence[Strip]
    strip_ends: tuple[datetime, datetime] | None
    absences: Sequence[Absence]
    coverage: Measured | None
    damages: Sequence[Damage]
    evaluations: Sequence[EvaluationRow]


def model_page(reader: Reader, name: str, period: Period, now: datetime, metric: str = "") -> ModelPage | None:
    """The page; None where neither config.toml nor the history knows the model."""
    with reading(reader.engine()) as history:
        return _page(reader, history, name, period, now, metric)


def _page(
    reader: Reader, history: Connection, name: str, period: Period, now: datetime, metric: str
) -> ModelPage | None:
    settings = next((model for model in reader.settings.models if model.name == name), None)
    newest = evaluations.page(history, MOST_EVALUATIONS, model=name).rows
    if settings is None and not newest:
        return None
    promises = sorted(latest_verdicts(history, name), key=rank)
    stand = stand_of(promises, max((each.evaluated_at for each in newest), default=None))
    windows = ended(history, name, period.since, period.until)
    went = stretches(history, windows, MOST_NUMBERS)
    keys = [(row.metric, row.column, row.segment, row.side or "") for row in promises]
    keys += [key for key in went if key not in keys]
    wanted = [key for key in keys if key in went and metric in {"", key[0]}]
    drift = heat(history, windows, "drift", MOST_CELLS)
    coverage = newest_of(history, windows, "coverage", MOST_NUMBERS)
    return ModelPage(
        name,
        settings.version if settings else newest[0].version,
        (settings.owner if settings else None) or "",
        _web_address(settings),
        stand.verdict,
        stand.evaluated_at,
        stand.worst,
        () if settings is None else fleet.marks_of(settings, stand, unjudged(history).get(name, ()), now),
        incidents.listed(history, reader.wall_now(), name, open_only=True),
        promises,
        [figure(name, key, went[key], reader.units.get(key[0], ""), period) for key in wanted[:MOST_FIGURES]],
        max(len(wanted) - MOST_FIGURES, 0),
        strips_of(drift),
        (drift.cells[0][0], drift.cells[-1][-1]) if drift.most else None,
        absences_of(coverage),
        coverage,
        _damages(history, stand.worst),
        newest,
    )


def owner_of(reader: Reader, name: str) -> str | None:
    """Whose model it is, as config.toml says."""
    return next((model.owner for model in reader.settings.models if model.name == name), None)


def _damages(history: Connection, lead: HistoryRow | None) -> tuple[Damage, ...]:
    """The segments of the newest window of the promise that is worst, or else of the first on the whole."""
    if lead is None or lead.column:
        return ()
    at = lead.window_end
    return damages_of(measured(history, lead.model, [lead.metric], at, at, segment=None), lead)


def _web_address(settings: ModelSettings | None) -> str:
    """The runbook, where it is something that a browser may follow."""
    runbook = (settings.runbook if settings else None) or ""
    return runbook if runbook.startswith(("https://", "http://")) else ""
