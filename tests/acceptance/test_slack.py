"""The daemon as a process of its own, with Slack: a message, its thread, its charts, and all of it valid."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.delivery.fake_slack import FakeSlack
from tests.world import World, eventually


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        fake.record.mentions = ("<@U0GROWTH1>",)
        yield fake


def test_a_decay_is_told_in_slack_with_its_story_and_its_charts(world: World, slack: FakeSlack) -> None:
    world.configure(
        speed="2d",
        extra=f'\n[slack]\ntoken = "{slack.token}"\nchannel = "#alerts"\napi_url = "{slack.url}"\n'
        'mentions = {"@growth" = "U0GROWTH1"}\n',
    )
    daemon = world.start()
    eventually(
        lambda: bool(slack.record.files and slack.record.files[0].thread_ts), what="a chart is shown", within=180
    )

    assert daemon.wait(180) == 0, world.output()
    [parent] = slack.parents()
    assert slack.invalid == []
    assert parent.body["text"].startswith("🔴 PAGE · churn 7 · accuracy 0.")
    assert "<@U0GROWTH1> accuracy fell below the promised 0.8" in str(parent.body["blocks"])
    assert parent.now["text"].startswith("🟢 RESOLVED · churn 7 · accuracy ")
    assert "accuracy holds again" in slack.replies(parent)[-1].body["text"]
    assert {each.thread_ts for each in slack.record.files} == {parent.ts}
    assert all((each.content or b"").startswith(b"\x89PNG") for each in slack.record.files)
