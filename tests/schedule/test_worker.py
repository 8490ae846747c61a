"""A bad check costs its own measurement and nothing else: real worker processes, really bad checks."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from checks.discovery import discover
from monitor.release.contract import build_contract
from monitor.schedule.evaluation import CheckStarted, Job
from monitor.schedule.plan import plans_of
from monitor.schedule.pool import Result, Stopped, Worker
from monitor.settings import CheckSettings, ModelSettings, Outcomes, Predictions

START = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)

BAD_CHECKS = '''
import os, subprocess, sys, time, ctypes
from checks.contract import Check, Measurement, Metric, Needs

def bad(name, misbehave):
    def measure(self, window):
        misbehave()
        yield Measurement(name, 1.0)
    body = {
        "__module__": __name__, "__doc__": f"Misbehaves: {name}.", "kind": name, "measure": measure,
        "needs": lambda self: Needs(), "metrics": (Metric(name, "one", "high"),),
        "__annotations__": {},
    }
    return type(name.title(), (Check,), body)

def grandchild():
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)  # mm-grandchild"])
    time.sleep(600)

Raises = bad("raises", lambda: 1 / 0)
Hangs = bad("hangs", grandchild)
Allocates = bad("allocates", lambda: bytearray(8 << 30))
Exits = bad("exits", lambda: os._exit(0))
Crashes = bad("crashes", lambda: ctypes.string_at(0))
Prints = bad("prints", lambda: [sys.stdout.write("x" * 1_000_000) for _ in range(200)])

class Garbage(Check):
    """Yields what is no measurement."""
    kind = "garbage"
    metrics = (Metric("garbage", "none", "high"),)
    def needs(self): return Needs()
    def measure(self, window): yield 42
'''


@pytest.fixture
def base(tmp_path: Path) -> Path:
    times = [START + timedelta(hours=hour) for hour in range(48)]
    ids = [f"p{hour}" for hour in range(48)]
    predictions = {
        "id": ids,
        "at": pa.array(times, pa.timestamp("us", "UTC")),
        "said": [hour % 2 for hour in range(48)],
    }
    pq.write_table(pa.table(predictions), tmp_path / "predictions.parquet")
    pq.write_table(pa.table({"id": ids, "was": [1] * 48}), tmp_path / "outcomes.parquet")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "bad.py").write_text(BAD_CHECKS)
    return tmp_path


@pytest.fixture
def worker() -> Iterator[Worker]:
    one = Worker(memory=1 << 30, check_timeout=timedelta(seconds=3))
    yield one
    one.close()


def model(*kinds: str) -> ModelSettings:
    return ModelSettings(
        name="flights",
        version="1",
        task="binary",
        window=2 * DAY,
        predictions=Predictions(source="predictions.parquet", id="id", time="at", prediction="said"),
        outcomes=Outcomes(source="outcomes.parquet", value="was"),
        checks=tuple(CheckSettings(check=kind) for kind in kinds),
    )


def run(worker: Worker, base: Path, *kinds: str, tell: Callable[[CheckStarted], None] = lambda _: None) -> Result:
    """Evaluate the plan of the bad checks (they do not await outcomes)."""
    watched = model(*kinds)
    checks_dir = base / "own"
    plan = next(p for p in plans_of(build_contract(watched, discover(checks_dir))) if not p.awaits_outcomes)
    end = START + 2 * DAY
    return worker.run(Job(watched, base, checks_dir, 0.95, plan.name, START, end, end, survey=False), tell)


def failures(result: Result) -> dict[str, str]:
    return {failed.kind: failed.sentence for failed in result.failures.values()}


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        # An exception is named with its own words.
        ("raises", "The check raises raised ZeroDivisionError: division by zero"),
        # Memory is bounded, and the bound is named.
        ("allocates", "The check allocates needed more memory than schedule.memory allows."),
        # Leaving with success and no answer is not success.
        ("exits", "The check exits ended its process (exit code 0) without an answer."),
        # A crash of the interpreter is told by its signal.
        ("crashes", "The check crashes was killed by SIGSEGV."),
        # What it yields must be measurements.
        ("garbage", "The check garbage raised TypeError: a check yields Measurement or Artifact, not int"),
    ],
)
def test_a_bad_check_costs_only_its_own_measurement(worker: Worker, base: Path, kind: str, sentence: str) -> None:
    result = run(worker, base, "prints", kind)

    assert {kind: sentence} == failures(result)
    assert ["prints"] == [event.kind for event in result.measured.values()]
    assert result.source_failure is None


def test_whoever_listens_hears_of_each_check_as_it_starts(worker: Worker, base: Path) -> None:
    heard: list[CheckStarted] = []

    run(worker, base, "prints", "raises", tell=heard.append)

    assert {(one.place, one.kind) for one in heard} == {(0, "prints"), (1, "raises")}


def test_a_hanging_check_is_ended_with_all_it_started(worker: Worker, base: Path) -> None:
    began = time.monotonic()

    result = run(worker, base, "hangs", "prints")

    assert {"hangs": "The check hangs took longer than schedule.check_timeout (3 s) and was ended."} == failures(result)
    assert ["prints"] == [event.kind for event in result.measured.values()]
    assert time.monotonic() - began < 30
    assert not _running("mm-grandchild")


@pytest.mark.parametrize(
    "after",
    [
        0.05,  # the process starts
        0.3,  # it imports
        2.0,  # it evaluates
    ],
)
def test_a_stopped_worker_gives_its_evaluation_back(worker: Worker, base: Path, after: float) -> None:
    threading.Timer(after, worker.stop).start()

    with pytest.raises(Stopped):
        run(worker, base, "hangs")


def test_a_missing_source_is_said_and_measures_nothing(worker: Worker, base: Path) -> None:
    (base / "predictions.parquet").unlink()

    result = run(worker, base, "prints")

    assert result.source_failure is not None
    assert "predictions.parquet" in result.source_failure
    assert {} == result.measured


def _running(mark: str) -> list[str]:
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        try:
            words = (process / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if any(mark in word for word in words) and "-c" in words:
            found.append(" ".join(words))
    return found
