"""Estimates equal what comes true where scores keep their meaning, and say how sure they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk
from sklearn.isotonic import IsotonicRegression

from checks.contract import Measurement, Task, Window
from checks.estimated_accuracy import EstimatedAccuracy
from checks.profile import ALL, SCORE_BINS, Layout, Profile, Scores, Slice
from checks.statistics.calibration import calibrated
from checks.statistics.samples import score_centres
from checks.testing.rows import Row, profile_of

START = datetime(2024, 3, 4, tzinfo=UTC)
EMPTY = Layout({})
Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


def window(days: list[Profile], reference: Profile | None, task: Task = "binary") -> Window:
    return Window(START, START + timedelta(days=len(days)), task, tuple(days), reference)


def measured(of: Window, segment: str = "") -> dict[str, Measurement]:
    found = EstimatedAccuracy().measure(of)
    return {one.metric: one for one in found if isinstance(one, Measurement) and one.segment == segment}


def value(one: Measurement) -> float:
    assert one.value is not None
    return one.value


def drawn(random: np.random.Generator, rows: int, shift: float = 0.0, drift: float = 0.0) -> Rows:
    """Overconfident scores, classes predicted from them, and outcomes: of rows *shift* higher, *drift* less likely."""
    odds = random.normal(shift - 0.5, 1.2, rows)
    score = 1 / (1 + np.exp(-1.6 * odds))
    return score, score > 0.6, random.random(rows) < 1 / (1 + np.exp(drift - odds))


def profile(score: np.ndarray, said: np.ndarray, came: np.ndarray, known: bool = True) -> Profile:
    place = np.minimum((score * SCORE_BINS).astype(int), SCORE_BINS - 1)

    def table(mark: np.ndarray) -> tuple[int, ...]:
        return tuple(np.bincount(place[mark], minlength=SCORE_BINS).tolist())

    scores = Scores(table(~came & known), table(came & known), 0.0, 0.0, table(~said), table(said))
    return Profile(EMPTY, {ALL: Slice(len(score), len(score) * known, scores=scores)})


sparse = st.dictionaries(st.integers(0, SCORE_BINS - 1), st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1)


@given(held=sparse)
def test_the_calibration_is_scikit_learns_isotonic_regression(held: dict[int, tuple[int, int]]) -> None:
    table = np.zeros((2, SCORE_BINS))
    for place, pair in held.items():
        table[:, place] = pair
    rows = table.sum(axis=0)
    negatives, positives = (tuple(map(int, side)) for side in table)
    found = calibrated(Scores(negatives, positives))
    if not rows.sum():
        assert found is None
        return
    assert found is not None
    seen = rows > 0
    reference = IsotonicRegression(out_of_bounds="clip")
    reference.fit(score_centres()[seen], table[1][seen] / rows[seen], sample_weight=rows[seen])
    assert found.fitted[0] == pytest.approx(reference.predict(score_centres()), abs=1e-9)
    assert found.rows == rows.sum()


def test_the_estimates_are_scikit_learns_metrics_of_the_expected_rows() -> None:
    """Each live row twice: as come true, weighing its calibrated score, and as not."""
    random = np.random.default_rng(1)
    score, said, came = drawn(random, 8000)
    live, live_said, unknown = drawn(random, 3000, shift=0.5)
    centres = (np.minimum((live * SCORE_BINS).astype(int), SCORE_BINS - 1) + 0.5) / SCORE_BINS
    held = (np.minimum((score * SCORE_BINS).astype(int), SCORE_BINS - 1) + 0.5) / SCORE_BINS
    chance = IsotonicRegression(out_of_bounds="clip").fit(held, came).predict(centres)
    twice, weight = [1] * 3000 + [0] * 3000, np.concatenate([chance, 1 - chance])
    says, scores = np.tile(live_said, 2).astype(int), np.tile(centres, 2)
    expected = {
        "estimated_accuracy": sk.accuracy_score(twice, says, sample_weight=weight),
        "estimated_precision": sk.precision_score(twice, says, sample_weight=weight),
        "estimated_recall": sk.recall_score(twice, says, sample_weight=weight),
        "estimated_specificity": sk.recall_score(twice, says, pos_label=0, sample_weight=weight),
        "estimated_f1": sk.f1_score(twice, says, sample_weight=weight),
        "estimated_roc_auc": sk.roc_auc_score(twice, scores, sample_weight=weight),
    }
    found = measured(window([profile(live, live_said, unknown, known=False)], profile(score, said, came)))
    assert {name: one.value for name, one in found.items()} == pytest.approx(expected, abs=1e-9)
    assert {one.rows for one in found.values()} == {3000}


def test_a_shift_of_the_rows_is_followed_without_an_outcome() -> None:
    random = np.random.default_rng(2)
    reference = profile(*drawn(random, 100_000))
    score, said, came = drawn(random, 100_000, shift=1.5)
    found = measured(window([profile(score, said, came, known=False)], reference))
    before = measured(window([reference], reference))
    assert value(found["estimated_accuracy"]) == pytest.approx(sk.accuracy_score(came, said), abs=0.005)
    assert value(found["estimated_recall"]) == pytest.approx(sk.recall_score(came, said), abs=0.005)
    assert abs(value(before["estimated_recall"]) - value(found["estimated_recall"])) > 0.15


def test_a_change_of_what_the_same_rows_lead_to_is_not_seen() -> None:
    """The documentation warns of it."""
    random = np.random.default_rng(3)
    reference = profile(*drawn(random, 50_000))
    score, said, came = drawn(random, 50_000, drift=1.5)
    found = measured(window([profile(score, said, came, known=False)], reference))["estimated_precision"]
    assert value(found) - sk.precision_score(came, said) > 0.15


def test_the_reference_estimates_itself_exactly() -> None:
    drawn_score, _, came = drawn(np.random.default_rng(4), 5000)
    score = np.round(drawn_score, 1)
    reference = profile(score, score > 0.55, came)  # no bin holds rows predicted as both classes
    found = measured(window([reference], reference))["estimated_accuracy"]
    assert value(found) == pytest.approx(sk.accuracy_score(came, score > 0.55), abs=1e-9)


def test_the_interval_covers_what_the_days_will_come_to() -> None:
    """300 references and windows whose rows vary from day to day; the truth is that of a great many days."""
    shifts = np.random.default_rng(5).normal(0.3, 0.5, 20_000)
    great = np.random.default_rng(6)
    many = [drawn(great, 100, shift) for shift in shifts]
    score, said, came = (np.concatenate(parts) for parts in zip(*many, strict=True))
    truth = {"estimated_accuracy": sk.accuracy_score(came, said), "estimated_roc_auc": sk.roc_auc_score(came, score)}
    covered = dict.fromkeys(truth, 0)
    for seed in range(300):
        random = np.random.default_rng(1000 + seed)
        days = [profile(*drawn(random, 300, random.normal(0.3, 0.5)), known=False) for _ in range(10)]
        found = measured(window(days, profile(*drawn(random, 1500))))
        for name, exact in truth.items():
            low, high = found[name].low, found[name].high
            covered[name] += low is not None and high is not None and low <= exact <= high
    assert min(covered.values()) >= 0.92 * 300, covered


def test_a_small_reference_makes_the_interval_wider() -> None:
    random = np.random.default_rng(7)
    days = [profile(*drawn(random, 2000), known=False) for _ in range(7)]
    few, many = (measured(window(days, profile(*drawn(random, rows))))["estimated_accuracy"] for rows in (200, 50_000))
    assert few.low is not None
    assert few.high is not None
    assert many.low is not None
    assert many.high is not None
    assert few.high - few.low > 2 * (many.high - many.low)


def test_of_several_classes_the_score_of_the_predicted_class_is_calibrated() -> None:
    rows: list[Row] = [
        {"prediction": said, "outcome": came, "scores": {"a": score, "b": 1 - score, "c": 0.0}}
        # said with 0.9: right three times of four; with 0.6: one of two
        for said, came, score in [*[("a", "a", 0.9)] * 3, ("a", "c", 0.9), ("b", "b", 0.4), ("b", "c", 0.4)]
    ]
    live: list[Row] = [{"prediction": "a", "outcome": None, "scores": {"a": 0.9, "b": 0.1, "c": 0.0}}] * 30
    live += [{"prediction": "b", "outcome": None, "scores": {"a": 0.4, "b": 0.6, "c": 0.0}}] * 10
    found = measured(window([profile_of(live, EMPTY)], profile_of(rows, EMPTY), "multiclass"))
    assert found.keys() == {"estimated_accuracy"}
    assert found["estimated_accuracy"].value == pytest.approx((30 * 0.75 + 10 * 0.5) / 40)


def test_a_segment_is_calibrated_on_its_own_rows_where_there_are_a_thousand() -> None:
    score, said, came = drawn(np.random.default_rng(8), 1200)
    flat, other = profile(score, said, ~came).whole, profile(score, said, came).whole
    for rows, chosen in [(1200, flat), (999, other)]:
        cut = profile(score[:rows], said[:rows], ~came[:rows]).whole
        reference = Profile(EMPTY, {ALL: other, "city=Oslo": cut})
        live = Profile(EMPTY, {ALL: other, "city=Oslo": other})
        alone = Profile(EMPTY, {ALL: chosen})
        expected = measured(window([Profile(EMPTY, {ALL: other})], alone))["estimated_accuracy"]
        assert measured(window([live], reference), "city=Oslo")["estimated_accuracy"].value == expected.value


@pytest.mark.parametrize(
    ("live", "reference", "reason"),
    [
        # nothing to calibrate on: the reference has scores, and no outcome
        (
            [{"prediction": 1, "score": 0.9}],
            [{"prediction": 1, "score": 0.9}],
            "The reference holds no row with both a score and an outcome, so scores cannot be calibrated.",
        ),
        # nothing to estimate for
        (
            [{"prediction": 1}],
            [{"prediction": 1, "score": 0.9, "outcome": 1}],
            "No row of the window has both a score and a predicted class.",
        ),
    ],
)
def test_without_scores_there_is_no_estimate_and_a_reason(live: list[Row], reference: list[Row], reason: str) -> None:
    found = measured(window([profile_of(live, EMPTY)], profile_of(reference, EMPTY)))["estimated_accuracy"]
    assert found.value is None
    assert found.detail["reason"] == reason


def test_rows_whose_score_the_reference_never_gave_are_told() -> None:
    reference: list[Row] = [
        {"prediction": 1, "score": 0.7, "outcome": 1},
        {"prediction": 0, "score": 0.2, "outcome": 0},
    ]
    live: list[Row] = [{"prediction": 1, "score": score} for score in (0.7, 0.7, 0.7, 0.45)]
    found = measured(window([profile_of(live, EMPTY)], profile_of(reference, EMPTY)))["estimated_precision"]
    assert found.detail["unseen_share"] == 0.25
    assert found.value == pytest.approx((3 + 0.5) / 4)  # 0.45 is half way between both


def test_outcomes_and_tasks_without_classes_are_left_alone() -> None:
    assert not EstimatedAccuracy().needs().outcomes
    both = profile(*drawn(np.random.default_rng(9), 100))
    assert measured(window([both], both, "regression")) == {}
    assert measured(window([both], both, "ranking")) == {}
