"""What Slack publishes as limits of a message; slack-sdk checks few of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from monitor.alerts.escape import units

MOST_BLOCKS = 50
MOST_CHARACTERS = 10_000
"""Of all blocks together. Slack refuses near 13,200 (slackapi/bolt-js#2509) and does not say where exactly."""

_TEXT = {"section": 3000, "header": 150, "context": 3000, "field": 2000}


def problems(text: str, blocks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every limit a message breaks, as sentences; an empty list means that Slack should take it."""
    return list(_problems(text, blocks))


def _problems(text: str, blocks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not text.strip():
        yield "text: it is empty; notifications and screen readers would have nothing to say."
    if units(text) > 3000:
        yield f"text: {units(text)} characters; a message longer than 3000 may be split or not edited later."
    if len(blocks) > MOST_BLOCKS:
        yield f"blocks: {len(blocks)}; at most {MOST_BLOCKS} are allowed."
    for index, block in enumerate(blocks):
        yield from _block(f"blocks[{index}]", block)
    total = sum(_characters(block) for block in blocks)
    if total > MOST_CHARACTERS:
        yield f"blocks: {total} characters in all; at most {MOST_CHARACTERS} are safe."
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(ids) != len(set(ids)):
        yield "blocks: the same block_id twice."


def _block(path: str, block: Mapping[str, Any]) -> Iterator[str]:
    kind = block.get("type")
    if units(str(block.get("block_id", ""))) > 255:
        yield f"{path}.block_id: longer than 255 characters."
    if kind == "header":
        yield from _text(f"{path}.text", block.get("text"), _TEXT["header"], ("plain_text",))
    elif kind == "section":
        yield from _section(path, block)
    elif kind == "context":
        yield from _context(path, block)
    elif kind != "divider":
        yield f"{path}: messages of this program have no block of type {kind!r}."


def _section(path: str, block: Mapping[str, Any]) -> Iterator[str]:
    if "text" not in block and not block.get("fields"):
        yield f"{path}: a section needs text or fields."
    if "text" in block:
        yield from _text(f"{path}.text", block["text"], _TEXT["section"], ("plain_text", "mrkdwn"))
    fields = block.get("fields", [])
    if len(fields) > 10:
        yield f"{path}.fields: {len(fields)}; at most 10 are allowed."
    for index, field in enumerate(fields):
        yield from _text(f"{path}.fields[{index}]", field, _TEXT["field"], ("plain_text", "mrkdwn"))


def _context(path: str, block: Mapping[str, Any]) -> Iterator[str]:
    elements = block.get("elements", [])
    if not 1 <= len(elements) <= 10:
        yield f"{path}.elements: {len(elements)}; 1 to 10 are allowed."
    for index, element in enumerate(elements):
        yield from _text(f"{path}.elements[{index}]", element, _TEXT["context"], ("plain_text", "mrkdwn"))


def _text(path: str, found: object, most: int, kinds: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(found, Mapping) or not isinstance(found.get("text"), str):
        yield f"{path}: a text object is missing."
        return
    if found.get("type") not in kinds:
        yield f"{path}: type {found.get('type')!r}; {' or '.join(kinds)} would be right."
    length = units(found["text"])
    if not 1 <= length <= most:
        yield f"{path}: {length} characters; 1 to {most} are allowed."
    allowed = {"type", "text"} | ({"emoji"} if found.get("type") == "plain_text" else {"verbatim"})
    if set(found) - allowed:
        yield f"{path}: unknown keys {sorted(set(found) - allowed)}."


def _characters(found: object) -> int:
    if isinstance(found, str):
        return units(found)
    if isinstance(found, Mapping):
        return sum(_characters(value) for value in found.values())
    return sum(_characters(value) for value in found) if isinstance(found, Sequence) else 0
