"""Metrics of predicted classes, each as its definition on confusion counts, for several samples at once.

Definitions follow scikit-learn, which the tests hold them against. Classes are canonical strings; a metric is NaN where
it is not defined. Variances take rows as independent: a row's influence on the metric, squared and summed over the
rows (the infinitesimal jackknife; L. A. Jaeckel, The infinitesimal jackknife, Bell Laboratories 1972).
"""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, NamedTuple

from checks.statistics.samples import Samples, across, ratio

if TYPE_CHECKING:
    from checks.statistics.samples import Floats

PRECISION, F1, RECALL = 0.0, 0.5, 1.0
"""How much recall weighs in ``effectiveness``."""


class Counts(NamedTuple):
    """One class against the rest: true and false positives, false and true negatives; rows, or rows expected."""

    tp: Floats
    fp: Floats
    fn: Floats
    tn: Floats


def counts(of: Samples, positive: str) -> Counts:
    """The confusion counts with *positive* as the class looked for."""
    if positive not in of.classes:
        none = of.judged * 0
        return Counts(none, none, none, of.judged)
    right, said, was = (margin[:, of.classes.index(positive)] for margin in of.margins)
    return Counts(right, said - right, was - right, of.judged - said - was + right)


def rarer(of: Counts) -> Floats:
    """Rows of the class looked for, or of all others, where those are fewer."""
    import numpy as np

    return np.minimum(of.tp + of.fn, of.tn + of.fp)


def accuracy(of: Samples) -> Floats:
    """Right classes / rows with a usable predicted class and an outcome."""
    return ratio(across(of.margins.right), of.judged)


def served_accuracy(of: Samples) -> Floats:
    """Right classes / rows with an outcome: no usable prediction is a wrong one."""
    return ratio(across(of.margins.right), of.labelled)


def recall_weight(beta: float) -> float:
    """How much recall weighs in F-beta: beta² / (1 + beta²)."""
    return beta * beta / (1 + beta * beta)


def effectiveness(of: Counts, weight: float, empty: float = nan) -> Floats:
    """tp / (tp + (1 - weight) fp + weight fn): precision at weight 0, F1 at ½, recall at 1, F-beta between.

    Source: C. J. van Rijsbergen, Information retrieval (1979), ch. 7.
    """
    return ratio(of.tp, of.tp + (1 - weight) * of.fp + weight * of.fn, empty)


def effectiveness_variance(of: Counts, weight: float) -> Floats:
    """The variance of ``effectiveness``."""
    value = effectiveness(of, weight)
    squares = of.tp * (1 - value) ** 2 + (of.fp * (1 - weight) ** 2 + of.fn * weight**2) * value**2
    return ratio(squares, (of.tp + (1 - weight) * of.fp + weight * of.fn) ** 2)


def specificity(of: Counts) -> Floats:
    """tn / (tn + fp)."""
    return ratio(of.tn, of.tn + of.fp)


def balanced_accuracy(of: Counts) -> Floats:
    """(recall + specificity) / 2."""
    return (effectiveness(of, RECALL) + specificity(of)) / 2


def balanced_accuracy_variance(of: Counts) -> Floats:
    """The mean of two independent shares."""
    recall, spared = effectiveness(of, RECALL), specificity(of)
    return (ratio(recall * (1 - recall), of.tp + of.fn) + ratio(spared * (1 - spared), of.tn + of.fp)) / 4


def of_every_class(of: Samples) -> Counts:
    """The confusion counts of each class against the rest: arrays of samples by classes."""
    right, said, was = of.margins
    return Counts(right, said - right, was - right, of.judged[:, None] - said - was + right)


def macro(of: Samples, weight: float) -> Floats:
    """The mean of ``effectiveness`` over the classes that were predicted or came true; an undefined one counts 0."""
    return ratio(across(_defined(of, weight) * _seen(of)), across(_seen(of)))


def weighted(of: Samples, weight: float) -> Floats:
    """The mean of ``effectiveness`` over the classes, each weighted by its outcomes."""
    return ratio(across(_defined(of, weight) * of.margins.was), of.judged)


def macro_variance(of: Samples, weight: float) -> Floats:
    """The variance of ``macro``, of the whole."""
    return _variance(of, _influence(of, weight, ratio(_seen(of), across(_seen(of))[:, None])[0]))


def weighted_variance(of: Samples, weight: float) -> Floats:
    """The variance of ``weighted``, of the whole: a row also moves the weight of the class that came true."""
    moved = (_defined(of, weight)[0] - weighted(of, weight)[0]) / of.judged[0]
    return _variance(of, _influence(of, weight, ratio(of.margins.was[0], of.judged[0])) + moved[of.cells.was])


def _defined(of: Samples, weight: float) -> Floats:
    return effectiveness(of_every_class(of), weight, 0)


def _seen(of: Samples) -> Floats:
    return (of.margins.said + of.margins.was > 0).astype(float)


def _influence(of: Samples, weight: float, share: Floats) -> Floats:
    """How much one row of each cell moves the mean of ``effectiveness`` in which a class has this share."""
    import numpy as np

    said, was, _ = of.cells
    value = _defined(of, weight)[0]
    size = (1 - weight) * of.margins.said[0] + weight * of.margins.was[0]
    scaled = ratio(share, size, 0)
    right = scaled * (1 - value)
    wrong = scaled * value
    moved: Floats = np.where(said == was, right[was], -(1 - weight) * wrong[said] - weight * wrong[was])
    return moved


def _variance(of: Samples, influence: Floats) -> Floats:
    return across((of.cells.rows * influence**2)[None, :])
