"""Metrics of score tables: rows of the positive class and of others per bin of the score, for several samples at once.

Scores of one bin (1/1000 wide) count as equal. Arrays are samples by bins; a metric is NaN where it is not defined.
Variances take rows as independent: a row's influence on the metric, squared and summed over the rows (the infinitesimal
jackknife; L. A. Jaeckel, The infinitesimal jackknife, Bell Laboratories 1972).
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from checks.profile import SCORE_BINS
from checks.statistics.samples import Samples, across, ratio, score_centres

if TYPE_CHECKING:
    from checks.statistics.samples import Floats


def scored(of: Samples) -> Floats:
    """Rows with a score and an outcome."""
    return of.scored


def rarer(positives: Floats, negatives: Floats) -> Floats:
    """Scored rows of the rarer class."""
    import numpy as np

    return np.minimum(across(positives), across(negatives))


def roc_auc(positives: Floats, negatives: Floats) -> Floats:
    """P(score of a positive > score of a negative) + ½ P(equal).

    Off by at most half the share of pairs that share a bin. Source: D. Bamber, The area above the ordinal dominance
    graph and the area below the receiver operating characteristic graph, J. Math. Psychology 12 (1975).
    """
    beaten = across(positives * (negatives.cumsum(axis=1) - negatives / 2))
    return ratio(beaten, across(positives) * across(negatives))


def roc_auc_variance(positives: Floats, negatives: Floats) -> Floats:
    """Var(placements of positives)/P + Var(placements of negatives)/N.

    Source: E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, Comparing the areas under two or more correlated
    receiver operating characteristic curves, Biometrics 44 (1988).
    """
    return _variance_of_mean(positives, _placements(negatives)) + _variance_of_mean(negatives, _placements(positives))


def average_precision(of: Samples) -> Floats:
    """Σ (recall - recall before) precision, from the highest bin down."""
    hits, _, precision = _from_the_top(of)
    return ratio(across(of.positives * precision), hits[:, 0])


def average_precision_variance(of: Samples) -> Floats:
    """A row moves its own term, and the precision of every bin that is not above it."""
    hits, alarms, precision = _from_the_top(of)
    value, total = average_precision(of)[:, None], hits[:, :1]
    steps = ratio(of.positives, (hits + alarms) ** 2, 0)
    of_positive = ratio(precision - value + (steps * alarms).cumsum(axis=1), total)
    of_negative = -ratio((steps * hits).cumsum(axis=1), total)
    return across(of.positives * of_positive**2 + of.negatives * of_negative**2)


def calibration_error(of: Samples, bins: int) -> Floats:
    """Σ |outcomes - scores| / rows, summed within each of *bins* equal bins of the score first.

    Scores are taken at the middle of their 1/1000, which moves it by at most 0.0005.
    Source: M. Pakdaman Naeini, G. F. Cooper, M. Hauskrecht, Obtaining well calibrated probabilities using Bayesian
    binning, AAAI 2015.
    """
    return ratio(across(abs(_excess(of, bins))), scored(of))


def calibration_error_variance(of: Samples, bins: int) -> Floats:
    """A row adds its own excess, with the sign of its bin's."""
    import numpy as np

    sign = np.sign(_excess(of, bins))[:, np.arange(SCORE_BINS) * bins // SCORE_BINS]
    value, centres = calibration_error(of, bins)[:, None], score_centres()
    squares = of.positives * (sign * (1 - centres) - value) ** 2 + of.negatives * (sign * centres + value) ** 2
    return ratio(across(squares), scored(of) ** 2)


def mean(total: Floats, of: Samples) -> Floats:
    """A sum over the scored rows / those rows."""
    return ratio(total, scored(of))


def log_loss_variance(of: Samples) -> Floats:
    """Variance of the mean log loss of a binary model, with each score at the centre of its bin."""
    import numpy as np

    return _loss_variance(of, -np.log(score_centres()))


def brier_variance(of: Samples) -> Floats:
    """Variance of the mean Brier score of a binary model, with each score at the centre of its bin."""
    return _loss_variance(of, (1 - score_centres()) ** 2)


def at_threshold(at: float) -> float:
    """The score from which on rows count as predicted: *at*, or the next multiple of 1/1000 above it."""
    return min(ceil(at * SCORE_BINS - 1e-6), SCORE_BINS - 1) / SCORE_BINS


def above(table: Floats, at: float) -> Floats:
    """The rows of a score table with a score of at least *at*."""
    return across(table[:, round(at_threshold(at) * SCORE_BINS) :])


def hits_at_top(of: Samples, share: float) -> Floats:
    """Positives among the *share* of the rows that score highest; the rows of the last bin count evenly."""
    rows = of.positives + of.negatives
    better = rows[:, ::-1].cumsum(axis=1)[:, ::-1] - rows
    taken = ratio(share * of.scored[:, None] - better, rows, 0).clip(0, 1)
    return across(of.positives * taken)


def lift_variance(of: Samples, share: float) -> Floats:
    """Of the share of positives at the top over that of all rows, where both parts are independent draws."""
    rows, positives, hits = scored(of), across(of.positives), hits_at_top(of, share)
    top, rest, base = ratio(hits, share * rows), ratio(positives - hits, (1 - share) * rows, 0), ratio(positives, rows)
    by_top = ratio((1 - share) * rest, base**2) ** 2 * ratio(top * (1 - top), share * rows)
    by_rest = ratio((1 - share) * top, base**2) ** 2 * ratio(rest * (1 - rest), (1 - share) * rows, 0)
    return by_top + by_rest


def _from_the_top(of: Samples) -> tuple[Floats, Floats, Floats]:
    """Positives and negatives at least as high as each bin, and the share of positives among both."""
    hits = of.positives[:, ::-1].cumsum(axis=1)[:, ::-1]
    alarms = of.negatives[:, ::-1].cumsum(axis=1)[:, ::-1]
    return hits, alarms, ratio(hits, hits + alarms, 0)


def _excess(of: Samples, bins: int) -> Floats:
    """Outcomes less scores, summed in each of *bins* equal bins."""
    import numpy as np

    starts = -(-np.arange(bins) * SCORE_BINS // bins)
    centres = score_centres()
    return np.add.reduceat(of.positives * (1 - centres) - of.negatives * centres, starts, axis=1)


def _loss_variance(of: Samples, of_positive: Floats) -> Floats:
    """Both losses are symmetric: a negative at score s loses what a positive at 1 - s does."""
    import numpy as np

    return _variance_of_mean(np.hstack([of.positives, of.negatives]), np.hstack([of_positive, of_positive[::-1]]))


def _placements(rows: Floats) -> Floats:
    """For each bin, the share of *rows* in lower bins plus half of those in the same."""
    return ratio(rows.cumsum(axis=1) - rows / 2, rows.sum(axis=1, keepdims=True))


def _variance_of_mean(rows: Floats, values: Floats) -> Floats:
    total = across(rows)
    centred = values - ratio(across(rows * values), total)[:, None]
    return ratio(across(rows * centred**2), total * (total - 1))
