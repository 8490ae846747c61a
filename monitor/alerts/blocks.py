"""A message as Slack Block Kit: the parent, which is edited, and the reply in its thread. Pure dictionaries."""

from __future__ import annotations

from typing import Any

from monitor.alerts.escape import link, mrkdwn, plain
from monitor.alerts.message import EMOJI, Message
from monitor.alerts.words import moment

Block = dict[str, Any]

_MOST_OTHERS = 10
_NAMELESS = "model-monitor has news of an incident"


def parent_blocks(message: Message, *, note: str = "") -> list[Block]:
    """The parent: title, fields, what changed, further alerts, owner and runbook. Green and short once resolved.

    *note* is a last remark, such as how late the message is.
    """
    blocks: list[Block] = [{"type": "header", "text": {"type": "plain_text", "text": title(message), "emoji": True}}]
    if message.fields:
        fields = [_mrkdwn(f"*{mrkdwn(field.label, 60)}*\n{mrkdwn(field.text, 300)}") for field in message.fields[:10]]
        blocks.append({"type": "section", "fields": fields})
    changed = mrkdwn(message.changed, 1500)
    if changed:
        blocks.append(_section(changed))
    if message.others:
        blocks.append(_section(_others(message)))
    blocks.append({"type": "context", "elements": [_mrkdwn(_context(message, note))]})
    return blocks


def reply_blocks(message: Message, *, note: str = "") -> list[Block]:
    """The line in the thread."""
    blocks = [_section(mrkdwn(message.thread_line, 2000) or _NAMELESS)]
    remark = f"Why you see this: {message.reason.replace('_', ' ')}"
    blocks.append({"type": "context", "elements": [_mrkdwn(mrkdwn(f"{remark} · {note}" if note else remark, 500))]})
    return blocks


def title(message: Message) -> str:
    """The first line, as plain text of at most 150 characters."""
    return plain(message.title, 150) or _NAMELESS


def fallback_text(message: Message, *, reply: bool = False) -> str:
    """What stands in a push notification and what a screen reader says: escaped, one line."""
    return mrkdwn(message.thread_line if reply else message.title, 500) or _NAMELESS


def plain_text(message: Message, *, reply: bool = False, note: str = "") -> str:
    """The whole message without blocks, for when Slack does not take them: escaped lines, at most 3,000 characters."""
    if reply:
        return mrkdwn(message.thread_line, 2000) or _NAMELESS
    lines = [mrkdwn(message.title, 300) or _NAMELESS]
    lines += [f"{mrkdwn(field.label, 40)}: {mrkdwn(field.text, 150)}" for field in message.fields[:10]]
    lines += [mrkdwn(message.changed, 600), _context(message, note)]
    return "\n".join(line for line in lines if line)


def _context(message: Message, note: str) -> str:
    parts = []
    if message.owner:
        parts.append(mrkdwn(message.owner, 100))
    if message.runbook:
        parts.append(link(message.runbook, "Runbook"))
    parts.append(f"incident since {moment(message.opened_at)} UTC")
    if note:
        parts.append(mrkdwn(note, 200))
    return " · ".join(parts)


def _others(message: Message) -> str:
    shown = message.others[:_MOST_OTHERS]
    lines = [f"{EMOJI[line.state]} {mrkdwn(line.text, 200)}" for line in shown]
    hidden = len(message.others) - len(shown) + message.more
    if hidden:
        lines.append(f"and {hidden:,} more")
    return "\n".join(lines)


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(text)}


def _mrkdwn(text: str) -> Block:
    # verbatim keeps Slack from turning names and addresses in the text into links of its own
    return {"type": "mrkdwn", "text": text, "verbatim": True}
