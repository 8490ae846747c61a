"""What is to be expected of predictions whose outcomes are not in: from scores calibrated where outcomes are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isnan, sqrt
from typing import TYPE_CHECKING, NamedTuple

from checks.profile import Scores
from checks.statistics.classification import Counts
from checks.statistics.samples import Samples, across, known, ratio

if TYPE_CHECKING:
    from checks.statistics.samples import Floats


class Block(NamedTuple):
    """Neighbouring bins of one chance: positives and rows in them."""

    positives: float
    rows: float
    bins: int

    @property
    def chance(self) -> float:
        return self.positives / self.rows


@dataclass(frozen=True, eq=False)
class Calibration:
    """What scores mean: *chances* per block, each with its standard *errors*; *weights* spread them over the bins.

    A bin without rows lies between its neighbours, and beyond the outermost it is like them.
    """

    rows: int
    chances: Floats
    errors: Floats
    weights: Floats
    seen: Floats
    """1 for bins with rows, 0 for others."""

    @property
    def fitted(self) -> Floats:
        """The chance per bin, as a single sample."""
        found: Floats = (self.chances @ self.weights)[None, :]
        return found

    @property
    def moved(self) -> Floats:
        """The same as often as there are blocks, with each block in turn a standard error higher."""
        return self.fitted + self.errors[:, None] * self.weights


@dataclass(frozen=True, eq=False)
class Expected:
    """Rows to be expected, per sample: confusion counts, and a score table."""

    counts: Counts
    positives: Floats
    negatives: Floats


@dataclass(frozen=True, slots=True)
class Estimated:
    """What is to be expected of live rows: by the calibration, and with each of its blocks in turn a bit higher."""

    live: Expected
    moved: Expected
    detail: Mapping[str, object]


def calibrated(reference: Scores | None) -> Calibration | None:
    """Isotonic regression of outcomes on scores, by bins of the score; None where no row has both.

    A block's error is that of a share of independent rows, half a row added to both sides so that none is 0.
    Sources: M. Ayer et al., An empirical distribution function for sampling with incomplete information, Ann. Math.
    Stat. 26 (1955); B. Zadrozny, C. Elkan, Transforming classifier scores into accurate multiclass probability
    estimates, KDD 2002.
    """
    import numpy as np

    if reference is None:
        return None
    positives, rows = np.array(reference.positives, dtype=float), np.array(reference.negatives, dtype=float)
    rows += positives
    (places,) = rows.nonzero()
    if not len(places):
        return None
    blocks = pooled(positives[places].tolist(), rows[places].tolist())
    total = np.array([block.rows for block in blocks])
    share = (np.array([block.positives for block in blocks]) + 0.5) / (total + 1)
    chances, errors = np.array([block.chance for block in blocks]), (share * (1 - share) / total) ** 0.5
    owner = np.repeat(np.arange(len(blocks)), [block.bins for block in blocks])
    weights = np.array([np.interp(np.arange(len(rows)), places, owner == block) for block in range(len(blocks))])
    return Calibration(int(rows.sum()), chances, errors, weights, (rows > 0).astype(float))


def pooled(positives: list[float], rows: list[float]) -> list[Block]:
    """Pool adjacent violators: the rising step function nearest to the shares, weighted by rows."""
    blocks: list[Block] = []
    for own, total in zip(positives, rows, strict=True):
        block = Block(own, total, 1)
        while blocks and blocks[-1].chance >= block.chance:
            last = blocks.pop()
            block = Block(last.positives + block.positives, last.rows + block.rows, last.bins + block.bins)
        blocks.append(block)
    return blocks


def expected(accepted: Floats, rejected: Floats, chance: Floats) -> Expected:
    """What *accepted* and *rejected* rows per bin come to, if each comes true with the *chance* of its bin."""
    rows, other = accepted + rejected, 1 - chance
    counts = Counts(
        across(accepted * chance), across(accepted * other), across(rejected * chance), across(rejected * other)
    )
    return Expected(counts, rows * chance, rows * other)


def estimated(of: Samples, calibration: Calibration) -> Estimated:
    """What the live rows of these samples come to, whether their outcomes are in or not."""
    accepted, rejected = of.bins(lambda scores: scores.accepted), of.bins(lambda scores: scores.rejected)
    held = accepted[:1] + rejected[:1]
    detail = {
        "clusters": of.clusters,
        "reference_rows": calibration.rows,
        "unseen_share": next(known(ratio(across(held * (1 - calibration.seen)), across(held)))),
    }
    moved = expected(accepted[:1], rejected[:1], calibration.moved)
    return Estimated(expected(accepted, rejected, calibration.fitted), moved, detail)


def spread(moved: Iterable[float], value: float) -> float:
    """The standard error of *value*, from what it is with each block in turn a standard error higher.

    Blocks are independent draws, so the squares add up (the delta method, with differences for derivatives).
    """
    return sqrt(sum((one - value) ** 2 for one in moved if not isnan(one)))
