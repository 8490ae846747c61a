"""Notifications on their way to an HTTP address: whole, signed, with an id that stays the same."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog
from rich.console import Console
from sqlalchemy import Engine

from monitor.delivery.receiver import Letter
from monitor.delivery.retry import retry_after
from monitor.delivery.webhook import WebhookReceiver, event, headers
from monitor.logs import configure_logs
from monitor.receivers import names_of, receivers_of, routing_of
from tests.alerts.scenes import Model, verdict
from tests.delivery.boxes import NOW, SECOND, drain, put, put_one_by_one, relay_on, rows, states, story
from tests.delivery.fake_address import FakeAddress
from tests.delivery.test_muted_delivery import muting
from tests.delivery.test_receivers import settings

CANARY = "hunter2-canary"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NAME = "webhook:pager"


@pytest.fixture
def real_logs() -> Iterator[None]:
    """The logs of the daemon at their most talkative."""
    before, level = list(logging.root.handlers), logging.root.level
    configure_logs(level="DEBUG", as_json=True)
    logging.root.handlers += before  # what pytest listens with
    yield
    logging.root.handlers, logging.root.level = before, level
    structlog.reset_defaults()


@pytest.fixture
def address() -> Iterator[FakeAddress]:
    with FakeAddress() as fake:
        yield fake


def hook(url: str, secret: str | None = SECRET, now: datetime = NOW) -> WebhookReceiver:
    timeout = timedelta(seconds=0.4)
    return WebhookReceiver("pager", url, secret, web_url="https://monitor", timeout=timeout, wall_now=lambda: now)


def test_every_message_of_an_incident_is_posted_whole(address: FakeAddress, engine: Engine) -> None:
    put_one_by_one(engine, story(), relay_on(engine, hook(address.url)), receiver=NAME)
    assert states(engine) == ["sent"] * 5
    told = [asked.json for asked in address.asked]
    reasons = ["opened", "alert_joined", "severity_raised", "alert_resolved", "resolved"]
    assert [each["type"] for each in told] == [f"incident.{reason}" for reason in reasons]
    assert [each["state"] for each in told] == ["warn", "warn", "page", "page", "resolved"]
    assert {each["incident"] for each in told} == {1}
    assert len({each["id"] for each in told}) == 5


def test_what_is_posted_is_what_the_documentation_says() -> None:
    [told] = Model().see(1, verdict("breach", segment="origin=EWR")).notifications
    assert event(Letter(told.message, "6f1c", 7, "delivered 3 hours late"), None) == {
        "id": "6f1c",
        "type": "incident.opened",
        "incident": 7,
        "model": "flight-delay",
        "version": "2013-04",
        "severity": "page",
        "state": "page",
        "title": told.message.title,
        "text": told.message.changed,
        "fields": [{"label": field.label, "text": field.text} for field in told.message.fields],
        "alerts": [{"metric": "accuracy", "segment": "origin=EWR", "severity": "page"}],
        "others": [],
        "owner": "@flights-oncall",
        "opened_at": "2013-06-04T00:00:00+00:00",
        "window_end": "2013-06-04T00:00:00+00:00",
        "note": "delivered 3 hours late",
        "links": {"runbook": "https://wiki.example.org/flights?a=1&b=2"},
    }


def test_the_severity_of_what_is_over_is_the_one_it_had() -> None:
    over = event(Letter(story()[-1].message, "x", 7), "https://monitor")
    assert (over["state"], over["severity"]) == ("resolved", "page")
    assert over["links"]["monitor"] == "https://monitor"
    assert over["links"]["incident"] == "https://monitor/incidents/7"
    assert event(Letter(story()[0].message, "x", None), None)["type"] == "opened", "of no incident"


def test_the_signature_is_the_one_of_standard_webhooks() -> None:
    # the example of the libraries of standard-webhooks
    at = datetime.fromtimestamp(1614265330, NOW.tzinfo)
    signed = headers(base64.b64decode(SECRET[6:]), "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert signed["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_signature_is_about_what_was_posted(address: FakeAddress, engine: Engine) -> None:
    put(engine, story()[:1], receiver=NAME)
    drain(relay_on(engine, hook(address.url)), seconds=2)
    [asked] = address.asked
    signed = f"{asked.headers['webhook-id']}.{int(NOW.timestamp())}.".encode() + asked.body
    key = base64.b64decode(SECRET[6:])
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert asked.headers["webhook-signature"] == f"v1,{expected}"
    assert asked.headers["webhook-id"] == asked.json["id"]
    assert asked.headers["content-type"] == "application/json"


def test_without_a_secret_there_is_an_id_and_no_signature(address: FakeAddress, engine: Engine) -> None:
    put(engine, story()[:1], receiver=NAME)
    drain(relay_on(engine, hook(address.url, None)), seconds=2)
    assert "webhook-id" in address.asked[0].headers
    assert "webhook-signature" not in address.asked[0].headers


@pytest.mark.parametrize("fault", ["lost", "hang", 500, 502, 408, 503])
def test_what_may_have_arrived_is_posted_again_with_the_same_id(
    address: FakeAddress, engine: Engine, fault: int | str
) -> None:
    put(engine, story()[:1], receiver=NAME)
    address.script(fault)
    relay = relay_on(engine, hook(address.url))
    drain(relay, seconds=29)
    assert len(address.asked) == 1
    drain(relay, NOW + 29 * SECOND, seconds=5)
    first, again = address.asked
    assert first.body == again.body
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    assert states(engine) == ["sent"]


@pytest.mark.parametrize("status", [429, 503])
def test_nothing_is_posted_before_retry_after(address: FakeAddress, engine: Engine, status: int) -> None:
    put(engine, story()[:1], receiver=NAME)
    put(engine, story()[:1], receiver=NAME)
    address.script((status, {"Retry-After": "90"}))
    relay = relay_on(engine, hook(address.url))
    drain(relay, seconds=90)
    assert len(address.asked) == 1
    drain(relay, NOW + 90 * SECOND, seconds=5)
    assert states(engine) == ["sent", "sent"]


@pytest.mark.parametrize(
    ("header", "date", "seconds"),
    [
        # seconds
        ("7", None, 7),
        ("0.5", None, 0.5),
        # a time, told from the time of the answer
        ("Wed, 21 Oct 2026 07:30:00 GMT", "Wed, 21 Oct 2026 07:28:00 GMT", 120),
        # longer than a day
        ("900000", None, 86400),
        # nothing anybody understands
        ("Wed, 21 Oct 2026 07:30:00 GMT", None, 30),
        ("soon", "Wed, 21 Oct 2026 07:28:00 GMT", 30),
        ("-1", None, 30),
        ("nan", None, 30),
        ("inf", None, 30),
        (None, None, 30),
    ],
)
def test_the_wait_that_is_asked_for(header: str | None, date: str | None, seconds: float) -> None:
    assert retry_after(header, date) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("status", "sentence", "refused"),
    [
        # a redirect is not followed
        (
            302,
            "The answer was HTTP 302. Redirects are not followed; write the final address in config.toml.",
            True,
        ),
        # not let in, not there
        (401, "The answer was HTTP 401. Correct the address in config.toml, or what it lets in.", True),
        (404, "The answer was HTTP 404. Correct the address in config.toml, or what it lets in.", True),
        # this message
        (
            422,
            ("The answer was HTTP 422. What is posted is described in docs/alerts.md; see why it is not taken."),
            False,
        ),
    ],
)
def test_an_address_that_does_not_take_it_is_shown_and_tried_again(
    address: FakeAddress, engine: Engine, status: int, sentence: str, *, refused: bool
) -> None:
    put(engine, story()[:1], receiver=NAME)
    put(engine, story()[:1], receiver=NAME)
    address.script((status, {"Location": f"{address.url}/elsewhere"}))
    relay = relay_on(engine, hook(address.url))
    drain(relay, seconds=200)
    assert rows(engine)[0].error == sentence
    assert states(engine) == ["blocked", "pending" if refused else "sent"]
    drain(relay, NOW + 200 * SECOND, seconds=120)
    assert states(engine) == ["sent", "sent"]
    assert {asked.path for asked in address.asked} == {"/"}


def test_a_muted_message_is_not_posted(address: FakeAddress, engine: Engine) -> None:
    put_one_by_one(engine, story()[:3], relay_on(engine, hook(address.url), gate=muting("alert_joined")), receiver=NAME)
    assert states(engine) == ["sent", "suppressed", "sent"]
    assert len(address.asked) == 2


def test_neither_address_nor_secret_is_ever_told(
    engine: Engine, real_logs: None, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = "whsec_" + base64.b64encode(f"{CANARY}-and-more-of-it".encode()).decode()
    with FakeAddress() as address:
        urls = [f"{address.url.replace('//', f'//u:{CANARY}@')}/{CANARY}", f"http://127.0.0.1:1/{CANARY}"]
        for url in urls:
            put(engine, story()[:1], receiver=NAME)
            address.script(404, 500, "lost", 302)
            drain(relay_on(engine, hook(url, secret)), seconds=900, step=5 * SECOND)
    told = caplog.text + "".join(capsys.readouterr()) + str(rows(engine))
    assert len(told) > 100
    assert CANARY not in told
    assert secret not in told


def test_webhooks_are_told_everything_beside_the_channel() -> None:
    hooks: list[dict[str, Any]] = [
        {"name": "pager", "url": "https://example.org/a", "secret": SECRET},
        {"name": "log", "url": "https://example.org/b"},
    ]
    said = settings(webhooks=hooks)
    assert names_of(said) == ["console", "webhook:pager", "webhook:log"]
    assert routing_of(said).receivers("churn", None, "warn") == ("console", "webhook:pager", "webhook:log")
    assert len(receivers_of(said, Console())) == 3
