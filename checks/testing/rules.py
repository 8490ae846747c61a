"""What holds for every check, whoever wrote it: each rule takes one and raises AssertionError where it is broken."""

from __future__ import annotations

import inspect
import math
import pickle
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import permutations

from pydantic import ValidationError

from checks.contract import EVERY_TASK, Artifact, CannotMeasure, Check, Measurement, Past, Window
from checks.profile import Profile
from checks.testing.scenes import LOGS, Log

Rule = Callable[[Check], None]
Rounded = tuple[tuple[str, str, str], float | None, float | None, float | None]

FORMULA = re.compile(r"[=Σ√∫±×÷∑]| [/−-] ")
SOURCE = re.compile(r"\b(1[89]|20)\d\d\b|scikit-learn|SciPy|Evidently|NannyML")
UNITS = re.compile(
    r"\b(shares?|ratio|rate|mean|distance|index|probabilit\w+|seconds|hours|days|rows|counts?|numbers?|nats|bits|units?|"
    r"currency|money|gain|between 0 and 1|0 to 1)\b"
)


def measured(check: Check, window: Window) -> list[Measurement]:
    """What it yields; that it cannot measure is an answer, if it is a sentence."""
    try:
        found = list(check.measure(window))
    except CannotMeasure as problem:
        sentence = str(problem)
        assert sentence.endswith("."), f"CannotMeasure takes a sentence, not {sentence!r}"
        return []
    strange = [one for one in found if not isinstance(one, Measurement | Artifact)]
    assert not strange, f"a check yields measurements and artifacts, not {strange[:1]}"
    return [one for one in found if isinstance(one, Measurement)]


def _sane(log: Log, check: Check) -> None:
    """Of every kind of log, for every task, it measures what it declares, in numbers that can be stored."""
    for task in EVERY_TASK:
        window = log.window(task)
        found = measured(check, window)
        _sane_found(check, window, found)
        if check.needs().past:
            _sane_found(check, window, measured(check, replace(window, past=_past_of(found, window))))


def _sane_found(check: Check, window: Window, found: Sequence[Measurement]) -> None:
    declared = {metric.name: metric for metric in check.metrics}
    keys = [(one.metric, one.column, one.segment) for one in found]
    assert len(keys) == len(set(keys)), "a metric is measured once per column and segment"
    for one in found:
        assert one.metric in declared, f"{one.metric} is not among its metrics"
        metric = declared[one.metric]
        assert window.task in metric.tasks, f"{one.metric} is not declared for {window.task} models"
        assert bool(metric.per) == bool(one.column), f"{one.metric} has a column, or declares per=, and not both"
        _sane_value(one)


def _sane_value(one: Measurement) -> None:
    assert type(one.rows) is int, f"{one.metric}: rows is a Python int, not {type(one.rows).__name__}"
    assert one.rows >= 0, f"{one.metric}: rows is not negative"
    if one.value is None:
        reason = one.detail.get("reason")
        assert isinstance(reason, str), f'{one.metric}: no value, and no detail["reason"]'
        assert reason.endswith("."), f"{one.metric}: the reason is a sentence, not {reason!r}"
        assert one.low is None and one.high is None, f"{one.metric}: an interval and no value"  # noqa: PT018
        return
    assert math.isfinite(one.value), f"{one.metric}: {one.value} is not finite; say None and the reason"
    assert (one.low is None) == (one.high is None), f"{one.metric}: an interval has two ends"
    if one.low is not None and one.high is not None:
        assert one.low - 1e-9 <= one.value <= one.high + 1e-9, f"{one.metric}: the value is outside of its interval"


def _past_of(found: Sequence[Measurement], window: Window) -> Mapping[tuple[str, str, str], tuple[Past, ...]]:
    """The same values, give or take, in each of the five weeks before; one of them was a breach."""
    weeks = range(5, 0, -1)
    return {
        (one.metric, one.column, one.segment): tuple(
            Past(window.end - week * timedelta(days=7), one.value * (1 + week % 3 / 10), breach=week == 3)
            for week in weeks
        )
        for one in found
        if one.value is not None
    }


def _documented(check: Check) -> None:
    lines = (type(check).__doc__ or "").splitlines()
    assert lines, "a check has a docstring"
    assert lines[0].strip().endswith((".", ":")), "its first line defines what is measured, in a sentence"
    unnamed = [name for name in type(check).model_fields if f"*{name}*" not in (type(check).__doc__ or "")]
    assert not unnamed, f"the docstring says what each parameter is, as in *{unnamed[0]}*"


def explained(check: Check, page: str = "") -> None:
    """Docstrings (or the *page* of the check) give a formula, the units and, of an interval, the source."""
    module = inspect.getmodule(type(check))
    text = "\n".join([inspect.getdoc(module) or "", type(check).__doc__ or "", page])
    assert FORMULA.search(text), "the docstring (or the page) has a formula"
    for metric in check.metrics:
        assert UNITS.search(f"{metric.unit} {metric.summary} {text}"), f"nothing says the unit of {metric.name}"
    windows = (LOGS["usual"].window(task) for task in EVERY_TASK)
    if module and any(one.low is not None for window in windows for one in measured(check, window)):
        house = "checks.statistics" in inspect.getsource(module)  # each formula there has its source beside it
        cited = house or SOURCE.search(text)
        assert cited, "there is an interval, and nothing says how it is reached and by whom"


def _frozen(check: Check) -> None:
    for name in type(check).model_fields:
        try:
            setattr(check, name, None)
        except ValidationError as problem:
            assert "frozen" in str(problem), f"{name} can be set"  # noqa: PT017  # pytest is not at hand here
        else:
            raise AssertionError(f"{name} can be set; a check is frozen")
    assert hash(check) == hash(check), "a check is hashable: its parameters are tuples, not lists"


def _strict(check: Check) -> None:
    try:
        type(check).model_validate({**check.model_dump(), "no_such_parameter": 1})
    except ValidationError as problem:
        assert "Extra inputs are not permitted" in str(problem)  # noqa: PT017  # pytest is not at hand here
    else:
        raise AssertionError("a parameter it does not know is refused")


def _picklable(check: Check) -> None:
    assert pickle.loads(pickle.dumps(check)) == check, "it goes to the worker process pickled"  # noqa: S301
    found = measured(check, LOGS["usual"].window("binary"))
    assert pickle.loads(pickle.dumps(found)) == found, "what it found comes back pickled"  # noqa: S301


def _declared(check: Check) -> None:
    names = [metric.name for metric in check.metrics]
    assert len(names) == len(set(names)), "a metric is declared once"
    for name in [check.kind, *names]:
        assert name.isidentifier(), f"{name!r} is a Python name"
        assert name.islower(), f"{name!r} is lower case"
    assert all(metric.summary for metric in check.metrics), "each metric has a summary"


def _changes_nothing(check: Check) -> None:
    for task in EVERY_TASK:
        window = LOGS["usual"].window(task)
        before = [bucket.to_bytes() for bucket in (*window.buckets, *filter(None, [window.baseline]))]
        parameters = check.model_dump()
        measured(check, window)
        after = [bucket.to_bytes() for bucket in (*window.buckets, *filter(None, [window.baseline]))]
        assert before == after, "the profiles it is given are as they were"
        assert check.model_dump() == parameters, "it is as it was"


def _repeatable(check: Check) -> None:
    for task in EVERY_TASK:
        window = LOGS["usual"].window(task)
        first, again = (_rounded(measured(check, window)) for _ in range(2))  # engines add up in any order
        assert first == again, "the same window measures the same twice"


def _order_of_buckets(check: Check) -> None:
    log = LOGS["usual"]
    expected = _rounded(measured(check, log.window("binary")))
    for order in permutations(log.buckets):
        assert _rounded(measured(check, log.window("binary", order))) == expected, "the order of buckets matters"


def _order_of_rows(check: Check) -> None:
    log = LOGS["usual"]
    for task in EVERY_TASK:
        expected = _rounded(measured(check, log.window(task)))
        assert _rounded(measured(check, log.reordered().window(task))) == expected, "the order of rows matters"


def _cuts(check: Check) -> None:
    """The value (not the interval) of a window is that of its rows, however many buckets hold them."""
    log = LOGS["usual"]
    for task in EVERY_TASK:
        cut = _rounded(measured(check, log.window(task)))
        whole = _rounded(measured(check, log.window(task, (Profile.merge(log.buckets),))))
        assert [row[:2] for row in cut] == [row[:2] for row in whole], "the value depends on how the window is cut"


def _bare(check: Check) -> None:
    """Without rows, reference, trainings and what else it may ask for, it measures less or says what it lacks."""
    full = LOGS["usual"].window("binary")
    for task in EVERY_TASK:
        measured(check, Window(full.start, full.end, task, full.buckets))


def _rounded(found: Sequence[Measurement]) -> list[Rounded]:
    """In a fixed order, and but for the rounding of sums."""
    return sorted((_but_for_rounding(one) for one in found), key=lambda row: row[0])


def _but_for_rounding(one: Measurement) -> Rounded:
    value, low, high = (None if number is None else round(number, 9) for number in (one.value, one.low, one.high))
    return (one.metric, one.column, one.segment), value, low, high


RULES: Mapping[str, Rule] = {
    **{f"bears: {name}": partial(_sane, log) for name, log in LOGS.items()},
    "bears a window without rows to ask": _bare,
    "says what it is": _documented,
    "is frozen": _frozen,
    "refuses unknown parameters": _strict,
    "goes through a pipe": _picklable,
    "declares its metrics well": _declared,
    "changes nothing it is given": _changes_nothing,
    "says the same twice": _repeatable,
    "does not mind the order of buckets": _order_of_buckets,
    "does not mind the order of rows": _order_of_rows,
    "does not mind how a window is cut": _cuts,
}
"""By the name of the rule: call it with a check of yours."""
