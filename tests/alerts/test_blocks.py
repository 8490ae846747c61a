"""Messages as Block Kit: within every limit, and never an active token that we did not write."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.alerts import blocks as layout
from monitor.alerts.escape import clean, cut, link, mrkdwn, units
from monitor.alerts.limits import problems
from monitor.alerts.message import AlertLine, Field, Message
from tests.alerts.scenes import Model, verdict
from tests.delivery.fake_slack import active_tokens, invalid, texts

NASTY = (
    "<!channel>", "<!here|here>", "<@U12345678>", "<#C123|general>", "<http://evil.example|ok>", "&lt;!here&gt;",
    "`code`", "\u202eeslaf", "\x00", "\x1b[31m", "@here", "@channel now", "@everyone", "https://evil.example", "&&&&",
    "<<<<", "x" * 5000, "🔴" * 400, "\n> quote\n", "\u2028", "\ud800", "", " ", "*bold*", ":rotating_light:",
)  # fmt: skip
HOSTILE = st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=60)), max_size=4).map("".join)
STATE = st.sampled_from(["page", "warn", "resolved"])
AT = datetime(2013, 7, 1, tzinfo=UTC)
MESSAGES = st.builds(
    Message,
    reason=st.sampled_from(["opened", "alert_joined", "severity_raised", "alert_resolved", "resolved"]),
    state=STATE,
    model=HOSTILE,
    version=HOSTILE,
    title=HOSTILE,
    fields=st.lists(st.builds(Field, HOSTILE, HOSTILE), max_size=12).map(tuple),
    changed=HOSTILE,
    others=st.lists(st.builds(AlertLine, STATE, HOSTILE), max_size=60).map(tuple),
    more=st.integers(0, 500),
    owner=st.none() | HOSTILE,
    runbook=st.none() | HOSTILE | st.just("https://wiki.example.org/a?b=1&c=2"),
    thread_line=HOSTILE,
    opened_at=st.just(AT),
    window_end=st.just(AT),
)


def payloads(message: Message, note: str) -> list[dict[str, object]]:
    return [
        {"channel": "C1", "text": layout.fallback_text(message), "blocks": layout.parent_blocks(message, note=note)},
        {
            "channel": "C1",
            "text": layout.fallback_text(message, reply=True),
            "blocks": layout.reply_blocks(message, note=note),
        },
        {"channel": "C1", "text": layout.plain_text(message, note=note)},
        {"channel": "C1", "text": layout.plain_text(message, reply=True, note=note)},
    ]


def hostile_message(dice: random.Random) -> Message:
    """A message of outside text at its worst."""

    def text() -> str:
        letters = "".join(chr(dice.choice((dice.randrange(0x300), dice.randrange(0x110000)))) for _ in range(5))
        return "".join(dice.choice((*NASTY, letters)) for _ in range(dice.randrange(4)))

    return Message(
        reason=dice.choice(("opened", "alert_joined", "severity_raised", "alert_resolved", "resolved")),
        state=dice.choice(("page", "warn", "resolved")),
        model=text(),
        version=text(),
        title=text(),
        fields=tuple(Field(text(), text()) for _ in range(dice.randrange(12))),
        changed=text(),
        others=tuple(AlertLine("page", text()) for _ in range(dice.randrange(12))),
        more=dice.randrange(500),
        owner=text(),
        runbook=dice.choice((None, text(), "https://wiki.example.org/a?b=1&c=2")),
        thread_line=text(),
        opened_at=AT,
        window_end=AT,
    )


def test_two_thousand_hostile_messages_stay_valid_and_harmless() -> None:
    dice = random.Random(2013)
    for _ in range(2000):
        for payload in payloads(hostile_message(dice), "delivered 3 hours late"):
            found: list[dict[str, object]] = payload.get("blocks", [])  # type: ignore[assignment]  # a list of blocks
            assert problems(str(payload["text"]), found) == []
            assert [token for text in texts(payload) for token in active_tokens(text)] == []


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(MESSAGES)
def test_hostile_messages_pass_the_published_schema_and_slack_sdk(message: Message) -> None:
    assert [problem for payload in payloads(message, "") for problem in invalid(payload)] == []


def test_a_resolved_parent_is_green_and_shorter() -> None:
    model = Model()
    [opened] = model.see(1, verdict("breach")).notifications
    [resolved] = model.see(2, verdict("holds")).notifications
    before, after = layout.parent_blocks(opened.message), layout.parent_blocks(resolved.message)
    assert after[0]["text"]["text"] == "🟢 RESOLVED · flight-delay 2013-04 · accuracy 0.778 ≥ 0.728"
    assert [block["type"] for block in before] == ["header", "section", "section", "context"]
    assert [block["type"] for block in after] == ["header", "section", "context"]


def test_only_our_own_link_is_active() -> None:
    [told] = Model().see(1, verdict("breach", segment="origin=<!channel>")).notifications
    blocks = layout.parent_blocks(told.message)
    context = blocks[-1]["elements"][0]["text"]
    assert "<https://wiki.example.org/flights?a=1&amp;b=2|Runbook>" in context
    assert "origin=&lt;!channel&gt;" in blocks[1]["fields"][4]["text"]


def test_five_hundred_segments_fit_and_the_rest_is_counted() -> None:
    many = [verdict("breach", segment=f"origin={'x' * 300}{number}") for number in range(500)]
    [told] = Model().see(1, *many).notifications
    blocks = layout.parent_blocks(told.message)
    assert problems(layout.fallback_text(told.message), blocks) == []
    assert "and 489 more" in blocks[-2]["text"]["text"]


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("https://wiki.example.org/a?b=1&c=2", "<https://wiki.example.org/a?b=1&amp;c=2|Runbook>"),
        # no other scheme, no way out of the link
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("https://a|b>", "https://a|b&gt;"),
        ("https://a b", "https://a b"),
    ],
)
def test_a_runbook_is_a_link_only_where_it_is_an_address(address: str, written: str) -> None:
    assert link(address, "Runbook") == written


@given(st.text(), st.integers(40, 200))
def test_what_is_cut_says_how_much_is_missing(text: str, most: int) -> None:
    shown = cut(text, most)
    assert units(shown) <= most
    assert shown == text or shown.endswith(" more characters)")
    assert units(mrkdwn(text, most)) <= most
    assert clean(clean(text)) == clean(text)


def test_the_limits_are_those_that_slack_publishes() -> None:
    text = {"type": "mrkdwn", "text": "x"}
    section: dict[str, object] = {"type": "section", "text": text}
    # each broken limit, and the sentence that says so
    broken: list[tuple[str, list[dict[str, object]], str]] = [
        ("", [], "text: it is empty; notifications and screen readers would have nothing to say."),
        ("x", [section] * 51, "blocks: 51; at most 50 are allowed."),
        ("x", [{"type": "header", "text": text}], "blocks[0].text: type 'mrkdwn'; plain_text would be right."),
        ("x", [{"type": "section"}], "blocks[0]: a section needs text or fields."),
        ("x", [{"type": "section", "fields": [text] * 11}], "blocks[0].fields: 11; at most 10 are allowed."),
        ("x", [{"type": "context", "elements": []}], "blocks[0].elements: 0; 1 to 10 are allowed."),
        (
            "x",
            [{"type": "section", "text": {"type": "mrkdwn", "text": "y" * 3001}}],
            "blocks[0].text: 3001 characters; 1 to 3000 are allowed.",
        ),
        ("x" * 3001, [], "text: 3001 characters; a message longer than 3000 may be split or not edited later."),
    ]
    for words, blocks, sentence in broken:
        assert problems(words, blocks) == [sentence]
    assert problems("x", [section]) == []
