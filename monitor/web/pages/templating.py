"""How values become HTML: the templates beside this package, everything in them escaped."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from math import isfinite
from pathlib import Path
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import MediaType, Response
from markupsafe import Markup

from monitor.alerts.words import at_bound, comparison, moment, span
from monitor.release.contract import side_of
from monitor.release.words import interval, measured
from monitor.web.pages.damage import Cell

STATIC = Path(__file__).parents[1] / "static"

VERDICTS = {"breach": "✕", "error": "!", "unknown": "?", "ok": "✓"}
"""Each with its sign, so that no verdict is told by colour alone; worst first."""


def html(template: str, status: int = 200, /, **values: object) -> Response[str]:
    """A page."""
    return Response(_ENVIRONMENT.get_template(template).render(**values), media_type=MediaType.HTML, status_code=status)


def model_path(model: str) -> str:
    """Where the page of a model is, whatever its name."""
    return f"/models/{quote(model, safe='')}"


def query(**values: object) -> str:
    """``?verdict=breach&page=2``: what is not empty; nothing at all where everything is."""
    given = {name: value for name, value in values.items() if value not in {None, ""}}
    return f"?{urlencode(given)}" if given else ""


def ago(at: datetime, now: datetime) -> str:
    """``3 days ago``: how long before *now*, in the largest unit."""
    if at > now:
        return f"in {_largest(at - now)}"
    return f"{_largest(now - at)} ago" if now - at >= timedelta(minutes=1) else "just now"


def shown_interval(low: float | None, high: float | None, unit: str = "") -> str:
    """An interval of which at least one end is known."""
    return interval(low, high, unit) if any(each is not None and isfinite(each) for each in (low, high)) else ""


def size(count: int) -> str:
    """``412 kB``."""
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{max(count / 1e3, 0.1):,.1f} kB"


def _largest(length: timedelta) -> str:
    return " ".join(span(length).split()[:2])


def _compared(side: str | None, value: float | None, threshold: float | None, unit: str = "") -> str:
    return comparison(side_of(side), value, threshold, unit)


def _promised(side: str | None, threshold: float | None, unit: str = "") -> str:
    return at_bound(side_of(side), threshold, unit)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _some(texts: Sequence[str], most: int) -> str:
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")


def _pretty(data: object) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False)


@lru_cache(maxsize=4096)  # as for moment
def _time(at: datetime) -> Markup:
    return Markup(f'<time datetime="{at.isoformat()}">{moment(at)}</time>')  # noqa: S704  # a time, no text from anywhere


def _heat(cells: Iterable[Cell]) -> Markup:
    """The cells in which a column drifted. Put together here, for a page has a thousand of them."""
    drawn = (
        f'<rect class="heat" fill-opacity="{strength}" x="{cell.left}" width="{cell.width}" height="22">'
        f"<title>{moment(cell.at)}: {measured(cell.value)}</title></rect>"
        for cell in cells
        if (strength := cell.strength)
    )
    return Markup("".join(drawn))  # noqa: S704  # numbers and times, no text from anywhere


def _asset(name: str) -> str:
    """The address of a file in static/; it changes with its content, so that browsers may keep it for good."""
    return f"/static/{name}?{sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("monitor.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "ago": ago, "measured": measured, "interval": shown_interval, "moment": moment, "words": _words,
        "some": _some, "heat": _heat, "time": _time, "model_path": model_path, "size": size, "tojson_pretty": _pretty,
    }  # fmt: skip
    made.globals |= {
        "VERDICTS": VERDICTS, "compared": _compared, "promised": _promised, "query": query, "span": span,
        "css": _asset("monitor.css"), "js": _asset("monitor.js"), "icon": _asset("icon.svg"),
    }  # fmt: skip
    return made


_ENVIRONMENT = _environment()
