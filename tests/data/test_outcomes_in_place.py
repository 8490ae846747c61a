"""Outcomes that stand in the rows of their predictions give the same profiles as the same outcomes elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from checks.profile import Profile
from monitor.data.feed import BucketCount, Feed
from monitor.data.log import Log
from monitor.data.survey import survey
from monitor.data.tally import Health
from monitor.data.times import Span
from monitor.settings import ModelSettings, Outcomes, Predictions
from tests.data.logs import (
    OUTCOMES,
    PREDICTIONS,
    Make,
    assert_equal_profiles,
    at,
    outcome,
    prediction,
    small_model,
    tables,
)

AS_OF = 4.0
TOGETHER = pa.schema([*PREDICTIONS, OUTCOMES.field("known"), OUTCOMES.field("truth")])
FEATURES = ("x", "colour", "flag", "place")


def model(source: str, **changes: Any) -> ModelSettings:
    said = small_model().predictions.model_dump() | {"source": "predictions.parquet", "features": FEATURES}
    came = Outcomes(source=source, id="id", value="truth", time="known", delay=timedelta(hours=12))
    return small_model(predictions=Predictions.model_validate(said), outcomes=came, **changes)


def both(make: Make, rows: list[dict[str, Any]], outcomes: list[dict[str, Any]]) -> tuple[Feed, Feed]:
    """The same log with outcomes in a table of their own, and in the rows of their predictions."""
    apart = make(model("outcomes.parquet"), tables(rows, outcomes))
    known = {one["id"]: one for one in outcomes}
    given = tables(rows, [])
    lines = [row | {key: known.get(row["id"], {}).get(key) for key in ("known", "truth")} for row in rows]
    given["predictions"] = pa.Table.from_pylist(lines, TOGETHER)
    return apart, make(model("predictions.parquet"), {f"in_{name}": table for name, table in given.items()})


@pytest.fixture
def on_one_engine(tmp_path_factory: pytest.TempPathFactory) -> Make:
    from tests.data.logs import write

    def made(settings: ModelSettings, given: Any) -> Feed:
        folder = tmp_path_factory.mktemp("log")
        write(folder, {name.removeprefix("in_"): table for name, table in given.items()})
        return Feed(settings, folder)

    return made


ROWS = [prediction(f"p{k}", k / 7, x=float(k), score=(k % 10) / 10, said=k % 2, place="NSE"[k % 3]) for k in range(20)]
CAME = [
    # known at once, a while after, late, before its prediction, and not yet
    *(outcome(f"p{k}", k / 7 + 0.01, k % 2) for k in range(6)),
    *(outcome(f"p{k}", k / 7 + 0.4, 1) for k in range(6, 9)),
    *(outcome(f"p{k}", k / 7 + 1.5, 0) for k in range(9, 11)),
    outcome("p11", 11 / 7 - 0.1, 1),
    outcome("p12", AS_OF + 1, 1),
    outcome("p13", 13 / 7, None),
    outcome("p14", None, 1),  # without a time it is never known
    outcome("p15", 15 / 7 - 30, 1),  # stamped long before its prediction, it is not its outcome
]


def profiles(feed: Feed, days: int) -> list[Profile]:
    layout = feed.baseline(at(AS_OF)).layout
    starts = [at(day) for day in range(days)]
    counted = feed.counts(starts[0], at(days), at(AS_OF))
    alone = feed.profiles(layout, starts, at(AS_OF))
    found = feed.profiles(layout, starts, at(AS_OF), counted)
    for start in starts:
        assert_equal_profiles(alone[start], found[start])  # what was counted before is not counted again
        assert_equal_profiles(feed.profiles(layout, [start], at(AS_OF))[start], found[start])  # one bucket at a time
    return list(found.values())


def test_in_place_or_elsewhere_is_the_same(on_one_engine: Make) -> None:
    apart, together = both(on_one_engine, ROWS, CAME)

    for one, other in zip(profiles(apart, 3), profiles(together, 3), strict=True):
        assert_equal_profiles(one, other)


def test_with_an_id_there_twice_the_last_row_counts(on_one_engine: Make) -> None:
    again = prediction("p1", 0.9, x=5.0)
    _, together = both(on_one_engine, [*ROWS, again], CAME)

    first = profiles(together, 1)[0]

    assert (first.whole.rows, first.duplicate_predictions) == (7, 1)
    assert first.duplicate_outcomes == 1


def test_ids_told_apart_in_several_passes_are_counted_as_in_one(
    on_one_engine: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = prediction("p1", 0.9, x=5.0)
    window = (at(0), at(3), at(AS_OF))
    for rows in (ROWS, [*ROWS, again]):
        _, together = both(on_one_engine, rows, CAME)
        monkeypatch.setattr("monitor.data.survey.AT_ONCE", 10**6)
        once = together.counts(*window)
        monkeypatch.setattr("monitor.data.survey.AT_ONCE", 3)
        assert {start: count.health for start, count in together.counts(*window).items()} == {
            start: count.health for start, count in once.items()
        }


@pytest.mark.parametrize(
    ("ids", "repeated"),
    [
        # close together; one twice in a day; one in two days; none at all beside others; far apart; the ends of int64
        (range(60), 0),
        ([*range(59), 39], 1),
        ([*range(59), 30], 0),
        ([None, *range(59)], 0),
        (range(0, 60_000, 1000), 0),
        ([-(2**63), *range(58), 2**63 - 1], 0),
    ],
)
def test_whole_numbers_are_told_apart_as_their_hashes_are(
    on_one_engine: Make, monkeypatch: pytest.MonkeyPatch, ids: Iterable[int | None], repeated: int
) -> None:
    lines = [
        prediction("", (place % 20 + 0.5) / 20 * 3, x=1.0) | {"id": number, "known": None, "truth": place % 2}
        for place, number in enumerate(ids)
    ]
    numbered = pa.schema([pa.field("id", pa.int64()), *(each for each in TOGETHER if each.name != "id")])
    given = {"in_predictions": pa.Table.from_pylist(lines, numbered)}
    reference = tables([], [])["reference"]
    whole = reference.set_column(0, "id", pa.array(range(len(reference)), pa.int64()))
    feed = on_one_engine(model("predictions.parquet"), given | {"in_reference": whole})
    window = (at(0), at(3), at(AS_OF))

    found = {start: count.health for start, count in feed.counts(*window).items()}
    monkeypatch.setattr("monitor.data.survey.NEAR", 0)

    assert found == {start: count.health for start, count in feed.counts(*window).items()}
    assert sum(health.rows for health in found.values() if health) == 60 - repeated
    assert sum(health.duplicate_predictions for health in found.values() if health) == repeated


def test_buckets_that_are_as_they_were_are_not_looked_at_closer(
    on_one_engine: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    apart, together = both(on_one_engine, ROWS, CAME)
    window = (at(0), at(3), at(AS_OF))
    looked_at: list[int] = []

    def watched(log: Log, spans: list[Span], as_of: datetime) -> dict[int, Health]:
        looked_at.append(sum((end - start) // timedelta(days=1) for start, end in spans))
        return survey(log, spans, as_of)

    known = together.counts(*window)
    assert known == apart.counts(*window)
    changed = known | {at(1): BucketCount(known[at(1)].rows, known[at(1)].outcomes - 1)}
    monkeypatch.setattr("monitor.data.feed.survey", watched)

    assert together.counts(*window, known) == known
    assert together.counts(*window, changed) == known
    assert apart.counts(*window, known, outcomes=False) == known
    assert apart.counts(*window, changed, outcomes=False) == changed, "nobody asked for its outcomes"
    assert apart.counts(*window, changed) == known
    assert looked_at == [0, 1, 0, 0, 3]
