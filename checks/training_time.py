"""Training time: how long the last training took, whether it succeeded, and how old the deployed model is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import ClassVar

from checks.contract import Check, Measurement, Metric, Needs, Training, Window


class TrainingTime(Check):
    """Duration of the last training, whether it failed, the age of the deployed model, time since the last success.

    ``training_time`` is finished - started of the training begun last of those that ended, in seconds; while a newer
    one runs for longer than that already, its time so far. ``training_failed`` is 1 where the last training that ended
    did not succeed, else 0. ``model_age`` is the time since the newest successful training of the deployed version
    finished (of any version, where none is given), ``since_training`` since any did, both in seconds and told when the
    window ends. Facts, not samples: no intervals. ``rows`` counts the trainings known.
    """

    kind: ClassVar[str] = "training_time"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("training_time", "duration of the last training", "low", "seconds", of_rows=False),
        Metric("training_failed", "1 where the last training failed, else 0", "low", of_rows=False),
        Metric("model_age", "time since the deployed version was trained", "low", "seconds", of_rows=False),
        Metric("since_training", "time since any training succeeded", "low", "seconds", of_rows=False),
    )

    def needs(self) -> Needs:
        return Needs(trainings=True)

    def measure(self, window: Window) -> Iterator[Measurement]:
        known, now = window.trainings, window.closed
        ended = [one for one in known if one.finished is not None or one.succeeded is not None]
        good = [one for one in ended if one.finished is not None and one.succeeded is not False]
        none = "No training has ended yet." if known else "No training was begun up to now."
        failed = float(ended[-1].succeeded is False) if ended else None
        yield _told("training_time", _longest(known, ended, now), none, known)
        yield _told("training_failed", failed, none, known)
        mine = [one for one in good if one.version == window.version] if any(one.version for one in good) else good
        listed = ", ".join(sorted({one.version for one in good})[-5:])
        other = f"No successful training of version {window.version} is known, only of {listed}."
        nothing = "No training has succeeded yet."
        yield _told("model_age", _since(mine, now), other if good else nothing, known)
        yield _told("since_training", _since(good, now), nothing, known)


def _longest(known: Sequence[Training], ended: Sequence[Training], now: datetime) -> float | None:
    """Seconds the last training took, or those the one that runs has taken so far, if that is longer."""
    took = [(one.finished - one.started).total_seconds() for one in ended if one.finished is not None]
    running = known[-1] if known and known[-1] not in ended else None
    so_far = None if running is None else (now - running.started).total_seconds()
    return max([*took[-1:], *([] if so_far is None else [so_far])], default=None)


def _since(trainings: Sequence[Training], now: datetime) -> float | None:
    newest = max((one.finished for one in trainings if one.finished is not None), default=None)
    return None if newest is None else (now - newest).total_seconds()


def _told(metric: str, value: float | None, reason: str, known: Sequence[Training]) -> Measurement:
    detail: dict[str, object] = {"reason": reason} if value is None else {"version": known[-1].version}
    return Measurement(metric, value, rows=len(known), detail=detail)
