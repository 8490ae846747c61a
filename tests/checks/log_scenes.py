"""Logs of predictions of every kind, good and bad, that each check must bear."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from checks.contract import Roles, Task, Window
from checks.profile import Categories, Layout, Numbers, Profile
from tests.checks.row_profiles import Row, profile_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

START = datetime(2024, 3, 4, tzinfo=UTC)
LAYOUT = Layout(
    {"size": Numbers((0.0, 1.0, 2.0)), "colour": Categories(("blå", "grønn", "日本"))},
    {"city": ("Oslo", "Ålesund")},
)


@dataclass(frozen=True)
class Log:
    """Rows of predictions, in buckets of a day, and the rows of the release."""

    days: tuple[tuple[Row, ...], ...]
    reference: tuple[Row, ...] | None = None
    layout: Layout = LAYOUT

    def window(self, task: Task, buckets: tuple[Profile, ...] | None = None) -> Window:
        live = buckets or tuple(profile_of(day, self.layout, "city") for day in self.days)
        return Window(
            start=START,
            end=START + timedelta(days=len(self.days)),
            task=task,
            buckets=live,
            baseline=None if self.reference is None else profile_of(self.reference, self.layout, "city"),
            roles=Roles("id", "time", "entity", "prediction", "score", None, "outcome", ("city",)),
            load_table=self.table,
            load_population=_population,
        )

    def table(self) -> ir.Table:
        import ibis
        import pyarrow

        types = {"entity": pyarrow.int64(), "prediction": pyarrow.int64(), "score": pyarrow.float64()}
        rows = [{name: row.get(name) for name in types} for day in self.days for row in day]
        return ibis.memtable(pyarrow.Table.from_pylist(rows, schema=pyarrow.schema(types)))


def _population() -> ir.Table:
    import ibis

    return ibis.memtable({"entity": list(range(20)), "city": ["Oslo", "Ålesund", "Oslo", None] * 5})


def row(place: int, **changes: object) -> Row:
    """A row whose values follow from its place."""
    usual: dict[str, object] = {
        "size": place % 7 / 3,
        "colour": ("blå", "grønn", "日本", "ny")[place % 4],
        "city": ("Oslo", "Ålesund", "Bergen")[place % 3],
        "entity": place % 25,
        "prediction": place % 2,
        "score": place % 10 / 10,
        "number": float(place % 5),
        "outcome": place * 7 % 3 % 2,
    }
    return {**usual, **changes}


def days(*sizes: int, **changes: object) -> tuple[tuple[Row, ...], ...]:
    starts = [sum(sizes[:place]) for place in range(len(sizes))]
    return tuple(
        tuple(row(start + k, **changes) for k in range(size)) for start, size in zip(starts, sizes, strict=True)
    )


USUAL = tuple(row(place) for place in range(200))
NOTHING: Row = dict.fromkeys(row(0), None)
MANY = Layout({"size": Numbers((0.0,)), "colour": Categories(tuple(f"c{place}" for place in range(1000)))})
LOGS = {
    "usual": Log(days(60, 70, 80), USUAL),
    "empty window": Log(days(0, 0), USUAL),
    "one row": Log(days(1), USUAL),
    "one row in a week": Log(days(0, 0, 0, 1, 0, 0, 0), USUAL),
    "empty bucket": Log(days(30, 0, 30), USUAL),
    "all null": Log(((NOTHING,) * 40, (NOTHING,) * 40), USUAL),
    "all null in both": Log(((NOTHING,) * 40,), (NOTHING,) * 50),
    "constant": Log(days(50, 50, size=1.0, colour="blå", prediction=1, score=1.0, number=2.0, outcome=1), USUAL),
    "constant in both": Log(days(50, size=1.0, colour="blå"), tuple(row(k, size=1.0, colour="blå") for k in range(90))),
    "no outcomes": Log(days(50, 50, outcome=None), USUAL),
    "not a number": Log(days(50, 50, size=math.nan, score=None), USUAL),
    "infinite": Log(days(50, 50, size=math.inf), USUAL),
    "10,000 categories": Log(
        (tuple(row(k, colour=f"c{k}") for k in range(10_000)),),
        tuple(row(k, colour=f"c{k}") for k in range(5_000)),
        MANY,
    ),
    "reference missing": Log(days(60, 70)),
    "empty reference": Log(days(60, 70), ()),
}
