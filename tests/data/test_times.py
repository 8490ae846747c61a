"""Times of every kind fall into the right bucket, on every engine."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from monitor.data import times
from monitor.data.errors import WrongType
from monitor.data.feed import BucketCount
from monitor.settings import ModelSettings
from tests.data.logs import Make, at, prediction, small_model, tables

HOUR = timedelta(hours=1)
NEW_YORK = "America/New_York"


def clock(text: str) -> datetime:
    """What a clock on some wall shows."""
    return datetime.fromisoformat(text)


def model_with(zone: str) -> ModelSettings:
    said = small_model().predictions.model_copy(update={"timezone": zone})
    return small_model(predictions=said, outcomes=None, bucket=HOUR)


def with_times(values: pa.Array) -> dict[str, pa.Table]:
    given = tables([prediction(f"p{place}", 0) for place in range(len(values))], [])
    live = given["predictions"]
    given["predictions"] = live.set_column(live.column_names.index("at"), "at", values)
    return given


def hours(make: Make, model: ModelSettings, values: pa.Array, start: datetime) -> list[int]:
    """How many hours after *start* the buckets with rows begin, each as often as it has rows."""
    feed = make(model, with_times(values))
    counts = feed.counts(start, start + timedelta(days=400), start + timedelta(days=500))
    return [(bucket - start) // HOUR for bucket in sorted(counts) for _ in range(counts[bucket].rows)]


MARCH = datetime(2013, 3, 10, tzinfo=UTC)  # clocks in New York jump from 02:00 to 03:00
NOVEMBER = datetime(2013, 11, 3, tzinfo=UTC)  # and go back from 02:00 to 01:00


@pytest.mark.parametrize(
    ("local", "start", "expected"),
    [
        (clock("2013-03-10 01:59"), MARCH, 6),  # winter: five hours behind
        (clock("2013-03-10 03:00"), MARCH, 7),  # summer, one minute later
        (clock("2013-03-10 02:30"), MARCH, 7),  # a time no clock showed: taken as half an hour after the jump
        (clock("2013-11-03 00:59"), NOVEMBER, 4),  # summer: four hours behind
        (clock("2013-11-03 01:30"), NOVEMBER, 6),  # shown twice: taken as the second time
        (clock("2013-11-03 02:00"), NOVEMBER, 7),  # winter
    ],
)
def test_naive_times_are_of_the_configured_zone(make: Make, local: datetime, start: datetime, expected: int) -> None:
    assert hours(make, model_with(NEW_YORK), pa.array([local], pa.timestamp("us")), start) == [expected]


def test_naive_times_are_utc_where_nothing_says_otherwise(make: Make) -> None:
    assert hours(make, model_with("UTC"), pa.array([MARCH.replace(tzinfo=None)], pa.timestamp("us")), MARCH) == [0]


def test_aware_times_keep_their_zone(make: Make) -> None:
    moment = datetime(2013, 3, 10, 3, 0, tzinfo=ZoneInfo(NEW_YORK))
    values = pa.array([moment], pa.timestamp("us", NEW_YORK))
    assert hours(make, model_with("Asia/Tokyo"), values, MARCH) == [7]


def test_dates_are_midnight_in_the_configured_zone(on_files: Make) -> None:
    assert hours(on_files, model_with(NEW_YORK), pa.array([date(2013, 3, 11)]), MARCH) == [28]


def test_text_is_read_with_its_own_zone_or_the_configured_one(make: Make) -> None:
    texts = ["2013-03-10T03:00:00Z", "2013-03-10 05:00:00+02:00", "2013-03-10T06:00:00", "2013-03-11"]
    assert hours(make, model_with(NEW_YORK), pa.array(texts), MARCH) == [3, 3, 10, 28]


def test_text_without_a_zone_is_utc_where_nothing_says_otherwise(make: Make) -> None:
    texts = ["2013-03-10T03:00:00Z", "2013-03-10T06:00:00.5", "2013-03-11"]
    assert hours(make, model_with("UTC"), pa.array(texts), MARCH) == [3, 6, 24]


def test_text_that_is_no_time_is_a_sentence(make: Make) -> None:
    feed = make(model_with("UTC"), with_times(pa.array(["some day"])))
    with pytest.raises(WrongType, match=r"a value does not fit its column \(.*some day.*\); correct the rows"):
        feed.counts(at(0), at(1), at(1))


def test_numbers_are_not_guessed_to_be_times(make: Make) -> None:
    feed = make(model_with("UTC"), with_times(pa.array([1362873600])))
    with pytest.raises(WrongType) as raised:
        feed.counts(at(0), at(1), at(1))
    assert str(raised.value).endswith(
        ": the column 'at' holds int64, not times; give timestamps, or text such as 2013-04-16T00:00:00Z."
    )


def test_rows_without_a_time_are_in_no_bucket(make: Make) -> None:
    values = pa.array([None, at(0).replace(tzinfo=None)], pa.timestamp("us"))
    feed = make(model_with("UTC"), with_times(values))
    assert feed.counts(at(0), at(1), at(9)) == {at(0): BucketCount(1, 0)}


def test_tiles_next_to_each_other_are_read_as_one_span() -> None:
    day = timedelta(days=1)
    starts = [at(3), at(0), at(1)]
    assert times.spans_of(starts, day, at(9)) == [(at(0), at(2)), (at(3), at(4))]
    assert times.spans_of(starts, day, at(1.5)) == [(at(0), at(1.5))]
    assert times.spans_of(starts, day, at(0)) == []


def test_times_before_1970_fall_into_their_own_bucket(on_files: Make) -> None:
    start = datetime(1969, 12, 31, tzinfo=UTC)
    values = pa.array([clock("1969-12-31 23:59:59.7")], pa.timestamp("us"))
    assert hours(on_files, model_with("UTC"), values, start) == [23]
