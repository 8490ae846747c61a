"""Telling two samples apart: a classifier that is only asked about days it has not seen, and how well it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, sqrt
from typing import TYPE_CHECKING

from checks.statistics.quantiles import normal, student

if TYPE_CHECKING:
    import numpy as np
    import pandas

FOLDS = 5
TREES, LEAVES, LEAST, RATE = 30, 15, 30, 0.15
"""Of the boosted trees: few and shallow, for samples of some thousand rows."""

CODES = 200
"""The most frequent values of a category are told apart; the rest is one code."""

BY_DAYS = "DeLong's, with the days of each side as the independent draws"
BY_ROWS = "DeLong's, with the rows of the {} taken as independent: there are no days to compare"


@dataclass(frozen=True, slots=True)
class Side:
    """A sample: its columns, and the day of each row as a number, where there are several days to tell apart."""

    frame: pandas.DataFrame
    days: np.ndarray | None


@dataclass(frozen=True, slots=True)
class Told:
    """How well the two sides are told apart, and by which columns: the fall of the AUC when one is shuffled."""

    auc: float
    low: float
    high: float
    method: str
    importance: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Placed:
    """Rows of one side in one fold: the share of the other side each one is told from, its weight, and its day."""

    share: np.ndarray
    weight: float
    days: np.ndarray | None


def tell_apart(before: Side, now: Side, seed: int, confidence: float) -> Told:
    """Cross-validated ROC AUC of a classifier of *now* against *before*, with its interval.

    The AUC of each fold counts by its pairs of rows: scores of different classifiers are not compared.
    """
    import sklearn.ensemble  # noqa: F401  # brings the threads that are limited, so it comes first
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="openmp"):  # beside other work two threads wait for each other, 100 times slower
        return _told_apart(before, now, seed, confidence)


def _told_apart(before: Side, now: Side, seed: int, confidence: float) -> Told:
    import numpy as np
    import pandas as pd

    frame = pd.concat([before.frame, now.frame], ignore_index=True)
    is_now = np.repeat([0, 1], [len(before.frame), len(now.frame)])
    random = np.random.default_rng(seed)
    folds = np.concatenate([_folds(side, random) for side in (before, now)])
    asked = [folds == fold for fold in range(FOLDS)]
    used = [rows for rows in asked if len(np.unique(is_now[rows])) == 2 and len(np.unique(is_now[~rows])) == 2]
    pairs = [float((is_now[rows] == 1).sum() * (is_now[rows] == 0).sum()) for rows in used]
    falls = dict.fromkeys(map(str, frame.columns), 0.0)
    placed: tuple[list[Placed], list[Placed]] = ([], [])
    days = (before.days, now.days)
    for rows, count in zip(used, pairs, strict=True):
        scores, found = _fold(frame, is_now, rows, seed, random)
        falls = {name: fall + found[name] * count / sum(pairs) for name, fall in falls.items()}
        for side, share in enumerate(placements(scores, is_now[rows])):
            own = days[side]
            of_side = None if own is None else own[rows[is_now == side]]
            placed[side].append(Placed(share, count / sum(pairs) / len(share), of_side))
    auc, low, high = interval(placed, confidence)
    return Told(auc, low, high, _method(before, now), falls)


def _folds(side: Side, random: np.random.Generator) -> np.ndarray:
    """A fold for each row; rows of one day share it, so that no day is recognised by its weather."""
    import numpy as np

    if side.days is None:
        return random.permutation(np.arange(len(side.frame)) % FOLDS)
    days, places = np.unique(side.days, return_inverse=True)
    return np.asarray(random.permutation(np.arange(len(days)) % FOLDS)[places])


def _fold(
    frame: pandas.DataFrame, is_now: np.ndarray, asked: np.ndarray, seed: int, random: np.random.Generator
) -> tuple[np.ndarray, dict[str, float]]:
    """Scores of the rows *asked* about by a classifier of all others, and what each column is worth to it."""
    learned, held = _coded(frame[~asked], frame[~asked]), _coded(frame[asked], frame[~asked])
    score = _classifier(learned, is_now[~asked], seed)
    scores = score(held)
    whole, falls = auc_of(scores, is_now[asked]), {}
    for place, name in enumerate(frame.columns):
        shuffled = held.copy()
        shuffled[:, place] = random.permutation(shuffled[:, place])
        falls[str(name)] = whole - auc_of(score(shuffled), is_now[asked])
    return scores, falls


def _classifier(rows: np.ndarray, is_now: np.ndarray, seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """Boosted trees that weigh both sides alike."""
    import numpy as np
    from sklearn.ensemble import HistGradientBoostingClassifier

    share = is_now.mean()
    classifier = HistGradientBoostingClassifier(
        max_iter=TREES,
        max_leaf_nodes=LEAVES,
        min_samples_leaf=LEAST,
        learning_rate=RATE,
        early_stopping=False,
        random_state=seed,
    ).fit(rows, is_now, sample_weight=np.where(is_now == 1, 0.5 / share, 0.5 / (1 - share)))
    return lambda given: np.asarray(classifier.predict_proba(given)[:, 1])


def _coded(frame: pandas.DataFrame, learned: pandas.DataFrame) -> np.ndarray:
    """Numbers as they are, categories as their rank by frequency in *learned*; nulls stay nulls."""
    import numpy as np
    import pandas as pd

    columns = []
    for name in frame.columns:
        if pd.api.types.is_numeric_dtype(frame[name].dtype):
            columns.append(frame[name].to_numpy(dtype=float, na_value=np.nan))
            continue
        counts = learned[name].value_counts()
        ordered = sorted(counts.index, key=lambda value: (-counts[value], str(value)))[:CODES]
        codes = {value: float(place) for place, value in enumerate(ordered)}
        coded = frame[name].map(codes).to_numpy(dtype=float)
        columns.append(np.where(np.isnan(coded) & frame[name].notna().to_numpy(), float(CODES), coded))
    return np.column_stack(columns)


def auc_of(scores: np.ndarray, is_now: np.ndarray) -> float:
    """P(score of a row of now > score of one of before) + ½ P(equal)."""
    return float(placements(scores, is_now)[1].mean())


def placements(scores: np.ndarray, is_now: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row of before, the share of now above it; for each of now, the share of before below it; ties half."""
    from scipy.stats import rankdata

    mine, others, ranks = scores[is_now == 1], scores[is_now == 0], rankdata(scores)
    above = 1 - (ranks[is_now == 0] - rankdata(others)) / len(mine)
    return above, (ranks[is_now == 1] - rankdata(mine)) / len(others)


def interval(sides: Sequence[Sequence[Placed]], confidence: float) -> tuple[float, float, float]:
    """``AUC ± t √(S(before) + S(now))``, with S the variance of the mean placement of each side, by day.

    With G days of one side and d a day's sum of weighted deviations from the AUC, ``S = G/(G-1) Σ d²``; never less
    than rows taken as independent make it. t has the fewer days less one degrees of freedom. Sources: E. R. DeLong and
    others, Biometrics 44 (1988); N. A. Obuchowski, Nonparametric analysis of clustered ROC curve data, Biometrics 53
    (1997).
    """
    auc = float(sum((fold.weight * fold.share).sum() for fold in sides[1]))
    found = [_variance(side, auc) for side in sides]
    fewest = min(clusters for _, clusters in found)
    upto = 0.5 + confidence / 2
    quantile = normal(upto) if fewest == inf else student(upto, int(fewest) - 1)
    half = quantile * sqrt(sum(variance for variance, _ in found))
    return auc, max(0.0, auc - half), min(1.0, auc + half)


def _variance(folds: Sequence[Placed], auc: float) -> tuple[float, float]:
    """The variance of the mean placement, and the number of its clusters; infinitely many where rows are those."""
    import numpy as np

    away = np.concatenate([fold.weight * (fold.share - auc) for fold in folds])
    independent = float((away**2).sum()) * len(away) / max(len(away) - 1, 1)
    known = [fold.days for fold in folds if fold.days is not None]
    if len(known) < len(folds):
        return independent, inf
    names, places = np.unique(np.concatenate(known), return_inverse=True)
    sums = np.bincount(places, weights=away)
    return max(independent, len(names) / (len(names) - 1) * float((sums**2).sum())), float(len(names))


def _method(before: Side, now: Side) -> str:
    alone = [name for name, side in (("reference", before), ("window", now)) if side.days is None]
    return BY_ROWS.format(" and ".join(alone)) if alone else BY_DAYS
