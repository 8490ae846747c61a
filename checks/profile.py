"""The mergeable summary of a bucket of rows: everything the built-in checks need, and small.

Profiles taken on the same layout add up: ``profile(A + B) == profile(A).merge(profile(B))``. So any window is a
merge of its buckets and a row is read once. A layout (bin edges, known categories, known segments) is frozen
with the reference of a model version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field
from functools import reduce
from operator import add

ALL = ""
"""The segment that holds every row."""

SCORE_BINS = 1000
"""Bins of equal width over [0, 1] in a score table; bin k holds scores in [k/1000, (k+1)/1000), 1.0 in the last."""

LAG_EDGES: tuple[float, ...] = (
    *(60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 10800.0, 14400.0, 21600.0, 28800.0, 43200.0, 64800.0),
    *(86400.0 * days for days in (1, 1.5, 2, 3, 4, 5, 6, 7, 10, 14, 21, 28, 45, 60, 90, 120, 180, 365)),
)
"""Edges of the outcome lag histogram, in seconds between prediction and outcome."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Cells of a numeric column: ``(-inf, e0), [e0, e1), ... [en, inf)``; sums are taken about *centre*."""

    edges: tuple[float, ...]
    centre: float = 0.0

    @property
    def cells(self) -> int:
        return len(self.edges) + 1


@dataclass(frozen=True, slots=True)
class Categories:
    """Cells of a categorical column: one per known value, and a last one for every other value."""

    values: tuple[str, ...]

    @property
    def cells(self) -> int:
        return len(self.values) + 1


@dataclass(frozen=True, slots=True)
class Layout:
    """What profiles of one model version are taken on: cells per column, known values per segment column.

    *importance* is how much of the error of the reference each column explains (a correlation ratio, 0 to 1), where
    the reference has outcomes to tell.
    """

    columns: Mapping[str, Numbers | Categories]
    segments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    importance: Mapping[str, float] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """As compressed JSON."""
        from checks.codec import encode_layout

        return encode_layout(self)

    @staticmethod
    def from_bytes(data: bytes) -> Layout:
        """The layout that ``to_bytes`` wrote. Raises ValueError where *data* is something else."""
        from checks.codec import decode_layout

        return decode_layout(data)


@dataclass(frozen=True, slots=True)
class Distribution:
    """Counts of one column. *absent* counts rows whose column was missing or of another type."""

    counts: tuple[int, ...]
    null: int = 0
    nan: int = 0
    infinite: int = 0
    absent: int = 0
    total: float = 0.0
    squares: float = 0.0
    low: float | None = None
    high: float | None = None

    @property
    def rows(self) -> int:
        return sum(self.counts) + self.null + self.nan + self.infinite + self.absent

    def merge(self, other: Distribution) -> Distribution:
        return Distribution(
            counts=_add(self.counts, other.counts),
            null=self.null + other.null,
            nan=self.nan + other.nan,
            infinite=self.infinite + other.infinite,
            absent=self.absent + other.absent,
            total=self.total + other.total,
            squares=self.squares + other.squares,
            low=_least(self.low, other.low),
            high=_greatest(self.high, other.high),
        )


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores by label: counts per bin, with the exact sums that bins cannot give.

    Of a binary model, scores of the positive class: *positives* and *negatives* count the rows with that outcome and
    another, *accepted* and *rejected* those predicted as that class and as another, whether their outcome is in or
    not. Of a multiclass model, scores of the class that was predicted: *positives* and *negatives* count the rows that
    were right and wrong, *accepted* all of them. *log_loss* sums -ln(score of what came true), *squared_error* the
    squared distances of scores and outcomes (over all classes), both over the rows with an outcome.
    """

    negatives: tuple[int, ...] = (0,) * SCORE_BINS
    positives: tuple[int, ...] = (0,) * SCORE_BINS
    log_loss: float = 0.0
    squared_error: float = 0.0
    rejected: tuple[int, ...] = (0,) * SCORE_BINS
    accepted: tuple[int, ...] = (0,) * SCORE_BINS

    def merge(self, other: Scores) -> Scores:
        return Scores(
            negatives=_add(self.negatives, other.negatives),
            positives=_add(self.positives, other.positives),
            log_loss=self.log_loss + other.log_loss,
            squared_error=self.squared_error + other.squared_error,
            rejected=_add(self.rejected, other.rejected),
            accepted=_add(self.accepted, other.accepted),
        )


@dataclass(frozen=True, slots=True)
class Errors:
    """Sums over rows with an outcome y and a predicted number p; the error is p - y, outcomes are taken about *centre*.

    *relative* is the sum of |p - y| / |y| over the *relative_rows* rows with y != 0; *symmetric* that of
    2 |p - y| / (|p| + |y|), rows with p = y = 0 counting 0. *within* counts rows whose error is within the model's
    tolerance, *inside* rows whose outcome lies in the predicted interval, of the *interval_rows* that have one.
    """

    rows: int = 0
    error: float = 0.0
    absolute: float = 0.0
    squared: float = 0.0
    outcome: float = 0.0
    outcome_squared: float = 0.0
    relative: float = 0.0
    relative_rows: int = 0
    symmetric: float = 0.0
    within: int = 0
    inside: int = 0
    interval_rows: int = 0

    def merge(self, other: Errors) -> Errors:
        return Errors(*map(add, astuple(self), astuple(other)))


@dataclass(frozen=True, slots=True)
class Slice:
    """The rows of one segment. *labelled* counts rows with an outcome; *confusion* is (predicted, actual) -> rows.

    *columns* are there for the whole, and for the segments whose columns are looked at.
    """

    rows: int = 0
    labelled: int = 0
    columns: Mapping[str, Distribution] = field(default_factory=dict)
    confusion: Mapping[tuple[str, str], int] = field(default_factory=dict)
    scores: Scores | None = None
    errors: Errors | None = None

    def merge(self, other: Slice) -> Slice:
        confusion = dict(self.confusion)
        for cell, rows in other.confusion.items():
            confusion[cell] = confusion.get(cell, 0) + rows
        columns = dict(self.columns)
        for name, distribution in other.columns.items():
            columns[name] = columns[name].merge(distribution) if name in columns else distribution
        return Slice(
            rows=self.rows + other.rows,
            labelled=self.labelled + other.labelled,
            columns=columns,
            confusion=confusion,
            scores=self.scores.merge(other.scores) if self.scores and other.scores else self.scores or other.scores,
            errors=self.errors.merge(other.errors) if self.errors and other.errors else self.errors or other.errors,
        )


@dataclass(frozen=True, slots=True)
class Profile:
    """One bucket, or a merge of buckets: a slice per segment (``""`` is the whole) and the health of the log itself."""

    layout: Layout
    slices: Mapping[str, Slice] = field(default_factory=lambda: {ALL: Slice()})
    duplicate_predictions: int = 0
    duplicate_outcomes: int = 0
    orphan_outcomes: int = 0
    early_outcomes: int = 0
    future_outcomes: int = 0
    late_outcomes: int = 0
    lags: tuple[int, ...] = (0,) * (len(LAG_EDGES) + 1)

    @property
    def whole(self) -> Slice:
        return self.slices[ALL]

    @staticmethod
    def merge(profiles: Iterable[Profile]) -> Profile:
        """Add profiles up. Raises ValueError where there is none, or where their layouts differ."""
        parts = tuple(profiles)
        if not parts:
            raise ValueError("There is no profile to merge; a window has at least one bucket.")
        return reduce(_merge_two, parts)

    def to_bytes(self) -> bytes:
        """As compressed JSON, without the layout."""
        from checks.codec import encode_profile

        return encode_profile(self)

    @staticmethod
    def from_bytes(data: bytes, layout: Layout) -> Profile:
        """The profile that ``to_bytes`` wrote. Raises ValueError where *data* is something else or not of *layout*."""
        from checks.codec import decode_profile

        return decode_profile(data, layout)


def _add(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    if len(one) != len(other):
        raise ValueError(f"Counts of {len(one)} and of {len(other)} cells cannot be added; read these buckets again.")
    return tuple(map(add, one, other))


def _least(one: float | None, other: float | None) -> float | None:
    return other if one is None else one if other is None else min(one, other)


def _greatest(one: float | None, other: float | None) -> float | None:
    return other if one is None else one if other is None else max(one, other)


def _merge_two(one: Profile, other: Profile) -> Profile:
    if one.layout is not other.layout and one.layout != other.layout:
        raise ValueError("Profiles taken on different layouts cannot be merged; read these buckets again.")
    slices = dict(one.slices)
    for segment, part in other.slices.items():
        slices[segment] = slices[segment].merge(part) if segment in slices else part
    return Profile(
        layout=one.layout,
        slices=slices,
        duplicate_predictions=one.duplicate_predictions + other.duplicate_predictions,
        duplicate_outcomes=one.duplicate_outcomes + other.duplicate_outcomes,
        orphan_outcomes=one.orphan_outcomes + other.orphan_outcomes,
        early_outcomes=one.early_outcomes + other.early_outcomes,
        future_outcomes=one.future_outcomes + other.future_outcomes,
        late_outcomes=one.late_outcomes + other.late_outcomes,
        lags=_add(one.lags, other.lags),
    )
