"""What the daemon depends on goes away and comes back: Slack, and the history's database."""

from __future__ import annotations

import time

from tests.conftest import PostgresServer
from tests.delivery.fake_slack import FakeSlack, Limited
from tests.world import World, eventually

SLACK = """
[slack]
token = "${SLACK_BOT_TOKEN}"
channel = "#alerts"
api_url = "%s"
"""


def test_slack_is_told_once_through_429_500_and_a_lost_answer_and_the_parent_turns_green(world: World) -> None:
    with FakeSlack() as slack:
        slack.script("chat.postMessage", Limited(2), "lost")
        slack.script("chat.update", "500")
        world.configure(extra=SLACK % slack.url)

        daemon = world.start(SLACK_BOT_TOKEN=slack.token)

        assert daemon.wait(240) == 0, world.output()
        parents = slack.parents()
        assert len(parents) == 1, world.output()
        assert "RESOLVED · churn 7 · accuracy" in str(parents[0].now)
        assert [] == slack.invalid
    assert slack.token not in world.output(), "the token is never printed"


def test_a_history_that_goes_away_and_comes_back_loses_nothing(world: World, postgres_server: PostgresServer) -> None:
    world.configure(speed="2d", history=postgres_server.url)
    daemon = world.start()
    eventually(lambda: "Look at http:" in world.output(), what="the daemon starts")
    time.sleep(3)

    postgres_server.stop()
    eventually(lambda: "history_unavailable" in world.output(), what="the outage is said")
    alive, _ = world.get("/healthz")
    ready, said = world.get("/readyz")
    postgres_server.start()

    assert alive == 200, "restarting the daemon would not bring the database back"
    assert ready == 503
    assert "problems" in said
    assert daemon.wait(240) == 0, world.output()
    rows = world.history("--metric", "accuracy")
    windows = [(row["window_start"], row["window_end"]) for row in rows]
    assert len(windows) == len(set(windows)) >= 20
    assert world.output().count("PAGE · churn 7 · accuracy") == 1


def test_a_stop_is_clean_even_while_the_database_is_frozen(world: World, postgres_server: PostgresServer) -> None:
    world.configure(speed="1d", history=postgres_server.url)
    daemon = world.start()
    eventually(lambda: "Look at http:" in world.output(), what="the daemon starts")
    eventually(lambda: 'evaluations_total{model="churn"' in world.get("/metrics")[1], what="an evaluation is done")

    postgres_server.freeze()
    time.sleep(2)
    began = time.monotonic()
    daemon.terminate()

    try:
        assert daemon.wait(10) == 0, world.output()
        assert time.monotonic() - began < 10
    finally:
        postgres_server.freeze(thaw=True)
