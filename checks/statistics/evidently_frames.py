"""A window's samples as Evidently wants them: columns of one kind on both sides, and what each of them is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from checks.contract import Roles, Task, Window
from checks.profile import Layout, Numbers

if TYPE_CHECKING:
    import pandas

NUMBER, LABEL, BESIDE = "number", "label", "beside"
"""What a column is to Evidently: numerical, categorical, or of use to its ranking metrics only."""

HUGE, EXACT = 1e100, 1e15
"""As profiles have it: no class is a number beyond HUGE, and integral ones below EXACT are written without decimals."""


@dataclass(frozen=True, slots=True)
class Given:
    """Both samples in the same columns; *kinds* says what each column is, *roles* what it is for."""

    live: pandas.DataFrame = field(repr=False)
    before: pandas.DataFrame | None = field(repr=False)
    kinds: Mapping[str, str]
    roles: Roles
    task: Task
    positive: str

    def of_kind(self, kind: str) -> list[str]:
        """The columns of one kind."""
        return [name for name, own in self.kinds.items() if own == kind]


def given(
    window: Window, live: pandas.DataFrame, before: pandas.DataFrame | None, columns: Sequence[str], positive: str
) -> Given:
    """Both samples as Evidently wants them; a column without a value on either side cannot be told anything of."""
    kinds = kinds_of(window.live.layout, window.roles, window.task, columns)
    sides = [tidied(side, kinds) for side in (live, before) if side is not None]
    told = {name: kind for name, kind in kinds.items() if all(name in one and one[name].notna().any() for one in sides)}
    sides = [_named_by_class(side[list(told)], window.roles) for side in sides]
    told = {_class_of(name, window.roles): kind for name, kind in told.items()}
    return Given(sides[0], sides[1] if before is not None else None, told, window.roles, window.task, positive)


def judged(
    window: Window, live: pandas.DataFrame, before: pandas.DataFrame | None, columns: Sequence[str], positive: str
) -> Given | None:
    """The same of rows with a prediction and its outcome, which metrics of outcomes want; None where they cannot tell.

    Of a classifier's outcomes it takes two classes. A reference that cannot tell is left out.
    """
    known, known_before = (_judgeable(window, side) for side in (live, before))
    return None if known is None else given(window, known, known_before, columns, positive)


def _judgeable(window: Window, frame: pandas.DataFrame | None) -> pandas.DataFrame | None:
    roles = window.roles
    if frame is None or roles.outcome not in frame:
        return None
    wanted = [name for name in (roles.outcome, roles.prediction, roles.score, *roles.scores) if name in frame]
    rows = frame.dropna(subset=wanted)
    classes = rows[roles.outcome].nunique() if window.task in {"binary", "multiclass"} else 2
    return None if rows.empty or classes < 2 else rows


def kinds_of(layout: Layout, roles: Roles, task: Task, columns: Sequence[str]) -> dict[str, str]:
    """What each column of a report is: as it is profiled, and as its role has it. *columns* narrow down features."""
    kinds = {name: NUMBER if isinstance(cells, Numbers) else LABEL for name, cells in layout.columns.items()}
    kinds = dict.fromkeys(roles.segments, LABEL) | kinds
    if columns:
        kinds = {name: kind for name, kind in kinds.items() if name in columns}
    judged = LABEL if task in {"binary", "multiclass"} else NUMBER
    by_role: dict[str | None, str] = {
        roles.prediction: judged,
        roles.outcome: judged,
        roles.score: NUMBER,
        roles.position: BESIDE,
    }
    by_role |= {roles.request: BESIDE, roles.item: BESIDE} | dict.fromkeys(roles.scores, NUMBER)
    return kinds | {name: kind for name, kind in by_role.items() if name is not None}


def tidied(frame: pandas.DataFrame, kinds: Mapping[str, str]) -> pandas.DataFrame:
    """The columns there are: finite float64 numbers, labels as text, anything else as it is."""
    import numpy
    import pandas

    found: dict[str, Any] = {}
    for name, kind in kinds.items():
        if name not in frame:
            continue
        column = frame[name]
        if kind == NUMBER:
            numbers = pandas.to_numeric(column, errors="coerce").astype("float64")
            column = numbers.where(numpy.isfinite(numbers))
        elif kind == LABEL:
            column = pandas.Series([label(value) for value in column], index=column.index, dtype=object)
        found[name] = column
    return pandas.DataFrame(found, index=frame.index)


def label(value: Any) -> str | None:
    """Canonical text, as profiles have it: 1.0 is 1, True is 1, what is not there is None."""
    if isinstance(value, str):
        return value
    if value is None or str(value) in {"<NA>", "NaT"}:
        return None
    if type(value).__name__ in {"bool", "bool_"}:
        return "1" if value else "0"
    if not isinstance(value, int | float) and not hasattr(value, "dtype"):
        return str(value)
    number = float(value)
    if not abs(number) < HUGE:  # NaN neither
        return None
    return str(int(number)) if abs(number) < EXACT and number == int(number) else str(value)


def _named_by_class(frame: pandas.DataFrame, roles: Roles) -> pandas.DataFrame:
    """Evidently finds the score of a class in the column called like the class."""
    return frame.rename(columns={name: _class_of(name, roles) for name in roles.scores})


def _class_of(name: str, roles: Roles) -> str:
    return dict(zip(roles.scores, roles.classes, strict=False)).get(name, name)
