"""The guard before everything the port answers: who may ask, how much, how often, how long; the headers of answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import datetime
from http import HTTPStatus
from math import ceil
from typing import Any
from urllib.parse import quote

from monitor.clock import monotonic
from monitor.settings import WebSettings
from monitor.web.pace import Pace
from monitor.web.security import LOGIN, PROBES, SAFE, Asked, Caller, Refusal, decide

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

BODY = 64 * 1024
"""Bytes of a request's body; the longest that anybody has to say is a comment."""
BODY_SECONDS = 10.0
SEND_SECONDS = 60.0
"""How long a piece of an answer waits for somebody who does not read it."""
AT_ONCE = 4
"""Requests of people and programs that are worked on; other threads and connections are for daemon and probes."""
QUEUE_SECONDS = 20.0

CSP = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # with no-referrer, browsers would hide from us that our own page sent a form
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "private, no-cache",
}


class Guard:
    """An ASGI application around another; what it lets through has ``scope["user"]``, a Caller."""

    def __init__(self, app: App, web: WebSettings, wall_now: Callable[[], datetime]) -> None:
        self._app = app
        self._web = web
        self._now = wall_now
        self._pace = Pace(monotonic)
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request. Raises TimeoutError where nobody reads the answer, which ends the connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008, "reason": "There is nothing to talk about here."})
            return
        asked = asked_of(scope)
        answer = _Answer(send)
        admitted = await self._admit(asked, receive)
        if isinstance(admitted, Refusal):
            await answer.refuse(asked, admitted, self._web)
            return
        caller, body = admitted
        scope["user"] = caller
        if asked.path in PROBES:
            await self._app(scope, _replay(body, receive), answer.send)
        else:
            await self._work(asked, scope, _replay(body, receive), answer)

    async def _admit(self, asked: Asked, receive: Receive) -> tuple[Caller, bytes] | Refusal:
        decided = decide(asked, self._web, self._now())
        caller = decided.name if isinstance(decided, Caller) and decided.name else asked.client
        # Whoever restarts this process asks for its health, and must not be kept from it.
        wait = 0.0 if asked.path == "/healthz" else self._pace.wait(caller)
        if wait:
            return Refusal(429, "These are too many requests; wait a moment.", ceil(wait))
        if isinstance(decided, Refusal):
            return decided
        body = await _body(asked, receive)
        return body if isinstance(body, Refusal) else (decided, body)

    async def _work(self, asked: Asked, scope: Message, receive: Receive, answer: _Answer) -> None:
        """Have it answered, few at a time; whoever reads slowly holds up nobody."""
        try:
            async with asyncio.timeout(QUEUE_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            await answer.refuse(asked, Refusal(503, "Others ask for very much just now; try again soon.", 5), self._web)
            return
        answer.on_start = self._slots.release
        try:
            await self._app(scope, receive, answer.send)
        finally:
            answer.started()


class _Answer:
    """The way back: adds the headers, bounds how long a piece may take, and says when the answer begins."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.on_start: Callable[[], None] | None = None

    def started(self) -> None:
        """The work is done, what follows is reading."""
        done, self.on_start = self.on_start, None
        if done is not None:
            done()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started()
            given = list(message.get("headers", []))
            there = {name.lower() for name, _ in given}
            added = [(name.encode(), value.encode()) for name, value in HEADERS.items() if name.encode() not in there]
            message["headers"] = [*given, *added]
        async with asyncio.timeout(SEND_SECONDS):
            await self._send(message)

    async def refuse(self, asked: Asked, refusal: Refusal, web: WebSettings) -> None:
        """Say why not; a browser that wants a page is led to where one signs in."""
        headers = {"content-type": "application/problem+json"}
        status, body = refusal.status, problem(refusal.status, refusal.sentence)
        if status == 401 and web.tokens and asked.method in SAFE and "text/html" in asked.headers.get("accept", ""):
            status, headers["location"], body = 303, f"{LOGIN}?next={quote(asked.path)}", b""
        elif status == 401:
            headers["www-authenticate"] = "Bearer"
        if refusal.retry_after:
            headers["retry-after"] = str(refusal.retry_after)
        if refusal.status in {408, 413}:
            headers["connection"] = "close"  # the rest of the body is not waited for
        start = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": status, "headers": start})
        await self.send({"type": "http.response.body", "body": body, "more_body": False})


def problem(status: int, sentence: str) -> bytes:
    """A sentence as a problem of RFC 9457."""
    title = HTTPStatus(status).phrase
    return json.dumps({"type": "about:blank", "title": title, "status": status, "detail": sentence}).encode()


def asked_of(scope: Message) -> Asked:
    """The request as plain values."""
    client = scope["client"]
    headers: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), []).append(_text(value))
    return Asked(
        scope["method"],
        scope["path"],
        client[0] if client else "",
        {name: ("; " if name == "cookie" else ", ").join(values) for name, values in headers.items()},
        frozenset(name for name, values in headers.items() if len(values) > 1),
    )


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


async def _body(asked: Asked, receive: Receive) -> bytes | Refusal:
    """The whole body, while it is short and comes soon."""
    too_long = Refusal(413, f"A request has {BODY // 1024} KiB at most; say it in fewer words.")
    length = asked.headers.get("content-length", "")
    if length.isdecimal() and (len(length) > 9 or int(length) > BODY):
        return too_long
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                body += message.get("body", b"")
                if len(body) > BODY:
                    return too_long
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        return Refusal(408, f"The request did not arrive within {BODY_SECONDS:g} seconds; send it again.")


def _replay(body: bytes, receive: Receive) -> Receive:
    """A body that was read already, and then what else the connection has to say."""
    pieces = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return pieces.pop() if pieces else await receive()

    return again
