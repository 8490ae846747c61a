"""Who asks, and what they may do: this machine, a token, a signed cookie, or somebody a trusted proxy vouches for.

Pure: every decision takes the request as plain values and the time on the wall.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address, ip_network
from typing import Literal
from urllib.parse import urlsplit

from monitor.settings import WebSettings, WebToken

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
LOGIN, LOGOUT = "/login", "/logout"
STATIC = "/static/"
COOKIE = "model_monitor"
SIGNED_IN_FOR = timedelta(hours=12)
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""Headers of a proxy: whoever sends them is not the person at this machine."""
LONGEST_NAME = 200

Scope = Literal["read", "write"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, before anybody has looked at it: *client* is the address it came from, header names are in small.

    *repeated* are the headers that were there more than once.
    """

    method: str
    path: str
    client: str
    headers: Mapping[str, str]
    repeated: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: *name* is empty on this machine. *ambient* where the browser shows who it is without being asked."""

    name: str
    scope: Scope
    ambient: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why somebody may not, and what to do about it; *status* is HTTP's, *retry_after* seconds."""

    status: int
    sentence: str
    retry_after: int = 0


ANYBODY = Caller("", "read", ambient=False)
_CLOSED = Refusal(
    403,
    "Pages and API answer on this machine only. To let others in, give each a [[web.tokens]] in config.toml, "
    "or set web.proxy_header and web.trusted_proxies where a proxy signs people in.",
)
_FORWARDED = Refusal(
    403,
    "This request came through a proxy, and nobody says who asks. Give each a [[web.tokens]] in config.toml, "
    "or set web.proxy_header and web.trusted_proxies.",
)
_UNKNOWN = Refusal(401, "Nobody knows this token. Send one of [[web.tokens]] as Authorization: Bearer TOKEN.")
_NOBODY = Refusal(401, "Say who you are: send a token of [[web.tokens]] as Authorization: Bearer TOKEN.")
_UNSIGNED = Refusal(401, "Sign in at the proxy first: its header must be there once, with your name.")
_READS = Refusal(403, 'This token may only read. Use one with scope = "write" in [[web.tokens]].')
_CROSS = Refusal(403, "This came from a page of another site. Open the page of model-monitor itself and do it there.")


def decide(asked: Asked, web: WebSettings, now: datetime) -> Caller | Refusal:
    """Who asks, or why they may not."""
    if asked.path in PROBES or (asked.path.startswith(STATIC) and asked.method in SAFE):
        return ANYBODY
    if asked.path in {LOGIN, LOGOUT}:
        return ANYBODY if asked.method in SAFE or _same_site(asked, web) else _CROSS
    caller = identify(asked, web, now)
    if isinstance(caller, Refusal) or asked.method in SAFE:
        return caller
    if caller.scope != "write":
        return _READS
    return caller if not caller.ambient or _same_site(asked, web) else _CROSS


def identify(asked: Asked, web: WebSettings, now: datetime) -> Caller | Refusal:
    """Who asks. As soon as there are tokens or trusted proxies, being on this machine is no answer any more:
    a proxy may run on it too."""
    bearer = asked.headers.get("authorization", "")
    if bearer:
        token = token_of(bearer.partition(" ")[2].strip(), web) if bearer.lower().startswith("bearer ") else None
        return _UNKNOWN if token is None else Caller(token.name, token.scope, ambient=False)
    signed = _signed_in(asked, web, now)
    if signed is not None:
        return Caller(signed.name, signed.scope, ambient=True)
    if _among(asked.client, web.trusted_proxies) and web.proxy_header is not None:
        return _vouched_for(asked, web.proxy_header.lower())
    if web.tokens or web.trusted_proxies:
        return _NOBODY
    return _on_this_machine(asked, web)


def token_of(secret: str, web: WebSettings) -> WebToken | None:
    """The token of that secret; takes as long for a wrong one as for a right one, wherever it differs."""
    found = None
    given = _digest(secret)
    for token in web.tokens:
        if hmac.compare_digest(_digest(token.secret.get_secret_value()), given):
            found = token
    return found


def cookie_for(token: WebToken, now: datetime) -> str:
    """What a browser shows instead of the token, until it expires: the token's own secret signs it."""
    until = int((now + SIGNED_IN_FOR).timestamp())
    return f"{until}.{_signature(token, until)}"


def is_loopback(client: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        address = ip_address(client)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _vouched_for(asked: Asked, header: str) -> Caller | Refusal:
    """A header that is there twice is one of the caller's own beside the proxy's."""
    name = asked.headers.get(header, "").strip()
    if not name or header in asked.repeated:
        return _UNSIGNED
    return Caller(name[:LONGEST_NAME], "write", ambient=True)


def _on_this_machine(asked: Asked, web: WebSettings) -> Caller | Refusal:
    if not is_loopback(asked.client):
        return _CLOSED
    if any(name in asked.headers for name in FORWARDED):
        return _FORWARDED
    host = _host(asked.headers.get("host", ""))
    if host not in {"localhost", _host_of(web.url)} and not is_loopback(host):
        # A name of somebody else's that points here: DNS rebinding.
        return Refusal(403, f"Nobody calls this machine {host[:100]!r}. Ask http://127.0.0.1:{web.port}/ instead.")
    return Caller("", "write", ambient=True)


def _signed_in(asked: Asked, web: WebSettings, now: datetime) -> WebToken | None:
    until, _, signature = _cookie(asked.headers.get("cookie", "")).partition(".")
    if not until.isascii() or not until.isdecimal() or len(until) > 12 or int(until) <= now.timestamp():
        return None
    found = None
    for token in web.tokens:
        if hmac.compare_digest(_signature(token, int(until)), signature.encode("ascii", "replace").decode()):
            found = token
    return found


def _cookie(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return "" if found is None else found.value


def _signature(token: WebToken, until: int) -> str:
    """Of the name too, so that a renamed token is another one."""
    key = token.secret.get_secret_value().encode()
    return hmac.new(key, f"{COOKIE}\n{token.name}\n{until}".encode(), sha256).hexdigest()


def _digest(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "replace")).digest()


def _same_site(asked: Asked, web: WebSettings) -> bool:
    """Whether it is our own page that sent it, or no browser at all.

    Browsers say where a request comes from in Sec-Fetch-Site, older ones and those on plain HTTP in Origin; what
    names neither is no browser. https://words.filippo.io/csrf/
    """
    site = asked.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = asked.headers.get("origin")
    if origin is None:
        return True
    ours = {asked.headers.get("host", "").lower(), _netloc(web.url)}
    return bool(_netloc(origin)) and _netloc(origin) in ours


def _among(client: str, networks: tuple[str, ...]) -> bool:
    try:
        address = ip_address(client)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in ip_network(network) for network in networks)


def _netloc(url: str | None) -> str:
    try:
        return urlsplit(url or "").netloc.lower()
    except ValueError:
        return ""


def _host_of(url: str | None) -> str:
    return _host(_netloc(url)) or "localhost"


def _host(netloc: str) -> str:
    """The name without its port: ``[::1]:9464`` is ``::1``."""
    try:
        return (urlsplit(f"//{netloc}").hostname or "").lower()
    except ValueError:
        return ""
