"""The methods of Slack's Web API that the monitor uses, over channels that remember what was said in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.delivery.slack.record import File, Posted, Record
from tests.delivery.slack.validity import invalid

Body = dict[str, Any]


class Methods:
    """Answers as Slack would. *socket_url* gives the address of a new Socket Mode connection."""

    def __init__(
        self, record: Record, clock: Callable[[], float], upload_url: str, socket_url: Callable[[], str]
    ) -> None:
        self.channels: dict[str, str] = {"alerts": "C0ALERTS01", "archive": "C0ARCHIVE1"}
        self.page_size = 200
        self._record = record
        self._clock = clock
        self._upload_url = upload_url
        self._socket_url = socket_url
        self._count = 0
        self._answers: Mapping[str, Callable[[Body], Body]] = {
            "auth.test": self._auth_test,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "chat.postEphemeral": self._whisper,
            "conversations.list": self._list,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "files.getUploadURLExternal": self._announce_file,
            "files.completeUploadExternal": self._share_files,
            "apps.connections.open": self._open_connection,
            "views.open": self._open_view,
        }

    def answer(self, method: str, body: Body) -> Body:
        """Do what *method* asks."""
        act = self._answers.get(method)
        return act(body) if act else no("unknown_method")

    def receive(self, file_id: str, content: bytes) -> bool:
        """The bytes of an announced file; False where they are not what was announced."""
        found = self._file(file_id)
        if found is None or found.length != len(content):
            return False
        found.content = content
        return True

    def _auth_test(self, _: Body) -> Body:
        return {"ok": True, "user": "model-monitor", "team": "Acme", "user_id": "U0BOT", "team_id": "T0ACME"}

    def _post(self, body: Body) -> Body:
        channel = self._channel(body.get("channel"))
        if channel is None:
            return no("channel_not_found")
        if self._refuse(body):
            return no("invalid_blocks")
        parent = body.get("thread_ts")
        if parent is not None and self._find(channel, parent) is None:
            return no("thread_not_found")
        posted = Posted(channel, self._stamp(), body)
        self._record.messages.append(posted)
        return {"ok": True, "channel": channel, "ts": posted.ts, "message": {"text": body["text"]}}

    def _update(self, body: Body) -> Body:
        channel = body.get("channel")
        if channel not in self.channels.values():
            return no("channel_not_found")
        found = self._find(str(channel), body.get("ts"))
        if found is None:
            return no("message_not_found")
        if self._refuse(body):
            return no("invalid_blocks")
        found.edits.append(body)
        return {"ok": True, "channel": channel, "ts": found.ts, "text": body["text"]}

    def _whisper(self, body: Body) -> Body:
        if self._channel(body.get("channel")) is None:
            return no("channel_not_found")
        if not body.get("user"):
            return no("user_not_in_channel")
        if self._refuse(body):
            return no("invalid_blocks")
        self._record.responses.append(body)
        return {"ok": True, "message_ts": self._stamp()}

    def _list(self, body: Body) -> Body:
        found = [{"id": identity, "name": name} for name, identity in self.channels.items()]
        return self._page("channels", found, {**body, "limit": 1})

    def _history(self, body: Body) -> Body:
        channel = body.get("channel")
        if channel not in self.channels.values():
            return no("channel_not_found")
        oldest = float(body.get("oldest") or 0)
        found = [
            message
            for message in reversed(self._record.messages)
            if message.channel == channel
            and float(message.ts) > oldest
            and ("thread_ts" not in message.body or message.body.get("reply_broadcast"))
        ]
        return self._page("messages", [_as_read(message, body) for message in found], body)

    def _replies(self, body: Body) -> Body:
        parent = self._find(str(body.get("channel")), body.get("ts"))
        if parent is None:
            return no("thread_not_found")
        said = [_as_read(message, body) for message in (parent, *self._record.replies(parent))]
        shared = [_file_as_read(file) for file in self._record.files if file.ts and file.thread_ts == parent.ts]
        return self._page("messages", sorted(said + shared, key=lambda read: float(read["ts"])), body)

    def _announce_file(self, body: Body) -> Body:
        if not body.get("filename") or int(body.get("length") or 0) < 1:
            return no("invalid_arguments")
        file = File(f"F0FILE{len(self._record.files):04}", str(body["filename"]), int(body["length"]))
        file.alt_text = str(body.get("alt_txt") or "")
        self._record.files.append(file)
        return {"ok": True, "upload_url": f"{self._upload_url}{file.id}", "file_id": file.id}

    def _share_files(self, body: Body) -> Body:
        named = body.get("files") or []
        wanted = json.loads(named) if isinstance(named, str) else named
        found = [(self._file(one["id"]), str(one.get("title") or "")) for one in wanted]
        if not found or any(file is None or file.content is None for file, _ in found):
            return no("file_not_found")
        channel = str(body.get("channel_id") or "")
        if channel not in self.channels.values():
            return no("channel_not_found")
        thread = str(body.get("thread_ts") or "")
        if thread and self._find(channel, thread) is None:
            return no("invalid_arguments")
        for file, title in found:
            if file is not None and not file.ts:  # completing twice shares once
                file.channel, file.ts, file.thread_ts, file.title = channel, self._stamp(), thread, title or file.name
                file.comment = str(body.get("initial_comment") or "")
        return {"ok": True, "files": [{"id": file.id, "title": file.title} for file, _ in found if file is not None]}

    def _open_connection(self, _: Body) -> Body:
        return {"ok": True, "url": self._socket_url()}

    def _open_view(self, body: Body) -> Body:
        if not any(click.payload["trigger_id"] == body.get("trigger_id") for click in self._record.clicks):
            return no("invalid_trigger_id")
        self._record.responses.append(body)
        return {"ok": True, "view": body.get("view")}

    def _page(self, key: str, found: list[Body], body: Mapping[str, Any]) -> Body:
        start = int(body.get("cursor") or 0)
        stop = start + min(int(body.get("limit") or 100), self.page_size)
        more = str(stop) if stop < len(found) else ""
        return {"ok": True, key: found[start:stop], "has_more": bool(more), "response_metadata": {"next_cursor": more}}

    def _stamp(self) -> str:
        """A ts: the time, and never the same twice."""
        self._count += 1
        return f"{self._clock() + self._count * 1e-5:.6f}"

    def _channel(self, named: object) -> str | None:
        text = str(named)
        return text if text in self.channels.values() else self.channels.get(text.removeprefix("#"))

    def _find(self, channel: str, ts: object) -> Posted | None:
        messages = reversed(self._record.messages)  # it is nearly always one of the newest
        return next((found for found in messages if found.channel == channel and found.ts == str(ts)), None)

    def _file(self, file_id: object) -> File | None:
        return next((file for file in self._record.files if file.id == file_id), None)

    def _refuse(self, body: Body) -> bool:
        found = invalid(body, self._record.mentions)
        self._record.invalid += found
        return bool(found)


def no(error: str) -> Body:
    """Slack's way to refuse."""
    return {"ok": False, "error": error}


def _as_read(message: Posted, body: Mapping[str, Any]) -> Body:
    read = {"type": "message", "ts": message.ts, "text": message.now["text"]}
    if str(body.get("include_all_metadata")).lower() in ("1", "true"):
        read["metadata"] = message.body.get("metadata")
    return read


def _file_as_read(file: File) -> Body:
    shown = [{"id": file.id, "name": file.name, "title": file.title}]
    return {"type": "message", "subtype": "file_share", "ts": file.ts, "text": file.comment, "files": shown}
