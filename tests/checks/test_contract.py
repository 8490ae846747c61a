"""What holds for every check that is found, whoever wrote it."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from functools import partial
from itertools import permutations

import pytest
from pydantic import ValidationError

from checks.contract import EVERY_TASK, CannotMeasure, Check, Measurement, Window
from checks.discovery import discover
from checks.profile import Profile
from tests.checks.log_scenes import LOGS, Log

CHECKS = discover()


def _measured(check: type[Check], window: Window) -> list[Measurement]:
    """What it yields; that it cannot measure is an answer, if it is a sentence."""
    try:
        return [one for one in check().measure(window) if isinstance(one, Measurement)]
    except CannotMeasure as problem:
        sentence = str(problem)
    assert sentence.endswith(".")
    return []


def _sane(log: Log, check: type[Check]) -> None:
    declared = {metric.name: metric for metric in check.metrics}
    for task in EVERY_TASK:
        found = _measured(check, log.window(task))
        keys = [(one.metric, one.column, one.segment) for one in found]
        assert len(keys) == len(set(keys)), "a metric is measured once per column and segment"
        for one in found:
            assert task in declared[one.metric].tasks
            assert bool(declared[one.metric].per) == bool(one.column)
            assert one.rows >= 0
            _sane_value(one)


def _sane_value(one: Measurement) -> None:
    assert isinstance(one.rows, int)
    if one.value is None:
        reason = one.detail["reason"]
        assert isinstance(reason, str)
        assert reason.endswith("."), "no value: a sentence says why"
        assert one.low is None
        assert one.high is None
        return
    assert math.isfinite(one.value)
    assert (one.low is None) == (one.high is None)
    if one.low is not None and one.high is not None:
        assert one.low - 1e-9 <= one.value <= one.high + 1e-9


def _documented(check: type[Check]) -> None:
    lines = (check.__doc__ or "").splitlines()
    assert lines
    assert lines[0].strip().endswith((".", ":"))


def _frozen(check: type[Check]) -> None:
    for field in check.model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(check(), field, None)
    assert hash(check()) == hash(check())


def _strict(check: type[Check]) -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        check.model_validate({"no_such_parameter": 1})


def _picklable(check: type[Check]) -> None:
    assert pickle.loads(pickle.dumps(check())) == check()  # noqa: S301  # written in the same line
    found = _measured(check, LOGS["usual"].window("binary"))
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301  # written in the same line


def _declared(check: type[Check]) -> None:
    names = [metric.name for metric in check.metrics]
    assert len(names) == len(set(names))
    assert all(name.isidentifier() and name.islower() for name in [check.kind, *names])
    assert all(metric.summary for metric in check.metrics)


def _changes_nothing(check: type[Check]) -> None:
    window = LOGS["usual"].window("binary")
    before = [bucket.to_bytes() for bucket in window.buckets]
    _measured(check, window)
    assert before == [bucket.to_bytes() for bucket in window.buckets]


def _repeatable(check: type[Check]) -> None:
    window = LOGS["usual"].window("binary")
    assert _measured(check, window) == _measured(check, window)


def _order_is_irrelevant(check: type[Check]) -> None:
    log = LOGS["usual"]
    buckets = log.window("binary").buckets
    expected = _rounded(_measured(check, log.window("binary")))
    for order in permutations(buckets):
        assert _rounded(_measured(check, log.window("binary", order))) == expected


def _cuts_are_irrelevant(check: type[Check]) -> None:
    """The value (not the interval) of a window is that of its rows, however many buckets hold them."""
    log = LOGS["usual"]
    cut = _measured(check, log.window("binary"))
    whole = _measured(check, log.window("binary", (Profile.merge(log.window("binary").buckets),)))
    assert [(key, value) for key, value, *_ in _rounded(cut)] == [(key, value) for key, value, *_ in _rounded(whole)]


def _rounded_number(number: float | None) -> float | None:
    return None if number is None else round(number, 9)


Rounded = tuple[tuple[str, str, str], float | None, float | None, float | None]


def _rounded(found: list[Measurement]) -> list[Rounded]:
    """In a fixed order, and but for the rounding of sums."""
    rows = [_but_for_rounding(one) for one in found]
    return sorted(rows, key=lambda row: row[0])


def _but_for_rounding(one: Measurement) -> Rounded:
    value, low, high = map(_rounded_number, (one.value, one.low, one.high))
    return (one.metric, one.column, one.segment), value, low, high


RULES: dict[str, Callable[[type[Check]], None]] = {
    **{name: partial(_sane, log) for name, log in LOGS.items()},
    "says what it is": _documented,
    "is frozen": _frozen,
    "refuses unknown parameters": _strict,
    "goes through a pipe": _picklable,
    "declares its metrics well": _declared,
    "changes nothing it is given": _changes_nothing,
    "says the same twice": _repeatable,
    "does not mind the order of buckets": _order_is_irrelevant,
    "does not mind how a window is cut": _cuts_are_irrelevant,
}


CASES = [
    pytest.param(check, rule, id=f"{kind}:{name}") for kind, check in CHECKS.items() for name, rule in RULES.items()
]


@pytest.mark.parametrize(("check", "rule"), CASES)
def test_every_check_keeps_the_contract(check: type[Check], rule: Callable[[type[Check]], None]) -> None:
    rule(check)


@pytest.mark.parametrize("kind", [kind for kind, check in CHECKS.items() if check().needs().reference])
def test_a_check_that_needs_a_reference_is_silent_without(kind: str) -> None:
    assert _measured(CHECKS[kind], LOGS["reference missing"].window("binary")) == []


@pytest.mark.parametrize("kind", [kind for kind, check in CHECKS.items() if check().needs().population])
def test_a_check_that_needs_rows_says_so_without(kind: str) -> None:
    full = LOGS["usual"].window("binary")
    bare = Window(full.start, full.end, full.task, full.buckets, full.baseline, full.roles)
    with pytest.raises(CannotMeasure, match=r"^This window was built without its rows; only profiles can be measured"):
        list(CHECKS[kind]().measure(bare))
