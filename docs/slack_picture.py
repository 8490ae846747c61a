"""Draws docs/slack.png: an incident as Slack shows it, from a real replay of the example.

python -m docs.slack_picture

It needs Chromium. The page is our own rendering of the blocks that Slack is sent.
"""

from __future__ import annotations

import base64
import html
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from monitor.alerts.blocks import Frame, parent_blocks, reply_blocks
from monitor.alerts.buttons import button_values
from monitor.alerts.message import Message
from monitor.alerts.routing import Route, Routing
from monitor.app import FOREVER, App, build_app, open_store
from monitor.delivery.charting import chart_of
from monitor.delivery.drawing import Drawing
from monitor.history import charts, incidents
from monitor.history.spells import Spell
from monitor.history.store import Store
from monitor.logs import configure_logs
from monitor.schedule.replay import replay
from monitor.schedule.runner import Runner
from monitor.schedule.vitals import Vitals
from monitor.schedule.work import Desk
from monitor.settings import load_settings

ROOT = Path(__file__).parents[1]
START, OPEN, END = (datetime(2013, month, day, tzinfo=UTC) for month, day in ((6, 3), (7, 2), (9, 1)))
"""The chart that stands in the thread is the one drawn while the incident is open."""
STYLE = """
* { box-sizing: border-box }
body { margin: 0; width: 760px; padding: 18px 22px; background: #fff; color: #1d1c1d }
body { font: 15px/1.46 Lato, "DejaVu Sans", "Liberation Sans", Arial, sans-serif }
.m { display: flex; gap: 10px; margin-bottom: 14px }
.a { flex: none; width: 36px; height: 36px; border-radius: 6px; background: #3f0e40 }
.a { color: #fff; font-weight: bold; text-align: center; line-height: 36px }
.b { flex: 1; min-width: 0 }
.who { font-weight: bold }
.app { font-size: 10px; background: #e8e8e8; border-radius: 2px; padding: 1px 3px; margin: 0 6px }
h1 { font-size: 18px; margin: 4px 0 8px }
.f { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 20px; margin: 6px 0 }
p { margin: 8px 0; white-space: pre-line }
a { color: #1264a3 }
.c { font-size: 13px; color: #616061 }
.at { color: #1264a3; background: #e8f5fa; border-radius: 3px; padding: 0 2px }
button { font: bold 13px sans-serif; background: #fff; color: inherit; margin-right: 8px }
button { border: 1px solid #bbb; border-radius: 4px; padding: 6px 12px }
i { display: inline-block; width: 0.95em; height: 0.95em; border-radius: 50%; vertical-align: -0.1em }
button.primary { background: #007a5a; color: #fff; border-color: #007a5a }
.t { margin: 4px 0 0 46px; border-left: 2px solid #ddd; padding-left: 14px }
img { width: 440px; border: 1px solid #ddd; border-radius: 8px; display: block }
"""


def main() -> None:
    """Replay three months, take its first incident, and have Chromium draw it."""
    configure_logs(level="WARNING")
    app = build_app(load_settings(ROOT / "config.toml", os.environ), ROOT)
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(app.settings, ROOT, f"sqlite:///{folder}/history.db")
        _play(app, store, OPEN)
        picture = _chart(app, store)
        _play(app, store, END)
        said = [Message.from_data(each) for each in incidents.messages(store.engine, 1)]
        store.close()
        page = Path(folder) / "slack.html"
        page.write_text(_page(said, picture), encoding="utf-8")
        _shoot(page, ROOT / "docs" / "slack.png")


def _play(app: App, store: Store, until: datetime) -> None:
    routing = Routing((Route("slack:#flights-alerts"),))
    vitals, never = Vitals(stale_after=1e9), threading.Event()
    runner = Runner(
        Desk(store, routing, vitals, FOREVER, never, 0, report=False, played_from=START),
        app.watches,
        app.settings.schedule,
    )
    replay(runner, START, until, lambda _: None)
    runner.stop(grace=0.0)


def _chart(app: App, store: Store) -> bytes:
    [found] = incidents.listed(store.engine, OPEN)
    incident = charts.Undrawn(
        1, found.model, found.version, charts.chart_name(1, is_open=True), (Spell(found.opened_at),)
    )
    rows = [row for row in charts.windows_of(store.engine, 1, found.model) if row.window_end <= found.opened_at]
    drawn = chart_of(incident, rows, {bound.metric: bound.unit for bound in app.watches[0].contract.bounds})
    if drawn is None:
        raise SystemExit("The first incident has nothing to be drawn.")
    with closing(Drawing()) as drawing:
        return drawing.png(drawn)


def _page(said: Sequence[Message], picture: bytes) -> str:
    frame = Frame(
        calls=True,
        mentions={"@flights-oncall": "U0FLIGHTS"},
        page="https://monitor.example.org/incidents/1",
        buttons=button_values(b"", 1, END),
    )
    image = f'<img src="data:image/png;base64,{base64.b64encode(picture).decode()}">'
    replies = [_message(_blocks(reply_blocks(each))) for each in said[1:]]
    thread = "".join([_message(image), *replies])
    body = _message(_blocks(parent_blocks(said[0], frame))) + f'<div class="t">{thread}</div>'
    return f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style>{_coloured(body)}'


def _message(body: str) -> str:
    who = '<span class="who">model-monitor</span><span class="app">APP</span>'
    return f'<div class="m"><div class="a">m</div><div class="b">{who}{body}</div></div>'


def _blocks(blocks: Sequence[dict[str, Any]]) -> str:
    return "".join(_block(block) for block in blocks)


def _block(block: dict[str, Any]) -> str:
    if block["type"] == "header":
        return f"<h1>{html.escape(block['text']['text'])}</h1>"
    if block["type"] == "actions":
        return "".join(_button(each) for each in block["elements"])
    if block["type"] == "context":
        return f"<p class=c>{''.join(_mrkdwn(each['text']) for each in block['elements'])}</p>"
    if "fields" in block:
        cells = [f"<div>{_mrkdwn(each['text'])}</div>" for each in block["fields"]]
        return f"<div class=f>{''.join(cells)}</div>"
    return f"<p>{_mrkdwn(block['text']['text'])}</p>"


def _button(button: dict[str, Any]) -> str:
    return f"<button class={button.get('style', 'default')}>{html.escape(button['text']['text'])}</button>"


def _coloured(text: str) -> str:
    """Circles as Slack's emoji are, on machines without a font of emoji."""
    for emoji, colour in (("🔴", "#dd2e44"), ("🟡", "#fdcb58"), ("🟢", "#78b159")):
        text = text.replace(emoji, f"<i style='background:{colour}'></i>")
    return text


def _mrkdwn(text: str) -> str:
    """Slack's text is escaped already; only what we write in it is drawn."""
    text = re.sub(r"<(https?://[^|>]+)\|([^>]*)>", r'<a href="\1">\2</a>', text)
    text = re.sub(r"<@\w+>", '<span class="at">@flights-oncall</span>', text)
    return re.sub(r"^\*([^*\n]+)\*$", r"<b>\1</b>", text, flags=re.MULTILINE).replace("\n", "<br>")


def _shoot(page: Path, target: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": 760, "height": 400}, device_scale_factor=1.5)
        shown.goto(page.as_uri())
        shown.screenshot(path=target, full_page=True)
        browser.close()


if __name__ == "__main__":
    main()
