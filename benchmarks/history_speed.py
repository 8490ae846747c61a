"""How fast pages and API answer over a long history while a daemon writes; with ``--write`` a table of the docs.

Twenty readers, each a connection of its own with a token of its own, ask one question after the other with a pause in
between, as people and dashboards do. The port and the writer share a process, as in the daemon; readers are another.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles

import httpx
from pydantic import SecretStr

from benchmarks.history_made import HOUR, MODELS, NOW, make
from benchmarks.speed import replace_table
from monitor.history.engine import open_engine
from monitor.history.migrations import migrate
from monitor.history.records import EvaluationRecord, MeasurementRecord, VerdictRecord
from monitor.history.store import Store
from monitor.schedule.vitals import Vitals
from monitor.service import spare_the_collector
from monitor.settings import ModelSettings, Predictions, Settings, WebSettings, WebToken
from monitor.web.guard import Guard
from monitor.web.metrics import HistoryMetrics, VitalMetrics
from monitor.web.reader import Reader
from monitor.web.routes import routes
from monitor.web.server import Probes, Readiness, Server, create_app

READERS = 20
LEAST_PAUSE = 0.02
"""Who asks more often is told to wait."""
ALONE = "all, one reader alone"
QUESTIONS = {
    "the page of the fleet": "/",
    "the page of a model": "/models/model-{model}",
    "the page of a model, all its time": "/models/model-{model}?since=365d",
    "the page of an incident": "/incidents/1",
    "the page of incidents": "/incidents",
    "the page of evaluations": "/evaluations",
    "the page of an evaluation": "/evaluations/{newest}",
    "the fleet": "/api/v1/models",
    "a model": "/api/v1/models/model-{model}",
    "its verdicts": "/api/v1/verdicts?model=model-{model}",
    "a metric, 30 days": "/api/v1/measurements?model=model-{model}&metric=accuracy&segment=&since=30d",
    "its segments, a week": "/api/v1/measurements?model=model-{model}&metric=accuracy&since=7d",
    "drift of a column, as known a week ago": (
        "/api/v1/measurements?model=model-{model}&metric=drift.column_3&as_of=7d&limit=200"
    ),
    "the newest breaches": "/api/v1/measurements?verdict=breach&limit=100",
    "the newest of all": "/api/v1/measurements?limit=100",
    "a metric of all models": "/api/v1/measurements?metric=drift.column_3&limit=200",
    "a metric nobody has": "/api/v1/measurements?metric=nothing&model=model-{model}",
    "incidents": "/api/v1/incidents",
    "an incident": "/api/v1/incidents/1",
    "evaluations": "/api/v1/evaluations?model=model-{model}",
    "failed evaluations": "/api/v1/evaluations?state=failed",
    "an evaluation": "/api/v1/evaluations/{evaluation}",
    "the profile of a day": "/api/v1/evaluations/{newest}/profile",
}


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print and, where asked to, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="measurements in the history")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--pause", type=float, default=1.0, help="seconds each reader waits before it asks again")
    parser.add_argument(
        "--postgres", default="", help="the URL of an empty PostgreSQL database; left out: SQLite alone"
    )
    parser.add_argument("--folder", type=Path, default=None, help="where the SQLite file is kept for the next time")
    parser.add_argument("--write", action="store_true", help="replace the table of docs/benchmarks.md")
    given = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        urls = {"SQLite": f"sqlite:///{given.folder or folder}/history-{given.rows}.db", "PostgreSQL": given.postgres}
        measured = {name: _measure(url, given.rows, given.seconds, given.pause) for name, url in urls.items() if url}
    table = _table(measured, given.rows, given.pause)
    print(f"\n{table}")
    if given.write:
        replace_table("history", table)


def _measure(url: str, rows: int, seconds: float, pause: float) -> dict[str, list[float]]:
    engine = open_engine(url)
    migrate(engine)
    with engine.connect() as connection:
        known = connection.exec_driver_sql("SELECT count(*) FROM models").scalar_one()
    began = time.monotonic()
    if not known:
        print(f"{make(engine, rows):,} measurements in {time.monotonic() - began:.0f} s")
    with engine.connect() as connection:
        newest = int(connection.exec_driver_sql("SELECT max(id) FROM evaluations WHERE revision = 0").scalar_one())
    engine.dispose()
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    tokens = tuple(WebToken(name=f"reader-{place}", secret=SecretStr(_secret(place))) for place in range(READERS))
    process = context.Process(target=serve, args=(url, MODELS, WebSettings(tokens=tokens), theirs), daemon=True)
    process.start()
    port = ours.recv()
    try:
        alone = _read(port, newest, seconds, LEAST_PAUSE, readers=1)
        return {**_read(port, newest, seconds, pause), ALONE: [each for times in alone.values() for each in times]}
    finally:
        ours.send("stop")
        print(f"{ours.recv()} evaluations written meanwhile")
        process.join(10)


def serve(url: str, count: int, web: WebSettings, pipe: Connection) -> None:
    """A port over the history of *count* models and a writer beside it, until something comes through *pipe*; tells the
    port first, and how many evaluations were written last."""
    engine = open_engine(url)
    predictions = Predictions(source="p.parquet", id="id", time="at", prediction="y")
    models = tuple(
        ModelSettings(name=f"model-{model}", version="v1", task="binary", predictions=predictions)
        for model in range(count)
    )
    settings = Settings(models=models, web=web)
    reader = Reader(lambda: engine, settings, lambda: NOW, lambda: NOW)
    vitals = Vitals(stale_after=1e9)
    metrics = HistoryMetrics(list, list, lambda: NOW)
    probes = Probes(vitals.tick_age, vitals.stale, Readiness, VitalMetrics(vitals), metrics)
    server = Server(Guard(create_app(probes, routes(reader)), settings.web, lambda: NOW), "127.0.0.1", 0)
    server.start()
    spare_the_collector()
    stop, written = threading.Event(), [0]
    writer = threading.Thread(target=_write, args=(Store(engine), stop, written))
    writer.start()
    pipe.send(server.port)
    pipe.recv()
    stop.set()
    writer.join()
    server.stop()
    pipe.send(written[0])


def _write(store: Store, stop: threading.Event, written: list[int]) -> None:
    """An evaluation each half second, as a busy daemon records them."""
    chance = random.Random(2)
    measured = [MeasurementRecord("accuracy", "accuracy", 0.8)]
    measured += [MeasurementRecord("drift", "drift", 0.1, column=f"column_{place}") for place in range(49)]
    judged = [VerdictRecord("accuracy", "ok", "holds", "page", "min", threshold=0.7)]
    while not stop.wait(0.5):
        model, revision = f"model-{chance.randrange(MODELS)}", int(time.time() * 1000) % 2_000_000_000
        token = store.claim(model, "benchmark", NOW, timedelta(minutes=1))
        if token is None:
            continue
        with store.recording(model, token, NOW) as recording:
            made = EvaluationRecord("v1", "24h each 1h", NOW - 24 * HOUR, NOW, NOW, revision)
            evaluation = recording.evaluation(made)
            recording.measurements(evaluation, measured)
            recording.verdicts(evaluation, judged)
        store.give_back(model, token)
        written[0] += 1


def _read(port: int, newest: int, seconds: float, pause: float, readers: int = READERS) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = defaultdict(list)
    until = time.monotonic() + seconds

    def ask(place: int) -> None:
        chance = random.Random(place)
        headers = {"authorization": f"Bearer {_secret(place)}"}
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60, trust_env=False)
        with client:
            while time.monotonic() < until:
                time.sleep(chance.uniform(0, 2 * pause))
                name = chance.choice(list(QUESTIONS))
                about = {"model": chance.randrange(MODELS), "evaluation": chance.randint(1, newest), "newest": newest}
                began = time.monotonic()
                client.get(QUESTIONS[name].format(**about)).raise_for_status()
                taken[name].append(1000 * (time.monotonic() - began))

    with ThreadPoolExecutor(readers) as many:
        list(many.map(ask, range(readers)))
    return taken


def _secret(place: int) -> str:
    return f"a-secret-for-the-benchmark-{place:04}"


def _table(measured: dict[str, dict[str, list[float]]], rows: int, pause: float) -> str:
    header = ["question", *(f"{name}, {what}" for name in measured for what in ("p50 ms", "p95 ms"))]
    lines = [header, ["---", *["---:"] * (len(header) - 1)]]
    for question in (*QUESTIONS, "all", ALONE):
        cells = [question]
        for taken in measured.values():
            every = [each for name, times in taken.items() if name != ALONE for each in times]
            times = every if question == "all" else taken[question]
            cells += [f"{median(times):.0f}", f"{quantiles(times, n=20)[-1]:.0f}"] if len(times) > 1 else ["-", "-"]
        lines.append(cells)
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{rows:,} measurements, {READERS} readers that pause {pause:g} s on average:\n\n{text}"


if __name__ == "__main__":
    main()
