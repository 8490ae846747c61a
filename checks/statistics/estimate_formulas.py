"""The metrics that are estimated before outcomes are in, as formulas on the rows to be expected."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from checks.contract import Metric, Task
from checks.statistics import classification as by_class
from checks.statistics import scores as by_score
from checks.statistics.calibration import Expected
from checks.statistics.classification import F1, PRECISION, RECALL, Counts
from checks.statistics.formula import Formula
from checks.statistics.samples import across, ratio

if TYPE_CHECKING:
    from checks.statistics.samples import Floats

BINARY: tuple[Task, ...] = ("binary",)
CLASSES: tuple[Task, ...] = ("binary", "multiclass")

NO_ROWS = "No row of the window has both a score and a predicted class."


def _metric(name: str, summary: str, tasks: tuple[Task, ...] = BINARY) -> Metric:
    return Metric(f"estimated_{name}", f"{summary}, before outcomes are in", "high", pages=False, tasks=tasks)


def _rows(of: Expected) -> Floats:
    return across(of.positives + of.negatives)


def _of(value: Callable[[Counts], Floats]) -> Callable[[Expected], Floats]:
    return lambda of: value(of.counts)


def _rate(
    name: str, summary: str, weight: float, trials: Callable[[Counts], Floats], undefined: str
) -> Formula[Expected]:
    return Formula(
        _metric(name, summary),
        _of(lambda of: by_class.effectiveness(of, weight)),
        *(_rows, undefined, 0, 1, _of(trials)),
        share=weight in {PRECISION, RECALL},
        variance=_of(lambda of: by_class.effectiveness_variance(of, weight)),
    )


ACCURACY: Formula[Expected] = Formula(
    _metric("accuracy", "expected share of rows whose predicted class comes true", CLASSES),
    _of(lambda of: ratio(of.tp + of.tn, of.tp + of.fp + of.fn + of.tn)),
    *(_rows, NO_ROWS, 0, 1, _rows),
    share=True,
)

ESTIMATES: tuple[Formula[Expected], ...] = (
    ACCURACY,
    _rate(
        *("precision", "expected share of predicted positives that come true", PRECISION),
        *(lambda of: of.tp + of.fp, "No row with a score is predicted as the positive class."),
    ),
    _rate(
        *("recall", "expected share of actual positives that are predicted", RECALL),
        *(lambda of: of.tp + of.fn, "No row of the window is expected to come true as the positive class."),
    ),
    Formula(
        _metric("specificity", "expected share of actual negatives that are predicted"),
        _of(by_class.specificity),
        *(
            _rows,
            "No row of the window is expected to come true as another class.",
            0,
            1,
            _of(lambda of: of.tn + of.fp),
        ),
        share=True,
    ),
    _rate(
        *("f1", "expected precision and recall in one", F1),
        *(
            lambda of: of.tp + of.fp + of.fn,
            "No row is predicted as the positive class or expected to come true as it.",
        ),
    ),
    Formula(
        _metric("roc_auc", "expected chance that a positive scores above a negative"),
        lambda of: by_score.roc_auc(of.positives, of.negatives),
        *(_rows, "The rows of the window are not expected to come true as both classes.", 0, 1),
        trials=lambda of: by_score.rarer(of.positives, of.negatives),
        variance=lambda of: by_score.roc_auc_variance(of.positives, of.negatives),
    ),
)
