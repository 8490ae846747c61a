"""A stateful fake of the part of Slack's Web API that the monitor uses: over HTTP, with scripted and random faults.

    with FakeSlack() as slack:
        slack.script("chat.postMessage", "lost", Limited(3))   # the next two posts; later ones are answered well
        WebClient(token=slack.token, base_url=slack.url)

Messages are validated in full: Slack's published JSON schema of blocks (@slack/types 3.2.0, MIT), slack-sdk's own
checks, the published limits, and that no token is active which looks like a mention.
"""

from __future__ import annotations

import json
import random
import re
import socket
import struct
import threading
import time
from collections import defaultdict, deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs, urlsplit

from jsonschema import Draft7Validator
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

from monitor.alerts.limits import problems

# "reset" and "hang" come before anything is stored; "lost", "truncated", "no_ts" and "500_after" after it.
FAULTS = ("500", "500_after", "reset", "truncated", "html", "no_ts", "lost", "hang", "internal_error")
_ACCEPTED_FIRST = ("500_after", "truncated", "no_ts", "lost")
_LINK = re.compile(r"<https?://[^\s<>|]+\|[^<>|]*>")
_SCHEMA = Path(__file__).with_name("slack_message.schema.json")


@dataclass(frozen=True)
class Limited:
    """The fault of asking too often: 429 with this Retry-After."""

    retry_after: float | str


@dataclass(frozen=True)
class Chaos:
    """Random faults: the share of each, drawn anew for every request that writes."""

    shares: Mapping[str, float]
    seed: int = 0
    retry_after: float = 0.02


@dataclass
class Posted:
    """A message in a channel."""

    channel: str
    ts: str
    body: dict[str, Any]
    edits: list[dict[str, Any]] = field(default_factory=list)

    @property
    def identity(self) -> str:
        """The notification it carries."""
        return str(self.body["metadata"]["event_payload"]["notification"])

    @property
    def now(self) -> dict[str, Any]:
        """What it reads now."""
        return self.edits[-1] if self.edits else self.body


class FakeSlack:
    """The server, its channels and what was said in them."""

    token = "xoxb-fake-token"
    app_token = "xapp-fake-token"

    def __init__(self, *, page_size: int = 200) -> None:
        self.lock = threading.RLock()
        self.channels: dict[str, str] = {"alerts": "C0ALERTS01", "archive": "C0ARCHIVE1"}
        self.messages: list[Posted] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.files: list[dict[str, Any]] = []  # what was uploaded, with where it is shown
        self.socket_url = ""  # where Socket Mode connects to
        self.answers: list[dict[str, Any]] = []  # to whoever pressed a button
        self.invalid: list[str] = []
        self.mentions: tuple[str, ...] = ()  # tokens that messages are meant to hold
        self.page_size = page_size
        self.hang_seconds = 1.0
        self.chaos: Chaos | None = None
        self._scripts: dict[str, deque[str | Limited]] = defaultdict(deque)
        self._random = random.Random(0)
        self._clock = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/api/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def script(self, method: str, *faults: str | Limited) -> None:
        """What befalls the next calls of *method*: one of FAULTS, Limited, "ok", or the name of a Slack error."""
        self._scripts[method].extend(faults)

    def unleash(self, chaos: Chaos | None) -> None:
        """Start (or stop) random faults."""
        self.chaos = chaos
        self._random = random.Random(chaos.seed if chaos else 0)

    def next_fault(self, method: str) -> str | Limited:
        """What befalls this call."""
        with self.lock:
            if self._scripts[method]:
                return self._scripts[method].popleft()
            if self.chaos is None:
                return "ok"
            drawn = self._random.random()
            for fault, share in self.chaos.shares.items():
                drawn -= share
                if drawn < 0:
                    return Limited(self.chaos.retry_after) if fault == "429" else fault
            return "ok"

    def parents(self) -> list[Posted]:
        """The messages that are not in a thread."""
        return [message for message in self.messages if "thread_ts" not in message.body]

    def replies(self, parent: Posted) -> list[Posted]:
        """The messages under *parent*, in order."""
        return [message for message in self.messages if message.body.get("thread_ts") == parent.ts]

    def called(self, method: str) -> int:
        """How often *method* was called."""
        return sum(name == method for name, _ in self.calls)

    def delete(self, message: Posted) -> None:
        """Somebody deletes a message."""
        with self.lock:
            self.messages.remove(message)

    def answer(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        """Do what *method* asks and answer as Slack would."""
        with self.lock:
            act = getattr(self, "_" + method.replace(".", "_").lower(), None)
            return act(body) if act else _no("unknown_method")

    def _auth_test(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"ok": True, "user": "model-monitor", "team": "Acme", "user_id": "U0BOT", "team_id": "T0ACME"}

    def _chat_postmessage(self, body: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(body.get("channel"))
        if channel is None:
            return _no("channel_not_found")
        if self._refuse(body):
            return _no("invalid_blocks")
        parent = body.get("thread_ts")
        if parent is not None and self._find(channel, parent) is None:
            return _no("thread_not_found")
        self._clock += 1
        posted = Posted(channel, f"{time.time() + self._clock * 1e-5:.6f}", body)
        self.messages.append(posted)
        return {"ok": True, "channel": channel, "ts": posted.ts, "message": {"text": body["text"]}}

    def _chat_update(self, body: dict[str, Any]) -> dict[str, Any]:
        channel = body.get("channel")
        if channel not in self.channels.values():
            return _no("channel_not_found")
        found = self._find(str(channel), body.get("ts"))
        if found is None:
            return _no("message_not_found")
        if self._refuse(body):
            return _no("invalid_blocks")
        found.edits.append(body)
        return {"ok": True, "channel": channel, "ts": found.ts, "text": body["text"]}

    def _files_getuploadurlexternal(self, body: dict[str, Any]) -> dict[str, Any]:
        self.files.append({"id": f"F{len(self.files)}", **body})
        return {"ok": True, "file_id": self.files[-1]["id"], "upload_url": f"{self.url}upload/{self.files[-1]['id']}"}

    def _files_completeuploadexternal(self, body: dict[str, Any]) -> dict[str, Any]:
        channel, parent = str(body.get("channel_id")), body.get("thread_ts")
        if channel not in self.channels.values():
            return _no("channel_not_found")
        if self._find(channel, parent) is None:
            return _no("thread_not_found")
        shown = {each["id"]: each for each in json.loads(body["files"])}
        for each in self.files:
            if each["id"] in shown:
                each |= {"channel": channel, "thread_ts": parent, "title": shown[each["id"]]["title"]}
        return {"ok": True, "files": list(shown.values())}

    def keep_file(self, identity: str, content: bytes) -> None:
        """The bytes of an upload."""
        with self.lock:
            next(each for each in self.files if each["id"] == identity)["content"] = content

    def _apps_connections_open(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"ok": True, "url": self.socket_url} if self.socket_url else _no("invalid_auth")

    def _conversations_list(self, body: dict[str, Any]) -> dict[str, Any]:
        found = [{"id": identity, "name": name} for name, identity in self.channels.items()]
        return self._page("channels", found, {**body, "limit": 1})

    def _conversations_history(self, body: dict[str, Any]) -> dict[str, Any]:
        channel = body.get("channel")
        if channel not in self.channels.values():
            return _no("channel_not_found")
        oldest = float(body.get("oldest") or 0)
        found = [
            message
            for message in reversed(self.messages)
            if message.channel == channel
            and float(message.ts) > oldest
            and ("thread_ts" not in message.body or message.body.get("reply_broadcast"))
        ]
        return self._page("messages", [_as_read(message, body) for message in found], body)

    def _conversations_replies(self, body: dict[str, Any]) -> dict[str, Any]:
        parent = self._find(str(body.get("channel")), body.get("ts"))
        if parent is None:
            return _no("thread_not_found")
        found = [parent, *self.replies(parent)]
        return self._page("messages", [_as_read(message, body) for message in found], body)

    def _page(self, key: str, found: list[dict[str, Any]], body: Mapping[str, Any]) -> dict[str, Any]:
        start = int(body.get("cursor") or 0)
        stop = start + min(int(body.get("limit") or 100), self.page_size)
        more = str(stop) if stop < len(found) else ""
        return {"ok": True, key: found[start:stop], "has_more": bool(more), "response_metadata": {"next_cursor": more}}

    def _channel(self, named: object) -> str | None:
        text = str(named)
        return text if text in self.channels.values() else self.channels.get(text.removeprefix("#"))

    def _find(self, channel: str, ts: object) -> Posted | None:
        return next((found for found in self.messages if found.channel == channel and found.ts == str(ts)), None)

    def _refuse(self, body: dict[str, Any]) -> bool:
        found = invalid(body, self.mentions)
        self.invalid += found
        return bool(found)


def invalid(body: Mapping[str, Any], mentions: Collection[str] = ()) -> list[str]:
    """Everything that is wrong with a message, by the schema, by slack-sdk, by the limits and for safety."""
    blocks = body.get("blocks") or []
    found = [error.message[:200] for error in _validator().iter_errors({**body, "channel": str(body.get("channel"))})]
    found += problems(str(body.get("text", "")), blocks)
    parsed = Block.parse_all(blocks)
    if len(parsed) != len(blocks):
        found.append("slack-sdk dropped a block it does not know.")
    for block in parsed:
        try:
            block.validate_json()
        except SlackObjectFormationError as error:
            found.append(f"slack-sdk: {error}")
    return found + [f"active token: {token}" for text in texts(body) for token in active_tokens(text, mentions)]


def texts(found: object) -> list[str]:
    """Every text Slack would read as mrkdwn."""
    if isinstance(found, Mapping):
        if found.get("type") == "plain_text":
            return []
        own = [found["text"]] if isinstance(found.get("text"), str) else []
        return own + [text for value in found.values() for text in texts(value)]
    return [text for value in found for text in texts(value)] if isinstance(found, list) else []


def active_tokens(text: str, mentions: Collection[str] = ()) -> list[str]:
    """What would mention somebody or link somewhere, beside the links we write ourselves and *mentions*."""
    rest = _LINK.sub("", text)
    for mention in mentions:
        rest = rest.replace(mention, "", 1)
    tokens = re.findall(r"<[^>]*>?|@(?:here|channel|everyone)\b", rest)
    return tokens + re.findall(r"[\u200b-\u200f\u202a-\u202e\u2066-\u2069\x00-\x09\x0b-\x1f\x7f]", text)


@cache
def _validator() -> Draft7Validator:
    return Draft7Validator(json.loads(_SCHEMA.read_text()))


def _as_read(message: Posted, body: Mapping[str, Any]) -> dict[str, Any]:
    read = {"type": "message", "ts": message.ts, "text": message.now["text"]}
    if str(body.get("include_all_metadata")).lower() in ("1", "true"):
        read["metadata"] = message.body.get("metadata")
    return read


def _no(error: str) -> dict[str, Any]:
    return {"ok": False, "error": error}


def _handler(fake: FakeSlack) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        slack: ClassVar[FakeSlack] = fake

    return Handler


class _Handler(BaseHTTPRequestHandler):
    slack: ClassVar[FakeSlack]
    protocol_version = "HTTP/1.1"
    timeout = 5

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        method = urlsplit(self.path).path.removeprefix("/api/")
        if method.startswith("upload/"):
            self.slack.keep_file(method.removeprefix("upload/"), self._raw())
            self._reply(200, "OK - 1", {"Content-Type": "text/plain"})
            return
        body = self._body()
        if method == "response":
            self.slack.answers.append(body)
            self._reply(200, "ok", {"Content-Type": "text/plain"})
            return
        with self.slack.lock:
            self.slack.calls.append((method, body))
        token = self.slack.app_token if method == "apps.connections.open" else self.slack.token
        if self.headers.get("Authorization") != f"Bearer {token}":
            self._reply(200, json.dumps(_no("invalid_auth")))
            return
        fault = self.slack.next_fault(method)
        if isinstance(fault, Limited):
            self._reply(429, json.dumps(_no("ratelimited")), {"Retry-After": str(fault.retry_after)})
        elif fault == "ok":
            self._reply(200, json.dumps(self.slack.answer(method, body)))
        elif fault in FAULTS:
            self._fail(fault, method, body)
        else:
            self._reply(200, json.dumps(_no(fault)))

    def _fail(self, fault: str, method: str, body: dict[str, Any]) -> None:
        answer = self.slack.answer(method, body) if fault in _ACCEPTED_FIRST else {}
        if fault in ("500", "500_after"):
            self._reply(500, "Server error")
        elif fault == "html":
            self._reply(200, "<html><body>Down for maintenance</body></html>", {"Content-Type": "text/html"})
        elif fault == "internal_error":
            self._reply(200, json.dumps(_no("internal_error")))
        elif fault == "no_ts":
            self._reply(200, json.dumps({key: value for key, value in answer.items() if key != "ts"}))
        elif fault == "truncated":
            self._truncate(json.dumps(answer))
        else:
            if fault == "hang":
                time.sleep(self.slack.hang_seconds)
            self._drop()

    def _truncate(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode()[: len(text) // 2])
        self._drop()

    def _drop(self) -> None:
        """Close with a reset, not with an answer."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def _body(self) -> dict[str, Any]:
        query = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
        raw = self._raw()
        if "json" in str(self.headers.get("Content-Type")):
            return {**query, **json.loads(raw or b"{}")}
        return {**query, **{key: values[0] for key, values in parse_qs(raw.decode()).items()}}

    def _raw(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _reply(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        data = text.encode()
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | dict(headers or {})).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:  # the client was killed, or we dropped it
            self.close_connection = True

    def finish(self) -> None:
        try:
            super().finish()
        except (OSError, ValueError):
            return

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""
