"""Charts on their way into the thread of an incident: drawn, kept and shown once, and never in a message's way."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, update

from monitor.alerts.alert import Alert
from monitor.delivery.charting import RECENT, Charts
from monitor.delivery.drawing import Drawing
from monitor.delivery.slack import SlackReceiver
from monitor.delivery.uploads import MOST_ATTEMPTS, Uploads
from monitor.history import queries
from monitor.history.tables import (
    alerts,
    artifacts,
    episodes,
    evaluations,
    incidents,
    measurements,
    receivers,
    uploads,
    verdicts,
)
from tests.alerts.scenes import DAY, Model, end, verdict
from tests.delivery.boxes import CHANNEL, NOW, SECOND, drain, put, relay_on
from tests.delivery.fake_slack import FakeSlack, Limited

OPENED, RESOLVED, AGAIN = "chart-opened.png", "chart-resolved.png", "chart-opened-2.png"
UNITS: Mapping[str, str] = {"accuracy": ""}
DRAWING = Drawing()
VALUES = (0.77, 0.76, 0.78, 0.668)


@pytest.fixture(scope="module", autouse=True)
def _no_process_is_left() -> Iterator[None]:
    yield
    DRAWING.close()


@pytest.fixture
def receiver(slack: FakeSlack) -> SlackReceiver:
    return SlackReceiver(FakeSlack.token, "#alerts", api_url=slack.url, timeout=timedelta(seconds=2))


@pytest.fixture
def incident(engine: Engine, receiver: SlackReceiver) -> int:
    """An incident that people were told of, with the four windows before it."""
    model = Model()
    told = model.see(len(VALUES), verdict("breach", 0.668)).notifications
    incident = put(engine, told)
    [alert] = model.alerts.values()
    with engine.begin() as connection:
        for day, value in enumerate(VALUES, start=1):
            window(connection, day, value)
        keep_alert(connection, incident, alert)
    drain(relay_on(engine, receiver), seconds=3)
    return incident


def window(connection: Any, day: int, value: float) -> None:
    where = {"model": "flight-delay", "version": "2013-04", "plan": "p", "state": "done", "evaluated_at": NOW}
    times = {"window_start": end(day - 7), "window_end": end(day)}
    key = connection.execute(insert(evaluations).values(**where, **times)).inserted_primary_key[0]
    about = {"evaluation_id": key, "check": "accuracy", "metric": "accuracy", "value": value}
    connection.execute(insert(measurements).values(**about, low=value - 0.01, high=value + 0.01))
    judged = {"verdict": "breach" if value < 0.7 else "ok", "reason": "because", "severity": "page", "side": "min"}
    connection.execute(insert(verdicts).values(**about, **judged, threshold=0.728, released_value=0.781))


def keep_alert(connection: Any, incident: int, alert: Alert) -> None:
    about = {"metric": alert.metric, "column": alert.column, "segment": alert.segment}
    state = {"state": alert.to_data(), "condition": alert.condition, "window_end": alert.window_end}
    connection.execute(insert(alerts).values(key=alert.key, model=alert.model, side=alert.side, **about, **state))
    row = {"incident_id": incident, "alert_key": alert.key, "severity": "page", "opened_at": alert.opened_at}
    connection.execute(insert(episodes).values(**row, **about))


def draw_all(engine: Engine, now: Any = NOW + 5 * SECOND) -> None:
    charts = Charts(engine, [CHANNEL], UNITS, DRAWING)
    while charts.draw_one(now):
        pass


def show_all(engine: Engine, receiver: SlackReceiver, now: Any = NOW + 6 * SECOND) -> None:
    shown = Uploads(engine, [receiver], Charts(engine, [CHANNEL], UNITS, DRAWING).describe)
    while shown.do_one(now):
        pass


def waiting(engine: Engine) -> list[Any]:
    with engine.begin() as connection:
        return list(connection.execute(select(uploads).order_by(uploads.c.id)))


def test_a_chart_is_drawn_kept_and_shown_once_each_time_it_opens_and_each_time_it_is_resolved(
    slack: FakeSlack, engine: Engine, receiver: SlackReceiver, incident: int
) -> None:
    for _ in range(2):
        draw_all(engine)
        show_all(engine, receiver)
    [kept] = queries.artifacts(engine, incident=incident)
    assert (kept.check, kept.name, kept.media_type) == ("chart", OPENED, "image/png")

    with engine.begin() as connection:
        connection.execute(update(incidents).values(resolved_at=end(5)))
        connection.execute(update(episodes).values(resolved_at=end(5)))
    for _ in range(2):
        draw_all(engine)
        show_all(engine, receiver)
    assert [each.name for each in queries.artifacts(engine, incident=incident)] == [OPENED, RESOLVED]

    with engine.begin() as connection:
        [first] = connection.execute(select(episodes)).all()
        again = {name: value for name, value in zip(episodes.c.keys(), first, strict=True) if name != "id"}
        connection.execute(update(incidents).values(resolved_at=None))
        connection.execute(insert(episodes).values({**again, "opened_at": end(60), "resolved_at": None}))
    for _ in range(2):
        draw_all(engine)
        show_all(engine, receiver)
    assert [each.name for each in queries.artifacts(engine, incident=incident)] == [OPENED, RESOLVED, AGAIN]
    [parent] = slack.parents()
    assert [each.title for each in slack.record.files] == [
        f"flight-delay 2013-04, incident {incident} when it opened",
        f"flight-delay 2013-04, incident {incident} when it was resolved",
        f"flight-delay 2013-04, incident {incident} when it opened again",
    ]
    assert {(each.channel, each.thread_ts) for each in slack.record.files} == {(parent.channel, parent.ts)}
    assert all((each.content or b"").startswith(b"\x89PNG") for each in slack.record.files)
    assert slack.record.files[0].alt_text == (
        "accuracy of flight-delay 2013-04 in 4 windows that ended from 2013-06-04 to 2013-06-07: 1 in breach, "
        "the newest 0.668 < 0.728."
    )
    assert [row.state for row in waiting(engine)] == ["sent"] * 3


def test_charts_are_outstanding_until_each_is_drawn_and_tried_to_be_shown(
    slack: FakeSlack, engine: Engine, receiver: SlackReceiver, incident: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a played run waits for before it ends."""
    monkeypatch.setattr(Drawing, "png", lambda *_: b"\x89PNG")
    charts = Charts(engine, [CHANNEL], UNITS, DRAWING)
    shown = Uploads(engine, [receiver], charts.describe)
    now = NOW + 5 * SECOND

    assert (charts.outstanding(now), shown.outstanding(now)) == (True, False)
    assert charts.draw_one(now)
    assert (charts.outstanding(now), shown.outstanding(now)) == (False, True)
    assert shown.do_one(now)
    assert (charts.outstanding(now), shown.outstanding(now)) == (False, False)


def test_what_cannot_be_drawn_is_not_outstanding(
    engine: Engine, incident: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    charts = Charts(engine, [CHANNEL], UNITS, DRAWING)
    while charts.draw_one(NOW + 5 * SECOND):
        pass

    assert not charts.outstanding(NOW + 5 * SECOND)


@pytest.mark.usefixtures("drawn")
def test_nobody_waits_for_an_upload_that_failed_or_for_a_slack_that_is_paused(
    slack: FakeSlack, engine: Engine, receiver: SlackReceiver
) -> None:
    shown = Uploads(engine, [receiver], lambda _: "a chart")
    now = NOW + 6 * SECOND
    with engine.begin() as connection:
        connection.execute(update(receivers).values(blocked_until=now + SECOND))
    assert not shown.outstanding(now)

    assert shown.outstanding(now + SECOND)
    slack.script("files.getUploadURLExternal", "500")
    assert shown.do_one(now + SECOND)
    assert [row.state for row in waiting(engine)] == ["pending"]
    assert not shown.outstanding(now + 3600 * SECOND)


@pytest.fixture
def drawn(engine: Engine, incident: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chart is drawn, by something quicker than a renderer."""
    monkeypatch.setattr(Drawing, "png", lambda *_: b"\x89PNG")
    draw_all(engine)


@pytest.mark.usefixtures("drawn")
def test_an_upload_that_fails_is_tried_five_times_and_longer_apart_each_time(
    slack: FakeSlack, engine: Engine, receiver: SlackReceiver
) -> None:
    slack.script("files.getUploadURLExternal", *["500"] * 10)
    tries: list[int] = []
    for second in range(0, 600, 10):
        show_all(engine, receiver, NOW + (6 + second) * SECOND)
        tries += [second] if slack.called("files.getUploadURLExternal") > len(tries) else []
    assert len(tries) == MOST_ATTEMPTS
    gaps = [later - earlier for earlier, later in pairwise(tries)]
    assert gaps == [30, 60, 120, 240]
    [row] = waiting(engine)
    assert (row.state, row.attempts) == ("given_up", MOST_ATTEMPTS)
    assert "HTTP 500" in row.error


@pytest.mark.usefixtures("drawn")
def test_what_slack_refuses_is_given_up_at_once_with_the_way_out(
    slack: FakeSlack, engine: Engine, receiver: SlackReceiver
) -> None:
    slack.script("files.getUploadURLExternal", "missing_scope")
    show_all(engine, receiver)
    [row] = waiting(engine)
    assert row.state == "given_up"
    assert "files:write" in row.error


@pytest.mark.usefixtures("drawn")
def test_an_upload_waits_as_long_as_slack_asks_and_holds_up_no_message(
    slack: FakeSlack, engine: Engine, receiver: SlackReceiver
) -> None:
    slack.script("files.getUploadURLExternal", Limited(90))
    show_all(engine, receiver)
    show_all(engine, receiver, NOW + 90 * SECOND)
    assert slack.called("files.getUploadURLExternal") == 1
    put(engine, Model().see(1, verdict("breach")).notifications, at=NOW + 10 * SECOND)
    drain(relay_on(engine, receiver), NOW + 20 * SECOND, seconds=5)
    assert len(slack.parents()) == 2
    show_all(engine, receiver, NOW + 97 * SECOND)
    assert [row.state for row in waiting(engine)] == ["sent"]


@pytest.mark.usefixtures("drawn")
def test_nothing_is_uploaded_while_the_receiver_is_paused(
    slack: FakeSlack, engine: Engine, receiver: SlackReceiver
) -> None:
    with engine.begin() as connection:
        connection.execute(update(receivers).values(blocked_until=NOW + 60 * SECOND))
    show_all(engine, receiver)
    assert slack.called("files.getUploadURLExternal") == 0
    show_all(engine, receiver, NOW + 60 * SECOND)
    assert [row.state for row in waiting(engine)] == ["sent"]


def test_an_incident_nobody_was_told_of_lately_gets_no_chart(engine: Engine, incident: int) -> None:
    draw_all(engine, NOW + RECENT + DAY)
    assert queries.artifacts(engine) == []


def test_what_cannot_be_drawn_is_said_once_and_costs_nothing_else(
    engine: Engine, incident: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    charts = Charts(engine, [CHANNEL], UNITS, Drawing())
    assert [charts.draw_one(NOW) for _ in range(3)] == [True, False, False]
    assert capsys.readouterr().out.count("The chart was not drawn: its process ended.") == 1
    assert queries.artifacts(engine) == []


def test_the_daemon_itself_never_draws() -> None:
    words = "import sys; import monitor.errands; print(','.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True, timeout=60)
    assert not {"altair", "vl_convert"} & set(done.stdout.strip().split(","))


def test_the_history_keeps_the_picture_as_it_was_drawn(engine: Engine, incident: int) -> None:
    draw_all(engine)
    with engine.begin() as connection:
        [identity] = connection.execute(select(artifacts.c.id)).scalars()
    found = queries.artifact(engine, identity)
    assert found is not None
    assert found[1].startswith(b"\x89PNG\r\n")
    assert len(found[1]) == found[0].size
