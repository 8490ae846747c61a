"""Hatches relays to be killed: for each line on stdin it forks one and prints its process id.

Everything heavy is imported once, here, so that a relay is at work within milliseconds of its birth.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from datetime import timedelta

import slack_sdk  # noqa: F401  # imported before forking, so that a relay does not spend its short life on it

from monitor.clock import wall_now
from monitor.delivery.outbox import SqlOutbox
from monitor.delivery.relay import Relay
from monitor.delivery.retry import RelayRules
from monitor.delivery.slack import SlackReceiver
from monitor.history.engine import open_engine
from monitor.history.problems import HistoryUnavailable


def millis(count: int) -> timedelta:
    return timedelta(milliseconds=count)


RULES = RelayRules(
    timeout=millis(300),
    settle=millis(500),
    lease=millis(1100),
    first_backoff=millis(20),
    last_backoff=millis(200),
    outage_pause=millis(30),
    late_after=timedelta(hours=1),  # a slow machine must not make stories shorter
)


class Hasty(SlackReceiver):
    """Without the pace of one message per second, or the test would take minutes."""

    pace = millis(1)


def work(url: str, api_url: str) -> None:
    receiver = Hasty("xoxb-fake-token", "#alerts", api_url=api_url, timeout=RULES.timeout)
    relay = Relay(SqlOutbox(open_engine(url)), [receiver], RULES)
    parent = os.getppid()
    while os.getppid() == parent:
        with suppress(HistoryUnavailable):  # a database that is too busy; the daemon tries again just so
            if relay.do_one(wall_now()):
                continue
        time.sleep(0.003)


def main() -> None:
    # The killed stay zombies while the nest lives: a process id that is free again may be anybody's, and would be hit.
    print("ready", flush=True)  # noqa: T201  # this is how it talks to the test
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            work(sys.argv[1], sys.argv[2])
            os._exit(0)
        print(child, flush=True)  # noqa: T201  # this is how it talks to the test


if __name__ == "__main__":
    main()
