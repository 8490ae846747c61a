"""An answer that has not changed is not sent again: ETag and If-None-Match (RFC 9110, 13.1.2)."""

from __future__ import annotations

from hashlib import sha256

from monitor.web.guard import App, Message, Receive, Send

UNCHANGED = 304
KEPT = {b"cache-control", b"vary", b"link", b"content-location", b"date", b"expires"}
"""What RFC 9110 has a 304 repeat, and nothing that describes a body."""


def with_etag(app: App) -> App:
    """Middleware for answers that come in one piece."""

    async def answer(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await app(scope, receive, send)
            return
        held: list[Message] = []

        async def tag(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                held.append(message)
                return
            if not held or message["type"] != "http.response.body":
                await send(message)
                return
            start = held.pop()
            etag = f'W/"{sha256(message["body"]).hexdigest()[:32]}"'.encode()
            headers = [*start["headers"], (b"etag", etag)]
            if etag in _known(scope):
                kept = [(name, value) for name, value in headers if name.lower() in KEPT | {b"etag"}]
                await send({**start, "status": UNCHANGED, "headers": kept})
                await send({**message, "body": b""})
                return
            await send({**start, "headers": headers})
            await send(message)

        await app(scope, receive, tag)

    return answer


def _known(scope: Message) -> set[bytes]:
    """The tags a caller has; weak comparison, so that a strong one of the same words counts too."""
    given = b",".join(value for name, value in scope["headers"] if name == b"if-none-match")
    tags = {tag.strip() for tag in given.split(b",")}
    return tags | {b"W/" + tag for tag in tags if tag.startswith(b'"')}
