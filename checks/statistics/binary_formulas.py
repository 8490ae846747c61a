"""The metrics of a binary model as formulas: name, definition, range, and what their certainty rests on."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING

from checks.contract import Better, Metric, Task
from checks.statistics import classification as by_class
from checks.statistics import scores as by_score
from checks.statistics.classification import F1, PRECISION, RECALL, Counts
from checks.statistics.formula import Formula, Statistic
from checks.statistics.multiclass_formulas import ACCURACY, BRIER, LOG_LOSS, SERVED_ACCURACY, brier, judged, log_loss
from checks.statistics.samples import Samples, across, ratio

if TYPE_CHECKING:
    from checks.statistics.samples import Floats

OfCounts = Callable[[Counts], "Floats"]

BINARY: tuple[Task, ...] = ("binary",)
NO_SCORES = "No row has both a score and an outcome."
ONE_CLASS = "The rows with scores and outcomes do not hold both classes."


def binary(positive: str, beta: float, calibration_bins: int, at: float, top: float) -> tuple[Formula[Samples], ...]:
    """Everything measured of a binary model that looks for the class *positive*."""
    return (
        *(ACCURACY, SERVED_ACCURACY),
        *_of_classes(positive, beta),
        *_of_scores(calibration_bins),
        *_at_threshold(at),
        *_at_top(top),
    )


def _metric(name: str, summary: str, better: Better = "high") -> Metric:
    return Metric(name, summary, better, tasks=BINARY)


def _of_classes(positive: str, beta: float) -> tuple[Formula[Samples], ...]:
    def of(value: OfCounts) -> Statistic:
        return lambda of: value(by_class.counts(of, positive))

    def share(metric: Metric, value: OfCounts, trials: OfCounts, undefined: str) -> Formula[Samples]:
        return Formula(metric, of(value), judged, undefined, 0, 1, of(trials), share=True)

    def f(metric: Metric, weight: float) -> Formula[Samples]:
        undefined = f"No row with an outcome was predicted as '{positive}' or came true as it."
        trials, variance = (
            of(lambda of: of.tp + of.fp + of.fn),
            of(lambda c: by_class.effectiveness_variance(c, weight)),
        )
        value = of(lambda of: by_class.effectiveness(of, weight))
        return Formula(metric, value, judged, undefined, 0, 1, trials, variance=variance)

    return (
        share(
            _metric("precision", "share of predicted positives that came true"),
            lambda of: by_class.effectiveness(of, PRECISION),
            lambda of: of.tp + of.fp,
            f"No row with an outcome was predicted as '{positive}'.",
        ),
        share(
            _metric("recall", "share of actual positives that were predicted"),
            lambda of: by_class.effectiveness(of, RECALL),
            lambda of: of.tp + of.fn,
            f"No row with a usable prediction came true as '{positive}'.",
        ),
        share(
            _metric("specificity", "share of actual negatives that were predicted"),
            by_class.specificity,
            lambda of: of.tn + of.fp,
            f"No row with a usable prediction came true as another class than '{positive}'.",
        ),
        Formula(
            _metric("balanced_accuracy", "mean of recall and specificity"),
            of(by_class.balanced_accuracy),
            judged,
            f"The rows with outcomes do not hold both '{positive}' and another class.",
            *(0, 1, of(by_class.rarer)),
            variance=of(by_class.balanced_accuracy_variance),
        ),
        f(_metric("f1", "harmonic mean of precision and recall"), F1),
        f(
            _metric("f_beta", "precision and recall in one, recall weighing beta² as much"),
            by_class.recall_weight(beta),
        ),
    )


def _of_scores(bins: int) -> tuple[Formula[Samples], ...]:
    return (
        Formula(
            _metric("roc_auc", "chance that a positive scores above a negative"),
            lambda of: by_score.roc_auc(of.positives, of.negatives),
            *(by_score.scored, ONE_CLASS, 0, 1, lambda of: by_score.rarer(of.positives, of.negatives)),
            variance=lambda of: by_score.roc_auc_variance(of.positives, of.negatives),
        ),
        Formula(
            _metric("average_precision", "mean of the precision at which each positive is found"),
            by_score.average_precision,
            *(by_score.scored, "No row with a score came true as the positive class.", 0, 1, _positives),
            variance=by_score.average_precision_variance,
        ),
        Formula(LOG_LOSS, log_loss, by_score.scored, NO_SCORES, 0, inf, variance=by_score.log_loss_variance),
        Formula(
            *(BRIER, brier, by_score.scored, NO_SCORES, 0, 1, by_score.scored),
            variance=by_score.brier_variance,
        ),
        Formula(
            _metric("calibration_error", "mean distance of scores and outcomes within bins of the score", "low"),
            lambda of: by_score.calibration_error(of, bins),
            *(by_score.scored, NO_SCORES, 0, 1, by_score.scored),
            variance=lambda of: by_score.calibration_error_variance(of, bins),
        ),
    )


def _at_threshold(at: float) -> tuple[Formula[Samples], ...]:
    exact = by_score.at_threshold(at)

    def share(name: str, summary: str, whole: Statistic, undefined: str) -> Formula[Samples]:
        metric = _metric(name, summary)
        value: Statistic = lambda of: ratio(by_score.above(of.positives, at), whole(of))  # noqa: E731
        return Formula(metric, value, by_score.scored, undefined, 0, 1, whole, share=True, detail={"at": exact})

    return (
        share(
            "precision_at",
            "share of positives among the rows that score at least as high as asked for",
            lambda of: by_score.above(of.positives + of.negatives, at),
            f"No row with an outcome scores {exact:g} or higher.",
        ),
        share(
            "recall_at",
            "share of positives that score at least as high as asked for",
            _positives,
            "No row with a score came true as the positive class.",
        ),
    )


def _at_top(top: float) -> tuple[Formula[Samples], ...]:
    def taken(of: Samples) -> Floats:
        return top * by_score.scored(of)

    def hits(of: Samples) -> Floats:
        return by_score.hits_at_top(of, top)

    no_positive, detail = "No row with a score came true as the positive class.", {"top": top}
    return (
        Formula(
            _metric("precision_at_top", "share of positives among the rows that score highest"),
            lambda of: ratio(hits(of), taken(of)),
            *(by_score.scored, NO_SCORES, 0, 1, taken),
            share=True,
            detail=detail,
        ),
        Formula(
            _metric("recall_at_top", "share of positives that are among the rows that score highest"),
            lambda of: ratio(hits(of), _positives(of)),
            *(by_score.scored, no_positive, 0, 1, _positives),
            share=True,
            detail=detail,
        ),
        Formula(
            _metric("lift_at_top", "share of positives among the rows that score highest, over that among all"),
            lambda of: ratio(ratio(hits(of), taken(of)), ratio(_positives(of), by_score.scored(of))),
            *(by_score.scored, no_positive, 0, 1 / top),
            variance=lambda of: by_score.lift_variance(of, top),
            detail=detail,
        ),
    )


def _positives(of: Samples) -> Floats:
    return across(of.positives)
