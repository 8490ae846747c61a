"""Messages as Block Kit: within every limit, and never an active token that we did not write."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.alerts import blocks as layout
from monitor.alerts.blocks import PLAIN, Frame
from monitor.alerts.buttons import button_values
from monitor.alerts.escape import clean, cut, link, mrkdwn, units
from monitor.alerts.limits import problems
from monitor.alerts.message import AlertLine, Field, Message
from tests.alerts.scenes import Model, verdict
from tests.delivery.fake_slack import invalid

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
    mention=st.none() | HOSTILE,
    remark=HOSTILE,
    movers=HOSTILE,
)
DRESSED = Frame(
    "delivered 3 hours late",
    calls=True,
    page="https://monitor.example.org/incidents/7",
    buttons=button_values(b"k", 7, AT),
)


def payloads(message: Message, frame: Frame = PLAIN) -> list[dict[str, object]]:
    fallback, reply = layout.fallback_text(message), layout.fallback_text(message, reply=True)
    return [
        {"channel": "C1", "text": fallback, "blocks": layout.parent_blocks(message, frame)},
        {"channel": "C1", "text": reply, "blocks": layout.reply_blocks(message, frame)},
        {"channel": "C1", "text": layout.plain_text(message, frame)},
        {"channel": "C1", "text": layout.plain_text(message, frame, reply=True)},
    ]


def test_lines_with_nothing_in_them_are_left_out() -> None:
    [told] = Model().see(7, verdict("breach")).notifications
    assert layout.parent_blocks(replace(told.message, movers="\u2028\n ")) == layout.parent_blocks(told.message)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(MESSAGES)
def test_hostile_messages_pass_the_published_schema_and_slack_sdk(message: Message) -> None:
    assert [problem for payload in payloads(message, DRESSED) for problem in invalid(payload)] == []


def test_a_resolved_parent_is_green_short_and_without_buttons() -> None:
    model = Model()
    [opened] = model.see(1, verdict("breach")).notifications
    [resolved] = model.see(2, verdict("holds")).notifications
    before, after = layout.parent_blocks(opened.message, DRESSED), layout.parent_blocks(resolved.message, DRESSED)
    assert after[0]["text"]["text"] == "🟢 RESOLVED · flight-delay 2013-04 · accuracy 0.778 ≥ 0.728"
    assert [block["type"] for block in before] == ["header", "section", "section", "context", "actions"]
    assert [block["type"] for block in after] == ["header", "section", "context"]


def test_only_our_own_link_is_active() -> None:
    [told] = Model().see(1, verdict("breach", segment="origin=<!channel>")).notifications
    blocks = layout.parent_blocks(told.message, Frame(page="https://monitor.example.org/incidents/7"))
    context = blocks[-1]["elements"][0]["text"]
    assert "<https://wiki.example.org/flights?a=1&amp;b=2|Runbook>" in context
    assert "<https://monitor.example.org/incidents/7|Incident>" in context
    assert "origin=&lt;!channel&gt;" in blocks[1]["fields"][4]["text"]


def test_there_are_buttons_only_where_somebody_listens() -> None:
    [told] = Model().see(1, verdict("breach")).notifications
    assert layout.parent_blocks(told.message)[-1]["type"] == "context"
    actions = layout.parent_blocks(told.message, DRESSED)[-1]
    shown = [(button["action_id"], button["text"]["text"]) for button in actions["elements"]]
    assert shown == [
        ("acknowledge", "Acknowledge"),
        ("silence_1h", "Silence 1 h"),
        ("silence_1d", "Silence 1 d"),
        ("history", "Show history"),
    ]


@pytest.mark.parametrize(
    ("identity", "written"),
    [
        # a user, one of a large workspace, a group of users
        ("U0123ABCD", "<@U0123ABCD> "),
        ("W0123ABCD", "<@W0123ABCD> "),
        ("S0123ABCD", "<!subteam^S0123ABCD> "),
        # no id, so the owner is only named, below
        ("!channel", ""),
        ("U0123ABCD>", ""),
        ("u0123abcd", ""),
        ("@anna", ""),
    ],
)
def test_an_owner_is_called_by_an_id_and_by_nothing_else(identity: str, written: str) -> None:
    [told] = Model().see(1, verdict("breach")).notifications
    frame = Frame(calls=True, mentions={"@flights-oncall": identity})
    assert layout.parent_blocks(told.message, frame)[2]["text"]["text"].startswith(f"{written}accuracy fell below")
    assert layout.plain_text(told.message, frame).splitlines()[6].startswith(f"{written}".strip() or "accuracy")
    quiet = layout.parent_blocks(told.message, replace(frame, calls=False))
    assert quiet[2]["text"]["text"].startswith("accuracy fell below")


def test_an_owner_who_is_a_tier_too_is_called_once_and_a_stranger_by_name() -> None:
    [told] = Model().see(1, verdict("breach")).notifications
    frame = Frame(calls=True, mentions={"@flights-oncall": "U0123ABCD"})
    # who is mentioned beside the owner, and how the reply begins
    for mention, begins in (
        ("@flights-oncall", "<@U0123ABCD> 🔴"),
        ("the <!here> team", "<@U0123ABCD> the &lt;!here&gt; team 🔴"),
    ):
        blocks = layout.reply_blocks(replace(told.message, reason="escalated", mention=mention), frame)
        assert blocks[0]["text"]["text"].startswith(begins)


def test_who_has_seen_it_stands_by_the_incident() -> None:
    [told] = Model().see(1, verdict("breach")).notifications
    message = replace(told.message, remark="Acknowledged by <@anna> until 2013-06-05 09:00 UTC")
    context = layout.parent_blocks(message)[-1]["elements"][0]["text"]
    assert context.endswith(" · Acknowledged by &lt;@anna&gt; until 2013-06-05 09:00 UTC")


@pytest.mark.parametrize("letter", ["x", "&", "<", "🔴", "@here ", "é"])
def test_the_longest_of_everything_at_once_still_fits(letter: str) -> None:
    long = letter * 10_000
    address = "https://wiki.example.org/" + "a" * 370
    message = Message(
        reason="escalated",
        state="page",
        model=long,
        version=long,
        title=long,
        fields=(Field(long, long),) * 12,
        changed=long,
        others=(AlertLine("page", long),) * 50,
        more=450,
        owner=long,
        runbook=address,
        thread_line=long,
        opened_at=AT,
        window_end=AT,
        mention=long,
        remark=long,
        movers="\n".join([long] * 5),
    )
    frame = replace(DRESSED, note=long, page=address)
    for payload in payloads(message, frame):
        assert invalid(payload) == []


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
    label = {"type": "plain_text", "text": "y"}
    button = {"type": "button", "action_id": "a", "text": label}
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
        (
            "x",
            [{"type": "actions", "elements": [{**button, "action_id": str(number)} for number in range(6)]}],
            "blocks[0].elements: 6; 1 to 5 buttons are read at a glance, Slack allows 25.",
        ),
        ("x", [{"type": "actions", "elements": [button, button]}], "blocks: the same action_id twice."),
        ("x", [{**section, "block_id": "b"}, {**section, "block_id": "b"}], "blocks: the same block_id twice."),
        ("x", [{**section, "block_id": "b" * 256}], "blocks[0].block_id: 1 to 255 characters are allowed."),
        (
            "x",
            [{"type": "actions", "elements": [{**button, "text": {"type": "plain_text", "text": "y" * 76}}]}],
            "blocks[0].elements[0].text: 76 characters; 1 to 75 are allowed.",
        ),
        (
            "x",
            [{"type": "actions", "elements": [{**button, "value": "v" * 2001}]}],
            "blocks[0].elements[0].value: longer than 2000 characters.",
        ),
        (
            "x",
            [{"type": "actions", "elements": [{**button, "url": "u" * 3001}]}],
            "blocks[0].elements[0].url: longer than 3000 characters.",
        ),
        (
            "x",
            [{"type": "actions", "elements": [{**button, "style": "bold"}]}],
            "blocks[0].elements[0].style: 'bold'; primary or danger would be right.",
        ),
        (
            "x",
            [{"type": "image", "image_url": "https://a", "alt_text": "z" * 2001}],
            "blocks[0].alt_text: 1 to 2000 characters are allowed.",
        ),
        ("x", [{"type": "image", "alt_text": "z"}], "blocks[0]: an image needs either image_url or slack_file."),
        ("x", [{"type": "video"}], "blocks[0]: messages of this program have no block of type 'video'."),
        (
            "x",
            [{"type": "section", "text": {"type": "mrkdwn", "text": "y" * 2950}}] * 4,
            "blocks: 11852 characters in all; at most 10000 are safe.",
        ),
        ("x" * 3001, [], "text: 3001 characters; a message longer than 3000 may be split or not edited later."),
    ]
    for words, blocks, sentence in broken:
        assert problems(words, blocks) == [sentence]
    assert problems("x", [section]) == []
