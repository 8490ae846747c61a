"""Buttons pressed in Slack: acknowledged at once, done once, answered, and refused where they are not ours."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select

from monitor.alerts.buttons import VALID_FOR, Action, button_values, signing_key
from monitor.delivery.pressing import Presses, read_press
from monitor.delivery.slack import SlackReceiver
from monitor.delivery.socket import Socket, answer
from monitor.history import silences
from monitor.history.tables import acknowledgements, interactions
from tests.alerts.scenes import Model, verdict
from tests.delivery.boxes import NOW, SECOND, drain, put, relay_on
from tests.delivery.fake_slack import FakeSlack
from tests.delivery.fake_socket import FakeSocket

KEY = signing_key(FakeSlack.token)
DAY = timedelta(days=1)


@pytest.fixture
def incident(slack: FakeSlack, engine: Engine) -> int:
    """An incident whose parent message is in Slack."""
    incident = put(engine, Model().see(1, verdict("breach")).notifications)
    receiver = SlackReceiver(FakeSlack.token, "#alerts", api_url=slack.url, timeout=2 * SECOND, buttons=True)
    drain(relay_on(engine, receiver), seconds=3)
    return incident


def payload(slack: FakeSlack, value: str, stamp: str = "1.5", message: str | None = None) -> dict[str, Any]:
    """What Slack sends when Anna presses a button under the first parent."""
    [parent] = slack.parents()
    container = {"type": "message", "channel_id": parent.channel, "message_ts": message or parent.ts}
    return {
        "type": "block_actions",
        "user": {"id": "U0ANNA001", "username": "anna"},
        "container": container,
        "actions": [{"action_id": "x", "value": value, "action_ts": stamp, "type": "button"}],
        "response_url": slack.url.replace("/api/", "/response/e"),
    }


def value(incident: int, action: Action, at: datetime = NOW) -> str:
    return button_values(KEY, incident, at)[action]


class Answers:
    """Who was answered what."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def __call__(self, _: str, sentence: str) -> None:
        self.said.append(sentence)


def presses(engine: Engine, said: Callable[[str, str], None]) -> Presses:
    return Presses(engine, KEY, DAY, said)


def outcomes(engine: Engine) -> list[Any]:
    with engine.begin() as connection:
        return list(connection.execute(select(interactions).order_by(interactions.c.received_at)))


def test_acknowledge_does_what_the_command_does(slack: FakeSlack, engine: Engine, incident: int) -> None:
    said = Answers()
    presses(engine, said).take(payload(slack, value(incident, "acknowledge")), NOW + SECOND)
    with engine.begin() as connection:
        [kept] = connection.execute(select(acknowledgements)).all()
    assert (kept.incident_id, kept.author, kept.expires_at) == (incident, "anna (Slack)", NOW + SECOND + DAY)
    [row] = outcomes(engine)
    assert row.outcome == said.said[0]
    assert row.handled_at is not None


@pytest.mark.parametrize(("action", "length"), [("silence_1h", timedelta(hours=1)), ("silence_1d", DAY)])
def test_a_silence_mutes_the_model_for_as_long_as_the_button_says(
    slack: FakeSlack, engine: Engine, incident: int, action: Action, length: timedelta
) -> None:
    said = Answers()
    presses(engine, said).take(payload(slack, value(incident, action)), NOW)
    [made] = silences.kept(engine)
    assert (made.matchers, made.ends_at, made.author) == ({"model": "flight-delay"}, NOW + length, "anna (Slack)")
    assert said.said[0].startswith(f"Silence {made.id} mutes everything about flight-delay until ")


def test_show_history_says_what_is_kept(slack: FakeSlack, engine: Engine, incident: int) -> None:
    said = Answers()
    presses(engine, said).take(payload(slack, value(incident, "history")), NOW)
    assert said.said == ["Nothing is kept of flight-delay that could be shown."]


def test_the_same_press_twice_is_done_once(
    slack: FakeSlack, engine: Engine, incident: int, capsys: pytest.CaptureFixture[str]
) -> None:
    said = Answers()
    pressed = payload(slack, value(incident, "silence_1h"))
    for _ in range(3):
        presses(engine, said).take(pressed, NOW)
    assert len(silences.kept(engine)) == len(said.said) == 1
    assert capsys.readouterr().out.count("button_replayed") == 2


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        # another incident with the signature of this one
        (lambda good: good.replace(".", ".1", 1), "This button was not written by this model-monitor"),
        (lambda good: good[:-1], "This button was not written by this model-monitor"),
    ],
)
def test_a_forged_button_is_refused_and_logged(
    slack: FakeSlack,
    engine: Engine,
    incident: int,
    spoil: Callable[[str], str],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = Answers()
    presses(engine, said).take(payload(slack, spoil(value(incident, "silence_1h"))), NOW)
    assert silences.kept(engine) == ()
    assert said.said[0].startswith(sentence)
    assert "button_refused" in capsys.readouterr().out


def test_an_old_button_and_one_under_another_message_are_refused(
    slack: FakeSlack, engine: Engine, incident: int
) -> None:
    said = Answers()
    both = presses(engine, said)
    both.take(payload(slack, value(incident, "silence_1h", NOW - VALID_FOR), "1"), NOW)
    both.take(payload(slack, value(incident, "silence_1h"), "2", message="1700000000.000100"), NOW)
    assert silences.kept(engine) == ()
    assert [each.partition(",")[0] for each in said.said] == [
        "This button is too old",
        "This button does not belong to this message",
    ]


def test_what_a_killed_daemon_left_undone_is_done_by_the_next(slack: FakeSlack, engine: Engine, incident: int) -> None:
    pressed = payload(slack, value(incident, "silence_1h"))
    press = read_press(pressed)
    assert press is not None
    with engine.begin() as connection:
        connection.execute(insert(interactions).values(id=press.id, payload=pressed, received_at=NOW))
    said = Answers()
    after = presses(engine, said)
    after.finish(NOW + 30 * SECOND)
    assert said.said == [], "whoever received it may still be at it"
    for _ in range(2):
        after.finish(NOW + 61 * SECOND)
    assert len(said.said) == len(silences.kept(engine)) == 1


@pytest.mark.parametrize("other", [{}, {"type": "view_submission"}, {"type": "block_actions", "actions": []}])
def test_what_is_no_button_is_left_alone(engine: Engine, other: dict[str, Any]) -> None:
    presses(engine, Answers()).take(other, NOW)
    assert outcomes(engine) == []


@pytest.fixture
def socket(slack: FakeSlack) -> Iterator[FakeSocket]:
    with FakeSocket() as fake:
        slack.socket_url = fake.url
        yield fake


def connected(slack: FakeSlack, take: Callable[[Any], None], silent: float = 60) -> Socket:
    made = Socket(FakeSlack.app_token, FakeSlack.token, api_url=slack.url, timeout=2 * SECOND, take=take, silent=silent)
    made.watch()
    return made


def test_an_envelope_is_acknowledged_before_anything_is_done(slack: FakeSlack, socket: FakeSocket) -> None:
    taken: list[Any] = []

    def take(pressed: Any) -> None:
        time.sleep(0.3)
        taken.append((pressed, list(socket.acknowledged)))

    client = connected(slack, take)
    try:
        socket.send({"type": "interactive", "envelope_id": "e1", "payload": {"n": 1}, "accepts_response_payload": True})
        assert socket.await_acknowledgement() == "e1"
        assert taken == []
        _until(lambda: bool(taken))
        assert taken == [({"n": 1}, ["e1"])]
    finally:
        client.close()


def test_a_button_goes_all_the_way_through_the_socket(
    slack: FakeSlack, socket: FakeSocket, engine: Engine, incident: int
) -> None:
    done = presses(engine, answer)
    client = connected(slack, lambda pressed: done.take(pressed, datetime.now(UTC)))
    try:
        pressed = payload(slack, value(incident, "silence_1h", datetime.now(UTC)))
        for envelope in ("e1", "e2"):  # Slack may send it again
            socket.send({"type": "interactive", "envelope_id": envelope, "payload": pressed})
            assert socket.await_acknowledgement() == envelope
        _until(lambda: bool(slack.record.responses))
        time.sleep(0.3)
    finally:
        client.close()
    [told] = slack.record.responses
    assert (told["response_type"], told["replace_original"]) == ("ephemeral", False)
    assert told["text"].startswith("Silence 1 mutes everything about flight-delay until ")
    assert len(silences.kept(engine)) == 1


def test_a_connection_that_is_dropped_or_silent_is_made_anew(slack: FakeSlack, socket: FakeSocket) -> None:
    taken: list[Any] = []
    client = connected(slack, taken.append, silent=0.5)
    try:
        _until(lambda: len(socket.connections) == 1)
        socket.drop()
        _until(lambda: _watched(client) and bool(socket.connections))
        before = slack.called("apps.connections.open")
        # between two pings, five seconds apart, it is silent for longer than half a second
        _until(lambda: _watched(client) and slack.called("apps.connections.open") > before)
        socket.send({"type": "interactive", "envelope_id": "e9", "payload": {}})
        assert socket.await_acknowledgement() == "e9"
    finally:
        client.close()


def _watched(client: Socket) -> bool:
    client.watch()
    return True


def test_a_token_that_slack_does_not_know_is_said_with_the_way_out(
    slack: FakeSlack, capsys: pytest.CaptureFixture[str]
) -> None:
    slack.script("apps.connections.open", "invalid_auth")
    client = connected(slack, lambda _: None)
    client.close()
    assert "invalid_auth. Give a valid app-level token with the scope connections:write" in capsys.readouterr().out


def _until(done: Callable[[], bool], seconds: float = 8) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)
