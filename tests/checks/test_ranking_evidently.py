"""Rankings and catalogues are measured as Evidently 0.7 does on the same rows, where both say what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import Any

import pytest

from checks.catalogue import Catalogue
from checks.contract import Measurement
from checks.ranking import Ranking
from tests.checks.recommendations import Row, shown, window

pytestmark = pytest.mark.filterwarnings("ignore")  # of the libraries below Evidently

ROWS = [{**row, "grade": row["grade"] or 0} for row in shown(400)]

K = (1, 3, 5)
LONG = {row["request"] for row in ROWS if row["position"] == max(K)}
"""Requests with at least as many items as are looked at: of shorter ones Evidently counts the last item again."""


@pytest.mark.parametrize(
    ("metric", "theirs", "everybody"),
    [
        ("precision_at_k", "PrecisionTopK", True),
        ("recall_at_k", "RecallTopK", False),
        ("hit_rate", "HitRate", True),
        ("map", "MAP", False),
        ("mrr", "MRR", True),
        ("ndcg", "NDCG", False),
    ],
)
def test_evidently_says_the_same(metric: str, theirs: str, everybody: bool) -> None:
    rows = [row for row in ROWS if row["request"] in LONG or metric != "map"]
    for k in K:
        assert ranked(rows, k)[metric] == pytest.approx(
            evidently(rows, theirs, k=k, no_feedback_users=everybody)[k - 1]
        )


@pytest.mark.parametrize(
    ("metric", "theirs"), [("precision_at_k", "PrecisionTopK"), ("hit_rate", "HitRate"), ("mrr", "MRR")]
)
def test_by_default_evidently_leaves_out_requests_without_relevant_items(metric: str, theirs: str) -> None:
    liked = {row["request"] for row in ROWS if row["grade"]}
    some = [row for row in ROWS if row["request"] in liked]
    assert len(some) < len(ROWS)
    assert ranked(some, 5)[metric] == pytest.approx(evidently(ROWS, theirs, k=5)[4])


def test_evidently_counts_the_last_item_of_a_short_list_again() -> None:
    assert {row["request"] for row in ROWS} > LONG
    assert evidently(ROWS, "MAP", k=5)[4] > 1.1 * (ranked(ROWS, 5)["map"] or 0)


def test_evidently_says_the_same_of_the_catalogue() -> None:
    top = [row for row in ROWS if row["position"] <= 5]
    items = {f"i{place}" for place in range(60)}
    # what was shown is what Evidently takes for the training data; items never shown have no part in it
    trained = [*top, *({"request": 0, "item": item} for item in items)]
    found = catalogue(ROWS, [{"item": item} for item in items])

    assert found["catalogue_coverage"] == pytest.approx(
        evidently(ROWS, "PopularityBiasMetric", trained, k=5, metric="coverage")
    )
    assert found["novelty"] == pytest.approx(evidently(ROWS, "Novelty", top, k=5))


def test_uses_are_shares_of_all_uses_and_not_of_users() -> None:
    top = [row for row in ROWS if row["position"] <= 5]
    uses: dict[str, int] = {}
    for row in top:
        uses[row["item"]] = uses.get(row["item"], 0) + 1
    listed = [{"item": item, "uses": float(count)} for item, count in uses.items()]

    found = catalogue(ROWS, listed, popularity="uses")["novelty"]

    users = len({row["request"] for row in top})
    assert found == pytest.approx(evidently(ROWS, "Novelty", top, k=5) + log2(len(top) / users))


def ranked(rows: Sequence[Row], k: int) -> dict[str, float | None]:
    measured = Ranking(k=k).measure(window(rows))
    return {one.metric: one.value for one in measured if isinstance(one, Measurement) and not one.segment}


def catalogue(rows: Sequence[Row], items: Sequence[Row], **parameters: Any) -> dict[str, float | None]:
    measured = Catalogue(k=5, **parameters).measure(window(rows, catalogue=items))
    return {one.metric: one.value for one in measured if isinstance(one, Measurement) and not one.segment}


def evidently(rows: Sequence[Row], name: str, trained: Sequence[Row] | None = None, **parameters: Any) -> Any:
    """The number, or the number at each k from 1 on."""
    import pandas as pd
    from evidently import DataDefinition, Dataset, Recsys, Report
    from evidently.metrics import recsys

    frame = pd.DataFrame(rows)[["request", "item", "position", "grade"]].rename(columns={"position": "prediction"})
    lists = Recsys(
        user_id="request", item_id="item", target="grade", prediction="prediction", recommendations_type="rank"
    )
    data = Dataset.from_pandas(frame, data_definition=DataDefinition(ranking=[lists]))
    more = {} if trained is None else {"current_train_data": pd.DataFrame(trained)[["request", "item"]]}
    report = Report([getattr(recsys, name)(**parameters)]).run(data, None, additional_data=more)
    value = report.dict()["metrics"][0]["value"]
    return list(value["value"].values()) if isinstance(value, dict) else value
