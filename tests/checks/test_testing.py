"""The rules for checks find what they are there to find: one check per sin."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import ClassVar

import pytest

from checks.contract import CannotMeasure, Check, Measurement, Metric, Needs, Window
from checks.testing import RULES, explained


class Rows(Check):
    """Rows of the window, and *more*: n = Σ 1."""

    kind: ClassVar[str] = "rows"
    metrics: ClassVar[tuple[Metric, ...]] = (Metric("rows", "number of rows", "high"),)

    more: int = 0

    def needs(self) -> Needs:
        return Needs()

    def measure(self, window: Window) -> Iterator[Measurement]:
        yield from self.found(window)

    def found(self, window: Window) -> Iterator[Measurement]:
        rows = window.live.whole.rows
        yield Measurement("rows", float(rows + self.more), rows=rows)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_good_check_keeps_every_rule(rule: Callable[[Check], None]) -> None:
    rule(Rows())


class Twice(Rows):
    """Twice the same."""

    def found(self, window: Window) -> Iterator[Measurement]:
        yield from [Measurement("rows", 1.0)] * 2


class Undeclared(Rows):
    """Another metric."""

    def found(self, window: Window) -> Iterator[Measurement]:
        yield Measurement("lines", 1.0)


class Endless(Rows):
    """The mean of size, also where there is none."""

    def found(self, window: Window) -> Iterator[Measurement]:
        rows = window.live.whole.rows
        yield Measurement("rows", window.live.whole.columns["size"].total / rows if rows else float("nan"))


class Silent(Rows):
    """No value, no reason."""

    def found(self, window: Window) -> Iterator[Measurement]:
        yield Measurement("rows", None)


class Outside(Rows):
    """A value outside of its interval."""

    def found(self, window: Window) -> Iterator[Measurement]:
        yield Measurement("rows", 1.0, 2.0, 3.0)


class Curt(Rows):
    """No sentence."""

    def found(self, window: Window) -> Iterator[Measurement]:
        yield Measurement("rows", 1.0)
        raise CannotMeasure("no")


class Fickle(Rows):
    """Another number each time."""

    counter: ClassVar[Iterator[int]] = itertools.count()

    def found(self, window: Window) -> Iterator[Measurement]:
        yield Measurement("rows", float(next(self.counter)))


class First(Rows):
    """The rows of the first bucket."""

    def found(self, window: Window) -> Iterator[Measurement]:
        yield Measurement("rows", float(window.buckets[0].whole.rows))


class Top(Rows):
    """The size of the first row."""

    def found(self, window: Window) -> Iterator[Measurement]:
        (first,) = window.table.limit(1).to_pyarrow().to_pylist() or [{"size": 0.0}]
        yield Measurement("rows", first["size"])


class Careless(Rows):
    """Counts into what it was given."""

    def found(self, window: Window) -> Iterator[Measurement]:
        window.buckets[0].whole.confusion["x", "y"] = 1  # type: ignore[index]  # that is the sin
        yield Measurement("rows", 1.0)


class Helpless(Rows):
    """Fails on a window whose rows cannot be asked for."""

    def found(self, window: Window) -> Iterator[Measurement]:
        yield Measurement("rows", float(len(window.roles.segments[0])))


class Thawed(Rows):
    """Can be set, with *more*."""

    model_config = {"frozen": False}  # noqa: RUF012  # pydantic's own way


class Lenient(Rows):
    """Takes anything."""

    model_config = {"extra": "ignore"}  # noqa: RUF012  # as above


class Mumbling(Rows):
    """what it says is no sentence"""


class Shouting(Rows):
    """Named in capitals, with *more*."""

    metrics: ClassVar[tuple[Metric, ...]] = (Metric("Rows", "number of rows", "high"),)


@pytest.mark.parametrize(
    ("check", "rule", "sentence"),
    [
        (Twice, "bears: usual", "measured once per column and segment"),
        (Undeclared, "bears: usual", "lines is not among its metrics"),
        (Endless, "bears: empty window", "nan is not finite"),
        (Silent, "bears: usual", r'no value, and no detail\["reason"\]'),
        (Outside, "bears: usual", "outside of its interval"),
        (Curt, "bears: usual", "CannotMeasure takes a sentence, not 'no'"),
        (Fickle, "says the same twice", "the same twice"),
        (First, "does not mind the order of buckets", "the order of buckets matters"),
        (First, "does not mind how a window is cut", "how the window is cut"),
        (Top, "does not mind the order of rows", "the order of rows matters"),
        (Careless, "changes nothing it is given", "as they were"),
        (Thawed, "is frozen", "more can be set"),
        (Lenient, "refuses unknown parameters", "is refused"),
        (Mumbling, "says what it is", "in a sentence"),
        (Twice, "says what it is", r"as in \*more\*"),
        (Shouting, "declares its metrics well", "'Rows' is lower case"),
    ],
)
def test_each_sin_is_found_by_its_rule(check: type[Check], rule: str, sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        RULES[rule](check())


def test_a_check_that_fails_where_nothing_is_known_is_found() -> None:
    with pytest.raises(IndexError):
        RULES["bears a window without rows to ask"](Helpless())


def test_a_check_without_formula_is_not_explained() -> None:
    explained(Rows())
    with pytest.raises(AssertionError, match="has a formula"):
        explained(Mumbling())
    explained(Mumbling(), "n = rows")


class Sure(Rows):
    """A number of rows = itself, with an interval out of nowhere."""

    def found(self, window: Window) -> Iterator[Measurement]:
        yield Measurement("rows", 1.0, 0.5, 1.5)


def test_an_interval_without_a_source_is_not_explained() -> None:
    with pytest.raises(AssertionError, match="nothing says how it is reached"):
        explained(Sure())
    explained(Sure(), "Wilson, JASA 22 (1927)")
