"""What lists are worth: by hand, by definition, and as Evidently has it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.contract import CannotMeasure, Measurement, Window
from checks.ranking import Ranking
from tests.checks.recommendations import BY_SCORE, ROLES, START, by_score, shown, window, worth


def measured(of: Window, segment: str = "", **parameters: Any) -> dict[str, Measurement]:
    check = Ranking(**parameters)
    return {one.metric: one for one in check.measure(of) if isinstance(one, Measurement) and one.segment == segment}


def values(of: Window, segment: str = "", **parameters: Any) -> dict[str, float | None]:
    return {name: one.value for name, one in measured(of, segment, **parameters).items()}


def listed(*grades: float | None, request: int = 1, **more: Any) -> list[dict[str, Any]]:
    """One list, from its top."""
    at = START.replace(tzinfo=None)
    return [
        {"at": at, "request": request, "item": f"i{place}", "position": place, "score": -place, "grade": grade, **more}
        for place, grade in enumerate(grades, start=1)
    ]


def test_a_list_by_hand() -> None:
    # places 1 to 5; two of the three relevant items are among the first 4
    found = values(window(listed(0, 2, None, 1, 1)), k=4)
    best = 2 / math.log2(2) + 1 / math.log2(3) + 1 / math.log2(4)
    assert found == pytest.approx(
        {
            "precision_at_k": 2 / 4,
            "recall_at_k": 2 / 3,
            "hit_rate": 1.0,
            "map": (1 / 2 + 2 / 4) / 3,
            "mrr": 1 / 2,
            "ndcg": (2 / math.log2(3) + 1 / math.log2(5)) / best,
            "click_through": 2 / 4,
        }
    )


def test_the_mean_is_over_requests_and_click_through_over_what_was_shown() -> None:
    found = values(window([*listed(1), *listed(0, 0, 0, request=2)]))  # 1 of 1 and 0 of 3
    assert (found["precision_at_k"], found["click_through"]) == (1 / 2, 1 / 4)


def test_a_request_without_relevant_items_has_no_recall_but_is_no_hit() -> None:
    found = measured(window([*listed(1, 0), *listed(0, 0, request=2)]))
    assert {name: (one.value, one.rows) for name, one in found.items()} == {
        "precision_at_k": (1 / 4, 2),
        "recall_at_k": (1.0, 1),
        "hit_rate": (1 / 2, 2),
        "map": (1.0, 1),
        "mrr": (1 / 2, 2),
        "ndcg": (1.0, 1),
        "click_through": (1 / 4, 4),
    }


def test_a_request_counts_once_an_outcome_is_in_or_always_where_silence_is_an_answer() -> None:
    log = window([*listed(None, 1), *listed(None, None, request=2), *listed(request=3)])
    judged, every = measured(log), measured(log, requests="all")
    assert (judged["hit_rate"].value, judged["hit_rate"].rows) == (1.0, 1)
    assert (every["hit_rate"].value, every["hit_rate"].rows) == (1 / 2, 2)
    assert (judged["hit_rate"].detail["judged"], judged["hit_rate"].detail["requests"]) == (1, 2)


@pytest.mark.parametrize("k", [1, 3, 10, 50])
@pytest.mark.parametrize("requests", ["judged", "all"])
def test_a_log_is_worth_what_the_definitions_say(k: int, requests: str) -> None:
    rows = shown()
    assert values(window(rows), k=k, requests=requests) == pytest.approx(worth(rows, k, requests), abs=1e-12)


@pytest.mark.parametrize("k", [1, 4, 10])
def test_without_positions_the_score_orders(k: int) -> None:
    rows = shown()
    assert values(window(rows, BY_SCORE), k=k) == pytest.approx(worth(by_score(rows), k), abs=1e-12)


def test_segments_are_those_of_their_requests() -> None:
    rows = shown()
    for segment, country in {"country=DE": "DE", "country=(other)": "SE", "country=(null)": None}.items():
        part = [row for row in rows if row["country"] == country]
        assert values(window(rows), segment) == pytest.approx(worth(part, 10), abs=1e-12), segment


def test_a_request_of_several_segments_counts_under_the_most_frequent() -> None:
    rows = [*listed(1, country="NO"), *listed(0, country="FR")]
    assert measured(window(rows), "country=NO")["hit_rate"].rows == 1
    assert measured(window(rows), "country=(other)") == {}


def test_rows_without_a_place_are_in_no_list_but_may_be_wanted() -> None:
    nowhere = {**listed(1)[0], "position": None, "item": "far"}
    found = values(window([*listed(0, 1), nowhere]))
    assert (found["precision_at_k"], found["recall_at_k"], found["mrr"]) == (1 / 3, 1 / 2, 1 / 2)
    assert found["click_through"] == 1 / 2


@pytest.mark.parametrize(
    ("positions", "mrr"),
    [
        ((1, 2, 3), 1 / 3),
        ((0, 1, 2), 1 / 3),  # begin at 0
        ((1, 1, 1), 1.0),  # of one place; i3 is first by its MD5
        ((2, 5, 7), 1 / 7),  # others stood between
    ],
)
def test_places_are_positions_and_never_less_than_ranks(positions: tuple[int, ...], mrr: float) -> None:
    rows = [{**row, "position": position} for row, position in zip(listed(0, 0, 1), positions, strict=True)]
    assert values(window(rows))["mrr"] == pytest.approx(mrr)


@pytest.mark.parametrize(
    ("kind", "grades"), [("boolean", [False, True]), ("int8", [0, 1]), ("float64", [math.nan, 5.0]), ("int64", [-3, 2])]
)
def test_relevance_may_be_a_grade_or_yes_and_no(kind: str, grades: list[Any]) -> None:
    found = values(window(listed(*grades), types={"grade": kind}))
    assert found["precision_at_k"] == 1 / 2
    assert found["ndcg"] == pytest.approx(1 / math.log2(3))


def test_nothing_to_judge_is_said_so() -> None:
    nobody = measured(window(listed(None, None)))
    assert {one.value for one in nobody.values()} == {None}
    assert {one.detail["reason"] for one in nobody.values()} == {"No request of this window has an outcome yet."}
    unliked = measured(window(listed(0, 0)))
    assert unliked["hit_rate"].value == 0.0
    assert unliked["ndcg"].detail["reason"] == "No request of this window has a relevant item."
    deep = [{**row, "position": 20} for row in listed(1)]
    reason = measured(window(deep))["click_through"].detail["reason"]
    assert reason == "No request with an outcome has an item in its top 10."
    assert {one.value for one in measured(window([])).values()} == {None}


def test_days_are_the_independent_draws() -> None:
    rows = shown()
    (found, single) = measured(window(rows))["hit_rate"], measured(window(rows, buckets=1))["hit_rate"]
    daily = [
        worth([row for row in rows if row["at"].day != day], 10)["hit_rate"] for day in range(1, 6)
    ]  # each day left out
    spread = math.sqrt(4 / 5 * sum((value - sum(daily) / 5) ** 2 for value in daily))
    independent = math.sqrt(found.value * (1 - found.value) / (found.rows - 1))  # type: ignore[operator]  # it has a value
    half = max(2.776445 * spread, 1.959964 * independent)
    assert found.high == pytest.approx(min(1.0, found.value + half), abs=1e-6)  # type: ignore[operator]  # it has a value
    assert found.low == pytest.approx(found.value - half, abs=1e-6)  # type: ignore[operator]  # it has a value
    assert found.detail["clusters"] == 5
    assert single.detail["interval"] == "requests taken as independent: the window is a single bucket"
    assert single.high == pytest.approx(min(1.0, single.value + 1.959964 * independent), abs=1e-6)  # type: ignore[operator]


def test_one_day_of_several_cannot_tell_how_sure_it_is() -> None:
    found = measured(window(listed(0, 1)))["mrr"]
    assert (found.value, found.low, found.high) == (1 / 2, 0.0, 1.0)


def test_requests_that_agree_are_no_certainty() -> None:
    rows = [row for request in range(20) for row in listed(1, request=request)]
    found = measured(window(rows, buckets=1))["hit_rate"]
    assert found.value == found.high == 1.0
    assert found.low == pytest.approx(1 / (1 + 1.959964**2 / 20), abs=1e-6), "Wilson's"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"request": None}, "A ranking needs lists of items; set predictions.request and predictions.item."),
        (
            {"position": None, "score": None},
            "A ranking needs an order; set predictions.position or predictions.score.",
        ),
        ({"position": "item"}, "The column 'item' holds string; a ranking is ordered by numbers."),
        (
            {"outcome": "country"},
            "The outcome column 'country' holds string; the relevance of an item is a number, or true and false.",
        ),
        ({"outcome": None}, "A ranking is judged by what came true; add [models.outcomes] with source and value."),
    ],
)
def test_what_a_ranking_lacks_is_said_in_a_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(CannotMeasure) as problem:
        measured(window(listed(1), replace(ROLES, **changes)))
    assert str(problem.value) == sentence


def test_other_models_have_no_ranking() -> None:
    assert measured(replace(window(listed(1)), task="binary")) == {}


LISTS = st.lists(st.lists(st.sampled_from([None, 0, 1, 2]), min_size=1, max_size=6), min_size=1, max_size=6)


@settings(max_examples=30, deadline=None)
@given(LISTS, st.integers(1, 7))
def test_shares_lie_in_their_interval_and_grow_with_k(grades: list[list[int | None]], k: int) -> None:
    rows = [row for request, one in enumerate(grades) for row in listed(*one, request=request)]
    found, deeper = measured(window(rows), k=k), measured(window(rows), k=k + 1)
    for one in found.values():
        if one.value is not None:
            assert one.low is not None
            assert one.high is not None
            assert 0 <= one.low <= one.value + 1e-12 <= one.high + 2e-12
    for name in ("recall_at_k", "hit_rate", "mrr", "map"):
        now, then = found[name].value, deeper[name].value
        assert now is None or (then is not None and now <= then + 1e-12)
