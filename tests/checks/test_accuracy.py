"""Metrics equal scikit-learn's, and their intervals cover what they promise."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sklearn import metrics as sk

from checks.accuracy import Accuracy
from checks.contract import Measurement, Roles, Task, Window
from checks.profile import SCORE_BINS, Layout, Profile, Scores, Slice
from checks.statistics import classification as by_class
from checks.statistics import multiclass_formulas as formulas
from checks.statistics import scores as by_score
from checks.statistics.formula import Formula
from checks.statistics.intervals import wilson
from checks.statistics.samples import Samples, samples
from checks.testing.rows import Row, profile_of

START = datetime(2024, 3, 4, tzinfo=UTC)
EMPTY = Layout({})
NO_COLUMNS = Layout({}, {"city": ("Oslo", "Ålesund")})


def window(
    days: list[list[Row]], task: Task = "binary", length: timedelta = timedelta(days=1), roles: Roles | None = None
) -> Window:
    buckets = tuple(profile_of(day, NO_COLUMNS, "city") for day in days)
    return Window(START, START + len(days) * length, task, buckets, roles=roles or Roles())


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
    high = [value >= 0.7 for value in score]
    expected = {
        "accuracy": sk.accuracy_score(came, said),
        "served_accuracy": sk.accuracy_score(came, said),
        "balanced_accuracy": sk.balanced_accuracy_score(came, said),
        "precision": sk.precision_score(came, said),
        "recall": sk.recall_score(came, said),
        "specificity": sk.recall_score(came, said, pos_label=0),
        "f1": sk.f1_score(came, said),
        "f_beta": sk.fbeta_score(came, said, beta=3),
        "log_loss": sk.log_loss(came, score),
        "brier": sk.brier_score_loss(came, score),
        "precision_at": sk.precision_score(came, high),
        "recall_at": sk.recall_score(came, high),
    }
    found = measured(window([rows[:1000], rows[1000:1800], rows[1800:]]), Accuracy(beta=3, at=0.7))
    others = {"roc_auc", "average_precision", "calibration_error", "precision_at_top", "recall_at_top", "lift_at_top"}
    assert found.keys() == expected.keys() | others
    for name, value in expected.items():
        assert found[name].value == pytest.approx(value, abs=1e-9), name
    assert {one.rows for one in found.values()} == {3000}


SHAPES = {
    "spread out": (2.0, 3.0),
    "rare positives": (0.4, 12.0),
    "all near one half": (200.0, 200.0),
    "sure of itself": (0.2, 0.2),
}


@pytest.mark.parametrize("rows", [100, 10_000, 100_000])
@pytest.mark.parametrize("shape", SHAPES)
def test_areas_from_score_tables_are_within_a_thousandth_of_scikit_learns(shape: str, rows: int) -> None:
    """From 10,000 rows on; with fewer, one pair in a bin weighs more, and the bound in the documentation holds."""
    random = np.random.default_rng(rows)
    score = random.beta(*SHAPES[shape], rows)
    came = random.random(rows) < score
    of = samples(Window(START, START + timedelta(days=1), "binary", (_scored(score, came),)), counted=_labelled)
    hits, alarms = of.positives[0][::-1], of.negatives[0][::-1]
    held = hits + alarms
    pairs = (hits * alarms).sum() / 2 / came.sum() / (~came).sum()
    steps = (hits * np.maximum(held - 1, 0) / np.maximum(held.cumsum(), 1)).sum() / came.sum()
    found = measured(Window(START, START + timedelta(days=1), "binary", (_scored(score, came),)))
    for metric, exact, bound in [
        ("roc_auc", sk.roc_auc_score(came, score), pairs),
        ("average_precision", sk.average_precision_score(came, score), steps),
    ]:
        value = found[metric].value
        assert value is not None
        assert abs(value - exact) <= bound + 1e-9, metric
        assert rows < 10_000 or abs(value - exact) <= 1e-3, metric


def test_the_areas_of_scores_with_few_decimals_are_exact() -> None:
    rows: list[Row] = [{**row, "score": round(float(str(row["score"])), 2)} for row in binary_rows(11, 2000)]
    came, score = column(rows, "outcome"), column(rows, "score")
    found = measured(window([rows]))
    assert found["roc_auc"].value == pytest.approx(sk.roc_auc_score(came, score), abs=1e-9)
    assert found["average_precision"].value == pytest.approx(sk.average_precision_score(came, score), abs=1e-9)


@pytest.mark.parametrize("bins", [1, 10, 20, 1000])
def test_the_calibration_error_is_that_of_the_rows_to_half_a_thousandth(bins: int) -> None:
    rows = binary_rows(12, 4000)
    came, score = np.array(column(rows, "outcome")), np.array(column(rows, "score"))
    off = [abs((came - score)[(score * bins).astype(int) == place].sum()) for place in range(bins)]
    found = measured(window([rows[:1500], rows[1500:]]), Accuracy(calibration_bins=bins))["calibration_error"]
    assert found.value == pytest.approx(sum(off) / 4000, abs=5e-4)


def test_the_top_are_the_rows_that_score_highest() -> None:
    random = np.random.default_rng(13)
    score = (random.permutation(1000)[:400] + 0.5) / 1000  # one row a bin
    came = random.random(400) < score
    rows: list[Row] = [{"score": float(s), "outcome": int(c)} for s, c in zip(score, came, strict=True)]
    top = came[np.argsort(-score)][:60]
    found = measured(window([rows[:250], rows[250:]]), Accuracy(top=0.15))
    assert found["precision_at_top"].value == pytest.approx(top.mean(), abs=1e-9)
    assert found["recall_at_top"].value == pytest.approx(top.sum() / came.sum(), abs=1e-9)
    assert found["lift_at_top"].value == pytest.approx(top.mean() / came.mean(), abs=1e-9)


def test_rows_that_tie_for_the_last_place_at_the_top_count_evenly() -> None:
    rows: list[Row] = [{"score": 0.9, "outcome": 1}, *[{"score": 0.5, "outcome": came} for came in (1, 0, 0)]]
    found = measured(window([rows]), Accuracy(top=0.5))
    assert found["precision_at_top"].value == pytest.approx((1 + 1 / 3) / 2)
    assert found["recall_at_top"].value == pytest.approx((1 + 1 / 3) / 2)


@pytest.mark.parametrize(
    ("at", "exact"),
    [
        (0.25, 0.25),  # where a bin starts
        (0.2501, 0.251),  # inside a bin: from the next one on
        (1.0, 0.999),  # the last bin holds both 0.999 and 1
    ],
)
def test_a_threshold_inside_a_bin_of_scores_moves_up_to_its_end_and_says_so(at: float, exact: float) -> None:
    found = measured(window([binary_rows(14, 300)]), Accuracy(at=at))
    assert found["precision_at"].detail["at"] == exact
    assert found["recall_at"].detail["at"] == exact


def test_abstaining_does_not_buy_served_accuracy() -> None:
    right: Row = {"prediction": 1, "outcome": 1}
    abstained: Row = {"prediction": None, "outcome": 1}
    tasks: tuple[Task, ...] = ("binary", "multiclass")
    for task in tasks:
        found = measured(window([[*[right] * 6, *[abstained] * 4, {"prediction": 0}]], task))
        assert found["accuracy"].value == 1
        assert found["served_accuracy"].value == 0.6
        assert found["served_accuracy"].rows == 10


def test_multiclass_metrics_equal_scikit_learn() -> None:
    random = np.random.default_rng(2)
    came = random.integers(0, 4, 2000)
    scores = random.dirichlet(np.ones(5), 2000) + np.eye(5)[came] * 0.2  # class 4 never comes true
    scores /= scores.sum(axis=1, keepdims=True)
    said = scores.argmax(axis=1)
    rows: list[Row] = [
        {"prediction": int(s), "outcome": int(c), "scores": dict(enumerate(each.tolist())), "city": "Oslo"}
        for s, c, each in zip(said, came, scores, strict=True)
    ]
    expected = {
        "accuracy": sk.accuracy_score(came, said),
        "served_accuracy": sk.accuracy_score(came, said),
        "log_loss": sk.log_loss(came, scores, labels=range(5)),
        "brier": float(((scores - np.eye(5)[came]) ** 2).sum(axis=1).mean()),
    }
    for name, score in {"precision": sk.precision_score, "recall": sk.recall_score, "f1": sk.f1_score}.items():
        for average in ("micro", "macro", "weighted"):
            expected[f"{name}_{average}"] = score(came, said, average=average, zero_division=0)
    found = measured(window([rows[:900], rows[900:]], "multiclass"))
    values = {name: one.value for name, one in found.items() if not one.column}
    assert values == pytest.approx(expected, abs=1e-9)


def test_every_class_is_measured_one_by_one() -> None:
    random = np.random.default_rng(15)
    came = random.integers(0, 3, 600)
    said = np.where(random.random(600) < 0.6, came, random.integers(0, 3, 600))
    rows: list[Row] = [{"prediction": int(s), "outcome": int(c)} for s, c in zip(said, came, strict=True)]
    found = {
        (one.metric, one.column): one.value
        for one in Accuracy().measure(window([rows[:200], rows[200:]], "multiclass"))
        if one.column and not one.segment
    }
    expected = {
        (f"class_{name}", str(place)): value
        for name, score in {"precision": sk.precision_score, "recall": sk.recall_score, "f1": sk.f1_score}.items()
        for place, value in enumerate(score(came, said, average=None))
    }
    assert found == pytest.approx(expected, abs=1e-9)


def test_of_many_classes_those_with_the_most_outcomes_are_measured_one_by_one() -> None:
    rows: list[Row] = [{"prediction": 0, "outcome": place} for place in range(60) for _ in range(place + 1)]
    found = {one.column for one in Accuracy().measure(window([rows], "multiclass")) if one.metric == "class_recall"}
    assert found == {str(place) for place in range(10, 60)}


def test_a_class_that_never_came_true_has_no_recall() -> None:
    rows: list[Row] = [{"prediction": "a", "outcome": "b"}, {"prediction": "b", "outcome": "b"}]
    measurements = Accuracy().measure(window([rows], "multiclass"))
    found = {(one.metric, one.column): one for one in measurements if not one.segment}
    assert found["class_precision", "a"].value == 0
    assert found["class_recall", "a"].value is None
    assert found["class_recall", "a"].detail["reason"] == "No row with prediction and outcome came true as 'a'."


def test_regression_metrics_equal_scikit_learn() -> None:
    random = np.random.default_rng(3)
    came = random.normal(50, 20, 2000)
    said = came + random.normal(1, 5, 2000)
    low, high = said - 6, said + 6
    rows: list[Row] = [
        {"number": s, "outcome": c, "city": "Oslo", "tolerance": 4, "lower": s - 6, "upper": s + 6}
        for s, c in zip(said.tolist(), came.tolist(), strict=True)
    ]
    expected = {
        "mae": sk.mean_absolute_error(came, said),
        "rmse": sk.root_mean_squared_error(came, said),
        "mape": sk.mean_absolute_percentage_error(came, said),
        "smape": float(np.mean(2 * abs(said - came) / (abs(said) + abs(came)))),
        "bias": float(np.mean(said - came)),
        "r2": sk.r2_score(came, said),
        "pinball_loss": sk.mean_pinball_loss(came, said, alpha=0.8),
        "within_tolerance": float(np.mean(abs(said - came) <= 4)),
        "interval_coverage": float(np.mean((low <= came) & (came <= high))),
    }
    roles = Roles(tolerance=True, interval=("lower", "upper"))
    found = measured(window([rows[:900], rows[900:]], "regression", roles=roles), Accuracy(quantile=0.8))
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
        # no tolerance, so that no row was counted as within it
        (
            "regression",
            "within_tolerance",
            [{"number": 1, "outcome": 1}],
            "Nothing says how far a prediction may be off; set predictions.tolerance.",
        ),
        # a number and no interval around it
        (
            "regression",
            "interval_coverage",
            [{"number": 1, "outcome": 1}],
            "The model predicts no interval; set predictions.interval where it does.",
        ),
        # nothing scores that high
        (
            "binary",
            "precision_at",
            [{"score": 0.1, "outcome": 1}],
            "No row with an outcome scores 0.5 or higher.",
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
    assert len(window([[]] * 47, length=hour).parts) == 47
    assert len(window([[]] * 48, length=hour).parts) == 2
    shifted = Window(START + 12 * hour, START + 60 * hour, "binary", (Profile(NO_COLUMNS),) * 48)
    assert len(shifted.parts) == 3  # half a day, a day, half a day


def test_one_day_with_outcomes_in_a_week_tells_nothing_of_the_spread() -> None:
    quiet: list[list[Row]] = [[{"prediction": 1}] for _ in range(6)]
    found = measured(window([*quiet, binary_rows(5, 400)]))
    endless = {"log_loss": (0, math.inf), "lift_at_top": (0, 10)}
    assert {name: (one.low, one.high) for name, one in found.items()} == dict.fromkeys(found, (0, 1)) | endless
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
    of = samples(Window(START, START + timedelta(days=5), "binary", tuple(days)), counted=_labelled)
    found = Formula(formulas.ACCURACY.metric, formulas.ACCURACY.statistic, _judged, "", 0, 1).estimate(of, 5, 0.95)
    shares = np.array(right) / 100
    expected = t.interval(0.95, 4, shares.mean(), shares.std(ddof=1) / math.sqrt(5))
    assert found is not None
    assert found.value == pytest.approx(shares.mean())
    assert (found.low, found.high) == pytest.approx(expected)


VARIANCES: dict[str, tuple[Callable[[Samples], np.ndarray], Callable[[Samples], np.ndarray]]] = {
    "macro": (lambda of: by_class.macro(of, 0.5), lambda of: by_class.macro_variance(of, 0.5)),
    "weighted": (lambda of: by_class.weighted(of, 0.0), lambda of: by_class.weighted_variance(of, 0.0)),
    "of one class": (
        lambda of: by_class.effectiveness(by_class.counts(of, "1"), 0.8),
        lambda of: by_class.effectiveness_variance(by_class.counts(of, "1"), 0.8),
    ),
    "balanced": (
        lambda of: by_class.balanced_accuracy(by_class.counts(of, "1")),
        lambda of: by_class.balanced_accuracy_variance(by_class.counts(of, "1")),
    ),
    "average precision": (by_score.average_precision, by_score.average_precision_variance),
    "roc auc": (
        lambda of: by_score.roc_auc(of.positives, of.negatives),
        lambda of: by_score.roc_auc_variance(of.positives, of.negatives),
    ),
    "calibration": (
        lambda of: by_score.calibration_error(of, 5),
        lambda of: by_score.calibration_error_variance(of, 5),
    ),
    "brier": (formulas.brier, by_score.brier_variance),
}


@pytest.mark.parametrize("name", VARIANCES)
def test_variances_of_independent_rows_are_those_of_leaving_out_each_row_in_turn(name: str) -> None:
    statistic, variance = VARIANCES[name]
    random = np.random.default_rng(16)
    score = random.beta(2, 2, 400)
    rows: list[Row] = [
        {"score": float(s), "prediction": int(s * 3), "outcome": int(random.binomial(2, s))} for s in score
    ]
    parts = tuple(profile_of([row], EMPTY).whole for row in rows)
    of = Samples(parts, np.vstack([np.ones(400), 1 - np.eye(400)]))
    without = statistic(of)[1:]
    assert variance(of)[0] == pytest.approx(399 / 400 * ((without - without.mean()) ** 2).sum(), rel=0.05)


METRICS = (
    *("accuracy", "recall", "balanced_accuracy", "f1", "f_beta", "roc_auc", "average_precision", "log_loss", "brier"),
    *("precision_at", "recall_at", "precision_at_top", "recall_at_top", "lift_at_top"),
)


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
    return _scored(1 / (1 + np.exp(-random.normal(0, 1, rows) - np.where(came, shift, -shift))), came)


def _scored(score: np.ndarray, came: np.ndarray) -> Profile:
    rows, bins = len(score), np.minimum((score * SCORE_BINS).astype(int), SCORE_BINS - 1)
    held = [tuple(np.bincount(bins[side], minlength=SCORE_BINS).tolist()) for side in (~came, came)]
    losses = -np.log(np.where(came, score, 1 - score))
    scores = Scores(held[0], held[1], float(losses.sum()), float(((score - came) ** 2).sum()))
    confusion = {(str(s), str(c)): int((((score > 0.5) == s) & (came == c)).sum()) for s in (0, 1) for c in (0, 1)}
    return Profile(EMPTY, {"": Slice(rows, rows, {}, confusion, scores)})


def _labelled(part: Slice) -> int:
    return part.labelled


def _judged(of: Samples) -> np.ndarray:
    return of.judged
