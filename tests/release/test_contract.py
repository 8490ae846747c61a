"""From settings to a release contract: which checks are planned, and what each bound is about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from checks.contract import Check, Measurement, Metric, Needs, Window
from monitor.release.contract import Bound, ReleaseContract, build_contract, owner_of
from monitor.settings import ModelSettings


class Accuracy(Check):
    kind: ClassVar[str] = "accuracy"
    metrics: ClassVar[tuple[Metric, ...]] = (Metric("accuracy", "", "high"), Metric("roc_auc", "", "high"))

    positive: str = "1"
    confidence: float = 0.95

    def needs(self) -> Needs:
        return Needs(outcomes=True)

    def measure(self, window: Window) -> Iterator[Measurement]:
        yield Measurement("accuracy", None, rows=len(window.buckets))


class Drift(Check):
    kind: ClassVar[str] = "drift"
    metrics: ClassVar[tuple[Metric, ...]] = (Metric("drift", "", "low", per="column", pages=False),)

    bins: int = 10
    key: SecretStr = SecretStr("")

    def needs(self) -> Needs:
        return Needs(reference=True)

    def measure(self, window: Window) -> Iterator[Measurement]:
        yield Measurement("drift", None, rows=len(window.buckets))


class TrainingTime(Check):
    kind: ClassVar[str] = "training_time"
    metrics: ClassVar[tuple[Metric, ...]] = (Metric("training_time", "", "low", unit="seconds"),)

    def needs(self) -> Needs:
        return Needs()

    def measure(self, window: Window) -> Iterator[Measurement]:
        yield Measurement("training_time", None, rows=len(window.buckets))


CHECKS: dict[str, type[Check]] = {check.kind: check for check in (Accuracy, Drift, TrainingTime)}
DAY = timedelta(days=1)


def contract(
    release: dict[str, Any], checks: list[dict[str, Any]] | None = None, *, confidence: float | None = None, **more: Any
) -> ReleaseContract:
    predictions = {"source": "p.parquet", "id": "i", "time": "t", "positive": "late"}
    model = {"name": "m", "version": "v1", "task": "binary", "predictions": predictions, **more}
    settings = ModelSettings.model_validate({**model, "release": release, "checks": checks or []})
    return build_contract(settings, CHECKS, confidence)


def planned(found: ReleaseContract) -> list[tuple[str, int, int]]:
    return [(one.check.kind, one.window // DAY, one.every // DAY) for one in found.checks]


@pytest.mark.parametrize(
    ("release", "checks", "expected"),
    [
        # a threshold implies its check, with the model's window, each bucket
        ({"accuracy": {"min": 0.7}}, [], [("accuracy", 7, 1)]),
        # two metrics of one check: one check
        ({"accuracy": {"min": 0.7}, "roc_auc": {"min": 0.6}}, [], [("accuracy", 7, 1)]),
        # another window: the check runs twice
        (
            {"accuracy": {"min": 0.7}, "roc_auc": {"min": 0.6, "window": "28d", "every": "7d"}},
            [],
            [("accuracy", 7, 1), ("accuracy", 28, 7)],
        ),
        # a check without a bound
        ({"accuracy": {"min": 0.7}}, [{"check": "drift"}], [("drift", 7, 1), ("accuracy", 7, 1)]),
        # a configured check measures for the threshold, over its own window
        ({"drift.*": {"max": 0.2}}, [{"check": "drift", "window": "28d"}], [("drift", 28, 1)]),
        # ... unless the threshold wants another
        (
            {"drift.*": {"max": 0.2, "window": "7d"}},
            [{"check": "drift", "window": "28d"}],
            [("drift", 28, 1), ("drift", 7, 1)],
        ),
        # of several configured ones, the one whose window it wants
        (
            {"drift.*": {"max": 0.2, "window": "7d"}},
            [{"check": "drift", "window": "28d"}, {"check": "drift", "window": "7d", "bins": 3}],
            [("drift", 28, 1), ("drift", 7, 1)],
        ),
    ],
)
def test_thresholds_and_checks_are_planned(
    release: dict[str, Any], checks: list[dict[str, Any]], expected: list[tuple[str, int, int]]
) -> None:
    found = contract(release, checks)
    assert planned(found) == expected
    assert {(bound.window, bound.every) for bound in found.bounds} <= {(one.window, one.every) for one in found.checks}


def test_a_threshold_uses_the_parameters_of_the_configured_check() -> None:
    found = contract({"drift.*": {"max": 0.2, "window": "7d"}}, [{"check": "drift", "window": "28d", "bins": 3}])
    assert [getattr(one.check, "bins", None) for one in found.checks] == [3, 3]


def test_the_positive_class_and_the_confidence_reach_checks_that_take_them() -> None:
    found = contract({"accuracy": {"min": 0.7}, "training_time": {"max": 5}}, confidence=0.99)
    assert found.checks[0].check == Accuracy(positive="late", confidence=0.99)
    assert found.checks[1].check == TrainingTime()
    given = contract({}, [{"check": "accuracy", "positive": "early"}])
    assert given.checks[0].check == Accuracy(positive="early")


def test_the_models_cadence_is_one_bucket_unless_it_says_otherwise() -> None:
    assert contract({"accuracy": {"min": 0.7}}, bucket="6h").bounds[0].every == timedelta(hours=6)
    assert contract({"accuracy": {"min": 0.7}}, every="3d").bounds[0].every == 3 * DAY


def test_a_threshold_with_two_sides_is_two_bounds() -> None:
    bounds = contract({"accuracy": {"min": 0.7, "max_of_release": 1.1}}).bounds
    assert [(bound.side, bound.limit, bound.of_release) for bound in bounds] == [
        ("min", 0.7, False),
        ("max", 1.1, True),
    ]


def test_a_bound_holds_what_the_threshold_and_the_metric_say() -> None:
    threshold = {"min": 0.7, "severity": "warn", "for": "2d", "min_rows": 50, "segments": ["origin"]}
    (bound,) = contract({"accuracy": threshold}).bounds
    assert bound == Bound(
        name="accuracy",
        metric="accuracy",
        column="",
        side="min",
        limit=0.7,
        severity="warn",
        segments=("origin",),
        min_rows=50,
        pending_for=2 * DAY,
        needs_outcomes=True,
        version="v1",
    )


@pytest.mark.parametrize(("name", "severity"), [("accuracy", "page"), ("drift.*", "warn")])
def test_a_metric_that_does_not_page_warns(name: str, severity: str) -> None:
    assert contract({name: {"max": 1}}).bounds[0].severity == severity
    assert contract({name: {"max": 1, "severity": "page"}}).bounds[0].severity == "page"


def test_a_duration_as_a_bound_is_seconds() -> None:
    (bound,) = contract({"training_time": {"max": "4h"}}).bounds
    assert (bound.limit, bound.unit) == (14400.0, "seconds")


@pytest.mark.parametrize(
    ("name", "metric", "column", "segment", "expected"),
    [
        # the whole, and the segments that are named
        ("accuracy", "accuracy", "", "", True),
        ("accuracy", "accuracy", "", "origin=EWR", True),
        ("accuracy", "accuracy", "", "carrier=UA", False),
        ("accuracy", "accuracy", "", "origin_2=EWR", False),
        # another metric, or another column
        ("accuracy", "roc_auc", "", "", False),
        ("accuracy", "accuracy", "temp", "", False),
        # one column; a threshold of its own wins over the one for all
        ("drift.temp", "drift", "temp", "", True),
        ("drift.temp", "drift", "humid", "", False),
        ("drift.*", "drift", "humid", "", True),
        ("drift.*", "drift", "temp", "", False),
        ("drift.*", "drift", "a.b", "", False),
        ("drift.a.b", "drift", "a.b", "", True),
    ],
)
def test_a_bound_is_about_some_measurements(
    name: str, metric: str, column: str, segment: str, *, expected: bool
) -> None:
    release: dict[str, Any] = {
        "accuracy": {"min": 0.7, "segments": ["origin"]},
        "drift.*": {"max": 0.2},
        "drift.temp": {"max": 0.5},
        "drift.a.b": {"max": 0.5},
    }
    bound = next(bound for bound in contract(release).bounds if bound.name == name)
    assert bound.applies_to(metric, column, segment) is expected


SEGMENTS = ["origin", "origin+carrier"]
NAMED: dict[str, Any] = {
    "accuracy": {"min": 0.7, "segments": SEGMENTS},
    "accuracy[origin=JFK]": {"min": 0.6},
    "accuracy[origin+carrier=JFK+AA]": {"min": 0.5},
    "drift.*": {"max": 0.2, "segments": SEGMENTS},
    "drift.*[origin=JFK]": {"max": 0.3},
    "drift.temp": {"max": 0.4, "segments": SEGMENTS},
    "drift.temp[origin=JFK]": {"max": 0.5},
    "drift.humid[origin=EWR]": {"max": 0.6},
}


def judging(release: dict[str, Any], metric: str, column: str, segment: str) -> list[str]:
    """The names of the thresholds that a measurement is held to."""
    predictions = {"source": "p.parquet", "id": "i", "time": "t", "segments": SEGMENTS}
    bounds = contract(release, predictions=predictions).bounds
    return [bound.name for bound in bounds if bound.applies_to(metric, column, segment)]


@pytest.mark.parametrize(
    ("metric", "column", "segment", "expected"),
    [
        # the segment that is named has its own threshold, others have the general one
        ("accuracy", "", "", ["accuracy"]),
        ("accuracy", "", "origin=EWR", ["accuracy"]),
        ("accuracy", "", "origin=JFK", ["accuracy[origin=JFK]"]),
        ("accuracy", "", "origin=JFK2", ["accuracy"]),
        ("accuracy", "", "origin=(null)", ["accuracy"]),
        ("accuracy", "", "carrier=AA", []),
        # of two columns together
        ("accuracy", "", "origin+carrier=JFK+AA", ["accuracy[origin+carrier=JFK+AA]"]),
        ("accuracy", "", "origin+carrier=JFK+UA", ["accuracy"]),
        # of columns: a column and a segment, a segment, a column, neither
        ("drift", "temp", "origin=JFK", ["drift.temp[origin=JFK]"]),
        ("drift", "wind", "origin=JFK", ["drift.*[origin=JFK]"]),
        ("drift", "humid", "origin=JFK", ["drift.*[origin=JFK]"]),
        ("drift", "humid", "origin=EWR", ["drift.humid[origin=EWR]"]),
        ("drift", "temp", "origin=EWR", ["drift.temp"]),
        ("drift", "wind", "origin=EWR", ["drift.*"]),
        ("drift", "humid", "", ["drift.*"]),
        ("drift", "temp", "", ["drift.temp"]),
    ],
)
def test_a_threshold_of_one_segment_takes_it_out_of_the_others(
    metric: str, column: str, segment: str, expected: list[str]
) -> None:
    assert judging(NAMED, metric, column, segment) == expected


def test_a_segment_weighs_more_than_a_column() -> None:
    release = {name: NAMED[name] for name in ("drift.temp", "drift.*[origin=JFK]")}
    assert judging(release, "drift", "temp", "origin=JFK") == ["drift.*[origin=JFK]"]
    assert judging(release, "drift", "temp", "origin=EWR") == ["drift.temp"]


@given(st.sets(st.sampled_from(sorted(NAMED)), min_size=1))
def test_a_measurement_is_held_to_one_threshold_at_most(names: set[str]) -> None:
    release = {name: NAMED[name] for name in names}
    for column in ("temp", "humid", "wind"):
        for segment in ("", "origin=JFK", "origin=EWR", "origin+carrier=JFK+AA"):
            assert len(judging(release, "drift", column, segment)) <= 1
            assert len(judging(release, "accuracy", "", segment)) <= 1


def test_the_hash_tells_contracts_apart_and_not_the_order_they_are_written_in() -> None:
    first = contract({"accuracy": {"min": 0.7}, "drift.*": {"max": 0.2}})
    assert first.hash == contract({"drift.*": {"max": 0.2}, "accuracy": {"min": 0.7}}).hash
    others = [
        contract({"accuracy": {"min": 0.71}, "drift.*": {"max": 0.2}}),
        contract({"accuracy": {"min": 0.7}, "drift.*": {"max": 0.2}}, [{"check": "drift", "bins": 3}]),
        contract({"accuracy": {"min": 0.7, "window": "14d"}, "drift.*": {"max": 0.2}}),
        contract({"accuracy": {"min": 0.7}, "drift.*": {"max": 0.2}}, version="v2"),
    ]
    assert len({first.hash, *(other.hash for other in others)}) == 5
    assert len(first.hash) == 64


def test_the_hash_holds_no_secret() -> None:
    one, other = (contract({}, [{"check": "drift", "key": key}]).hash for key in ("canary", "hunter2"))
    assert one == other


def test_the_owner_of_a_metric_is_the_check_that_measures_it() -> None:
    check, metric = owner_of(CHECKS, "roc_auc")
    assert (check, metric.name) == (Accuracy, "roc_auc")
    with pytest.raises(LookupError, match=r"^No check measures 'acuracy'\.$"):
        owner_of(CHECKS, "acuracy")
