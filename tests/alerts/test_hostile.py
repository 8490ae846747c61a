"""Thousands of incidents as no sane log would have them: every message valid, and nothing in it active but our own."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from jsonschema import Draft7Validator

from checks.contract import Measurement
from monitor.alerts import blocks as layout
from monitor.alerts.blocks import Frame
from monitor.alerts.buttons import button_values
from monitor.alerts.incident import ModelFacts
from monitor.alerts.limits import problems
from monitor.alerts.message import Message
from monitor.alerts.movers import Seen
from tests.alerts.scenes import FIRST, Kind, Model, verdict
from tests.delivery.fake_slack import active_tokens, texts

SCHEMA = json.loads((Path(__file__).parents[1] / "delivery" / "slack_message.schema.json").read_text())
OWN = "<@U0123ABCD>"
INJECTIONS = (
    "<!channel>", "<!here|here>", "<!everyone>", "<@U12345678>", "<!subteam^S12345678>", "<#C123|general>",
    "<http://evil.example|ok>", "<https://evil.example>", "<mailto:a@b|c>", "<tel:1>", "<!date^1^{date}|x>",
    "@here", "@channel", "@everyone", "@Here!", "＠here", "https://evil.example", "evil.example",
    "&lt;!here&gt;", "&#60;!here&#62;", "&amp;lt;!channel&amp;gt;", "&", ">", "<", "<<!here>>", "|", "\\<!here\\>",
    "`code`", "```", "`<!here>`", "*b*", "_i_", "~s~", "> quote", ":skull:", "\u202e<!here>\u202c", "\u2066x\u2069",
    "\u200b<\u200b!here>", "@\u200bhere", "\ufeff", "\x00", "<\x00!here>", "\x1b[31m", "\x1b]8;;http://evil\x07",
    "\r\n<!here>", "\u2028<!channel>", "\u2029", "\x85", "\ud800", "\udc00<!here>", "🔴", "e\u0301", "\U000e0041",
    "%3C!here%3E", "javascript:alert(1)", "https://a|<!here>", "https://a>b<!channel>",
)  # fmt: skip


@cache
def valid_shape(shape: str) -> bool:
    """Whether the published schema takes a message of this shape; it says nothing of what a text may hold."""
    return Draft7Validator(SCHEMA).is_valid(json.loads(shape))


def shape_of(found: object) -> object:
    if isinstance(found, dict):
        fixed = ("type", "style", "channel")
        return {key: value if key in fixed else shape_of(value) for key, value in found.items()}
    if isinstance(found, list):
        return [shape_of(each) for each in found]
    return "x" if isinstance(found, str) else found


def written(message: Message, frame: Frame) -> Iterator[dict[str, object]]:
    """Everything that is sent to Slack of a message."""
    parent = layout.parent_blocks(message, frame)
    yield {"channel": "C1", "text": layout.fallback_text(message), "blocks": parent}
    reply = layout.reply_blocks(message, frame)
    yield {"channel": "C1", "text": layout.fallback_text(message, reply=True), "blocks": reply}
    yield {"channel": "C1", "text": layout.plain_text(message, frame)}
    yield {"channel": "C1", "text": layout.plain_text(message, frame, reply=True)}


def wrong(message: Message, frame: Frame) -> list[str]:
    found: list[str] = []
    for payload in written(message, frame):
        blocks: list[dict[str, object]] = payload.get("blocks", [])  # type: ignore[assignment]  # a list of blocks
        found += problems(str(payload["text"]), blocks)
        found += [] if valid_shape(json.dumps(shape_of(payload))) else ["The published schema refuses it."]
        found += [f"active: {token}" for text in texts(payload) for token in active_tokens(text, [OWN])]
    return found


def name(dice: random.Random) -> str:
    """Short mostly, and now and then 10,000 characters of a kind that grows when it is escaped."""
    size = dice.choice((3, 8, 30, 120, 10_000 if dice.random() < 0.05 else 12))
    letters = dice.choice(("abcxyz_", "&<>", "é中🔴", "@here ", "a b-c.d"))
    return ("".join(dice.choices(letters, k=min(size, 40))) * (size // 40 + 1))[:size]


def an_incident(dice: random.Random) -> Iterator[Message]:
    """What is told of a model over two windows, with up to 500 segments."""
    runbook = dice.choice((None, f"https://wiki.example.org/{name(dice)}", name(dice)))
    model = Model(facts=ModelFacts(name(dice), name(dice), dice.choice((None, "@flights", name(dice))), runbook))
    crowd = 500 if dice.random() < 0.002 else dice.randrange(1, 4)
    segments = [f"{name(dice)}={place}" for place in range(crowd)]
    kinds: tuple[Kind, ...] = ("breach", "breach", "holds", "inconclusive", "unknown")
    for day in range(2):
        verdicts = [verdict(dice.choice(kinds), dice.choice((None, dice.gauss(0, 10 ** dice.randrange(-9, 12)))))]
        verdicts += [
            verdict(dice.choice(kinds), segment=segment, unit=dice.choice(("", "seconds", "EUR")))
            for segment in segments
        ]
        moved = [Measurement("drift", dice.random(), column=name(dice)) for _ in range(dice.randrange(6))]
        worst = [Measurement("accuracy", dice.random(), segment=segment) for segment in segments]
        seen = Seen((*moved, *worst), rows=dice.randrange(10**9), outcomes=dice.randrange(10**9))
        for told in model.see(day, *verdicts, seen=seen).notifications:
            yield told.message


def test_five_thousand_random_incidents_have_no_invalid_message() -> None:
    dice = random.Random(2013)
    frame = Frame(
        "delivered 3 hours late",
        calls=True,
        mentions={"@flights": "U0123ABCD"},
        page="https://monitor.example.org/incidents/7",
        buttons=button_values(b"key", 7, FIRST),
    )
    messages = 0
    for _ in range(5_000):
        for message in an_incident(dice):
            messages += 1
            assert wrong(message, frame) == []
    assert messages > 5_000


def test_ten_thousand_injections_leave_no_active_token() -> None:
    dice = random.Random(1984)
    frame = Frame(calls=True, mentions={"@flights": "U0123ABCD"})
    for _ in range(10_000):
        bad = "".join(dice.choices((*INJECTIONS, "x", " "), k=dice.randrange(1, 4)))
        model = Model(facts=ModelFacts(bad, bad, dice.choice(("@flights", bad)), bad))
        seen = Seen((Measurement("drift", 0.4, column=bad), Measurement("accuracy", 0.1, segment=bad)))
        lead = verdict("breach", segment=dice.choice(("", bad)))
        [told] = model.see(1, lead, seen=seen).notifications
        message = Message.from_data(told.message.to_data() | {"mention": bad, "remark": bad})
        for payload in written(message, frame):
            assert [token for text in texts(payload) for token in active_tokens(text, [OWN])] == []


def test_the_schema_asks_nothing_of_texts() -> None:
    """Else looking at shapes would not be enough."""
    assert not {"pattern", "minLength", "maxLength", "format"} & set(_keys(SCHEMA["definitions"]))


def _keys(found: object) -> Iterator[str]:
    if isinstance(found, dict):
        yield from (key for key in found if not isinstance(found[key], dict) or "type" not in found[key])
        for value in found.values():
            yield from _keys(value)
