"""The digest on its way: once for all daemons, as one message without a thread."""

from __future__ import annotations

import io
import threading
from datetime import UTC, datetime, timedelta

from rich.console import Console
from sqlalchemy import Engine, insert

from monitor.delivery.console import ConsoleReceiver
from monitor.delivery.digesting import digest_once
from monitor.delivery.slack import SlackReceiver
from monitor.history.queries import models
from monitor.history.records import EvaluationRecord, VerdictRecord
from monitor.history.store import Store
from monitor.history.tables import acknowledgements, incidents, silences
from monitor.settings import Digest
from tests.delivery.boxes import CHANNEL, SECOND, drain, relay_on, rows, states
from tests.delivery.fake_slack import FakeSlack

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def make(engine: Engine, now: datetime = NOW, receiver: str = CHANNEL) -> bool:
    return digest_once(engine, Digest(), [receiver], ["churn", "flight-delay"], {}, now=now, wall=now)


def test_a_digest_is_one_message_without_a_thread(slack: FakeSlack, engine: Engine) -> None:
    with engine.begin() as connection:
        opened = {"model": "churn", "version": "7", "severity": "page", "opened_at": NOW}
        key = connection.execute(insert(incidents).values(**opened)).inserted_primary_key
        assert key is not None
        until = {"created_at": NOW, "expires_at": NOW + timedelta(days=1)}
        connection.execute(insert(acknowledgements).values(incident_id=key[0], severity="page", author="anna", **until))
        muted = {"matchers": {"model": "x"}, "starts_at": NOW, "ends_at": NOW + timedelta(hours=1)}
        known = {"author": "ben", "comment": "deploying", "created_at": NOW, "updated_at": NOW}
        connection.execute(insert(silences).values(**muted, **known))
    assert make(engine)
    receiver = SlackReceiver(FakeSlack.token, "#alerts", api_url=slack.url, timeout=SECOND, buttons=True)
    drain(relay_on(engine, receiver), NOW, seconds=5)
    assert states(engine) == ["sent"]
    [posted] = slack.parents()
    assert posted.body["text"] == "🔴 1 of 2 models has an open incident · Mon 02 Mar 2026"
    text = str(posted.body["blocks"])
    assert "acknowledged by anna" in text
    assert "ben" in text
    assert "not evaluated yet · flight-delay" in text
    assert slack.called("chat.update") == 0
    assert slack.invalid == []


def test_what_is_suspicious_is_told_apart_from_what_is_close_to_its_bound(slack: FakeSlack, engine: Engine) -> None:
    with Store(engine) as store:
        token = store.claim("churn", "me", NOW, timedelta(days=1))
        assert token is not None
        with store.recording("churn", token, NOW) as recording:
            window = EvaluationRecord("7", "p", NOW - timedelta(days=7), NOW, NOW)
            recording.verdicts(recording.evaluation(window), [judged(f"m{reason}", reason) for reason in SAID])
        [model] = models(engine)
        assert (model.verdict, model.watch) == ("ok", True)
        assert make(engine)
        drain(relay_on(engine, SlackReceiver(FakeSlack.token, "#alerts", api_url=slack.url, timeout=SECOND)), NOW)
    text = str(slack.parents()[0].body["blocks"])
    assert "*Suspicious, not paged*\\nchurn mwatch 0.74 (at least 0.75)" in text
    assert "Closest to their bounds: churn mholds 0.74 (at least 0.75)." in text


SAID = ("holds", "watch", "not_back")


def judged(metric: str, reason: str) -> VerdictRecord:
    return VerdictRecord(metric, "ok", reason, "page", "min", threshold=0.75, value=0.74)


def test_a_digest_is_made_once_a_day_however_many_daemons_try(engine: Engine) -> None:
    made: list[bool] = []
    daemons = [threading.Thread(target=lambda: made.append(make(engine))) for _ in range(4)]
    for daemon in daemons:
        daemon.start()
    for daemon in daemons:
        daemon.join()
    assert any(made)
    assert not make(engine, NOW + timedelta(hours=5))
    assert [row.key for row in rows(engine)] == [f"digest/2026-03-02/{CHANNEL}"]
    assert make(engine, NOW + timedelta(days=1))
    assert [row.key for row in rows(engine)][1:] == [f"digest/2026-03-03/{CHANNEL}"]


def test_outside_of_its_time_there_is_none(engine: Engine) -> None:
    assert not make(engine, NOW - timedelta(minutes=1))
    assert not make(engine, NOW + timedelta(hours=6))
    assert rows(engine) == []


def test_the_console_is_told_the_same(engine: Engine) -> None:
    out = io.StringIO()
    assert make(engine, receiver="console")
    drain(relay_on(engine, ConsoleReceiver(Console(file=out, width=100))), NOW, seconds=3)
    lines = [line.rstrip() for line in out.getvalue().splitlines() if line.strip()]
    assert lines[0] == "▌ 🟡 No incident is open; 2 models watched · Mon 02 Mar 2026"
    assert "▌ 🟡 not evaluated yet · churn" in lines
    assert "incident opened" not in out.getvalue()
