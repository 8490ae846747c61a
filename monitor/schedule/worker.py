"""The worker process: takes jobs from a pipe, evaluates them, answers with events. It can be killed at any time."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import traceback
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.schedule.evaluation import Event, Job, Released, SourceFailed, evaluate
from monitor.schedule.merging import Merges

if TYPE_CHECKING:
    from monitor.data.feed import Feed
    from monitor.schedule.plan import Plan

PR_SET_PDEATHSIG = 1


def main(connection: Connection, parent: int, memory: int) -> None:
    """Serve jobs until the pipe closes."""
    _set_apart(parent)
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"  # its own reserves a gigabyte of addresses at once
    _warm_up()
    _limit_memory(memory)
    benches: dict[str, Bench] = {}
    connection.send("ready")
    while True:
        try:
            job: Job = connection.recv()
        except (EOFError, OSError):
            return
        _serve(job, benches, connection)


@dataclass(frozen=True, slots=True)
class Bench:
    """What stays laid out for a model from one job to the next: open sources, and plans with their checks."""

    feed: Feed
    plans: tuple[Plan, ...]
    released: dict[str, Released] = field(default_factory=dict)
    """The release's own values, by plan."""
    merges: Merges = field(default_factory=Merges)


def _serve(job: Job, benches: dict[str, Bench], connection: Connection) -> None:
    from monitor.data.errors import SourceProblem

    def emit(event: Event) -> None:
        connection.send(event)

    key = job.model.model_dump_json()
    name = job.model.name
    try:
        if key not in benches:
            benches[key] = _bench(job)
        plan = next(plan for plan in benches[key].plans if plan.name == job.plan)
        released = benches[key].released.setdefault(plan.name, {}) if job.instead is None else {}
        evaluate(job, plan.instead(job.instead), benches[key].feed, emit, released, benches[key].merges)
    except SourceProblem as problem:
        failed = SourceFailed(str(problem))
    except MemoryError:
        failed = SourceFailed(f"{name}: reading the rows needed more memory than schedule.memory allows.")
    except Exception as problem:  # noqa: BLE001  # nobody sees a worker's own words: they must reach the parent
        sentence = f"{name}: reading the rows raised {type(problem).__name__}: {problem}"
        failed = SourceFailed(sentence[:500], traceback.format_exc()[-4000:])
    else:
        return
    if key in benches:
        benches.pop(key).feed.close()
    emit(failed)


def _bench(job: Job) -> Bench:
    from checks.discovery import discover
    from monitor.data.feed import Feed
    from monitor.release.contract import build_contract
    from monitor.schedule.plan import plans_of

    contract = build_contract(job.model, discover(job.checks_dir), job.confidence)
    return Bench(Feed(job.model, job.base), plans_of(contract))


def _set_apart(parent: int) -> None:
    """A process group of its own, dead when the daemon dies, deaf to Ctrl-C, silent, and never dumping core."""
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)  # the daemon died before prctl took hold
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # a check that prints a gigabyte prints it into nothing
        os.dup2(silence, stream)


def _warm_up() -> None:
    """Import what every evaluation needs before the memory limit is measured from here."""
    import monitor.data.feed  # noqa: F401  # pulls Ibis, DuckDB, Arrow


def _limit_memory(allowed: int) -> None:
    """Cap the address space at what is reserved now plus *allowed* bytes: libraries reserve far more than they use."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + allowed
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
