"""The contract between a check and whatever runs it: what it needs, what it is given, what it yields.

A check measures and never sees a threshold. It imports nothing of the monitor, so it works in a notebook.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from checks.parts import parts_of
from checks.profile import Profile

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas

Task = Literal["binary", "multiclass", "regression", "ranking"]
Better = Literal["high", "low"]
Per = Literal["", "column", "class", "name"]
"""What a metric is measured of one by one: columns, classes, things named in the check's parameters; or the whole."""

EVERY_TASK: tuple[Task, ...] = ("binary", "multiclass", "regression", "ranking")


class CannotMeasure(Exception):
    """Raised by a check that cannot get to an answer; its sentence is shown to people."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What a check declares about a number it yields: its name, unit, which way is better and what it is *per*."""

    name: str
    summary: str
    better: Better
    unit: str = ""
    per: Per = ""
    pages: bool = True
    tasks: tuple[Task, ...] = EVERY_TASK
    of_rows: bool = True
    """Whether it is a number of the window's rows, so that nothing can be told where there are too few of them."""
    averages: bool = False
    """Whether its value over a window is the mean of its days, weighted by their rows: days can be judged together."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What must be loaded for a check, and nothing else."""

    distributions: bool = False
    outcomes: bool = False
    """Whether it waits until the outcomes of the window are in."""
    outcome_times: bool = False
    """Whether it asks when outcomes became known, and waits for none."""
    reference: bool = False
    population: bool = False
    catalogue: bool = False
    trainings: bool = False
    past: timedelta = timedelta(0)
    """How far back the check's own measurements of the same weekday and hour are wanted."""
    sample_rows: int = 0


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number with its row count and confidence interval; ``value=None`` means "cannot tell".

    *column* names what the metric is measured per: a column, a class, or a name.
    """

    metric: str
    value: float | None
    low: float | None = None
    high: float | None = None
    rows: int = 0
    segment: str = ""
    column: str = ""
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Artifact:
    """A document that a check leaves beside its numbers, such as a report; kept with the evaluation for a while."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Past:
    """What a metric was in an earlier window that ended at *end*, and whether that fell below the contract."""

    end: datetime
    value: float
    breach: bool = False


@dataclass(frozen=True, slots=True)
class Newest:
    """When the newest prediction was made, and when the newest outcome became known; None where there is none."""

    prediction: datetime | None = None
    outcome: datetime | None = None


@dataclass(frozen=True, slots=True)
class Training:
    """One training of the model. *finished* is None while it runs; *succeeded* None where that is not known."""

    started: datetime
    finished: datetime | None = None
    succeeded: bool | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class Roles:
    """The names of the columns of ``Window.table``; ``None`` where the model has no such column.

    *scores* are the score columns of a multiclass model and *classes* what each is the score of; *interval* holds the
    lower and upper end of a predicted interval; *request*, *item* and *position* are those of a ranking. *tolerance*
    says whether the model has one, so that the profile counts the rows within it.
    """

    id: str | None = None
    time: str | None = None
    entity: str | None = None
    prediction: str | None = None
    score: str | None = None
    fallback: str | None = None
    outcome: str | None = None
    segments: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    interval: tuple[str, str] | None = None
    request: str | None = None
    item: str | None = None
    position: str | None = None
    features: tuple[str, ...] | None = None
    tolerance: bool = False


def _not_loaded() -> ir.Table:
    raise CannotMeasure("This window was built without its rows; only profiles can be measured.")


def _no_sample(rows: int) -> pandas.DataFrame:
    raise CannotMeasure(f"This window was built without its rows; no sample of {rows} can be drawn.")


def _no_newest() -> Newest:
    raise CannotMeasure("This window was built without its rows; the newest one is not known.")


def _no_trainings() -> Sequence[Training]:
    raise CannotMeasure("This window was built without the trainings of its model.")


@dataclass(frozen=True)
class Window:
    """The half-open interval ``[start, end)`` in UTC that is measured, and lazily everything known of it.

    ``buckets`` are the profiles of the tiles that make up the window, in order of time. ``table`` holds one row
    per prediction, joined with its outcome where there is one; ``population`` one row per entity to be served,
    ``catalogue`` one per item that can be recommended. They are unexecuted expressions: what a check aggregates runs
    where the rows live. ``as_of`` is the moment the window is measured; nothing known later is in it. ``past`` holds
    earlier measurements, oldest first, by (metric, column, segment): those of windows whole weeks before this one, so
    of the same weekday and hour, as far back as the check needs them. ``version`` is the deployed version.
    """

    start: datetime
    end: datetime
    task: Task
    buckets: Sequence[Profile]
    baseline: Profile | None = None
    roles: Roles = Roles()
    load_table: Callable[[], ir.Table] = _not_loaded
    load_population: Callable[[], ir.Table] = _not_loaded
    load_sample: Callable[[int], pandas.DataFrame] = _no_sample
    load_reference_sample: Callable[[int], pandas.DataFrame] = _no_sample
    load_catalogue: Callable[[], ir.Table] = _not_loaded
    load_newest: Callable[[], Newest] = _no_newest
    load_trainings: Callable[[], Sequence[Training]] = _no_trainings
    as_of: datetime | None = None
    past: Mapping[tuple[str, str, str], tuple[Past, ...]] = field(default_factory=dict)
    version: str = ""
    merged: tuple[Profile, ...] = ()
    """The profiles of ``parts``, where they are at hand."""

    @property
    def now(self) -> datetime:
        """The moment the window is measured: its end, where nothing else is said."""
        return self.as_of or self.end

    @property
    def closed(self) -> datetime:
        """The moment an age is told at: the window's end, or ``now`` where the window has not ended yet."""
        return min(self.now, self.end)

    @cached_property
    def parts(self) -> tuple[Profile, ...]:
        """The independent parts of the window: its calendar days (UTC), or its buckets where it is under two days."""
        return self.merged or tuple(map(Profile.merge, parts_of(self.start, self.end, self.buckets)))

    @cached_property
    def live(self) -> Profile:
        """The profile of the whole window: the merge of its parts."""
        return Profile.merge(self.parts)

    @cached_property
    def table(self) -> ir.Table:
        """The rows of the window, unexecuted."""
        return self.load_table()

    @cached_property
    def population(self) -> ir.Table:
        """The entities the model is meant to serve in this window, unexecuted, in the column ``entity``."""
        return self.load_population()

    @cached_property
    def catalogue(self) -> ir.Table:
        """The items that can be recommended, unexecuted, in the column ``item``."""
        return self.load_catalogue()

    @cached_property
    def newest(self) -> Newest:
        """The newest prediction and outcome there are when the window is ``closed``, in the window or before it."""
        return self.load_newest()

    @cached_property
    def trainings(self) -> Sequence[Training]:
        """The trainings of the model begun before the window is ``closed``, oldest first."""
        return self.load_trainings()

    def sample(self, rows: int) -> pandas.DataFrame:
        """At most *rows* rows of ``table``, the same ones each time."""
        return self.load_sample(rows)

    def reference_sample(self, rows: int) -> pandas.DataFrame:
        """At most *rows* rows of the reference, outcome included, the same ones each time."""
        return self.load_reference_sample(rows)


class Check(BaseModel, ABC):
    """A measuring instrument. Its fields are its parameters in ``config.toml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[str]
    metrics: ClassVar[tuple[Metric, ...]]

    def names(self, column: str) -> bool:  # noqa: ARG002  # for checks that measure one thing by name
        """Whether a metric of *column* (a column, a class, a name, or ``*``) is among what it measures."""
        return True

    @abstractmethod
    def needs(self) -> Needs:
        """What to load for this check."""

    @abstractmethod
    def measure(self, window: Window) -> Iterator[Measurement | Artifact]:
        """Measure one window."""
