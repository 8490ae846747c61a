"""What Slack publishes as limits of a message; slack-sdk checks few of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from monitor.alerts.escape import units

MOST_BLOCKS = 50
MOST_CHARACTERS = 10_000
"""Of all blocks together. Slack refuses near 13,200 (slackapi/bolt-js#2509) and does not say where exactly."""

MOST_BUTTONS = 5

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
    yield from _twice("block_id", blocks)
    yield from _twice("action_id", [each for block in blocks for each in block.get("elements", [])])


def _twice(key: str, found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    ids = [each[key] for each in found if key in each]
    if len(ids) != len(set(ids)):
        yield f"blocks: the same {key} twice."


def _block(path: str, block: Mapping[str, Any]) -> Iterator[str]:
    kind = block.get("type")
    yield from _identity(path, "block_id", block)
    if kind == "header":
        yield from _text(f"{path}.text", block.get("text"), _TEXT["header"], ("plain_text",))
    elif kind == "section":
        yield from _section(path, block)
    elif kind == "context":
        yield from _context(path, block)
    elif kind == "actions":
        yield from _actions(path, block)
    elif kind == "image":
        yield from _image(path, block)
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


def _actions(path: str, block: Mapping[str, Any]) -> Iterator[str]:
    elements = block.get("elements", [])
    if not 1 <= len(elements) <= MOST_BUTTONS:
        yield f"{path}.elements: {len(elements)}; 1 to {MOST_BUTTONS} buttons are read at a glance, Slack allows 25."
    for index, element in enumerate(elements):
        yield from _button(f"{path}.elements[{index}]", element)


def _button(path: str, button: Mapping[str, Any]) -> Iterator[str]:
    if button.get("type") != "button":
        yield f"{path}: type {button.get('type')!r}; button would be right."
    yield from _text(f"{path}.text", button.get("text"), 75, ("plain_text",))
    yield from _identity(path, "action_id", button)
    for key, most in (("value", 2000), ("url", 3000)):
        if units(str(button.get(key, ""))) > most:
            yield f"{path}.{key}: longer than {most} characters."
    if button.get("style", "primary") not in ("primary", "danger"):
        yield f"{path}.style: {button['style']!r}; primary or danger would be right."


def _image(path: str, block: Mapping[str, Any]) -> Iterator[str]:
    if not 1 <= units(str(block.get("alt_text", ""))) <= 2000:
        yield f"{path}.alt_text: 1 to 2000 characters are allowed."
    if "title" in block:
        yield from _text(f"{path}.title", block["title"], 2000, ("plain_text",))
    if ("image_url" in block) == ("slack_file" in block):
        yield f"{path}: an image needs either image_url or slack_file."
    if units(str(block.get("image_url", ""))) > 3000:
        yield f"{path}.image_url: longer than 3000 characters."


def _identity(path: str, key: str, found: Mapping[str, Any]) -> Iterator[str]:
    if key in found and not 1 <= units(str(found[key])) <= 255:
        yield f"{path}.{key}: 1 to 255 characters are allowed."


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
