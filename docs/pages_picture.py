"""Draws docs/page-*.png: plays the flights until an incident is open, and looks at the pages in Chromium.

Run it from the folder of the repository: ``python -m docs.pages_picture``. Needs Chromium, and the tests' packages.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import sync_playwright

from monitor.history.engine import open_engine
from tests.web.flights import play, served

HERE = Path(__file__).parent
FLAGS = ["--no-sandbox", "--disable-gpu"]
SHOTS: tuple[tuple[str, str, int, int, Literal["light", "dark"]], ...] = (
    # file, path, width, height, colour scheme
    ("page-fleet.png", "/", 1280, 400, "light"),
    ("page-incident.png", "/incidents/1", 1100, 860, "light"),
    ("page-model.png", "/models/flight-delay?since=14d", 1280, 1240, "dark"),
    ("page-phone.png", "/", 390, 780, "dark"),
)


def main() -> None:
    """Play, serve, look."""
    with tempfile.TemporaryDirectory() as folder:
        settings = play(Path(folder))
        engine = open_engine(f"sqlite:///{folder}/data/history.db")
        with served(engine, settings, Path(folder)) as address:
            _look(address)
        engine.dispose()


def _look(address: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for name, path, width, height, scheme in SHOTS:
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.goto(address + path)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=HERE / name)
        browser.close()


if __name__ == "__main__":
    main()
