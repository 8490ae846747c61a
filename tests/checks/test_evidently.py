"""Evidently as a check: its numbers are Evidently's own, its names last, its report opens without a network."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from checks.contract import Artifact, CannotMeasure, Measurement, Roles, Task, Window
from checks.evidently_report import Evidently
from checks.profile import Categories, Layout, Numbers, Profile
from checks.statistics.evidently_frames import label
from checks.statistics.evidently_runs import needs_outcomes, needs_reference

FLIGHTS = Path(__file__).parents[2] / "examples" / "flights"
START = datetime(2013, 7, 1, tzinfo=UTC)
NUMBERS = ["distance", "temp", "y_pred_proba"]
LABELS = ["origin", "y_pred", "y_true"]


@contextmanager
def quietly() -> Iterator[None]:
    """Evidently warns of itself when imported and run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def window(
    live: pd.DataFrame,
    before: pd.DataFrame | None,
    kinds: Mapping[str, str],
    roles: Roles,
    task: Task = "binary",
) -> Window:
    layout = Layout({name: Numbers((0.0,)) if kind == "number" else Categories(()) for name, kind in kinds.items()})
    return Window(
        start=START,
        end=START + timedelta(days=7),
        task=task,
        buckets=(Profile(layout),),
        baseline=None if before is None else Profile(layout),
        roles=roles,
        load_sample=live.head,
        load_reference_sample=live.head if before is None else before.head,
    )


def measured(check: Evidently, given: Window) -> dict[str, float | None]:
    found = [one for one in check.measure(given) if isinstance(one, Measurement)]
    assert {one.metric for one in found} <= {"evidently"}
    return {one.column: one.value for one in found}


@pytest.fixture(scope="module")
def flights() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Some flights of a week in July, one in ten without an outcome yet, and some of the release."""
    live = pd.read_parquet(FLIGHTS / "predictions.parquet")
    live = live.merge(pd.read_parquet(FLIGHTS / "outcomes.parquet")[["prediction_id", "y_true"]], how="left")
    live = live[(live["timestamp"] >= START.replace(tzinfo=None))].head(1500).reset_index(drop=True)
    live.loc[live.index % 10 == 0, "y_true"] = None
    before = pd.read_parquet(FLIGHTS / "reference.parquet").head(2000)
    return live[[*NUMBERS, *LABELS]], before[[*NUMBERS, *LABELS]]


FLIGHT_ROLES = Roles(prediction="y_pred", score="y_pred_proba", outcome="y_true", segments=("origin",))
FLIGHT_KINDS = dict.fromkeys(NUMBERS, "number") | dict.fromkeys(LABELS, "label")


def by_hand(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers as doubles, classes as text."""
    classes = {name: frame[name].map(lambda value: None if pd.isna(value) else str(int(value))) for name in LABELS[1:]}
    return frame.astype(dict.fromkeys(NUMBERS, "float64")).assign(**classes)


def directly(metrics: list[Any], live: pd.DataFrame, before: pd.DataFrame) -> dict[str, Any]:
    """Evidently's own answer, by the name it gives to a metric."""
    from evidently import BinaryClassification, DataDefinition, Dataset, Report

    classes = BinaryClassification(
        target="y_true", prediction_labels="y_pred", prediction_probas="y_pred_proba", pos_label="1"
    )
    definition = DataDefinition(numerical_columns=NUMBERS, categorical_columns=LABELS, classification=[classes])
    sides = [Dataset.from_pandas(by_hand(side), definition) for side in (live, before)]
    return {one["metric_name"]: one["value"] for one in Report(metrics).run(*sides).dict()["metrics"]}


def test_each_number_is_the_one_evidently_gives(flights: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    live, before = flights
    check = Evidently(
        run=(
            "DataDriftPreset",
            "DataSummaryPreset",
            "ClassificationPreset",
            {"name": "QuantileValue", "column": "temp", "quantile": 0.9},
            {"name": "ValueDrift", "column": "temp", "method": "psi"},
        )
    )

    found = measured(check, window(live, before, FLIGHT_KINDS, FLIGHT_ROLES))

    with quietly():
        from evidently import metrics, presets

        own = directly(
            [
                presets.DataDriftPreset(),
                metrics.RowCount(),
                metrics.MeanValue(column="temp"),
                metrics.MissingValueCount(column="y_true"),
                metrics.QuantileValue(column="temp", quantile=0.9),
                metrics.ValueDrift(column="temp", method="psi"),
            ],
            live,
            before,
        )
        judged = directly([presets.ClassificationPreset()], live.dropna(subset=["y_true"]), before)
    drift = {re.sub(r",method.*", ")", name): value for name, value in own.items() if "method=PSI" not in name}
    compared = {
        "DriftedColumnsCount.share": own["DriftedColumnsCount(drift_share=0.5)"]["share"],
        "RowCount": own["RowCount()"],
        "MeanValue(column=temp)": own["MeanValue(column=temp)"],
        "MissingValueCount(column=y_true).count": own["MissingValueCount(column=y_true)"]["count"],
        "QuantileValue(column=temp,quantile=0.9)": own["QuantileValue(column=temp,quantile=0.9)"],
        "ValueDrift(column=distance)": drift["ValueDrift(column=distance)"],
        "ValueDrift(column=origin)": drift["ValueDrift(column=origin)"],
        "ValueDrift(column=y_pred)": drift["ValueDrift(column=y_pred)"],
        "PrecisionByLabel(label=0)": judged["PrecisionByLabel(classification_name=default)"]["0"],
        "PrecisionByLabel(label=1)": judged["PrecisionByLabel(classification_name=default)"]["1"],
        "Accuracy": judged["Accuracy(classification_name=default)"],
        "LogLoss": judged["LogLoss(classification_name=default,pr_table=False)"],
    }  # fmt: skip
    assert {name: found[name] for name in compared} == pytest.approx(compared, rel=1e-12)
    assert compared["MissingValueCount(column=y_true).count"] == live["y_true"].isna().sum() >= 150
    # Two numbers of one metric on one column tell how each was computed.
    both = [name for name in found if name.startswith("ValueDrift(column=temp")]
    assert len(both) == 2
    assert all("method=" in name for name in both)


def test_the_report_is_one_file_that_loads_nothing(flights: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    live, before = flights
    check = Evidently(run=("DataDriftPreset", "ClassificationPreset"))

    (report,) = [
        one for one in check.measure(window(live, before, FLIGHT_KINDS, FLIGHT_ROLES)) if isinstance(one, Artifact)
    ]

    text = report.content.decode()
    assert (report.name, report.media_type) == ("report.html", "text/html")
    assert (
        "<title>2013-07-01 00:00 to 2013-07-08 00:00 UTC, 1,500 rows against 2,000 rows of the reference</title>"
        in text
    )
    assert "Share of Drifted Columns" in text
    assert "Classification Model Performance" in text
    assert re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)\s*=", text) == []
    outside_of_scripts = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert re.findall(r"url\(\s*['\"]?http|@import", outside_of_scripts) == []


def test_numbers_alone_where_no_report_is_wanted(flights: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    live, before = flights
    check = Evidently(run=("RowCount",), html=False, rows=7)

    assert list(check.measure(window(live, before, FLIGHT_KINDS, FLIGHT_ROLES))) == [
        Measurement("evidently", 7.0, rows=7, column="RowCount")
    ]


def test_without_outcomes_the_rest_is_told(flights: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    live, before = flights
    check = Evidently(run=("RowCount", "ClassificationPreset"), html=False)
    for outcomes in (None, 0):  # none in yet; a single class, of which no classifier can be judged
        given = window(live.assign(y_true=outcomes), before, FLIGHT_KINDS, FLIGHT_ROLES)
        assert measured(check, given) == {"RowCount": 1500.0}


def test_a_reference_without_outcomes_is_left_out_of_what_needs_them(
    flights: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    live, before = flights
    given = window(live, before.drop(columns="y_true"), FLIGHT_KINDS, FLIGHT_ROLES)

    found = measured(Evidently(run=("Accuracy",), html=False), given)

    known = by_hand(live.dropna(subset=["y_true"]))
    assert found == {"Accuracy": pytest.approx((known["y_pred"] == known["y_true"]).mean())}


def test_a_column_without_values_or_with_infinite_ones_spoils_nothing(
    flights: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    live, before = flights
    spoilt = live.assign(distance=np.nan, temp=[np.inf, *live["temp"][1:]])

    found = measured(
        Evidently(run=("DataDriftPreset",), html=False), window(spoilt, before, FLIGHT_KINDS, FLIGHT_ROLES)
    )

    assert "ValueDrift(column=distance)" not in found
    assert found["ValueDrift(column=temp)"] is not None


def test_only_the_columns_asked_for_beside_those_of_the_model(flights: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    live, before = flights
    check = Evidently(run=("DataDriftPreset",), columns=("temp",), html=False)

    found = measured(check, window(live, before, FLIGHT_KINDS, FLIGHT_ROLES))

    drifts = {name for name in found if name.startswith("ValueDrift")}
    assert drifts == {f"ValueDrift(column={name})" for name in ("temp", "y_pred_proba", "y_pred", "y_true")}


def test_what_is_no_finite_number_says_so() -> None:
    check = Evidently(run=({"name": "StdValue", "column": "x"},), html=False)

    (found,) = check.measure(window(pd.DataFrame({"x": [1.0]}), None, {"x": "number"}, Roles()))

    reason = "Evidently gives no finite number for StdValue(column=x)."
    assert found == Measurement("evidently", None, rows=1, column="StdValue(column=x)", detail={"reason": reason})


def test_an_empty_window_or_a_lacking_reference_is_silent(flights: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    live, before = flights

    assert list(Evidently().measure(window(live.head(0), before, FLIGHT_KINDS, FLIGHT_ROLES))) == []
    assert list(Evidently().measure(window(live, None, FLIGHT_KINDS, FLIGHT_ROLES))) == []


def test_models_of_every_task_are_judged() -> None:
    chance = np.random.default_rng(7)
    rows = 300
    number = chance.normal(size=rows)
    said = pd.DataFrame({"x": number, "said": number, "was": number + chance.normal(size=rows)})
    roles = Roles(prediction="said", outcome="was")
    kinds = dict.fromkeys(("x", "said", "was"), "number")
    mae = measured(Evidently(run=("RegressionPreset",)), window(said, said, kinds, roles, "regression"))["MAE.mean"]
    assert mae == pytest.approx((said["said"] - said["was"]).abs().mean())

    shares = pd.DataFrame(chance.dirichlet((1, 1, 1), rows), columns=["p_a", "p_b", "p_c"])
    classes = shares.assign(said=shares.idxmax(axis=1).str[-1], was=chance.choice(list("abc"), rows))
    roles = Roles(prediction="said", outcome="was", scores=("p_a", "p_b", "p_c"), classes=("a", "b", "c"))
    kinds = {"said": "label", "was": "label"} | dict.fromkeys(("p_a", "p_b", "p_c"), "number")
    found = measured(Evidently(run=("ClassificationPreset",)), window(classes, classes, kinds, roles, "multiclass"))
    assert found["Accuracy"] == pytest.approx((classes["said"] == classes["was"]).mean())
    assert 0.3 < (found["RocAuc"] or 0) < 0.7

    shown = pd.DataFrame({"user": np.repeat(np.arange(60), 5), "item": np.tile(np.arange(5), 60)})
    shown = shown.assign(score=chance.random(rows), clicked=chance.integers(0, 2, rows))
    roles = Roles(request="user", item="item", score="score", outcome="clicked")
    kinds = {"score": "number", "clicked": "number"}
    check = Evidently(run=({"name": "HitRate", "k": 2},), html=False)
    found = measured(check, window(shown, shown, kinds, roles, "ranking"))
    clicked = shown.groupby("user")["clicked"].transform("max") > 0
    best = shown[clicked].sort_values("score", ascending=False).groupby("user").head(2).groupby("user")["clicked"]
    assert found["HitRate(k=2,row=1).value"] == pytest.approx(best.max().mean())


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        # A name like one that there is, and one like none.
        (["DataDriftPresett"], "Evidently has no metric or preset 'DataDriftPresett'; there is DataDriftPreset"),
        (["Xyzzy"], "Evidently has no metric or preset 'Xyzzy'; there is ClassificationPreset, DataDriftPreset, "),
        # An argument it lacks, and one it does not have.
        ([{"name": "MeanValue"}], "Evidently's MeanValue does not take these arguments ("),
        ([{"name": "RowCount", "colum": "x"}], "Evidently's RowCount has no argument 'colum'; it takes tests"),
    ],
)
def test_what_evidently_does_not_know_is_a_sentence(run: list[object], sentence: str) -> None:
    check = Evidently.model_validate({"run": run})
    frame = pd.DataFrame({"x": [1.0, 2.0]})

    with pytest.raises(CannotMeasure) as problem:
        list(check.measure(window(frame, frame, {"x": "number"}, Roles())))

    assert str(problem.value).startswith(sentence)
    assert str(problem.value).endswith(".")


@pytest.mark.parametrize("item", ["data drift", "", {"column": "x"}, {"name": 3}, 7])
def test_what_is_no_name_is_refused_with_the_settings(item: object) -> None:
    with pytest.raises(ValidationError, match="must name one of Evidently's metrics or presets"):
        Evidently.model_validate({"run": [item]})


def test_the_names_tell_what_needs_outcomes_and_a_reference() -> None:
    with quietly():
        from evidently import metrics, presets
    known = {
        name: value for module in (metrics, presets) for name, value in vars(module).items() if isinstance(value, type)
    }
    judging = {name for name, value in known.items() if re.search("classification|regression|recsys", value.__module__)}

    assert {name for name in known if needs_outcomes(name, {})} == judging
    assert {name for name in known if needs_reference(name, {})} == {
        "DataDriftPreset", "DriftedColumnsCount", "EmbeddingsDrift", "ValueDrift"
    }  # fmt: skip
    assert needs_outcomes("GroupBy", {"metric": {"name": "Accuracy"}, "column_name": "origin"})
    assert not needs_outcomes("GroupBy", {"metric": {"name": "RowCount"}, "column_name": "origin"})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        # What a source may hold for the class 1, and for no class.
        (1, "1"), (1.0, "1"), (np.float32(1), "1"), (np.int8(1), "1"), (True, "1"), (np.bool_(True), "1"), ("1", "1"),
        (None, None), (float("nan"), None), (pd.NA, None), (pd.NaT, None), (float("inf"), None),
        # Other classes.
        (0.5, "0.5"), (False, "0"), ("blå", "blå"), (2**60, str(2**60)), (1e16, "1e+16"), (1e300, None),
    ],
)  # fmt: skip
def test_labels_are_canonical_text(value: object, text: str | None) -> None:
    assert label(value) == text
