"""The fake Slack as a process of its own: ``python -m tests.delivery.slack.process --port 8077``.

It prints its address as a line of JSON and takes orders as lines of JSON on stdin, each answered by one on stdout;
it ends with its stdin. In tests::

    with SlackProcess() as slack:
        slack.script("chat.postMessage", "lost")
        ...
        assert slack.record().parents()
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from pydantic import TypeAdapter

from tests.delivery.fake_slack import FakeSlack
from tests.delivery.slack.faults import Chaos, Fault, Limited
from tests.delivery.slack.record import Record

_RECORD = TypeAdapter(Record)


class SlackProcess:
    """The test's side: start it, give it orders, look at what it has seen."""

    token = FakeSlack.token
    app_token = FakeSlack.app_token

    def __init__(self, port: int = 0, pace: float | None = None) -> None:
        command = [sys.executable, "-m", "tests.delivery.slack.process", "--port", str(port)]
        root = Path(__file__).parents[3]
        pipe = subprocess.PIPE
        environment = os.environ | {"PYTHONPATH": str(root)}
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=root, env=environment)
        self.url = str(self._heard()["url"])
        if pace is not None:
            self._order(order="pace", seconds=pace)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def script(self, method: str, *faults: Fault) -> None:
        """See :meth:`FakeSlack.script`."""
        told = [{"retry_after": fault.retry_after} if isinstance(fault, Limited) else fault for fault in faults]
        self._order(order="script", method=method, faults=told)

    def unleash(self, chaos: Chaos | None) -> None:
        """See :meth:`FakeSlack.unleash`."""
        self._order(order="unleash", chaos=chaos and asdict(chaos))

    def click(self, ts: str, action_id: str, value: str) -> None:
        """Somebody presses a button under the message *ts*."""
        self._order(order="click", ts=ts, action_id=action_id, value=value)

    def record(self) -> Record:
        """What it has seen by now."""
        return _RECORD.validate_python(self._order(order="record"))

    def _order(self, **order: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._heard()

    def _heard(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        heard: dict[str, Any] = json.loads(self._process.stdout.readline())
        return heard


def obey(slack: FakeSlack, order: dict[str, Any]) -> dict[str, Any]:
    """Do as ordered; the answer is empty but for what the fake has seen."""
    match order:
        case {"order": "script", "method": method, "faults": faults}:
            slack.script(method, *(Limited(**one) if isinstance(one, dict) else one for one in faults))
        case {"order": "unleash", "chaos": chaos}:
            slack.unleash(None if chaos is None else Chaos(**chaos))
        case {"order": "pace", "seconds": seconds}:
            slack.faults.pace = seconds
        case {"order": "click", "ts": ts, "action_id": action_id, "value": value}:
            [message] = [message for message in slack.messages if message.ts == ts]
            slack.click(message, action_id, value)
        case {"order": "record"}:
            with slack.lock:
                return dict(_RECORD.dump_python(slack.record, mode="json"))
        case _:
            raise ValueError(f"Nobody knows how to obey {order}.")
    return {}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    with FakeSlack(port=parser.parse_args().port) as slack:
        _say({"url": slack.url, "token": slack.token, "app_token": slack.app_token})
        for line in sys.stdin:
            _say(obey(slack, json.loads(line)))


def _say(said: dict[str, Any]) -> None:
    print(json.dumps(said), flush=True)  # noqa: T201  # this is how it talks to the test


if __name__ == "__main__":
    main()
