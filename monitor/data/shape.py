"""What a profile's statements depend on, as one hashable value: the same shape means the same SQL text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import ibis
import ibis.expr.schema as sch
import ibis.expr.types as ir

from checks.contract import Task
from checks.profile import Categories, Layout, Numbers
from monitor.data import predictions, rows
from monitor.data.sources import Opened
from monitor.settings import ModelSettings, Share
from monitor.settings.terms import split_segments

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
    split: tuple[int, ...] = ()
    """The segments whose columns are counted too."""
    classes: tuple[str, ...] = ()
    """What the scores p0, p1, ... of a multiclass model are the scores of."""
    centre: float = 0.0
    """About which outcomes of a regression are summed."""
    tolerance: float | Share | None = None
    interval: bool = False

    @property
    def classifies(self) -> bool:
        return self.task != "regression"

    @property
    def cells(self) -> ir.Table:
        """The columns to be counted, as an unbound table."""
        kinds = {one.name: "float64" if isinstance(one.cells, Numbers) else "string" for one in self.columns}
        outcome = {one.name for one in self.columns if one.table == ROWS}
        chosen = {name: kind for name, kind in kinds.items() if name not in outcome}
        chosen |= {f"s{place}": "string" for place in self.split}
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
        chances = tuple(f"p{place}" for place, _ in enumerate(self.classes))
        ends = ("lower", "upper") if self.interval else ()
        segments = tuple(f"s{place}" for place in self.segments)
        return ("bucket", "predicted", "actual", "lag", "early", "late", *scores, *chances, *ends, *segments)


def _kind(name: str) -> str:
    if name in {"bucket", "lag", "early", "late"}:
        return "int64"
    return "string" if name[1:].isdigit() and name.startswith("s") else "float64"


def shape_of(model: ModelSettings, opened: Opened, layout: Layout, engine: str) -> Shape:
    """The shape of the statements on *engine* for the table as it is now."""
    columns = tuple(layout.columns.items())
    found = [
        Column(place, columns[place][1], CELLS, f"x{place}") for place in predictions.present(model, opened, layout)
    ]
    outcome = model.outcomes.value if model.outcomes else None
    if outcome is not None and outcome in layout.columns:
        place = list(layout.columns).index(outcome)
        found.append(Column(place, columns[place][1], ROWS, "actual"))
    cells = layout.columns.get(outcome) if outcome else None
    return Shape(
        engine=engine,
        task=model.task,
        positive=model.predictions.positive,
        scored=predictions.has_scores(model),
        columns=tuple(sorted(found, key=lambda one: one.place)),
        segments=tuple(
            place for place, name in enumerate(layout.segments) if predictions.segmented(opened.table, name)
        ),
        split=_split(model, opened, layout),
        classes=rows.classes_of(model) if model.task == "multiclass" else (),
        centre=cells.centre if isinstance(cells, Numbers) else 0.0,
        tolerance=model.predictions.tolerance,
        interval=model.predictions.interval is not None,
    )


def _there(segments: Iterable[str], opened: Opened) -> tuple[int, ...]:
    return tuple(place for place, name in enumerate(segments) if predictions.segmented(opened.table, name))


def _split(model: ModelSettings, opened: Opened, layout: Layout) -> tuple[int, ...]:
    asked, names = split_segments(model), tuple(layout.segments)
    return tuple(place for place in _there(names, opened) if names[place] in asked)
