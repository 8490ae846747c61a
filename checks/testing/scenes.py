"""Logs of predictions of every kind, good and bad, that each check must bear."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import md5
from typing import TYPE_CHECKING

from checks.contract import Newest, Roles, Task, Training, Window
from checks.profile import Categories, Layout, Numbers, Profile
from checks.testing.rows import Row, profile_of

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas
    import pyarrow

START = datetime(2024, 3, 4, tzinfo=UTC)
DAY = timedelta(days=1)
SAID: Mapping[str, Numbers | Categories] = {
    "prediction": Categories(("0", "1")),
    "score": Numbers((0.25, 0.5, 0.75)),
    "number": Numbers((1.0, 2.0, 3.0)),
}
LAYOUT = Layout(
    {"size": Numbers((0.0, 1.0, 2.0)), "colour": Categories(("blå", "grønn", "日本")), **SAID},
    {"city": ("Oslo", "Ålesund")},
    {"size": 0.3, "colour": 0.1},
)
ROLES = Roles(
    id="id",
    time="time",
    entity="entity",
    prediction="prediction",
    score="score",
    outcome="outcome",
    segments=("city",),
    features=("size", "colour"),
)
ROLES_OF: Mapping[Task, Roles] = {
    "binary": ROLES,
    "multiclass": replace(ROLES, score=None, scores=("rest", "score"), classes=("0", "1")),
    "regression": replace(ROLES, prediction="number", score=None, interval=("least", "most")),
    "ranking": replace(ROLES, prediction=None, request="request", item="item", position="position"),
}
"""Names of the columns of the same rows, as models of each task see them."""

TYPES: Mapping[str, str] = {
    **dict.fromkeys(("id", "colour", "city", "request", "item"), "string"),
    **dict.fromkeys(("size", "score", "rest", "number", "least", "most"), "double"),
    **dict.fromkeys(("entity", "prediction", "position", "outcome"), "int64"),
    "time": "timestamp",
}
TRAININGS = (
    Training(START - 30 * DAY, START - 30 * DAY + timedelta(hours=2), succeeded=True, version="1"),
    Training(START - 9 * DAY, START - 9 * DAY + timedelta(hours=1), succeeded=False, version="2"),
    Training(START - 8 * DAY, START - 8 * DAY + timedelta(hours=3), succeeded=True, version="2"),
    Training(START - DAY),
)


@dataclass(frozen=True)
class Log:
    """Rows of predictions, in buckets of a day, and the rows of the release. *types* are those of odd columns."""

    days: tuple[tuple[Row, ...], ...]
    reference: tuple[Row, ...] | None = None
    layout: Layout = LAYOUT
    types: Mapping[str, str] = field(default_factory=dict)
    trainings: tuple[Training, ...] = TRAININGS

    @cached_property
    def buckets(self) -> tuple[Profile, ...]:
        return tuple(profile_of(day, self.layout, "city") for day in self.days)

    @cached_property
    def baseline(self) -> Profile | None:
        return None if self.reference is None else profile_of(self.reference, self.layout, "city")

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The rows of ``Window.table``: what they are, with when they were made."""
        made = [
            {**row, "time": (START + place * DAY + timedelta(minutes=k)).replace(tzinfo=None)}
            for place, day in enumerate(self.days)
            for k, row in enumerate(day)
        ]
        return tuple(made)

    def window(self, task: Task, buckets: Sequence[Profile] | None = None) -> Window:
        """The window of all days as a model of that task sees it."""
        return Window(
            start=START,
            end=START + len(self.days) * DAY,
            task=task,
            buckets=tuple(buckets or self.buckets),
            baseline=self.baseline,
            roles=ROLES_OF[task],
            load_table=self._table,
            load_population=_population,
            load_sample=lambda size: self._sample(self.rows, size),
            load_reference_sample=lambda size: self._sample(self.reference or (), size),
            load_catalogue=_catalogue,
            load_newest=self._newest,
            load_trainings=lambda: self.trainings,
        )

    def reordered(self) -> Log:
        """The same rows in another order, in each day and in the reference."""
        reference = None if self.reference is None else self.reference[::-1]
        return replace(self, days=tuple(day[::-1] for day in self.days), reference=reference)

    def _arrow(self, rows: Iterable[Row]) -> pyarrow.Table:
        import pyarrow

        named = {"timestamp": pyarrow.timestamp("us"), "double": pyarrow.float64()}
        types = {**TYPES, **self.types}
        schema = pyarrow.schema(
            [(name, named.get(kind) or pyarrow.type_for_alias(kind)) for name, kind in types.items()]
        )
        return pyarrow.Table.from_pylist([{name: row.get(name) for name in types} for row in rows], schema=schema)

    def _table(self) -> ir.Table:
        import ibis

        return ibis.memtable(self._arrow(self.rows))

    def _sample(self, rows: Iterable[Row], size: int) -> pandas.DataFrame:
        chosen = sorted(rows, key=lambda row: md5(str(row["id"]).encode(), usedforsecurity=False).digest())[:size]
        frame: pandas.DataFrame = self._arrow(chosen).to_pandas()
        return frame

    def _newest(self) -> Newest:
        made = [START + place * DAY for place, day in enumerate(self.days) if day]
        came = [at for at, day in zip(made, filter(None, self.days), strict=True) if _any_outcome(day)]
        return Newest(max(made, default=None), max(came, default=None))


def _any_outcome(day: Iterable[Row]) -> bool:
    return any(row.get("outcome") is not None for row in day)


def _population() -> ir.Table:
    import ibis

    return ibis.memtable({"entity": list(range(20)), "city": ["Oslo", "Ålesund", "Oslo", None] * 5})


def _catalogue() -> ir.Table:
    import ibis

    return ibis.memtable({"item": [f"i{place}" for place in range(12)]})


def row(place: int, **changes: object) -> Row:
    """A row whose values follow from its place."""
    usual: dict[str, object] = {
        "id": f"p{place}",
        "size": place % 7 / 3,
        "colour": ("blå", "grønn", "日本", "ny")[place % 4],
        "city": ("Oslo", "Ålesund", "Bergen")[place % 3],
        "entity": place % 25,
        "prediction": place % 2,
        "score": place % 10 / 10,
        "rest": 1 - place % 10 / 10,
        "number": float(place % 5),
        "least": place % 5 - 1.0,
        "most": place % 5 + 1.0,
        "request": f"r{place // 5}",
        "item": f"i{place * 3 % 11}",
        "position": place % 5 + 1,
        "outcome": place * 7 % 3 % 2,
    }
    return {**usual, **changes}


def days(*sizes: int, **changes: object) -> tuple[tuple[Row, ...], ...]:
    """Days of so many rows, each with the same *changes*."""
    starts = [sum(sizes[:place]) for place in range(len(sizes))]
    return tuple(
        tuple(row(start + k, **changes) for k in range(size)) for start, size in zip(starts, sizes, strict=True)
    )


def nothing(place: int) -> Row:
    """A row that says nothing but that it is there."""
    return {**dict.fromkeys(row(0), None), "id": f"p{place}"}


USUAL = tuple(row(place) for place in range(200))
ODD = ("a=b", "it's", 'say "no"', "drift.x[y]", "(null)", "line\nbreak", "🛫", "שלום", "x" * 300, "", " ", "%s{}")
HUGE = 2**62
MANY = Layout({"size": Numbers((0.0,)), "colour": Categories(tuple(f"c{place}" for place in range(1000))), **SAID})
UNSAID = {"score": math.nan, "rest": math.nan, "number": math.nan, "least": math.nan, "most": math.nan}
ENDLESS = {"number": math.inf, "least": -math.inf, "most": math.inf}

LOGS: Mapping[str, Log] = {
    "usual": Log(days(60, 70, 80), USUAL),
    "empty window": Log(days(0, 0), USUAL, trainings=()),
    "one row": Log(days(1), USUAL),
    "one row in a week": Log(days(0, 0, 0, 1, 0, 0, 0), USUAL),
    "empty bucket": Log(days(30, 0, 30), USUAL),
    "all null": Log((tuple(map(nothing, range(40))), tuple(map(nothing, range(40, 80)))), USUAL),
    "all null in both": Log((tuple(map(nothing, range(40))),), tuple(map(nothing, range(50)))),
    "constant": Log(days(50, 50, size=1.0, colour="blå", prediction=1, score=1.0, number=2.0, outcome=1), USUAL),
    "constant in both": Log(days(50, size=1.0, colour="blå"), tuple(row(k, size=1.0, colour="blå") for k in range(90))),
    "constant, other than the reference": Log(
        days(50, size=2.0, colour="ny"), tuple(row(k, size=1.0, colour="blå") for k in range(90))
    ),
    "no outcomes": Log(days(50, 50, outcome=None), USUAL),
    "not a number": Log(days(50, 50, size=math.nan, score=None), USUAL),
    "nothing said is a number": Log(days(50, 50, **UNSAID), USUAL),
    "infinite": Log(days(50, 50, size=math.inf), USUAL),
    "everything said is infinite": Log(days(50, 50, **ENDLESS), USUAL),
    "infinite in the reference": Log(days(50, 50), tuple(row(k, size=math.inf, number=math.inf) for k in range(90))),
    "huge integers": Log(
        (tuple(row(k, size=HUGE + k, entity=HUGE + k % 25, number=float(HUGE + k)) for k in range(60)),),
        tuple(row(k, size=HUGE - k) for k in range(90)),
        types={"size": "int64"},
    ),
    "odd text": Log(
        (
            tuple(
                row(k, colour=ODD[k % 12], city=ODD[k % 12], item=ODD[k % 12], request=ODD[k // 12]) for k in range(96)
            ),
        ),
        tuple(row(k, colour=ODD[k % 12], city=ODD[k % 12]) for k in range(96)),
        replace(LAYOUT, columns={**LAYOUT.columns, "colour": Categories(ODD)}, segments={"city": ODD}),
    ),
    "10,000 categories": Log(
        (tuple(row(k, colour=f"c{k}") for k in range(10_000)),),
        tuple(row(k, colour=f"c{k}") for k in range(5_000)),
        MANY,
    ),
    "reference missing": Log(days(60, 70)),
    "empty reference": Log(days(60, 70), ()),
}
