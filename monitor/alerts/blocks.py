"""A message as Slack Block Kit: the parent, which is edited, and the reply in its thread. Pure dictionaries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from monitor.alerts.buttons import LABELS, Action
from monitor.alerts.escape import link, mrkdwn, plain
from monitor.alerts.message import EMOJI, Message
from monitor.alerts.words import moment

Block = dict[str, Any]

_MOST_OTHERS, _MOST_MOVERS = 10, 3
_NAMELESS = "model-monitor has news of an incident"
_USER = re.compile(r"[UW][A-Z0-9]{2,30}")
_GROUP = re.compile(r"S[A-Z0-9]{2,30}")


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around a message that is not its own words.

    *note* is a last remark, such as how late it is. *calls*: whether people are to be called, who by their names have
    the Slack ids of *mentions*. *page* is the address of the incident's page. *buttons* are their values.
    """

    note: str = ""
    calls: bool = False
    mentions: Mapping[str, str] = field(default_factory=dict)
    page: str = ""
    buttons: Mapping[Action, str] = field(default_factory=dict)


PLAIN = Frame()


def parent_blocks(message: Message, frame: Frame = PLAIN) -> list[Block]:
    """The parent: title, fields, what changed and moved, further alerts, links, buttons. Short once it is resolved."""
    blocks: list[Block] = [{"type": "header", "text": {"type": "plain_text", "text": title(message), "emoji": True}}]
    if message.fields:
        fields = [_mrkdwn(f"*{mrkdwn(field.label, 60)}*\n{mrkdwn(field.text, 250)}") for field in message.fields[:8]]
        blocks.append({"type": "section", "fields": fields})
    told = " ".join(part for part in (_calls(message, frame), mrkdwn(message.changed, 1200)) if part)
    if told:
        blocks.append(_section(told))
    if moved := _lines(message.movers):
        blocks.append(_section(moved))
    if message.others:
        blocks.append(_section(_others(message)))
    blocks.append({"type": "context", "elements": [_mrkdwn(_context(message, frame))]})
    if frame.buttons and message.state != "resolved":
        blocks.append({"type": "actions", "elements": list(_buttons(frame))})
    return blocks


def reply_blocks(message: Message, frame: Frame = PLAIN) -> list[Block]:
    """The line in the thread."""
    line = mrkdwn(message.thread_line, 2000) or _NAMELESS
    blocks = [_section(" ".join(part for part in (_calls(message, frame), line) if part))]
    remark = f"Why you see this: {message.reason.replace('_', ' ')}"
    blocks.append(
        {"type": "context", "elements": [_mrkdwn(mrkdwn(" · ".join(filter(None, [remark, frame.note])), 500))]}
    )
    return blocks


def title(message: Message) -> str:
    """The first line, as plain text of at most 150 characters."""
    return plain(message.title, 150) or _NAMELESS


def fallback_text(message: Message, *, reply: bool = False) -> str:
    """What stands in a push notification and what a screen reader says: escaped, one line."""
    return mrkdwn(message.thread_line if reply else message.title, 500) or _NAMELESS


def plain_text(message: Message, frame: Frame = PLAIN, *, reply: bool = False) -> str:
    """The whole message without blocks, for when Slack does not take them: escaped lines, at most 3,000 characters."""
    if reply:
        line = mrkdwn(message.thread_line, 2000) or _NAMELESS
        return " ".join(part for part in (_calls(message, frame), line) if part)
    lines = [mrkdwn(message.title, 300) or _NAMELESS]
    lines += [f"{mrkdwn(field.label, 30)}: {mrkdwn(field.text, 70)}" for field in message.fields[:8]]
    lines += [_calls(message, frame), mrkdwn(message.changed, 300), _context(message, frame)]
    return "\n".join(line for line in lines if line)


def _calls(message: Message, frame: Frame) -> str:
    """Those who are called, nobody twice. The owner stands below by name; whoever else has no id is named here."""
    if not frame.calls:
        return ""
    owner = _mention(frame.mentions.get(message.owner or "", ""))
    other = _mention(frame.mentions.get(message.mention or "", "")) or mrkdwn(message.mention or "", 100)
    return " ".join(dict.fromkeys(each for each in (owner, other) if each))


def _mention(identity: str) -> str:
    """The token that calls a user or a group of users; "" for what is no id."""
    if _USER.fullmatch(identity):
        return f"<@{identity}>"
    return f"<!subteam^{identity}>" if _GROUP.fullmatch(identity) else ""


def _context(message: Message, frame: Frame) -> str:
    parts = []
    if message.owner:
        parts.append(mrkdwn(message.owner, 100))
    if message.runbook:
        parts.append(link(message.runbook, "Runbook"))
    if frame.page:
        parts.append(link(frame.page, "Incident"))
    if message.reason != "digest":
        parts.append(f"incident opened {moment(message.opened_at)} UTC")
    parts += [mrkdwn(remark, 150) for remark in (message.remark, frame.note) if remark]
    return " · ".join(parts) or "model-monitor"


def _buttons(frame: Frame) -> Iterator[Block]:
    for action, value in frame.buttons.items():
        label = {"type": "plain_text", "text": LABELS[action], "emoji": True}
        button = {"type": "button", "action_id": action, "text": label, "value": value}
        yield button | {"style": "primary"} if action == "acknowledge" else button


def _lines(text: str) -> str:
    return "\n".join(filter(None, (mrkdwn(line, 300) for line in text.splitlines()[:_MOST_MOVERS])))


def _others(message: Message) -> str:
    shown = message.others[:_MOST_OTHERS]
    lines = [f"{EMOJI[line.state]} {mrkdwn(line.text, 160)}" for line in shown]
    hidden = len(message.others) - len(shown) + message.more
    if hidden:
        lines.append(f"and {hidden:,} more")
    return "\n".join(lines)


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(text)}


def _mrkdwn(text: str) -> Block:
    # verbatim keeps Slack from turning names and addresses in the text into links of its own
    return {"type": "mrkdwn", "text": text, "verbatim": True}
