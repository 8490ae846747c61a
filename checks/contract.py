"""The contract between a check and whatever runs it: what it needs, what it is given, what it yields.

A check measures and never sees a threshold. It imports nothing of the monitor, so it works in a notebook.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from checks.profile import Profile

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas

Task = Literal["binary", "multiclass", "regression", "ranking"]
Better = Literal["high", "low"]
EVERY_TASK: tuple[Task, ...] = ("binary", "multiclass", "regression", "ranking")


class CannotMeasure(Exception):
    """Raised by a check that cannot get to an answer; its sentence is shown to people."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What a check declares about a number it yields: its name, unit and which way is better."""

    name: str
    summary: str
    better: Better
    unit: str = ""
    per_column: bool = False
    pages: bool = True
    tasks: tuple[Task, ...] = EVERY_TASK


@dataclass(frozen=True, slots=True)
class Needs:
    """What must be loaded for a check, and nothing else."""

    distributions: bool = False
    outcomes: bool = False
    reference: bool = False
    population: bool = False
    sample_rows: int = 0


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number with its row count and confidence interval; ``value=None`` means "cannot tell"."""

    metric: str
    value: float | None
    low: float | None = None
    high: float | None = None
    rows: int = 0
    segment: str = ""
    column: str = ""
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Roles:
    """The names of the columns of ``Window.table``; ``None`` where the model has no such column."""

    id: str | None = None
    time: str | None = None
    entity: str | None = None
    prediction: str | None = None
    score: str | None = None
    fallback: str | None = None
    outcome: str | None = None
    segments: tuple[str, ...] = ()


def _not_loaded() -> ir.Table:
    raise CannotMeasure("This window was built without its rows; only profiles can be measured.")


def _no_sample(rows: int) -> pandas.DataFrame:
    raise CannotMeasure(f"This window was built without its rows; no sample of {rows} can be drawn.")


@dataclass(frozen=True)
class Window:
    """The half-open interval ``[start, end)`` in UTC that is measured, and lazily everything known of it.

    ``buckets`` are the profiles of the tiles that make up the window, in order of time. ``table`` holds one row
    per prediction, joined with its outcome where there is one; ``population`` one row per entity to be served.
    Both are unexecuted expressions: what a check aggregates runs where the rows live.
    """

    start: datetime
    end: datetime
    task: Task
    buckets: tuple[Profile, ...]
    baseline: Profile | None = None
    roles: Roles = Roles()
    load_table: Callable[[], ir.Table] = _not_loaded
    load_population: Callable[[], ir.Table] = _not_loaded
    load_sample: Callable[[int], pandas.DataFrame] = _no_sample

    @cached_property
    def live(self) -> Profile:
        """The profile of the whole window: the merge of its buckets."""
        return Profile.merge(self.buckets)

    @cached_property
    def table(self) -> ir.Table:
        """The rows of the window, unexecuted."""
        return self.load_table()

    @cached_property
    def population(self) -> ir.Table:
        """The entities the model is meant to serve in this window, unexecuted, in the column ``entity``."""
        return self.load_population()

    def sample(self, rows: int) -> pandas.DataFrame:
        """At most *rows* rows, the same ones each time."""
        return self.load_sample(rows)


class Check(BaseModel, ABC):
    """A measuring instrument. Its fields are its parameters in ``config.toml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[str]
    metrics: ClassVar[tuple[Metric, ...]]

    @abstractmethod
    def needs(self) -> Needs:
        """What to load for this check."""

    @abstractmethod
    def measure(self, window: Window) -> Iterator[Measurement]:
        """Measure one window."""
