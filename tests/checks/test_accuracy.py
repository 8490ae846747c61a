"""Metrics equal scikit-learn's, and their intervals cover what they promise."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sklearn import metrics as sk

from checks.accuracy import Accuracy
from checks.contract import Measurement, Task, Window
from checks.profile import SCORE_BINS, Layout, Profile, Scores, Slice
from checks.statistics.classification import accuracy
from checks.statistics.intervals import clusters, jackknife, wilson
from checks.testing.rows import Row, profile_of

START = datetime(2024, 3, 4, tzinfo=UTC)
EMPTY = Layout({})
NO_COLUMNS = Layout({}, {"city": ("Oslo", "Ålesund")})


def window(days: list[list[Row]], task: Task = "binary", length: timedelta = timedelta(days=1)) -> Window:
    buckets = tuple(profile_of(day, NO_COLUMNS, "city") for day in days)
    return Window(START, START + len(days) * length, task, buckets)


def measured(of: Window, check: Accuracy | None = None, segment: str = "") -> dict[str, Measurement]:
    found = (check or Accuracy()).measure(of)
    return {one.metric: one for one in found if one.segment == segment}


def binary_rows(seed: int, rows: int) -> list[Row]:
    random = np.random.default_rng(seed)
    scores = random.beta(2, 3, rows)
    came = random.random(rows) < scores
    return [
        {"score": float(s), "prediction": int(s > 0.5), "outcome": int(c), "city": "Oslo" if s > 0.3 else "Ålesund"}
        for s, c in zip(scores, came, strict=True)
    ]


def column(rows: list[Row], name: str) -> list[float]:
    return [float(str(row[name])) for row in rows]


def test_binary_metrics_equal_scikit_learn() -> None:
    rows = binary_rows(1, 3000)
    came, said, score = column(rows, "outcome"), column(rows, "prediction"), column(rows, "score")
    expected = {
        "accuracy": sk.accuracy_score(came, said),
        "balanced_accuracy": sk.balanced_accuracy_score(came, said),
        "precision": sk.precision_score(came, said),
        "recall": sk.recall_score(came, said),
        "specificity": sk.recall_score(came, said, pos_label=0),
        "f1": sk.f1_score(came, said),
        "roc_auc": pytest.approx(sk.roc_auc_score(came, score), abs=1e-3),
        "log_loss": sk.log_loss(came, score),
        "brier": sk.brier_score_loss(came, score),
    }
    found = measured(window([rows[:1000], rows[1000:1800], rows[1800:]]))
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].value == (value if name == "roc_auc" else pytest.approx(value, abs=1e-9)), name
        assert found[name].rows == 3000


def test_multiclass_metrics_equal_scikit_learn() -> None:
    random = np.random.default_rng(2)
    came = random.integers(0, 4, 2000)
    said = np.where(random.random(2000) < 0.6, came, random.integers(0, 5, 2000))  # class 4 never comes true
    rows: list[Row] = [{"prediction": s, "outcome": c, "city": "Oslo"} for s, c in zip(said, came, strict=True)]
    expected = {
        "accuracy": sk.accuracy_score(came, said),
        "f1_macro": sk.f1_score(came, said, average="macro", zero_division=0),
        "f1_weighted": sk.f1_score(came, said, average="weighted", zero_division=0),
        "precision_macro": sk.precision_score(came, said, average="macro", zero_division=0),
        "recall_macro": sk.recall_score(came, said, average="macro", zero_division=0),
    }
    found = measured(window([rows[:900], rows[900:]], "multiclass"))
    assert {name: one.value for name, one in found.items()} == pytest.approx(expected, abs=1e-9)


def test_regression_metrics_equal_scikit_learn() -> None:
    random = np.random.default_rng(3)
    came = random.normal(50, 20, 2000)
    said = came + random.normal(1, 5, 2000)
    rows: list[Row] = [{"number": s, "outcome": c, "city": "Oslo"} for s, c in zip(said, came, strict=True)]
    expected = {
        "mae": sk.mean_absolute_error(came, said),
        "rmse": sk.root_mean_squared_error(came, said),
        "mape": sk.mean_absolute_percentage_error(came, said),
        "bias": float(np.mean(said - came)),
        "r2": sk.r2_score(came, said),
    }
    found = measured(window([rows[:900], rows[900:]], "regression"))
    assert {name: one.value for name, one in found.items()} == pytest.approx(expected, rel=1e-9)


def test_a_segment_is_measured_on_its_own_rows() -> None:
    rows = binary_rows(4, 500)
    mine = [row for row in rows if row["city"] == "Ålesund"]
    found = measured(window([rows[:250], rows[250:]]), segment="city=Ålesund")["accuracy"]
    assert found.rows == len(mine)
    assert found.value == pytest.approx(sk.accuracy_score(column(mine, "outcome"), column(mine, "prediction")))


def test_the_class_looked_for_is_a_parameter() -> None:
    rows: list[Row] = [
        {"prediction": said, "outcome": came} for said, came in [("ja", "ja"), ("nei", "ja"), ("nei", "nei")]
    ]
    found = measured(window([rows]), Accuracy(positive="ja"))
    assert found["precision"].value == 1
    assert found["recall"].value == 0.5


@pytest.mark.parametrize(
    ("task", "metric", "rows", "reason"),
    [
        # no outcome at all
        ("binary", "accuracy", [{"prediction": 1}], "No row has both a usable prediction and an outcome."),
        # never predicted
        ("binary", "precision", [{"prediction": 0, "outcome": 1}], "No row with an outcome was predicted as '1'."),
        # never came true
        (
            "binary",
            "recall",
            [{"prediction": 1, "outcome": 0}],
            "No row with a usable prediction came true as '1'.",
        ),
        # one class only
        (
            "binary",
            "roc_auc",
            [{"prediction": 1, "score": 0.9, "outcome": 1}],
            "The rows with scores and outcomes do not hold both classes.",
        ),
        # a model without scores
        ("binary", "log_loss", [{"prediction": 1, "outcome": 1}], "No row has both a score and an outcome."),
        # relative to nothing
        (
            "regression",
            "mape",
            [{"number": 1, "outcome": 0}],
            "No row has a predicted number and an outcome other than 0.",
        ),
        # nothing to explain
        ("regression", "r2", [{"number": 1, "outcome": 2}] * 3, "The outcomes of these rows do not vary."),
    ],
)
def test_a_metric_that_is_not_defined_has_no_value_and_a_reason(
    task: Task, metric: str, rows: list[Row], reason: str
) -> None:
    found = measured(window([rows], task))[metric]
    assert (found.value, found.low, found.high) == (None, None, None)
    assert found.detail["reason"] == reason


def test_the_share_of_rows_with_outcome_is_told() -> None:
    rows: list[Row] = [{"prediction": 1, "outcome": 1}, {"prediction": 1}, {"prediction": 0}, {"prediction": None}]
    assert measured(window([rows]))["accuracy"].detail["outcome_share"] == 0.25


def test_hours_are_clusters_under_two_days_and_days_from_there_on() -> None:
    hour = timedelta(hours=1)
    assert len(clusters(window([[]] * 47, length=hour))) == 47
    assert len(clusters(window([[]] * 48, length=hour))) == 2
    shifted = Window(START + 12 * hour, START + 60 * hour, "binary", (Profile(NO_COLUMNS),) * 48)
    assert len(clusters(shifted)) == 3  # half a day, a day, half a day


def test_one_day_with_outcomes_in_a_week_tells_nothing_of_the_spread() -> None:
    quiet: list[list[Row]] = [[{"prediction": 1}] for _ in range(6)]
    found = measured(window([*quiet, binary_rows(5, 400)]))
    assert {(one.low, one.high) for name, one in found.items() if name != "log_loss"} == {(0, 1)}
    assert (found["log_loss"].low, found["log_loss"].high) == (0, math.inf)
    assert found["accuracy"].detail["clusters"] == 1


def test_a_single_bucket_takes_its_rows_as_independent_and_says_so() -> None:
    found = measured(window([binary_rows(6, 400)]))["accuracy"]
    assert found.value is not None
    assert (found.low, found.high) == wilson(found.value, 400)
    assert found.detail["interval"] == "rows taken as independent: the window is a single bucket"


def test_days_that_agree_exactly_do_not_make_a_few_rows_certain() -> None:
    found = measured(window([[{"prediction": 1, "outcome": 0}]] * 7))["accuracy"]
    assert found.value == 0
    assert found.high == pytest.approx(wilson(0, 7)[1])


@pytest.mark.parametrize(
    ("share", "rows", "low", "high"),
    [
        (0.5, 10, 0.2366, 0.7634),  # Newcombe 1998 and others give these
        (0.0, 10, 0.0, 0.2775),
        (1.0, 10, 0.7225, 1.0),
        (0.3, 0, 0.0, 1.0),  # no row, no knowledge
    ],
)
def test_wilsons_interval_has_the_published_values(share: float, rows: int, low: float, high: float) -> None:
    assert wilson(share, rows) == pytest.approx((low, high), abs=5e-5)


def test_the_jackknife_of_a_mean_is_the_t_interval_of_the_days() -> None:
    from scipy.stats import t

    right = [60, 70, 65, 80, 72]
    days = [
        Profile(NO_COLUMNS, {"": Slice(100, 100, {}, {("1", "1"): hits, ("1", "0"): 100 - hits})}) for hits in right
    ]
    value, low, high = jackknife(accuracy, days)
    shares = np.array(right) / 100
    expected = t.interval(0.95, 4, shares.mean(), shares.std(ddof=1) / math.sqrt(5))
    assert value == pytest.approx(shares.mean())
    assert (low, high) == pytest.approx(expected)


METRICS = ("accuracy", "recall", "f1", "roc_auc", "log_loss", "brier")


def test_the_interval_covers_the_truth_though_the_rows_of_a_day_go_together() -> None:
    """300 windows of 14 days whose quality differs from day to day; the truth is that of a great many days."""
    many = _varying_days(np.random.default_rng(7), days=4000, rows=150)
    truth = _values(measured(Window(many.start, many.end, "binary", (many.live,))))
    covered, naive = dict.fromkeys(METRICS, 0), 0
    for seed in range(300):
        found = measured(_varying_days(np.random.default_rng(1000 + seed), days=14, rows=150))
        for metric in METRICS:
            covered[metric] += _covers(found[metric], truth[metric])
        low, high = wilson(_values(found)["accuracy"], found["accuracy"].rows)
        naive += low <= truth["accuracy"] <= high
    assert min(covered.values()) >= 0.92 * 300, covered
    assert naive < 0.75 * 300


def test_independent_rows_of_a_single_bucket_are_covered() -> None:
    """300 buckets of 300 independent rows; the truth is that of a great many rows."""
    truth = _values(measured(_varying_days(np.random.default_rng(8), days=1, rows=1_000_000, spread=0)))
    covered = dict.fromkeys(METRICS, 0)
    for seed in range(300):
        found = measured(_varying_days(np.random.default_rng(1000 + seed), days=1, rows=300, spread=0))
        for metric in METRICS:
            covered[metric] += _covers(found[metric], truth[metric])
    assert min(covered.values()) >= 0.92 * 300, covered


def _values(found: dict[str, Measurement]) -> dict[str, float]:
    return {metric: one.value for metric, one in found.items() if one.value is not None}


def _covers(one: Measurement, truth: float) -> bool:
    return one.low is not None and one.high is not None and one.low <= truth <= one.high


def _varying_days(random: np.random.Generator, days: int, rows: int, spread: float = 0.4) -> Window:
    """Counts of days with a quality of their own: how well the score tells the classes apart varies."""
    buckets = tuple(_day(random, rows, random.normal(0.8, spread)) for _ in range(days))
    return Window(START, START + timedelta(days=days), "binary", buckets)


def _day(random: np.random.Generator, rows: int, shift: float) -> Profile:
    came = random.random(rows) < 0.5
    score = 1 / (1 + np.exp(-random.normal(0, 1, rows) - np.where(came, shift, -shift)))
    bins = np.minimum((score * SCORE_BINS).astype(int), SCORE_BINS - 1)
    held = [tuple(np.bincount(bins[side], minlength=SCORE_BINS).tolist()) for side in (~came, came)]
    losses = -np.log(np.where(came, score, 1 - score))
    scores = Scores(held[0], held[1], float(losses.sum()), float(((score - came) ** 2).sum()))
    confusion = {(str(s), str(c)): int((((score > 0.5) == s) & (came == c)).sum()) for s in (0, 1) for c in (0, 1)}
    return Profile(EMPTY, {"": Slice(rows, rows, {}, confusion, scores)})
