"""Training time: the last training, the one that runs, and how old the deployed model is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from checks.contract import Training, Window
from checks.profile import Layout, Profile
from checks.training_time import TrainingTime

NOW = datetime(2024, 3, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)


def training(begun: float, took: float | None, version: str = "", *, good: bool | None = True) -> Training:
    """Begun so many hours ago; *took* None while it runs."""
    started = NOW - begun * HOUR
    return Training(started, None if took is None else started + took * HOUR, good if took else None, version)


def measured(*trainings: Training, version: str = "7", as_of: datetime | None = None) -> dict[str, float | None]:
    """In hours, but for training_failed."""
    window = Window(
        NOW - 24 * HOUR,
        NOW,
        "binary",
        (Profile(Layout({})),),
        load_trainings=lambda: sorted(trainings, key=lambda one: one.started),
        version=version,
        as_of=as_of,
    )
    found = list(TrainingTime().measure(window))
    assert all(one.rows == len(trainings) and one.low is None for one in found)
    assert all(one.value is not None or str(one.detail["reason"]).endswith(".") for one in found)
    return {
        one.metric: one.value if one.metric == "training_failed" or one.value is None else one.value / 3600
        for one in found
    }


@pytest.mark.parametrize(
    ("trainings", "took", "failed", "age", "since"),
    [
        # one that succeeded
        ([training(30, 2)], 2, 0, 28, 28),
        # the last one failed: it took its time, and the model is of the one before
        ([training(30, 2), training(9, 5, good=False)], 5, 1, 28, 28),
        # a running one is shorter so far than the last
        ([training(30, 2), training(1, None)], 2, 0, 28, 28),
        # ... or longer
        ([training(30, 2), training(9, None)], 9, 0, 28, 28),
        # one that never ended does not run on once another was begun
        ([training(900, None), training(30, 2)], 2, 0, 28, 28),
        # only a running one
        ([training(3, None)], 3, None, None, None),
        # only a failed one
        ([training(30, 2, good=False)], 2, 1, None, None),
        # the deployed version is an older one
        ([training(90, 3, "7"), training(30, 2, "8")], 2, 0, 87, 28),
        # ... trained twice
        ([training(90, 3, "7"), training(60, 3, "7"), training(30, 2, "8")], 2, 0, 57, 28),
        # nothing is known of the deployed version
        ([training(30, 2, "8")], 2, 0, None, 28),
        # none at all
        ([], None, None, None, None),
    ],
)
def test_the_trainings_tell(
    trainings: list[Training], took: float | None, failed: float | None, age: float | None, since: float | None
) -> None:
    assert measured(*trainings) == {
        "training_time": took,
        "training_failed": failed,
        "model_age": age,
        "since_training": since,
    }


def test_a_run_that_was_killed_without_an_end_failed_and_has_no_duration() -> None:
    killed = Training(NOW - 5 * HOUR, None, succeeded=False)
    found = measured(training(30, 2), killed)
    assert (found["training_time"], found["training_failed"]) == (2, 1)


def test_ages_are_told_at_the_end_of_the_window_whenever_it_is_judged() -> None:
    assert measured(training(30, 2), as_of=NOW + 99 * HOUR)["model_age"] == 28
    assert measured(training(30, 2), as_of=NOW - 6 * HOUR)["model_age"] == 22
