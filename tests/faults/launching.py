"""Starts the daemon with short waits, and with a trap in it if one is named."""

from __future__ import annotations

import signal
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from monitor import receivers, service
from monitor.cli import main
from monitor.delivery import relay, slack
from monitor.delivery.retry import RelayRules
from monitor.schedule import runner
from tests.faults.points import POINTS
from tests.faults.traps import Spring

SECOND = timedelta(seconds=1)
QUICK = partial(RelayRules, timeout=SECOND, settle=SECOND, lease=4 * SECOND, first_backoff=SECOND / 10)


def hurry() -> None:
    """The rules stay, their waits shrink: what the dead hold is free after seconds instead of a minute."""
    for owner, name, value in (
        (relay, "RelayRules", QUICK),
        (receivers, "RelayRules", QUICK),
        (service, "DELIVER_EVERY", SECOND / 10),
        (service, "RENEW_EVERY", SECOND / 2),
        (runner, "LEASE", 3 * SECOND),
        (runner, "PAUSE_AFTER_ERROR", 0.5),
        (slack.SlackReceiver, "pace", SECOND / 10),
    ):
        _replace(owner, name, value)


def _replace(owner: Any, name: str, value: Any) -> None:
    if not hasattr(owner, name):
        raise AttributeError(
            f"{owner.__name__} has no {name} any more; tests/faults/launching.py must hurry it elsewhere."
        )
    setattr(owner, name, value)


def launch(config: str, *trap: str) -> None:
    """``model-monitor run``; *trap* is the name of a point, the number of a signal and a file to leave as a mark."""
    hurry()
    if trap:
        point, number, mark = trap
        POINTS[point](Spring(signal.Signals(int(number)), Path(mark)))
    sys.argv = ["model-monitor", "run", "--config", config]
    main()
