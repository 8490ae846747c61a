"""Distances and tests of two samples equal SciPy's and Evidently's on the same rows, and hold their level."""

from __future__ import annotations

import math
import os
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, hypergeom, ks_2samp, wasserstein_distance

from checks.profile import Distribution, Numbers
from checks.statistics import changes, distances, ordered
from checks.testing.rows import distribution

COUNTS = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=2, max_size=12).filter(
    lambda pairs: all(map(sum, zip(*pairs, strict=True)))
)


def quantile_cells(values: np.ndarray) -> Numbers:
    """As the layout of a reference has them: 40 edges, or every value where there are few."""
    known = np.unique(values)
    edges = known if len(known) <= 40 else np.unique(np.quantile(values, np.arange(1, 41) / 41))
    return Numbers(tuple(map(float, edges)), float(edges[len(edges) // 2]))


def sides(old: np.ndarray, new: np.ndarray) -> tuple[Numbers, Distribution, Distribution]:
    cells = quantile_cells(old)
    return cells, distribution(old.tolist(), cells), distribution(new.tolist(), cells)


SHAPES = [
    pytest.param(lambda random, rows, far: random.normal(far, 1, rows), id="normal"),
    pytest.param(lambda random, rows, far: random.lognormal(far, 1, rows), id="skewed"),
    pytest.param(lambda random, rows, far: random.uniform(far, 2, rows), id="narrower"),
    pytest.param(lambda random, rows, far: random.poisson(3 + 2 * far, rows).astype(float), id="few values"),
    pytest.param(lambda random, rows, far: (random.random(rows) < 0.3 + far / 3).astype(float), id="two values"),
]


@pytest.mark.parametrize("draw", SHAPES)
@pytest.mark.parametrize("far", [0.1, 0.5, 1.0])
def test_numbers_are_as_far_apart_as_scipy_says_but_for_the_cells(draw: object, far: float) -> None:
    """Kolmogorov-Smirnov at most one cell less; Wasserstein within 3 %, or 0.01 standard deviations."""
    assert callable(draw)
    random = np.random.default_rng(7)
    old, new = draw(random, 8000, 0.0), draw(random, 5000, far)
    cells, before, now = sides(old, new)

    smirnov = ordered.kolmogorov_smirnov(before.counts, now.counts)
    exact = float(ks_2samp(old, new).statistic)
    cell = max(max(one.counts) / sum(one.counts) for one in (before, now)) if len(cells.edges) == 40 else 0.0
    assert exact - cell - 1e-12 <= smirnov <= exact + 1e-12

    unit = ordered.deviation(before)
    assert unit == pytest.approx(float(old.std()), rel=1e-9)
    moved = ordered.wasserstein(cells, before, now) / unit
    assert moved == pytest.approx(wasserstein_distance(old, new) / old.std(), rel=0.03, abs=0.01)


def test_values_counted_one_by_one_leave_no_error_of_binning() -> None:
    random = np.random.default_rng(8)
    old, new = random.poisson(3, 4000).astype(float), random.poisson(4, 900).astype(float)
    cells, before, now = sides(old, np.minimum(new, old.max()))
    exact = wasserstein_distance(old, np.minimum(new, old.max()))
    assert ordered.wasserstein(cells, before, now) == pytest.approx(exact, rel=1e-9)


def test_a_change_of_unit_is_seen_in_full() -> None:
    """All rows lie beyond the last edge: the means still know how far."""
    random = np.random.default_rng(9)
    old = random.uniform(1, 2, 3000)
    cells, before, now = sides(old, old * 1000)
    assert ordered.wasserstein(cells, before, now) == pytest.approx(wasserstein_distance(old, old * 1000), rel=1e-9)


def test_the_wasserstein_distance_is_evidentlys() -> None:
    os.environ["DO_NOT_TRACK"] = "1"
    import pandas as pd

    random = np.random.default_rng(10)
    old, new = random.normal(0, 2, 6000), random.normal(0.7, 2, 4000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Evidently 0.7 and NLTK import names that their dependencies deprecate
        from evidently.legacy.calculations.stattests import wasserstein_stat_test
        from evidently.legacy.core import ColumnType

        theirs = wasserstein_stat_test(pd.Series(old), pd.Series(new), ColumnType.Numerical, 0.1).drift_score
    cells, before, now = sides(old, new)
    ours = ordered.wasserstein(cells, before, now) / ordered.deviation(before)
    assert ours == pytest.approx(theirs, rel=0.02)


@given(COUNTS)
def test_the_distances_of_counts_are_those_of_scipy(pairs: list[tuple[int, int]]) -> None:
    before, now = zip(*pairs, strict=True)
    old, new = (np.array(side) / sum(side) for side in (before, now))

    affinity = float(np.sqrt(old * new).sum())
    assert distances.hellinger(old.tolist(), new.tolist()) == pytest.approx(1 - affinity, abs=1e-12)
    assert distances.total_variation(old.tolist(), new.tolist()) == pytest.approx(abs(old - new).sum() / 2, abs=1e-12)
    found = math.sqrt(distances.jensen_shannon(old.tolist(), new.tolist()))
    assert found == pytest.approx(jensenshannon(old, new, base=2), abs=1e-7)


@given(COUNTS)
def test_distances_know_no_direction_and_have_an_order(pairs: list[tuple[int, int]]) -> None:
    """Symmetric, in [0, 1], and bounding one another: H² ≤ TV ≤ √2 H, and V² lies between H² and 2 H²."""
    before, now = zip(*pairs, strict=True)
    old, new = ([count / sum(side) for count in side] for side in (before, now))
    for distance in (distances.hellinger, distances.cramer, distances.total_variation, distances.jensen_shannon):
        assert distance(old, new) == pytest.approx(distance(new, old), abs=1e-12)
        assert 0 <= distance(old, new) <= 1 + 1e-12
        assert distance(old, old) == pytest.approx(0, abs=1e-12)
    squared, moved = distances.hellinger(old, new), distances.total_variation(old, new)
    assert squared - 1e-12 <= moved <= math.sqrt(2 * squared) + 1e-6
    assert squared - 1e-12 <= distances.cramer(old, new) <= 2 * squared + 1e-12


def test_cramers_v_is_that_of_a_table_with_equal_sides() -> None:
    table = np.array([[200, 100, 50, 10], [90, 110, 120, 40]])
    v = math.sqrt(chi2_contingency(table, correction=False).statistic / table.sum())
    old, new = (side / side.sum() for side in table)
    assert math.sqrt(distances.cramer(old.tolist(), new.tolist())) == pytest.approx(v)


@pytest.mark.parametrize("seed", range(5))
def test_pearson_and_g_are_scipys_of_two_samples(seed: int) -> None:
    random = np.random.default_rng(seed)
    before, now = random.integers(20, 400, 9), random.integers(20, 400, 9)
    table = [before, now]
    counts = before.tolist(), now.tolist()
    assert changes.pearson(*counts) == pytest.approx(chi2_contingency(table, correction=False).statistic)
    theirs = chi2_contingency(table, correction=False, lambda_="log-likelihood")
    ours = changes.g_test(*counts)
    assert ours.statistic == pytest.approx(theirs.statistic)
    assert ours.freedom == theirs.dof
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=0.2)  # less Williams' correction
    assert ours.p_value >= theirs.pvalue


@pytest.mark.parametrize(
    ("before", "now", "shares"),
    [
        (10_000, 50, [0.1] * 10),  # few expected rows in each cell
        (10_000, 50, [0.9, 0.08, 0.02]),  # cells to be merged
        (1_000, 1_000, [0.02] * 50),  # a small reference, many cells
        (1_000, 100_000, [0.5, 0.3, 0.1, 0.1]),  # a reference smaller than the window
        (100_000, 200, [0.97] + [0.001] * 30),  # one cell and much that is rare
    ],
)
def test_the_tests_of_change_hold_their_level(before: int, now: int, shares: list[float]) -> None:
    """At 1 %, in 3000 pairs of samples of one distribution: the sampling error of the share is 0.2 %."""
    random = np.random.default_rng(11)
    old, new = (random.multinomial(rows, shares, 3000).tolist() for rows in (before, now))
    p_values = [changes.changed(*pair) for pair in zip(old, new, strict=True)]
    assert sum(p < 0.01 for p in p_values) / 3000 <= 0.016


@given(st.integers(1, 400), st.integers(1, 60), st.data())
def test_the_test_of_cells_is_never_bolder_than_the_exact_one(before: int, now: int, data: st.DataObject) -> None:
    held = data.draw(st.integers(0, before))
    holds = data.draw(st.integers(0, now))
    bound = changes.cell_test([held, before - held], [holds, now - holds])
    table = hypergeom(before + now, held + holds, now)
    tail = min(table.sf(holds - 1), table.cdf(holds))
    assert bound >= min(tail, 1.0) - 1e-9


def test_one_cell_that_bursts_is_seen_in_ten_rows() -> None:
    """Too few rows for a chi-square, but enough to see nulls where there were none in 10,000."""
    assert changes.cell_test([5000, 5000, 0], [1, 0, 9]) < 1e-9
    assert changes.g_test([5000, 5000, 0], [1, 0, 9]).p_value > 1e-4


def test_new_values_are_compared_with_how_rare_values_are() -> None:
    common, rare = [500, 300, 200], [1] * 300 + [700]
    assert changes.unseen(common, 0, 20, 1000) < 1e-6  # every value was seen often, and now new ones
    assert changes.unseen(rare, 0, 300, 1000) > 0.3  # a third of the reference's rows were new as well
    assert changes.unseen(rare, 0, 600, 1000) < 1e-6
    assert changes.unseen(common, 0, 0, 1000) == 1
    assert changes.unseen([1000] * 3, 3000, 1000, 2000) > 0.3  # values beyond those that are counted one by one


def test_a_value_has_vanished_when_chance_would_have_shown_it() -> None:
    before = [5000, 4000, 900, 99, 1, 0]
    assert list(changes.vanished(before, [60, 40, 0, 0, 0, 0], 0.0001)) == []  # 9 expected: not yet sure
    assert list(changes.vanished(before, [300, 200, 0, 0, 0, 0], 0.001)) == [2]
    assert list(changes.vanished(before, [6000, 4000, 0, 0, 0, 0], 0.001)) == [2, 3]
    assert list(changes.vanished(before, [0] * 6, 0.001)) == []


@pytest.mark.parametrize(("share", "rows"), [(0.0, 50), (0.001, 50), (0.05, 200), (0.5, 1000)])
def test_the_interval_of_a_change_of_shares_holds(share: float, rows: int) -> None:
    random = np.random.default_rng(12)
    missed = 0
    for before, now in zip(random.binomial(5000, share, 2000), random.binomial(rows, share, 2000), strict=True):
        low, high = changes.share_change(int(before), 5000, int(now), rows, 0.01)
        missed += not low <= 0 <= high
    assert missed / 2000 <= 0.01


@pytest.mark.parametrize("rows", [50, 1_000])
def test_total_variation_and_wasserstein_stay_within_their_noise(rows: int) -> None:
    """Nominally 1 % beyond it; both bounds are generous."""
    random = np.random.default_rng(13)
    beyond = [0, 0]
    for _ in range(500):
        old, new = random.lognormal(0, 0.5, 2000), random.lognormal(0, 0.5, rows)
        cells, before, now = sides(old, new)
        plain = [[count / sum(one.counts) for count in one.counts] for one in (before, now)]
        noise, _ = distances.total_variation_noise(before.counts, now.counts, 0.01)
        beyond[0] += distances.total_variation(*plain) > noise
        noise, _ = ordered.wasserstein_noise(cells, before, now, 0.01)
        beyond[1] += ordered.wasserstein(cells, before, now) > noise
    assert max(beyond) <= 5 + 7, beyond
