"""The tables of these tests notice each mistake of the list: a table that notices nothing proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from tests.alerts import test_blind, test_closing, test_flapping, test_grouping, test_incident, test_life
from tests.alerts.mutants import MUTANTS, Mutant

TABLES = (test_life, test_incident, test_flapping, test_blind, test_grouping, test_closing)


def cases(module: ModuleType) -> Iterator[Callable[[], None]]:
    """Each test of a module with each row of its table; without properties, which mutants would only slow down."""
    for name, test in vars(module).items():
        if name.startswith("test_") and not hasattr(test, "hypothesis"):
            yield from _rows(test)


def _rows(test: Callable[..., None]) -> Iterator[Callable[[], None]]:
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    if not marks:
        yield test
        return
    names, rows = marks[0].args
    for row in rows:
        given = dict(zip(names, row, strict=True)) if isinstance(names, tuple) else {names: row}
        yield _bound(test, given)


def _bound(test: Callable[..., None], given: dict[str, Any]) -> Callable[[], None]:
    return lambda: test(**given)


CASES = [case for module in TABLES for case in cases(module)]


def test_nobody_notices_anything_as_long_as_nothing_is_wrong() -> None:
    for case in CASES:
        case()
    assert len(CASES) > 90


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.why)
def test_a_mistake_is_noticed(mutant: Mutant) -> None:
    with mutant.alive():
        assert any(_fails(case) for case in CASES)


def _fails(case: Callable[[], None]) -> bool:
    try:
        case()
    except Exception:  # noqa: BLE001  # whatever it is, it was noticed
        return True
    return False
