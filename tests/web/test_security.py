"""Who may do what: a table of callers and routes, and what attackers try."""

from __future__ import annotations

import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from monitor.settings import WebSettings, WebToken
from monitor.web.pages.login import inside
from monitor.web.security import (
    COOKIE,
    SIGNED_IN_FOR,
    Asked,
    Caller,
    Refusal,
    cookie_for,
    decide,
    is_loopback,
    token_of,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
READ, WRITE = "r" * 32, "w" * 32
READER = WebToken(name="grafana", secret=SecretStr(READ))
WRITER = WebToken(name="oncall", secret=SecretStr(WRITE), scope="write")

ALONE = WebSettings()
NAMED = WebSettings(url="http://desk:9464")
TOKENS = WebSettings(host="0.0.0.0", tokens=(READER, WRITER), url="https://monitor.example.org")  # noqa: S104  # nobody listens
PROXY = WebSettings(proxy_header="X-Forwarded-User", trusted_proxies=("10.0.0.0/8", "127.0.0.1", "::1"))

HERE, THERE, NEAR = "127.0.0.1", "192.0.2.7", "10.1.2.3"
LOCAL = {"host": "localhost:9464"}
SIGNED = {"cookie": f"theme=dark; {COOKIE}={cookie_for(WRITER, NOW)}", "host": "monitor.example.org"}
READS_SIGNED = {"cookie": f"{COOKIE}={cookie_for(READER, NOW)}", "host": "monitor.example.org"}
PAGE, API = "/models/flights", "/api/v1/silences"


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


@pytest.mark.parametrize(
    ("web", "client", "method", "path", "headers", "expected"),
    [
        # --- the probes answer everybody, whatever they bring
        (ALONE, THERE, "GET", "/healthz", {}, "anybody"),
        (TOKENS, THERE, "GET", "/readyz", {}, "anybody"),
        (PROXY, THERE, "GET", "/metrics", {}, "anybody"),
        (TOKENS, THERE, "GET", "/metrics", bearer("wrong"), "anybody"),
        # and so do style sheets, which the page to sign in needs; but nothing is written there
        (TOKENS, THERE, "GET", "/static/page.css", {}, "anybody"),
        (TOKENS, THERE, "POST", "/static/page.css", {}, 401),
        # what only looks like a probe is none
        (TOKENS, THERE, "GET", "/metrics/", {}, 401),
        (TOKENS, THERE, "GET", "//healthz", {}, 401),
        (TOKENS, THERE, "GET", "/static", {}, 401),
        # --- this machine: reads and writes, by every name of its own
        (ALONE, HERE, "GET", PAGE, LOCAL, "here"),
        (ALONE, "::1", "GET", PAGE, {"host": "[::1]:9464"}, "here"),
        (ALONE, "::ffff:127.0.0.1", "GET", PAGE, {"host": "127.0.0.1"}, "here"),
        (ALONE, HERE, "POST", API, LOCAL, "here"),
        (ALONE, HERE, "DELETE", API, LOCAL, "here"),
        # a name of somebody else's that points here (DNS rebinding), none, or one that is no name
        (ALONE, HERE, "GET", PAGE, {"host": "evil.example:9464"}, 403),
        (ALONE, HERE, "GET", PAGE, {"host": "localhost.evil.example"}, 403),
        (ALONE, HERE, "GET", PAGE, {"host": "127.0.0.1.evil.example"}, 403),
        (ALONE, HERE, "GET", PAGE, {"host": "localhost@evil.example"}, 403),
        (ALONE, HERE, "GET", PAGE, {}, 403),
        (ALONE, HERE, "GET", PAGE, {"host": "[::1"}, 403),
        # the name it is reached by from outside is its own
        (NAMED, HERE, "GET", PAGE, {"host": "desk:9464"}, "here"),
        (NAMED, HERE, "GET", PAGE, {"host": "evil"}, 403),
        # what came through a proxy on this machine is not this machine's
        (ALONE, HERE, "GET", PAGE, {**LOCAL, "x-forwarded-for": THERE}, 403),
        (ALONE, HERE, "GET", PAGE, {**LOCAL, "forwarded": f"for={THERE}"}, 403),
        (ALONE, HERE, "GET", PAGE, {**LOCAL, "via": "1.1 proxy"}, 403),
        # a user's name is nothing while no proxy is trusted
        (ALONE, HERE, "GET", PAGE, {**LOCAL, "x-forwarded-user": "root"}, "here"),
        # other machines are told what to set
        (ALONE, THERE, "GET", PAGE, {}, 403),
        (ALONE, THERE, "POST", API, {}, 403),
        (ALONE, THERE, "GET", PAGE, LOCAL, 403),
        # with any token, when there are none
        (ALONE, THERE, "GET", PAGE, bearer(READ), 401),
        # what has no address (a socket file) is not this machine
        (ALONE, "", "GET", PAGE, LOCAL, 403),
        # --- tokens: the right one reads, and writes where it may
        (TOKENS, THERE, "GET", PAGE, bearer(READ), "grafana"),
        (TOKENS, THERE, "GET", PAGE, {"authorization": f"bearer   {READ} "}, "grafana"),
        (TOKENS, THERE, "POST", API, bearer(READ), 403),
        (TOKENS, THERE, "DELETE", API, bearer(READ), 403),
        (TOKENS, THERE, "PUT", "/nothing/there", bearer(READ), 403),
        (TOKENS, THERE, "POST", API, bearer(WRITE), "oncall"),
        # a token is shown on purpose, so that the site it is sent from does not matter
        (TOKENS, THERE, "POST", API, {**bearer(WRITE), "sec-fetch-site": "cross-site"}, "oncall"),
        # none, a wrong one, a part of one, one in another scheme, one that is no text
        (TOKENS, THERE, "GET", PAGE, {}, 401),
        (TOKENS, THERE, "GET", PAGE, bearer("wrong"), 401),
        (TOKENS, THERE, "GET", PAGE, bearer(READ[:-1]), 401),
        (TOKENS, THERE, "GET", PAGE, bearer(READ + "r"), 401),
        (TOKENS, THERE, "GET", PAGE, bearer(""), 401),
        (TOKENS, THERE, "GET", PAGE, {"authorization": f"Basic {READ}"}, 401),
        (TOKENS, THERE, "GET", PAGE, bearer("\ud800é"), 401),
        # where there are tokens, this machine needs one too: a proxy may run on it
        (TOKENS, HERE, "GET", PAGE, LOCAL, 401),
        (TOKENS, HERE, "GET", PAGE, {**LOCAL, **bearer(READ)}, "grafana"),
        # --- signed in: reads, and writes from our own page
        (TOKENS, THERE, "GET", PAGE, SIGNED, "oncall"),
        (TOKENS, THERE, "POST", API, {**SIGNED, "sec-fetch-site": "same-origin"}, "oncall"),
        (TOKENS, THERE, "POST", API, {**READS_SIGNED, "sec-fetch-site": "same-origin"}, 403),
        # a page of another site, or of another name below the same domain, writes nothing
        (TOKENS, THERE, "POST", API, {**SIGNED, "sec-fetch-site": "cross-site"}, 403),
        (TOKENS, THERE, "POST", API, {**SIGNED, "sec-fetch-site": "same-site"}, 403),
        # browsers that say no more than where a form comes from
        (TOKENS, THERE, "POST", API, {**SIGNED, "origin": "https://monitor.example.org"}, "oncall"),
        (TOKENS, THERE, "POST", API, {**SIGNED, "origin": "https://evil.example"}, 403),
        (TOKENS, THERE, "POST", API, {**SIGNED, "origin": "null"}, 403),
        (TOKENS, THERE, "POST", API, {**SIGNED, "origin": "https://[evil"}, 403),
        # no browser at all
        (TOKENS, THERE, "POST", API, SIGNED, "oncall"),
        # a cookie that is too old, forged, of another name, empty
        (TOKENS, THERE, "GET", PAGE, {"cookie": f"{COOKIE}={cookie_for(WRITER, NOW - SIGNED_IN_FOR)}"}, 401),
        (TOKENS, THERE, "GET", PAGE, {"cookie": f"{COOKIE}=9{cookie_for(WRITER, NOW)}"}, 401),
        (TOKENS, THERE, "GET", PAGE, {"cookie": f"{COOKIE}={cookie_for(WRITER, NOW)}0"}, 401),
        (TOKENS, THERE, "GET", PAGE, {"cookie": f"other={cookie_for(WRITER, NOW)}"}, 401),
        (TOKENS, THERE, "GET", PAGE, {"cookie": f"{COOKIE}=é.é"}, 401),
        (TOKENS, THERE, "GET", PAGE, {"cookie": f"{COOKIE}="}, 401),
        (TOKENS, THERE, "GET", PAGE, {"cookie": f"{COOKIE}={WRITE}"}, 401),
        # --- a trusted proxy vouches, and its people may write
        (PROXY, NEAR, "GET", PAGE, {"x-forwarded-user": "anna"}, "anna"),
        (PROXY, "::ffff:10.1.2.3", "GET", PAGE, {"x-forwarded-user": "anna"}, "anna"),
        (PROXY, HERE, "GET", PAGE, {"x-forwarded-user": "anna", "host": "monitor.example.org"}, "anna"),
        (PROXY, NEAR, "POST", API, {"x-forwarded-user": "anna", "sec-fetch-site": "same-origin"}, "anna"),
        (PROXY, NEAR, "POST", API, {"x-forwarded-user": "anna", "sec-fetch-site": "cross-site"}, 403),
        # it has not signed anybody in
        (PROXY, NEAR, "GET", PAGE, {}, 401),
        (PROXY, NEAR, "GET", PAGE, {"x-forwarded-user": " "}, 401),
        # the header is forged: it comes from nobody who is trusted
        (PROXY, THERE, "GET", PAGE, {"x-forwarded-user": "anna"}, 401),
        (PROXY, "not an address", "GET", PAGE, {"x-forwarded-user": "anna"}, 401),
        # or is another one
        (PROXY, NEAR, "GET", PAGE, {"x-forwarded-email": "anna"}, 401),
        # --- signing in is for everybody, from our own page
        (TOKENS, THERE, "GET", "/login", {}, "anybody"),
        (TOKENS, THERE, "POST", "/login", {"sec-fetch-site": "same-origin"}, "anybody"),
        (TOKENS, THERE, "POST", "/login", {"sec-fetch-site": "cross-site"}, 403),
        (TOKENS, THERE, "POST", "/logout", {"sec-fetch-site": "cross-site"}, 403),
        (TOKENS, THERE, "GET", "/login/", {}, 401),
    ],
)  # fmt: skip
def test_who_may_do_what(
    web: WebSettings, client: str, method: str, path: str, headers: dict[str, str], expected: str | int
) -> None:
    decided = decide(Asked(method, path, client, headers), web, NOW)
    if isinstance(decided, Refusal):
        assert decided.status == expected, decided.sentence
        assert decided.sentence.endswith("."), "a sentence with a way out"
        return
    names = {"anybody": "", "here": ""}
    assert decided.name == names.get(str(expected), expected)
    assert (decided.scope == "read") == (expected in {"anybody", "grafana"})


def test_a_header_that_is_there_twice_is_not_the_proxys() -> None:
    asked = Asked("GET", PAGE, NEAR, {"x-forwarded-user": "root, anna"}, frozenset({"x-forwarded-user"}))

    assert isinstance(decide(asked, PROXY, NOW), Refusal)
    assert isinstance(decide(replace(asked, repeated=frozenset({"accept"})), PROXY, NOW), Caller)


def test_a_cookie_ends_with_its_token_and_its_time() -> None:
    def asks(web: WebSettings, now: datetime) -> bool:
        return isinstance(decide(Asked("GET", PAGE, THERE, SIGNED), web, now), Caller)

    last = NOW + SIGNED_IN_FOR - timedelta(seconds=1)
    changed = WRITER.model_copy(update={"secret": SecretStr("n" * 32)})
    assert asks(TOKENS, last)
    assert not asks(TOKENS, last + timedelta(seconds=1))
    assert not asks(TOKENS.model_copy(update={"tokens": (READER,)}), NOW), "the token was taken away"
    assert not asks(TOKENS.model_copy(update={"tokens": (READER, changed)}), NOW), "it has another secret"
    assert WRITE not in cookie_for(WRITER, NOW)


def test_a_secret_is_compared_in_constant_time_with_every_token(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    true = hmac.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return true(one, other)

    monkeypatch.setattr("monitor.web.security.hmac.compare_digest", compare)
    for secret in (READ, WRITE, "", "r" * 31 + "x", "x" * 10_000):
        compared.clear()
        token_of(secret, TOKENS)
        # As many comparisons, of as many bytes, whichever it is.
        assert [len(one) == len(other) == 32 for one, other in compared] == [True, True], secret


@given(st.text(), st.text(), st.dictionaries(st.text(max_size=20), st.text(max_size=50)))
def test_no_request_is_let_in_by_chance_or_breaks_the_decision(path: str, client: str, headers: dict[str, str]) -> None:
    decided = decide(Asked("GET", path, client, {**headers, "host": client}), TOKENS, NOW)
    assert (
        isinstance(decided, Refusal)
        or path in {"/healthz", "/readyz", "/metrics", "/login", "/logout"}
        or path.startswith("/static/")
    )


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_addresses_of_this_machine(address: str) -> None:
    assert is_loopback(address)


@pytest.mark.parametrize(
    "address", ["", "localhost", "0.0.0.1", "::", "192.168.0.1", "::ffff:192.168.0.1", "127.0.0.1.x"]
)
def test_addresses_of_others(address: str) -> None:
    assert not is_loopback(address)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        # a path of ours, with what it asks for
        ("/models/flights?since=7d", "/models/flights?since=7d"),
        # another site, in every way browsers read one
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_signing_in_leads_nowhere_else(target: str, path: str) -> None:
    assert inside(target) == path
