"""What a profile's statements depend on, as one hashable value: the same shape means the same SQL text."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.schema as sch
import ibis.expr.types as ir

from checks.contract import Task
from checks.profile import Categories, Layout, Numbers
from monitor.data import rows
from monitor.data.sources import Opened
from monitor.settings import ModelSettings

CELLS = "profiled_cells"
ROWS = "profiled_rows"
"""The names the statements read: columns by their place in the layout, and rows joined with their outcome."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the layout that is there: its place, its cells, and the table and column it is read from."""

    place: int
    cells: Numbers | Categories
    table: str
    name: str


@dataclass(frozen=True, slots=True)
class Shape:
    """Everything the text of a profile's statements depends on."""

    engine: str
    task: Task
    positive: str
    scored: bool
    columns: tuple[Column, ...]
    segments: tuple[int, ...]
    centre: float
    """About which outcomes of a regression are summed."""

    @property
    def classifies(self) -> bool:
        return self.task != "regression"

    @property
    def cells(self) -> ir.Table:
        """The columns to be counted, as an unbound table."""
        kinds = {one.name: "float64" if isinstance(one.cells, Numbers) else "string" for one in self.columns}
        outcome = {one.name for one in self.columns if one.table == ROWS}
        chosen = {name: kind for name, kind in kinds.items() if name not in outcome}
        return ibis.table(sch.Schema({"bucket": "int64", **chosen}), name=CELLS)

    @property
    def rows(self) -> ir.Table:
        """The joined rows, as an unbound table."""
        kind = "string" if self.classifies else "float64"
        kinds = {name: kind if name in {"predicted", "actual"} else _kind(name) for name in self.row_columns}
        return ibis.table(sch.Schema(kinds), name=ROWS)

    @property
    def row_columns(self) -> tuple[str, ...]:
        scores = ("score",) if self.scored else ()
        segments = tuple(f"s{place}" for place in self.segments)
        return ("bucket", "predicted", "actual", "lag", "early", "late", *scores, *segments)


def _kind(name: str) -> str:
    if name == "score":
        return "float64"
    return "string" if name.startswith("s") else "int64"


def shape_of(model: ModelSettings, opened: Opened, layout: Layout, engine: str) -> Shape:
    """The shape of the statements on *engine* for the table as it is now."""
    columns = tuple(layout.columns.items())
    found = [Column(place, columns[place][1], CELLS, f"x{place}") for place in rows.present(model, opened, layout)]
    outcome = model.outcomes.value if model.outcomes else None
    if outcome is not None and outcome in layout.columns:
        place = list(layout.columns).index(outcome)
        found.append(Column(place, columns[place][1], ROWS, "actual"))
    cells = layout.columns.get(outcome) if outcome else None
    return Shape(
        engine=engine,
        task=model.task,
        positive=model.predictions.positive,
        scored=rows.has_scores(model),
        columns=tuple(sorted(found, key=lambda one: one.place)),
        segments=tuple(place for place, name in enumerate(layout.segments) if name in opened.table.columns),
        centre=cells.centre if isinstance(cells, Numbers) else 0.0,
    )
