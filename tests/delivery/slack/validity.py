"""What Slack would refuse in a message, and what nobody may be able to smuggle into one.

Messages are validated in full: Slack's published JSON schema of blocks (@slack/types 3.2.0, MIT), slack-sdk's own
checks, the published limits, and that no token is active which looks like a mention.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

from jsonschema import Draft7Validator
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

from monitor.alerts.limits import problems

_LINK = re.compile(r"<https?://[^\s<>|]+\|[^<>|]*>")
_SCHEMA = Path(__file__).parents[1] / "slack_message.schema.json"


def invalid(body: Mapping[str, object], mentions: Collection[str] = ()) -> list[str]:
    """Everything that is wrong with a message, by the schema, by slack-sdk, by the limits and for safety."""
    found_blocks = body.get("blocks")
    blocks = found_blocks if isinstance(found_blocks, list) else []
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
