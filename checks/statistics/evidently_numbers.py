"""The numbers in a snapshot of Evidently 0.7, each under a name that a threshold can be written for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from math import isfinite
from typing import Any

MOST_LABELS = 100
"""Of a metric with a number per label, those of this many labels are told: the most frequent ones."""

HOW = ("method", "threshold", "drift_share", "conf_matrix", "pr_curve", "pr_table", "roc_curve", "nbinsx", "error_plot",
       "error_distr", "error_normality", "perc_error_plot", "type")  # fmt: skip
"""Parameters that say how something is computed or drawn, not what is measured."""

Named = tuple[str, float | None]
Parts = Iterator[tuple[Mapping[str, Any], str, Any]]
"""Further parameters of a number within its metric, the part it is (``share``), and the number."""


def numbers(snapshot: Any) -> Iterator[Named]:
    """Every number of the window: ``RowCount``, ``MeanValue(column=temp)``, ``DriftedColumnsCount.share``.

    None stands for what is no finite number. Numbers that would share a name tell in it how they were computed.
    """
    found = [
        (_parameters(result), more, part, value)
        for result in snapshot.metric_results.values()
        for more, part, value in _parts(result)
    ]
    short = [_name(parameters, more, part, HOW) for parameters, more, part, _ in found]
    seen: set[str] = set()
    for name, (parameters, more, part, value) in zip(short, found, strict=True):
        unique = name if short.count(name) == 1 else _name(parameters, more, part, ("type",))
        if unique not in seen:
            seen.add(unique)
            yield unique, _finite(value)


def _parameters(result: Any) -> Mapping[str, Any]:
    return dict(result.metric_value_location.metric.params)


def _parts(result: Any) -> Parts:
    from evidently.core import metric_types as kinds

    match result:
        case kinds.SingleValue():
            yield {}, "", result.value
        case kinds.CountValue():
            yield from (({}, "count", result.count.value), ({}, "share", result.share.value))
        case kinds.MeanStdValue():
            yield from (({}, "mean", result.mean.value), ({}, "std", result.std.value))
        case kinds.ByLabelValue():
            for label in _most_frequent(dict.fromkeys(result.values, 0)):
                yield {"label": label}, "", result.values[label].value
        case kinds.ByLabelCountValue():
            for label in _most_frequent({label: one.value for label, one in result.counts.items()}):
                yield {"label": label}, "count", result.counts[label].value
                yield {"label": label}, "share", result.shares[label].value
        case kinds.DataframeValue():
            yield from _cells(result)


def _cells(result: Any) -> Parts:
    """The cells of a table; rows are told apart by their place, and where the table has labels by those."""
    table = result.value
    for place, (_, row) in zip(range(MOST_LABELS), table.iterrows(), strict=False):
        labels = {str(name): value for name, value in row.items() if isinstance(value, str)}
        for name, value in row.items():
            if isinstance(value, int | float) or hasattr(value, "dtype"):
                yield labels or {"row": place}, str(name), value


def _most_frequent(counts: Mapping[Any, float]) -> Iterable[Any]:
    return sorted(counts, key=lambda label: (-counts[label], str(label)))[:MOST_LABELS]


def _name(parameters: Mapping[str, Any], more: Mapping[str, Any], part: str, without: tuple[str, ...]) -> str:
    kind = str(parameters.get("type", "")).rpartition(":")[2]
    said = {key: value for key, value in (*parameters.items(), *more.items()) if _told(key, value, without)}
    inside = ",".join(f"{key}={_written(value)}" for key, value in said.items())
    return kind + (f"({inside})" if inside else "") + (f".{part}" if part else "")


def _told(key: str, value: Any, without: tuple[str, ...]) -> bool:
    usual = value is None or value is False or value in ([], {}, "default", "auto")
    return not usual and key not in without and not key.endswith("tests")


def _written(value: Any) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Mapping):
        return _name(value, {}, "", HOW) if "type" in value else str(dict(value))
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_written, value))}]"
    return str(value)


def _finite(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if isfinite(number) else None
