"""What stands before the port: asked over HTTP and over bare sockets, politely and otherwise."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import httpx
import pytest
from pydantic import SecretStr

from monitor.settings import WebSettings, WebToken
from monitor.web import guard, punctual
from monitor.web.pace import Pace

Site = Callable[..., httpx.Client]
SECRET = "s" * 32
TOKENS = WebSettings(
    tokens=(
        WebToken(name="oncall", secret=SecretStr(SECRET), scope="write"),
        WebToken(name="reads", secret=SecretStr("r" * 32)),
    )
)
ELSEWHERE = "192.0.2.7"


def raw(client: httpx.Client, sent: bytes, wait: float = 20) -> bytes:
    """Everything that comes back until the connection ends."""
    with socket.create_connection(("127.0.0.1", client.base_url.port or 0), timeout=wait) as connection:
        connection.sendall(sent)
        pieces = []
        while piece := connection.recv(65536):
            pieces.append(piece)
        return b"".join(pieces)


def test_every_answer_keeps_browsers_from_mischief(site: Site) -> None:
    client = site()
    for path in ("/healthz", "/login", "/nothing/there", "/metrics"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "server" not in headers, "what serves it is nobody's business"


def test_who_may_not_gets_a_problem_with_a_sentence(site: Site) -> None:
    answer = site(client=ELSEWHERE).get("/api/v1/models")

    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    assert answer.json() == {
        "type": "about:blank",
        "title": "Forbidden",
        "status": 403,
        "detail": (
            "Pages and API answer on this machine only. To let others in, give each a [[web.tokens]] in config.toml, "
            "or set web.proxy_header and web.trusted_proxies where a proxy signs people in."
        ),
    }


def test_a_browser_that_is_nobody_is_led_to_where_one_signs_in_and_back(site: Site) -> None:
    client = site(TOKENS, ELSEWHERE)
    asked = client.get("/models/a b", headers={"accept": "text/html,*/*"})
    assert (asked.status_code, asked.headers["location"]) == (303, "/login?next=/models/a%20b")

    form = client.get(asked.headers["location"])
    assert 'value="/models/a b"' in form.text

    wrong = client.post("/login", data={"token": "guess", "next": "/"})
    assert (wrong.status_code, "set-cookie" in wrong.headers) == (401, False)
    assert "Nobody knows this token." in wrong.text

    signed = client.post("/login", data={"token": SECRET, "next": "/models/a b"})
    cookie = signed.headers["set-cookie"]
    assert (signed.status_code, signed.headers["location"]) == (303, "/models/a%20b")
    assert SECRET not in cookie
    assert all(word in cookie for word in ("HttpOnly", "SameSite=lax", "Path=/")), cookie
    assert "Secure" not in cookie, "on plain HTTP a browser would not keep it"
    assert client.get("/nothing/there").status_code == 404, "in, and told so by the cookie alone"

    client.post("/logout")
    assert client.get("/nothing/there").status_code == 401


def test_where_it_is_reached_by_https_the_cookie_is_for_https_alone(site: Site) -> None:
    client = site(TOKENS.model_copy(update={"url": "https://monitor.example.org"}))
    assert "Secure" in client.post("/login", data={"token": SECRET}).headers["set-cookie"]


def test_the_page_to_sign_in_repeats_nothing_unescaped(site: Site) -> None:
    page = site(TOKENS).get("/login", params={"next": '/"><script>alert(1)</script>'}).text
    assert "<script>alert" not in page


def test_a_program_that_is_nobody_is_asked_for_its_token(site: Site) -> None:
    answer = site(TOKENS, ELSEWHERE).get("/api/v1/models")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "unannounced"])
def test_a_body_that_is_too_large_is_refused_unread(site: Site, chunked: bool) -> None:
    client = site()
    body = b"x" * (guard.BODY + 1)
    answer = client.post("/api/v1/silences", content=iter([body[:1000], body[1000:]]) if chunked else body)
    assert (answer.status_code, answer.json()["detail"]) == (
        413,
        "A request has 64 KiB at most; say it in fewer words.",
    )


def test_an_endless_announcement_is_refused_at_once(site: Site) -> None:
    head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n"
    assert raw(site(), head).startswith(b"HTTP/1.1 413")


def test_a_body_that_does_not_come_is_not_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.3)
    head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc"
    answer = raw(site(), head)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"send it again." in answer


@pytest.mark.parametrize(
    "part",
    [
        # nothing at all
        b"",
        # half a line
        b"GET /heal",
        # headers without an end
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-More: ",
        # a second request that never ends, on a connection that had an answer
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healthz HTTP/1.1\r\nX: ",
    ],
)
def test_a_request_that_never_ends_ends_its_connection(
    site: Site, monkeypatch: pytest.MonkeyPatch, part: bytes
) -> None:
    monkeypatch.setattr(punctual, "SECONDS", 0.4)
    began = time.monotonic()
    raw(site(), part)
    assert 0.2 < time.monotonic() - began < 10


def test_a_request_that_comes_byte_by_byte_ends_all_the_same(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(punctual, "SECONDS", 0.5)
    client = site()
    with socket.create_connection(("127.0.0.1", client.base_url.port or 0), timeout=10) as connection:
        for byte in b"GET /healthz HTTP/1.1\r\nX-Slow: " + b"x" * 1000:
            try:
                connection.sendall(bytes([byte]))
            except OSError:
                return  # ended on us
            time.sleep(0.02)
    raise AssertionError("it went on for ever")


def test_an_answer_that_takes_longer_than_a_request_may_is_given(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(punctual, "SECONDS", 0.1)
    client = site()
    with ThreadPoolExecutor(8) as many:
        answers = list(many.map(lambda _: client.get("/metrics").status_code, range(16)))
    assert answers == [200] * 16


def test_a_connection_may_be_used_for_as_long_as_it_is_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(punctual, "SECONDS", 0.3)
    connection = HTTPConnection("127.0.0.1", site().base_url.port)
    connection.connect()
    connection.auto_open = 0  # a connection that was closed is an error, not a reason to open another
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        connection.request("GET", "/healthz")
        assert connection.getresponse().read()
        time.sleep(0.05)
    connection.close()


def test_who_asks_too_often_is_told_to_wait_and_others_are_not(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "Pace", lambda now: Pace(now, burst=3, per_second=0.1))
    client = site(TOKENS, ELSEWHERE)
    mine, theirs = ({"authorization": f"Bearer {secret}"} for secret in (SECRET, "r" * 32))
    answers = [client.get("/nothing/there", headers=mine) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [404, 404, 404, 429]
    assert answers[-1].headers["retry-after"] in {"9", "10"}
    assert answers[-1].json()["detail"] == "These are too many requests; wait a moment."
    assert client.get("/nothing/there", headers=theirs).status_code == 404
    # Guesses are of nobody, so their address has to wait.
    assert [client.get("/api/v1/models").status_code for _ in range(4)] == [401, 401, 401, 429]
    assert client.get("/healthz").status_code == 200, "whoever restarts the daemon is never kept waiting"


def test_a_bucket_of_requests_fills_up_again() -> None:
    now = 0.0
    pace = Pace(lambda: now, burst=2, per_second=0.5)
    assert [pace.wait("a"), pace.wait("a"), pace.wait("b")] == [0, 0, 0]
    assert pace.wait("a") == 2
    now = 1.0
    assert pace.wait("a") == 1
    now = 2.0
    assert [pace.wait("a"), pace.wait("a")] == [0, 2]
    now = 1e9
    assert [pace.wait("a"), pace.wait("a"), pace.wait("a")] == [0, 0, 2], "it never holds more than a burst"


def test_no_more_callers_are_remembered_than_fit() -> None:
    pace = Pace(lambda: 0.0, burst=1, per_second=1)
    for caller in range(20_000):
        pace.wait(f"{caller}")
    assert len(pace._buckets) == 10_000


def test_a_request_for_a_conversation_is_closed(site: Site) -> None:
    head = (
        b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert raw(site(), head).startswith(b"HTTP/1.1 403")
