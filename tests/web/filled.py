"""A history with a little of everything, under names that are as bad as names can be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from checks.profile import Categories, Distribution, Layout, Numbers, Profile, Slice
from monitor.alerts.alert import Alert, alert_key
from monitor.alerts.message import Message
from monitor.history import silences
from monitor.history.records import (
    AlertRecord,
    ArtifactRecord,
    BaselineRecord,
    EpisodeRecord,
    EvaluationRecord,
    MeasurementRecord,
    OutboxRecord,
    ProfileRecord,
    Silence,
    TransitionRecord,
    VerdictRecord,
)
from monitor.history.store import Store
from monitor.history.values import packed

DAY = timedelta(days=1)
START = datetime(2013, 7, 1, tzinfo=UTC)
WALL = datetime(2026, 1, 1, tzinfo=UTC)
HOSTILE = "=cmd|'/c calc'!A0 <script>alert(1)</script> \"';-- %00 \u202e \U0001f600\n&amp;"
SEGMENT = f"city={HOSTILE}"


@dataclass(frozen=True, slots=True)
class Filled:
    """The ids of what is there."""

    evaluation: int
    incident: int
    artifact: int
    silence: int


MATURITY = {"usual": 0.9, "enough": 0.8, "half_in": 86400.0, "most_in": 345600.0}


def fill(engine: Engine, model: str = "flights", days: int = 5) -> Filled:
    """*days* windows of a model, of which the last one breaches and opens an incident."""
    store = Store(engine)
    layout = Layout({"temp": Numbers((0.0, 10.0)), HOSTILE: Categories((HOSTILE,))})
    whole = Slice(3, 2, {"temp": Distribution((0, 2, 1), total=9.0), HOSTILE: Distribution((2, 1))})
    profile = Profile(layout, {"": whole}).to_bytes()
    baseline = store.save_baseline(BaselineRecord(model, "v1", "f", layout.to_bytes(), START, profile))
    token = store.claim(model, "me", WALL, DAY)
    assert token is not None
    for day in range(1, days + 1):
        end = START + day * DAY
        value, verdict = (0.6, "breach") if day == days else (0.8, "ok")
        with store.recording(model, token, WALL) as recording:
            failures = {"drift": {"sentence": f"The check drift raised {HOSTILE}", "detail": "Traceback"}}
            detail = {"failures": failures, "maturity": MATURITY}
            made = EvaluationRecord("v1", "1d", end - DAY, end, end, seconds=0.5, rows=3, detail=detail)
            evaluation = recording.evaluation(made)
            measured = [MeasurementRecord("accuracy", "accuracy", value, value - 0.1, float("inf"), 3)]
            measured += [MeasurementRecord("drift", "drift", 0.1, column=HOSTILE, segment=SEGMENT)]
            recording.measurements(evaluation, measured)
            judged = VerdictRecord(
                "accuracy", verdict, "because", "page", "min", check="accuracy", threshold=0.7, value=value
            )
            recording.verdicts(
                evaluation, [judged, VerdictRecord("coverage", "error", "x", "page", "min", sentence=HOSTILE)]
            )
            recording.profiles(baseline, {end - DAY: ProfileRecord(end, 3, 2, profile, end)})
    with store.recording(model, token, WALL) as recording:
        recording.artifacts(
            evaluation, [ArtifactRecord("evidently", f"{HOSTILE}.html", "text/html", 4, packed(b"<b>!"))], WALL
        )
        incident = recording.open_new_incident(version="v1", severity="page", opened_at=end)
        key = alert_key(model, "accuracy", "", "", "min")
        firing = Alert(
            key, model, "accuracy", "", "", "min", "page", "firing", since=end, opened_at=end, window_end=end
        )
        recording.save_alerts([AlertRecord(key, "accuracy", "min", "firing", end, firing.to_data())])
        recording.open_episode(incident, EpisodeRecord(key, "accuracy", "page", end, value=0.6, threshold=0.7))
        recording.transitions(
            [
                TransitionRecord(
                    key, "accuracy", "", "", "min", end, "inactive", "firing", "fired", 0.6, incident, evaluation
                )
            ],
            WALL,
        )
        said = Message(
            "opened", "page", model, "v1", HOSTILE, (), HOSTILE, (), 0, "@team", None, HOSTILE, end, end
        ).to_data()
        recording.enqueue(OutboxRecord(f"{incident}/1/console", incident, "console", "opened", said, WALL))
    store.give_back(model, token)
    silence = silences.add(engine, Silence(0, {"model": model}, WALL, WALL + DAY, HOSTILE, HOSTILE), WALL)
    return Filled(evaluation, incident, 1, silence.id)


def relapse(engine: Engine, incident: int, hours: int, model: str = "flights", days: int = 5) -> int:
    """An incident of ``fill`` is resolved an hour after it opened and opens again *hours* after that; by which
    evaluation."""
    store = Store(engine)
    token = store.claim(model, "me", WALL, DAY)
    assert token is not None
    over = START + days * DAY + timedelta(hours=1)
    end, key = over + timedelta(hours=hours), alert_key(model, "accuracy", "", "", "min")
    with store.recording(model, token, WALL) as recording:
        evaluation = recording.evaluation(EvaluationRecord("v1", "1d", end - DAY, end, end, rows=3))
        recording.measurements(evaluation, [MeasurementRecord("accuracy", "accuracy", 0.55)])
        judged = VerdictRecord("accuracy", "breach", "x", "page", "min", sentence="It fell anew.", value=0.55)
        recording.verdicts(evaluation, [judged])
        recording.resolve_episode(incident, key, over)
        recording.open_episode(incident, EpisodeRecord(key, "accuracy", "page", end, value=0.55, threshold=0.7))
        about = (key, "accuracy", "", "", "min", end, "resolved", "firing", "fired", 0.55, incident, evaluation)
        recording.transitions([TransitionRecord(*about)], WALL)
    store.give_back(model, token)
    return evaluation
