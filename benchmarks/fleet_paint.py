"""How soon the page of a large fleet is seen in Chromium, while a daemon writes; with ``--write`` a table of the docs.

Each visit is a browser that was never here: no style, no script and no page is kept from the one before.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles

from playwright.sync_api import Browser, sync_playwright

from benchmarks.history_made import MEASURED, make
from benchmarks.history_speed import serve
from benchmarks.speed import replace_table
from monitor.history.engine import open_engine
from monitor.history.migrations import migrate
from monitor.settings import WebSettings

CHROMIUM = shutil.which("chromium")
MODELS = 1000
WINDOWS = 30
VISITS = 30
WARM = 3
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
WHEN = """async () => {
  const paints = () => performance.getEntriesByName("first-contentful-paint");
  while (!paints().length) await new Promise(requestAnimationFrame);
  return [performance.getEntriesByType("navigation")[0].responseEnd, paints()[0].startTime];
}"""


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print and, where asked to, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace the table of docs/benchmarks.md")
    given = parser.parse_args(words)
    if CHROMIUM is None:
        print("No Chromium is installed here (Debian: apt install chromium).")
        return
    with tempfile.TemporaryDirectory() as folder:
        table = _table(_measure(f"sqlite:///{Path(folder)}/history.db"))
    print(table)
    if given.write:
        replace_table("paint", table)


def _measure(url: str) -> list[tuple[float, float]]:
    engine = open_engine(url)
    migrate(engine)
    make(engine, MODELS * WINDOWS * MEASURED, MODELS)
    engine.dispose()
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(url, MODELS, WebSettings(), theirs), daemon=True)
    process.start()
    address = f"http://127.0.0.1:{ours.recv()}/"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            return [_visit(browser, address) for _ in range(WARM + VISITS)][WARM:]
    finally:
        ours.send("stop")
        ours.recv()
        process.join(10)


def _visit(browser: Browser, address: str) -> tuple[float, float]:
    """Milliseconds until the page was there, and until something of it was seen."""
    with browser.new_context() as visitor:
        page = visitor.new_page()
        page.goto(address, wait_until="load")
        there, seen = page.evaluate(WHEN)
        return there, seen


def _table(visits: Sequence[tuple[float, float]]) -> str:
    lines = ["| what | p50 ms | p95 ms |", "| --- | ---: | ---: |"]
    for name, times in zip(("the page has come", "the first paint"), zip(*visits, strict=True), strict=True):
        lines.append(f"| {name} | {median(times):.0f} | {quantiles(times, n=20)[-1]:.0f} |")
    return f"{MODELS:,} models, {VISITS} visits, SQLite:\n\n" + "\n".join(lines)


if __name__ == "__main__":
    main()
