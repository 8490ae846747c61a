"""Metrics of classes and scores, each as its definition on the counts of a slice.

Definitions follow scikit-learn, which the tests hold them against. Classes are canonical strings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from math import log

from checks.profile import SCORE_BINS, Scores, Slice
from checks.statistics.intervals import Statistic

Confusion = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Counts:
    """One class against the rest: true and false positives and negatives."""

    tp: int
    fp: int
    fn: int
    tn: int


def counts(part: Slice, positive: str) -> Counts:
    """The confusion counts of *part*, with *positive* as the class looked for."""
    cells = {(said, was): 0 for said in (True, False) for was in (True, False)}
    for (predicted, actual), rows in part.confusion.items():
        cells[predicted == positive, actual == positive] += rows
    return Counts(cells[True, True], cells[True, False], cells[False, True], cells[False, False])


def judged(part: Slice) -> int:
    """Rows with a usable predicted class and an outcome."""
    return sum(part.confusion.values())


def accuracy(part: Slice) -> float | None:
    """Right classes / rows."""
    return _ratio(
        sum(rows for (predicted, actual), rows in part.confusion.items() if predicted == actual), judged(part)
    )


def precision(of: Counts) -> float | None:
    """tp / (tp + fp)."""
    return _ratio(of.tp, of.tp + of.fp)


def recall(of: Counts) -> float | None:
    """tp / (tp + fn)."""
    return _ratio(of.tp, of.tp + of.fn)


def specificity(of: Counts) -> float | None:
    """tn / (tn + fp)."""
    return _ratio(of.tn, of.tn + of.fp)


def f1(of: Counts) -> float | None:
    """2 tp / (2 tp + fp + fn)."""
    return _ratio(2 * of.tp, 2 * of.tp + of.fp + of.fn)


def balanced_accuracy(of: Counts) -> float | None:
    """(recall + specificity) / 2."""
    right, spared = recall(of), specificity(of)
    return None if right is None or spared is None else (right + spared) / 2


def classes(part: Slice) -> tuple[str, ...]:
    """Every class that was predicted or came true."""
    return tuple(sorted({name for cell, rows in part.confusion.items() if rows for name in cell}))


def support(part: Slice, name: str) -> int:
    """Rows whose outcome was this class."""
    return sum(rows for (_, actual), rows in part.confusion.items() if actual == name)


def f1_macro(part: Slice) -> float | None:
    """The mean of f1 over the classes; a class never hit counts 0."""
    return _mean([f1(counts(part, name)) or 0.0 for name in classes(part)])


def f1_weighted(part: Slice) -> float | None:
    """The mean of f1 over the classes, each weighted by its outcomes."""
    return _ratio(sum(support(part, name) * (f1(counts(part, name)) or 0.0) for name in classes(part)), judged(part))


def precision_macro(part: Slice) -> float | None:
    """The mean of precision over the classes; a class never predicted counts 0."""
    return _mean([precision(counts(part, name)) or 0.0 for name in classes(part)])


def recall_macro(part: Slice) -> float | None:
    """The mean of recall over the classes; a class that never came true counts 0."""
    return _mean([recall(counts(part, name)) or 0.0 for name in classes(part)])


def scored(part: Slice) -> int:
    """Rows with a score and an outcome."""
    return _total(part.scores) if part.scores else 0


def rarer(part: Slice) -> int:
    """Scored rows of the rarer class."""
    return min(sum(part.scores.positives), sum(part.scores.negatives)) if part.scores else 0


def roc_auc(part: Slice) -> float | None:
    """P(score of a positive > score of a negative) + ½ P(equal), scores of one bin taken as equal.

    Off by at most half the share of pairs that share a bin. Source: D. Bamber, The area above the ordinal dominance
    graph and the area below the receiver operating characteristic graph, J. Math. Psychology 12 (1975).
    """
    if not part.scores or not rarer(part):
        return None
    placed = _placements(part.scores.negatives)
    return sum(rows * place for rows, place in zip(part.scores.positives, placed, strict=True)) / sum(
        part.scores.positives
    )


def log_loss(part: Slice) -> float | None:
    """The mean of -ln(probability given to what came true)."""
    return _ratio(part.scores.log_loss, _total(part.scores)) if part.scores else None


def brier(part: Slice) -> float | None:
    """The mean of (score - outcome)²."""
    return _ratio(part.scores.squared_error, _total(part.scores)) if part.scores else None


def confusion_variance(metric: Statistic) -> Statistic:
    """The delete-one-row jackknife variance of a metric of the confusion counts: one evaluation per cell."""

    def variance(part: Slice) -> float | None:
        rows = judged(part)
        weighted = [(count, metric(_without_one(part, cell))) for cell, count in part.confusion.items() if count]
        known = [(count, value) for count, value in weighted if value is not None]
        if rows < 2 or len(known) < len(weighted):
            return None
        mean = sum(count * value for count, value in known) / rows
        return (rows - 1) / rows * sum(count * (value - mean) ** 2 for count, value in known)

    return variance


def roc_auc_variance(part: Slice) -> float | None:
    """Var(placements of positives)/P + Var(placements of negatives)/N.

    Source: E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, Comparing the areas under two or more correlated
    receiver operating characteristic curves, Biometrics 44 (1988).
    """
    if not part.scores or rarer(part) < 2:
        return None
    positives, negatives = part.scores.positives, part.scores.negatives
    return _variance_of_mean(positives, _placements(negatives)) + _variance_of_mean(negatives, _placements(positives))


def log_loss_variance(part: Slice) -> float | None:
    """Variance of the mean log loss, with each score at the centre of its bin."""
    return _loss_variance(part, [-log(_centre(place)) for place in range(SCORE_BINS)])


def brier_variance(part: Slice) -> float | None:
    """Variance of the mean Brier score, with each score at the centre of its bin."""
    return _loss_variance(part, [(1 - _centre(place)) ** 2 for place in range(SCORE_BINS)])


def _loss_variance(part: Slice, of_positive: list[float]) -> float | None:
    """Both losses are symmetric: a negative at score s loses what a positive at 1 - s does."""
    if not part.scores or _total(part.scores) < 2:
        return None
    return _variance_of_mean((*part.scores.positives, *part.scores.negatives), (*of_positive, *of_positive[::-1]))


def _centre(place: int) -> float:
    return (place + 0.5) / SCORE_BINS


def _placements(rows: tuple[int, ...]) -> list[float]:
    """For each bin, the share of *rows* in lower bins plus half of those in the same."""
    total = sum(rows)
    return [(upto - own / 2) / total for upto, own in zip(accumulate(rows), rows, strict=True)]


def _variance_of_mean(rows: tuple[int, ...], values: list[float] | tuple[float, ...]) -> float:
    total = sum(rows)
    mean = sum(count * value for count, value in zip(rows, values, strict=True)) / total
    return sum(count * (value - mean) ** 2 for count, value in zip(rows, values, strict=True)) / (total - 1) / total


def _without_one(part: Slice, cell: tuple[str, str]) -> Slice:
    return replace(part, confusion={**part.confusion, cell: part.confusion[cell] - 1})


def _total(scores: Scores) -> int:
    return sum(scores.positives) + sum(scores.negatives)


def _mean(values: list[float]) -> float | None:
    return _ratio(sum(values), len(values))


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
