"""The flights: the same on files and on PostgreSQL, and the same as pandas says of the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from checks.profile import Categories, Numbers, Profile
from monitor.data.feed import Feed
from tests.data.logs import DAY, FLIGHTS, assert_equal_profiles, flights_model, into_postgres, on_postgres, on_spark

BEGIN = datetime(2013, 4, 16, tzinfo=UTC)
WEEKS = [BEGIN + day * DAY for day in range(21)]
END = WEEKS[-1] + DAY
AS_OF = END + timedelta(hours=6)


@pytest.fixture(scope="module")
def feed() -> Iterator[Feed]:
    feed = Feed(flights_model(), FLIGHTS)
    yield feed
    feed.close()


@pytest.fixture(scope="module")
def profiles(feed: Feed) -> dict[datetime, Profile]:
    return feed.profiles(feed.baseline(AS_OF).layout, WEEKS, AS_OF)


def test_postgresql_says_the_same_as_the_files(
    feed: Feed, profiles: dict[datetime, Profile], flights: dict[str, pd.DataFrame], postgres_database: str
) -> None:
    live = flights["predictions"]
    first = live[live["timestamp"] < pd.Timestamp(END).tz_localize(None)]
    known = flights["outcomes"][flights["outcomes"]["prediction_id"].isin(first["prediction_id"])]
    given = {"predictions": first, "outcomes": known, "reference": flights["reference"]}
    into_postgres(postgres_database, {name: pa.Table.from_pandas(frame) for name, frame in given.items()})
    other = Feed(on_postgres(flights_model(population=None), postgres_database), Path())

    here, there = feed.baseline(AS_OF), other.baseline(AS_OF)

    assert (here.layout, here.delay) == (there.layout, there.delay)
    assert here.profile is not None
    assert there.profile is not None
    assert_equal_profiles(here.profile, there.profile)
    assert feed.counts(BEGIN, END, AS_OF) == other.counts(BEGIN, END, AS_OF)
    for start, profile in other.profiles(there.layout, WEEKS, AS_OF).items():
        assert_equal_profiles(profile, profiles[start])
    other.close()


def test_spark_says_the_same_as_the_files(feed: Feed, profiles: dict[datetime, Profile], spark: str) -> None:
    other = Feed(on_spark(flights_model(), spark, FLIGHTS), Path())

    here, there = feed.baseline(AS_OF), other.baseline(AS_OF)

    assert (here.layout, here.delay) == (there.layout, there.delay)
    assert here.profile is not None
    assert there.profile is not None
    assert_equal_profiles(here.profile, there.profile)
    assert feed.counts(BEGIN, END, AS_OF) == other.counts(BEGIN, END, AS_OF)
    for start, profile in other.profiles(there.layout, WEEKS, AS_OF).items():
        assert_equal_profiles(profile, profiles[start])
    other.close()


def joined(flights: dict[str, pd.DataFrame], start: datetime) -> pd.DataFrame:
    live, outcomes = flights["predictions"], flights["outcomes"]
    known = outcomes[outcomes["outcome_time"] <= pd.Timestamp(AS_OF).tz_localize(None)]
    begin = pd.Timestamp(start).tz_localize(None)
    day = live[(live["timestamp"] >= begin) & (live["timestamp"] < begin + DAY)]
    return day.merge(known, on="prediction_id", how="left")


@pytest.mark.parametrize("start", [WEEKS[0], WEEKS[9], WEEKS[-1]])
def test_pandas_says_the_same_of_the_same_rows(
    profiles: dict[datetime, Profile], flights: dict[str, pd.DataFrame], start: datetime
) -> None:
    rows, profile = joined(flights, start), profiles[start]
    whole, labelled = profile.whole, rows.dropna(subset="y_true")
    assert (whole.rows, whole.labelled) == (len(rows), len(labelled))
    crossed = pd.crosstab(labelled["y_pred"], labelled["y_true"].astype(int))
    assert whole.confusion == {
        (str(said), str(truth)): crossed.loc[said, truth] for said in crossed.index for truth in crossed.columns
    }
    lags = labelled["outcome_time"] - labelled["timestamp"]
    assert (sum(profile.lags), profile.early_outcomes) == (len(labelled), int((lags < timedelta(0)).sum()))
    for origin, part in rows.groupby("origin"):
        segment = profile.slices[f"origin={origin}"]
        assert (segment.rows, segment.labelled) == (len(part), part["y_true"].notna().sum())


@pytest.mark.parametrize("start", [WEEKS[0], WEEKS[9], WEEKS[-1]])
def test_pandas_counts_the_same_cells(
    profiles: dict[datetime, Profile], flights: dict[str, pd.DataFrame], start: datetime
) -> None:
    rows, profile = joined(flights, start), profiles[start]
    for name, cells in profile.layout.columns.items():
        column, found = rows[name], profile.whole.columns[name]
        assert found.null + found.nan == column.isna().sum(), name
        if isinstance(cells, Categories):
            labels = column.dropna().map(lambda value: str(int(value)) if isinstance(value, float | int) else value)
            counts = labels.value_counts()
            assert found.counts[:-1] == tuple(counts.get(value, 0) for value in cells.values), name
            continue
        assert isinstance(cells, Numbers)
        values = column.dropna().to_numpy(np.float64)
        places = np.searchsorted(np.array(cells.edges), values, side="right")
        assert found.counts == tuple(np.bincount(places, minlength=cells.cells)), name
        assert found.total == pytest.approx((values - cells.centre).sum(), rel=1e-9, abs=1e-6), name
        assert found.squares == pytest.approx(((values - cells.centre) ** 2).sum(), rel=1e-9), name
        assert (found.low, found.high) == (values.min(), values.max()), name


def test_scores_and_losses_are_those_of_scikit_learn(
    profiles: dict[datetime, Profile], flights: dict[str, pd.DataFrame]
) -> None:
    from sklearn.metrics import brier_score_loss, log_loss

    rows = joined(flights, WEEKS[5]).dropna(subset="y_true")
    scores = profiles[WEEKS[5]].whole.scores
    assert scores is not None
    truth, chance = rows["y_true"].to_numpy(), rows["y_pred_proba"].to_numpy(np.float64)
    assert scores.log_loss == pytest.approx(log_loss(truth, chance, normalize=False), rel=1e-9)
    assert scores.squared_error == pytest.approx(brier_score_loss(truth, chance) * len(rows), rel=1e-9)
    bins = np.minimum(np.floor(chance * 1000), 999).astype(int)
    assert scores.positives == tuple(np.bincount(bins[truth == 1], minlength=1000))
    assert scores.negatives == tuple(np.bincount(bins[truth == 0], minlength=1000))


def test_edges_are_quantiles_of_the_reference(feed: Feed, flights: dict[str, pd.DataFrame]) -> None:
    layout = feed.baseline(AS_OF).layout
    assert list(layout.columns)[-3:] == ["y_pred", "y_pred_proba", "y_true"]
    assert layout.segments == {"origin": ("EWR", "JFK", "LGA")}
    score = layout.columns["y_pred_proba"]
    assert isinstance(score, Numbers)
    values = flights["reference"]["y_pred_proba"].to_numpy(np.float64)
    least, *quantiles, beyond = score.edges
    assert (least, beyond) == (values.min(), np.nextafter(values.max(), np.inf)), "the ends of the reference"
    assert len(quantiles) == 40
    shares = np.diff(np.concatenate([[0], np.sort(values).searchsorted(quantiles), [len(values)]])) / len(values)
    assert shares == pytest.approx(np.full(41, 1 / 41), abs=0.001)
    hours = layout.columns["sched_hour"]
    assert isinstance(hours, Numbers)
    seen = sorted(flights["reference"]["sched_hour"].unique())
    assert hours.edges == (*seen, np.nextafter(float(seen[-1]), np.inf)), "few values: an edge each"
    carrier = layout.columns["carrier"]
    assert isinstance(carrier, Categories)
    assert carrier.values[0] == flights["reference"]["carrier"].value_counts().index[0]


def test_the_timetable_holds_every_flight_once(flights: dict[str, pd.DataFrame]) -> None:
    wanted = flights["predictions"][["entity_id", "timestamp", "origin"]].drop_duplicates()
    assert len(flights["schedule"]) == len(wanted)
    assert len(flights["schedule"].merge(wanted)) == len(wanted)
