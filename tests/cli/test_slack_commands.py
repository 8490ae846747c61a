"""The commands about messages: where a test lands, and what was said of an incident."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from monitor.history.engine import open_engine
from monitor.history.migrations import migrate
from tests.delivery.boxes import put, story
from tests.delivery.fake_slack import FakeSlack, invalid
from tests.world import World

SLACK = '\n[slack]\ntoken = "{token}"\nchannel = "#alerts"\napi_url = "{url}"\n'


@pytest.fixture
def told(world: World) -> World:
    """A world in whose history an incident was told of from its opening to its end."""
    engine = open_engine(f"sqlite:///{world.folder}/history.db")
    migrate(engine)
    put(engine, story())
    put(engine, story()[:1], receiver="console")
    engine.dispose()
    return world


def with_slack(world: World, slack: FakeSlack, token: str = FakeSlack.token, more: str = "") -> None:
    config = world.folder / "config.toml"
    config.write_text(config.read_text() + SLACK.format(token=token, url=slack.url) + more)


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


def test_a_test_message_lands_in_every_channel_and_says_that_it_is_one(world: World, slack: FakeSlack) -> None:
    with_slack(world, slack, more='[[slack.routes]]\nchannel = "#archive"\nseverities = ["warn"]\n')

    done = world.run("slack", "test")

    assert done.returncode == 0, done.stderr
    first, second = slack.parents()
    assert done.stdout.splitlines() == [
        f"#alerts: posted, message {first.ts} in channel C0ALERTS01",
        f"#archive: posted, message {second.ts} in channel C0ARCHIVE1",
    ]
    assert first.body["text"].startswith("🧪 TEST, nothing is wrong")
    assert "nobody has to do anything" in json.dumps(first.body["blocks"])
    assert slack.invalid == []


def test_a_test_that_lands_nowhere_says_what_to_do(world: World, slack: FakeSlack) -> None:
    with_slack(world, slack)
    slack.script("chat.postMessage", "not_in_channel")

    done = world.run("slack", "test")

    assert done.returncode == 1
    assert "#alerts: Slack answered not_in_channel (HTTP 200). Invite the bot to the channel" in done.stdout


def test_without_a_token_there_is_nothing_to_be_tried_out(world: World) -> None:
    done = world.run("slack", "test")

    assert done.returncode == 2
    assert done.stderr == (
        "No Slack token is set. Set slack.token and slack.channel; docs/alerts.md says how to get them.\n"
    )


def test_a_message_is_shown_as_it_reads_now_with_its_thread(told: World) -> None:
    done = told.run("message", "--incident", "1")

    assert done.returncode == 0, done.stderr
    lines = [line.rstrip() for line in done.stdout.splitlines() if line.strip()]
    assert lines[0].startswith("▌ 🟢 RESOLVED · flight-delay 2013-04 · accuracy 0.778 ≥ 0.728")
    replies = [line for line in lines if line.startswith("  └")]
    assert len(replies) == 4
    assert "drift.wind rose above the promised 0.2" in replies[0]
    assert told.run("message", "--incident", "2").stdout.count("└") == 0


def test_a_message_is_printed_as_slack_is_sent_it(told: World) -> None:
    done = told.run("message", "--incident", "1", "--format", "json")

    printed = json.loads(done.stdout)
    assert [block["type"] for block in printed["parent"]["blocks"]] == ["header", "section", "context"]
    assert len(printed["replies"]) == 4
    assert [
        problem for body in (printed["parent"], *printed["replies"]) for problem in invalid({"channel": "C1", **body})
    ] == []


def test_an_incident_of_which_nothing_was_said_is_a_sentence(told: World) -> None:
    done = told.run("message", "--incident", "9")

    assert done.returncode == 2
    assert done.stderr == ("Nothing was said of an incident 9; model-monitor incidents lists those there are.\n")


def test_with_receiver_console_nobody_but_the_terminal_is_told(world: World, slack: FakeSlack) -> None:
    with_slack(world, slack, more='[[webhooks]]\nname = "pager"\nurl = "http://127.0.0.1:1/"\n')

    done = world.run("run", "--receiver", "console", timeout=180)

    assert done.returncode == 0, done.stderr
    assert "PAGE · churn 7 · accuracy" in done.stdout
    assert slack.calls == []
