"""How much of the catalogue is recommended, and how popular what is recommended is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import log2
from typing import Any

import pytest

from checks.catalogue import Catalogue
from checks.contract import CannotMeasure, Measurement, Window
from tests.checks.recommendations import BY_SCORE, START, Row, by_score, shown, window

ITEMS = [{"item": f"i{place}", "uses": float(60 - place)} for place in range(60)]


def measured(of: Window, segment: str = "", **parameters: Any) -> dict[str, Measurement]:
    check = Catalogue(**parameters)
    return {one.metric: one for one in check.measure(of) if isinstance(one, Measurement) and one.segment == segment}


def lists(*requests: str, **more: Any) -> list[dict[str, Any]]:
    """A request per word, an item per letter."""
    at = START.replace(tzinfo=None)
    return [
        {"at": at, "request": request, "item": item, "position": position, "score": -position, **more}
        for request, items in enumerate(requests)
        for position, item in enumerate(items, start=1)
    ]


def listed(items: str, *uses: float | None) -> list[Row]:
    return [{"item": item, "uses": uses[place] if uses else None} for place, item in enumerate(items)]


def test_a_log_by_hand() -> None:
    # a is recommended in 3 of 4 lists, b in 2, x in 1 and not of the catalogue; c and d in none
    found = measured(window(lists("ab", "ab", "a", "x"), catalogue=listed("abcd")), popular=0.25)
    a, b = -log2(3 / 4), -log2(2 / 4)
    assert found["catalogue_coverage"].value == 2 / 4
    assert found["catalogue_coverage"].detail == {"recommended": 2, "catalogue": 4, "outside": 1}
    assert found["novelty"].value == pytest.approx(((a + b) / 2 + (a + b) / 2 + a) / 3)
    assert found["popularity_share"].value == 3 / 6, "a is the most popular quarter"
    assert [found[name].rows for name in ("catalogue_coverage", "novelty", "popularity_share")] == [4, 3, 6]


def test_only_the_first_places_are_looked_at() -> None:
    found = measured(window(lists("ab", "ac"), catalogue=listed("abcd")), k=1)
    assert (found["catalogue_coverage"].value, found["novelty"].value) == (1 / 4, 0.0)


def test_popularity_may_be_what_the_catalogue_says() -> None:
    catalogue = listed("abcd", 6, 2, 0, None)
    found = measured(window(lists("abc"), catalogue=catalogue), popularity="uses", popular=0.5)
    assert found["novelty"].value == pytest.approx((-log2(6 / 8) - log2(2 / 8)) / 2), "c was never used"
    assert found["popularity_share"].value == 2 / 3


@pytest.mark.parametrize(("popular", "items"), [(0.1, 3), (0.09, 3), (0.11, 4), (1.0, 30)])
def test_the_popular_part_is_whole_items(popular: float, items: int) -> None:
    letters = [chr(ord("A") + place) for place in range(30)]
    catalogue = [{"item": letter, "uses": float(place)} for place, letter in enumerate(letters)]
    found = measured(window(lists("".join(letters)), catalogue=catalogue), popularity="uses", popular=popular, k=30)
    assert found["popularity_share"].value == pytest.approx(items / 30)


@pytest.mark.parametrize(
    ("of", "rows"),
    [(window(shown(), catalogue=ITEMS), shown()), (window(shown(), BY_SCORE, catalogue=ITEMS), by_score(shown()))],
    ids=["by position", "by score"],
)
def test_a_log_is_as_the_definitions_say(of: Window, rows: Sequence[Row]) -> None:
    found = measured(of, popularity="uses", k=3)
    top = [row for row in rows if row["position"] <= 3]
    best = {f"i{place}" for place in range(6)}  # a tenth of 60
    assert found["popularity_share"].value == pytest.approx(sum(row["item"] in best for row in top) / len(top))
    assert found["catalogue_coverage"].value == len({row["item"] for row in top}) / 60


def test_segments_are_measured_on_their_own() -> None:
    rows = [*lists("ab", country="DE"), *({**row, "request": 9} for row in lists("a", country="FR"))]
    of = window(rows, catalogue=listed("abc"))
    assert {
        segment: measured(of, segment)["catalogue_coverage"].value for segment in ("", "country=DE", "country=(other)")
    } == {"": 2 / 3, "country=DE": 2 / 3, "country=(other)": 1 / 3}
    assert measured(of, "country=DE")["novelty"].value == pytest.approx((0 + 1) / 2), "p is that of all requests"


def test_days_are_the_independent_draws() -> None:
    found = measured(window(shown(), catalogue=ITEMS))
    assert found["novelty"].detail["clusters"] == 5
    for name in ("novelty", "popularity_share"):
        one = found[name]
        assert one.low is not None
        assert one.high is not None
        assert one.low < (one.value or 0) < one.high < 60
    assert (found["catalogue_coverage"].low, found["catalogue_coverage"].high) == (None, None)


@pytest.mark.parametrize(
    ("rows", "catalogue", "values"),
    [
        ([], listed("ab"), (0.0, None, None)),
        (lists("ab"), [], (None, None, 0.0)),
        (lists("xy"), listed("ab"), (0.0, None, 0.0)),
    ],
)
def test_what_cannot_be_told_has_a_reason(
    rows: Sequence[Row], catalogue: Sequence[Row], values: tuple[float | None, ...]
) -> None:
    found = list(measured(window(rows, catalogue=catalogue)).values())
    assert tuple(one.value for one in found) == values
    assert all(one.value is not None or str(one.detail["reason"]).endswith(".") for one in found)


def test_a_popularity_that_is_not_there_is_said() -> None:
    with pytest.raises(CannotMeasure, match=r"^The catalogue has no column 'sales'; correct the parameter popularity"):
        measured(window(lists("a"), catalogue=listed("a")), popularity="sales")


def test_other_models_have_no_catalogue() -> None:
    assert measured(replace(window(lists("a"), catalogue=listed("a")), task="binary")) == {}
