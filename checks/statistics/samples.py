"""A segment of a window, and the same without each of its days in turn, side by side as arrays.

Every metric is computed for all of them at once; what a metric is without a day is what its interval rests on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from math import nan
from typing import TYPE_CHECKING, NamedTuple

from checks.contract import Window
from checks.profile import ALL, SCORE_BINS, Errors, Scores, Slice

if TYPE_CHECKING:
    from numpy import float64, int64
    from numpy.typing import NDArray

    Floats = NDArray[float64]
    Places = NDArray[int64]

NO_SCORES = Scores()
NO_ERRORS = Errors()


class Margins(NamedTuple):
    """Rows per sample and class: those said and come true, those said, those come true."""

    right: Floats
    said: Floats
    was: Floats


class Cells(NamedTuple):
    """The confusion counts of all parts: the places of the predicted and the actual class, and the rows."""

    said: Places
    was: Places
    rows: Floats


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples of rows made of *parts*: ``picks[i, j]`` is 1 where sample i holds part j, and 0 where it does not.

    The first axis of every array is the sample, and the first sample is the whole. Rows that add up (counts, sums of
    errors) are ``picks @ values``, so no sum loses digits to a difference.
    """

    parts: tuple[Slice, ...]
    picks: Floats

    def total(self, of: Callable[[Slice], float]) -> Floats:
        """A number of each part, added up per sample."""
        return self.picks @ _array([of(part) for part in self.parts])

    @cached_property
    def labelled(self) -> Floats:
        """Rows with an outcome."""
        return self.total(lambda part: part.labelled)

    @cached_property
    def labelled_share(self) -> float | None:
        """Rows with an outcome / rows, of the whole."""
        return next(known(ratio(self.labelled, self.total(lambda part: part.rows))))

    @property
    def clusters(self) -> int:
        """How many clusters the interval rests on."""
        return len(self.picks) - 1

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Every class that was predicted or came true."""
        return tuple(sorted({name for part in self.parts for cell in part.confusion for name in cell}))

    @cached_property
    def cells(self) -> Cells:
        """The confusion counts, part after part."""
        import numpy as np

        place = {name: number for number, name in enumerate(self.classes)}
        found = [(place[said], place[was], rows) for part in self.parts for (said, was), rows in part.confusion.items()]
        table = np.array(found, dtype=np.int64).reshape(-1, 3)
        return Cells(table[:, 0], table[:, 1], table[:, 2].astype(float))

    @cached_property
    def margins(self) -> Margins:
        """The margins of the confusion counts."""
        import numpy as np

        said, was, rows = self.cells
        size = len(self.classes)
        part = np.repeat(np.arange(len(self.parts)), [len(part.confusion) for part in self.parts])

        def added(place: Places, weights: Floats) -> Floats:
            held = np.bincount(part * size + place, weights, minlength=len(self.parts) * size)
            return self.picks @ held.reshape(len(self.parts), size)

        return Margins(added(said, rows * (said == was)), added(said, rows), added(was, rows))

    @cached_property
    def judged(self) -> Floats:
        """Rows with a usable predicted class and an outcome."""
        return self.total(lambda part: sum(part.confusion.values()))

    def bins(self, of: Callable[[Scores], Sequence[int]]) -> Floats:
        """A row of a score table, per sample."""
        return self.picks @ _array([of(part.scores or NO_SCORES) for part in self.parts])

    @cached_property
    def positives(self) -> Floats:
        """Rows per bin of the score whose outcome was the positive class."""
        return self.bins(lambda scores: scores.positives)

    @cached_property
    def negatives(self) -> Floats:
        """Rows per bin of the score whose outcome was another class."""
        return self.bins(lambda scores: scores.negatives)

    @cached_property
    def scored(self) -> Floats:
        """Rows with a score and an outcome."""
        return across(self.positives + self.negatives)

    @cached_property
    def errors(self) -> Mapping[str, Floats]:
        """The sums of errors, by their name in ``Errors``."""
        names = [field.name for field in fields(Errors)]
        sums = self.picks @ _array([[getattr(part.errors or NO_ERRORS, name) for name in names] for part in self.parts])
        return {name: sums[:, place] for place, name in enumerate(names)}


def segments(window: Window) -> tuple[str, ...]:
    """The segments that the window holds."""
    return tuple(window.live.slices)


def samples(window: Window, segment: str = ALL, *, counted: Callable[[Slice], int]) -> Samples:
    """The whole of a segment, and without each cluster in turn; one without *counted* rows is no cluster."""
    held = [part.slices[segment] for part in window.parts if segment in part.slices]
    (found,) = beside([held or [Slice()]], counted)
    return found


def beside(segments: Sequence[Sequence[Slice]], counted: Callable[[Slice], int]) -> tuple[Samples, ...]:
    """Segments by their slice per cluster; each sample leaves the same cluster out of all of them.

    A cluster without *counted* rows in any of them is no cluster.
    """
    clusters = range(len(segments[0]))
    held = [cluster for cluster in clusters if any(counted(own[cluster]) for own in segments)]
    without = [[float(cluster != left) for cluster in clusters] for left in held]
    picks = _array([[1.0] * len(clusters), *without])
    return tuple(Samples(tuple(own), picks) for own in segments)


def score_centres() -> Floats:
    """The middle of each bin of a score table."""
    import numpy as np

    return (np.arange(SCORE_BINS) + 0.5) / SCORE_BINS


def across(values: Floats) -> Floats:
    """Added up per sample."""
    total: Floats = values.sum(axis=1)
    return total


def ratio(part: Floats, whole: Floats, empty: float = nan) -> Floats:
    """``part / whole``, *empty* where there is nothing to divide by."""
    import numpy as np

    found: Floats = np.divide(part, whole, out=np.full(np.broadcast(part, whole).shape, float(empty)), where=whole != 0)
    return found


def known(values: Floats) -> Iterator[float | None]:
    """As numbers, None where one is not defined."""
    for value in values.tolist():
        yield value if abs(value) < float("inf") else None


def _array(values: Sequence[object]) -> Floats:
    import numpy as np

    return np.array(values, dtype=np.float64)
