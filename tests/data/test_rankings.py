"""Rankings are measured where the rows live, with equal answers on every engine and mixture of engines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from math import log2
from statistics import fmean

import pyarrow as pa
import pytest

from checks.catalogue import Catalogue
from checks.contract import Check, Measurement, Window
from checks.ranking import Ranking
from monitor.data.feed import Feed
from monitor.settings import Catalogue as CatalogueSettings
from monitor.settings import ModelSettings, Outcomes, Predictions
from tests.checks.recommendations import COUNTRIES, Row, by_score, lists_of, shown, worth
from tests.data.logs import DAY, Make, at

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")  # Ibis 12 on DuckDB 1.5

ROWS = shown()
SHOWN = [name for name in ROWS[0] if name != "grade"]
TYPES = pa.schema({"id": pa.string(), "at": pa.timestamp("us"), "known": pa.timestamp("us"), "grade": pa.int64()})


def model(**changes: object) -> ModelSettings:
    said = Predictions(
        source="predictions.parquet",
        id="id",
        time="at",
        request="request",
        item="item",
        position="position",
        score="score",
        segments=("country",),
    )
    return ModelSettings(
        name="shop",
        version="1",
        task="ranking",
        predictions=said.model_copy(update=changes),
        outcomes=Outcomes(source="outcomes.parquet", value="grade", time="known"),
        catalogue=CatalogueSettings(source="catalogue.parquet", item="sku"),
    )


def log() -> dict[str, pa.Table]:
    outcomes = [
        {"id": row["id"], "known": row["at"] + timedelta(hours=1), "grade": row["grade"]}
        for row in ROWS
        if row["grade"] is not None
    ]
    return {
        "predictions": pa.Table.from_pylist([{name: row[name] for name in SHOWN} for row in ROWS]),
        "outcomes": pa.Table.from_pylist(outcomes, pa.schema([TYPES.field(name) for name in ("id", "known", "grade")])),
        "catalogue": pa.table({"sku": [f"i{place}" for place in range(60)], "sold": list(range(60, 0, -1))}),
    }


def window_of(feed: Feed) -> Window:
    layout = feed.layout_from_bucket(at(0), at(5), at(9))
    assert layout is not None
    assert not {"request", "item"} & set(layout.columns), "they say where a row stands, and are no features"
    starts = [at(0) + place * DAY for place in range(5)]
    return feed.window(at(0), at(5), at(9), list(feed.profiles(layout, starts, at(9)).values()), None)


def measured(check: Check, window: Window) -> Iterator[Measurement]:
    return (one for one in check.measure(window) if isinstance(one, Measurement))


@pytest.mark.parametrize("position", ["position", None])
def test_lists_are_worth_the_same_on_every_engine(make: Make, position: str | None) -> None:
    found = list(measured(Ranking(k=4), window_of(make(model(position=position), log()))))
    rows = ROWS if position else by_score(ROWS)
    countries: dict[str, tuple[str | None, ...]] = {"": COUNTRIES, "country=NO": ("NO",), "country=(null)": (None,)}
    for segment, inside in countries.items():
        part = [row for row in rows if row["country"] in inside]
        values = {one.metric: one.value for one in found if one.segment == segment}
        assert values == pytest.approx(worth(part, 4), abs=1e-9), segment
    assert {one.segment for one in found} == {"", *(f"country={name}" for name in ("DE", "NO", "SE", "(null)"))}
    assert {one.detail["clusters"] for one in found} == {5}


def test_the_catalogue_is_the_same_on_every_engine(make: Make) -> None:
    window = window_of(make(model(), log()))
    top = [row for row in ROWS if row["position"] <= 4]

    found = {one.metric: one for one in measured(Catalogue(k=4, popularity="sold"), window) if not one.segment}

    assert found["catalogue_coverage"].value == len({row["item"] for row in top}) / 60
    best = {f"i{place}" for place in range(6)}
    assert found["popularity_share"].value == pytest.approx(sum(row["item"] in best for row in top) / len(top))
    german = [row for row in top if row["country"] == "DE"]
    own = {one.metric: one for one in measured(Catalogue(k=4), window) if one.segment == "country=DE"}
    assert own["catalogue_coverage"].value == len({row["item"] for row in german}) / 60
    assert own["novelty"].value == pytest.approx(novelty(german, top), abs=1e-9)


def novelty(part: Sequence[Row], top: Sequence[Row]) -> float:
    """By its definition."""
    requests = len({row["request"] for row in top})
    rows = Counter(row["item"] for row in top)
    return fmean(fmean(-log2(rows[row["item"]] / requests) for row in one) for one in lists_of(part))
