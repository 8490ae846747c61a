"""The metrics of each task as formulas: name, definition, range, and what their certainty rests on."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from checks.contract import Better, Metric, Task
from checks.profile import Slice
from checks.statistics import classification as by_class
from checks.statistics import regression as by_number
from checks.statistics.classification import Counts
from checks.statistics.formula import Formula
from checks.statistics.intervals import Statistic

OfCounts = Callable[[Counts], float | None]
Trials = Callable[[Counts], int]

BINARY: tuple[Task, ...] = ("binary",)
MULTICLASS: tuple[Task, ...] = ("multiclass",)
CLASSES: tuple[Task, ...] = ("binary", "multiclass")
REGRESSION: tuple[Task, ...] = ("regression",)

NO_ROWS = "No row has both a usable prediction and an outcome."
NO_SCORES = "No row has both a score and an outcome."
NO_NUMBERS = "No row has both a predicted number and an outcome."


def _metric(name: str, summary: str, tasks: tuple[Task, ...], better: Better = "high") -> Metric:
    return Metric(name, summary, better, tasks=tasks)


def binary(positive: str) -> tuple[Formula, ...]:
    """Everything measured of a binary model that looks for the class *positive*."""
    return (ACCURACY, *_shares(positive), *_means(positive), *SCORES)


def _shares(positive: str) -> tuple[Formula, ...]:
    def share(name: str, summary: str, value: OfCounts, trials: Trials, undefined: str) -> Formula:
        metric, known = _metric(name, summary, BINARY), _rows(trials, positive)
        return Formula(metric, _of(value, positive), by_class.judged, undefined, 0, 1, known, share=True)

    return (
        share(
            "precision",
            "share of predicted positives that came true",
            by_class.precision,
            lambda of: of.tp + of.fp,
            f"No row with an outcome was predicted as '{positive}'.",
        ),
        share(
            "recall",
            "share of actual positives that were predicted",
            by_class.recall,
            lambda of: of.tp + of.fn,
            f"No row with a usable prediction came true as '{positive}'.",
        ),
        share(
            "specificity",
            "share of actual negatives that were predicted",
            by_class.specificity,
            lambda of: of.tn + of.fp,
            f"No row with a usable prediction came true as another class than '{positive}'.",
        ),
    )


def _means(positive: str) -> tuple[Formula, ...]:
    def mean(name: str, summary: str, value: OfCounts, trials: Trials, undefined: str) -> Formula:
        metric, known, definition = _metric(name, summary, BINARY), _rows(trials, positive), _of(value, positive)
        variance = by_class.confusion_variance(definition)
        return Formula(metric, definition, by_class.judged, undefined, 0, 1, known, variance=variance)

    return (
        mean(
            "balanced_accuracy",
            "mean of recall and specificity",
            by_class.balanced_accuracy,
            lambda of: min(of.tp + of.fn, of.tn + of.fp),
            f"The rows with outcomes do not hold both '{positive}' and another class.",
        ),
        mean(
            "f1",
            "harmonic mean of precision and recall",
            by_class.f1,
            lambda of: of.tp + of.fp + of.fn,
            f"No row with an outcome was predicted as '{positive}' or came true as it.",
        ),
    )


def _of(value: OfCounts, positive: str) -> Statistic:
    return lambda part: value(by_class.counts(part, positive))


def _rows(trials: Trials, positive: str) -> Callable[[Slice], int]:
    return lambda part: trials(by_class.counts(part, positive))


ACCURACY = Formula(
    _metric("accuracy", "share of rows whose predicted class came true", CLASSES),
    *(by_class.accuracy, by_class.judged, NO_ROWS, 0, 1, by_class.judged),
    share=True,
)

SCORES = (
    Formula(
        _metric("roc_auc", "chance that a positive scores above a negative", BINARY),
        *(by_class.roc_auc, by_class.scored, "The rows with scores and outcomes do not hold both classes.", 0, 1),
        trials=by_class.rarer,
        variance=by_class.roc_auc_variance,
    ),
    Formula(
        _metric("log_loss", "mean of -ln(probability given to what came true)", BINARY, "low"),
        *(by_class.log_loss, by_class.scored, NO_SCORES, 0, inf),
        variance=by_class.log_loss_variance,
    ),
    Formula(
        _metric("brier", "mean squared distance of score and outcome", BINARY, "low"),
        *(by_class.brier, by_class.scored, NO_SCORES, 0, 1, by_class.scored),
        variance=by_class.brier_variance,
    ),
)


def _over_classes(name: str, summary: str, value: Statistic) -> Formula:
    variance = by_class.confusion_variance(value)
    return Formula(
        _metric(name, summary, MULTICLASS),
        *(value, by_class.judged, NO_ROWS, 0, 1, by_class.judged),
        variance=variance,
    )


MANY_CLASSES = (
    ACCURACY,
    _over_classes("f1_macro", "mean of f1 over the classes", by_class.f1_macro),
    _over_classes("f1_weighted", "mean of f1 over the classes, weighted by outcomes", by_class.f1_weighted),
    _over_classes("precision_macro", "mean of precision over the classes", by_class.precision_macro),
    _over_classes("recall_macro", "mean of recall over the classes", by_class.recall_macro),
)

NUMBERS = (
    Formula(
        _metric("mae", "mean of |predicted - actual|", REGRESSION, "low"),
        *(by_number.mae, by_number.compared, NO_NUMBERS, 0, inf),
        variance=by_number.mae_variance,
    ),
    Formula(
        _metric("rmse", "root of the mean squared error", REGRESSION, "low"),
        *(by_number.rmse, by_number.compared, NO_NUMBERS, 0, inf),
    ),
    Formula(
        _metric("mape", "mean of |predicted - actual| / |actual|, outcomes of 0 left out", REGRESSION, "low"),
        *(by_number.mape, by_number.compared_relatively, "No row has a predicted number and an outcome other than 0."),
        *(0, inf),
    ),
    Formula(
        _metric("bias", "mean of predicted - actual", REGRESSION, "low"),
        *(by_number.bias, by_number.compared, NO_NUMBERS, -inf, inf),
        variance=by_number.bias_variance,
    ),
    Formula(
        _metric("r2", "share of the variance of the outcomes that is explained", REGRESSION),
        *(by_number.r2, by_number.compared, "The outcomes of these rows do not vary.", -inf, 1),
    ),
)
