"""A revision that turns an older verdict over is told in the thread of the incident of that time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from monitor.alerts.alert import Alert
from monitor.alerts.correction import corrected, turned_over
from monitor.alerts.incident import notifications
from monitor.alerts.message import Message
from monitor.history.corrections import take_turn, verdicts_before
from monitor.history.recording import Recording
from monitor.release.verdict import Verdict
from monitor.schedule.due import DueWindow
from monitor.schedule.watch import Watch


def correct(
    recording: Recording,
    watch: Watch,
    due: DueWindow,
    verdicts: Sequence[Verdict],
    alerts: Sequence[Alert],
    wall: datetime,
) -> None:
    """Put a line into the outbox for everyone who was told of that incident; *alerts* are those before the window."""
    if due.revision == 0:
        return
    window = (due.start, due.end)
    before = verdicts_before(recording.connection, watch.name, due.plan.name, window, due.revision)
    turned = turned_over(watch.name, before, verdicts, alerts, due.end)
    turn = take_turn(recording.connection, watch.name, due.end) if turned else None
    if turn is None:
        return
    incident_id, sequence, newest = turn
    message = corrected(Message.from_data(newest), watch.name, turned, due.end)
    for one in notifications(incident_id, sequence, message, recording.told(incident_id), wall):
        recording.enqueue(one)
