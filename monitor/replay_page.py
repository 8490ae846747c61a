"""A replay as one page that needs nothing else: to be sent around, light or dark as the reader's system is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from typing import Any

from monitor.alerts.words import at_bound, moment
from monitor.release.words import display_name, number
from monitor.replaying import Replayed, Strip

WIDTH, HEIGHT, MARGIN = 900.0, 150.0, 12.0

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>What would have paged us</title>
<style>
:root { color-scheme: light dark; --text: #1f2328; --dim: #59636e; --back: #fff; --line: #d1d9e0;
  --value: #1f6fc0; --bound: #b34500; --breach: #d55e00; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --dim: #9198a1; --back: #0d1117; --line: #3d444d;
  --value: #6cb0f5; --bound: #ff9d5c; --breach: #d55e00; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back);
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; } h3 { font-size: 1rem; margin-bottom: .3rem; }
p.dim, td.dim, caption { color: var(--dim); }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .35rem .8rem .35rem 0;
  border-bottom: 1px solid var(--line); vertical-align: top; } td.when { white-space: nowrap; }
svg { width: 100%; height: auto; } svg text { fill: var(--dim); font-size: 12px; }
.pages { font-weight: 700; }
.scroll { overflow-x: auto; }
.ends { display: flex; justify-content: space-between; color: var(--dim); font-size: .75rem; margin: 0; }
</style>
</head>
<body>
<h1>What would have paged us</h1>
<p>{{ since }} to {{ until }} UTC. {% for run in runs %}{% if runs|length > 1 %}The {{ run.name }} contract
{%- if run.changes %} ({{ run.changes|join(", ") }}){% endif %}: {% endif %}<span class="pages">{{ run.pages }}</span>
({{ run.rate }} per 30 days), {{ run.warnings }}. {% endfor %}</p>
{% for run in runs %}
<h2>{% if runs|length > 1 %}The {{ run.name }} contract{% else %}Bounds{% endif %}</h2>
{% for strip in run.strips %}
<h3>{{ strip.model }}: {{ strip.title }}</h3>
<p class="dim">{{ strip.summary }}</p>
<svg viewBox="0 0 {{ width }} {{ height }}" role="img" aria-label="{{ strip.title }}: {{ strip.summary }}">
{% for bar in strip.bars %}<rect x="{{ bar.x }}" y="0" width="{{ bar.width }}" height="{{ height }}"
fill="var(--breach)" opacity=".22"/>{% endfor %}
{% if strip.bound is not none %}<line x1="0" x2="{{ width }}" y1="{{ strip.bound }}" y2="{{ strip.bound }}"
stroke="var(--bound)" stroke-width="1.5" stroke-dasharray="6 4"/>{% endif %}
{% for line in strip.lines %}<polyline points="{{ line }}" fill="none" stroke="var(--value)"
stroke-width="2"/>{% endfor %}
<text x="2" y="12">{{ strip.top }}</text><text x="2" y="{{ height - 3 }}">{{ strip.bottom }}</text>
</svg>
<p class="ends"><span>{{ since }}</span><span>{{ until }}</span></p>
{% endfor %}
{% if run.quiet %}<p>Never in breach: {{ run.quiet|join("; ") }}.</p>{% endif %}
{% if run.told %}
<div class="scroll"><table>
<caption>What people would have been told</caption>
<tr><th scope="col">Window end (UTC)</th><th scope="col">Told</th><th scope="col">What</th></tr>
{% for one in run.told %}<tr><td class="when">{{ one.at }}</td><td class="{{ one.kind }}">{{ one.word }}</td>
<td>{{ one.model }}: {{ one.text }}</td></tr>
{% endfor %}</table></div>
{% else %}<p>Nobody would have been told anything.</p>{% endif %}
{% endfor %}
<p class="dim">model-monitor {{ program }}, {{ made }} UTC. Dashed: the bound. Shaded: in breach.</p>
</body>
</html>
"""


def page_of(runs: Sequence[Replayed], made: datetime) -> str:
    """The page; names and texts come from data and settings, and are escaped."""
    from jinja2 import Environment

    page = Environment(autoescape=True, trim_blocks=True).from_string(PAGE)
    return page.render(
        since=moment(runs[0].since),
        until=moment(runs[0].until),
        runs=[_run(run) for run in runs],
        width=WIDTH,
        height=HEIGHT,
        program=version("model-monitor"),
        made=moment(made),
    )


def _run(run: Replayed) -> dict[str, Any]:
    return {
        "name": "changed" if run.changes else "present",
        "changes": run.changes,
        "pages": f"{run.pages} page{'' if run.pages == 1 else 's'}",
        "warnings": f"{run.warnings} warning{'' if run.warnings == 1 else 's'}",
        "rate": number(run.pages_a_month, 2),
        "strips": [_strip(strip, run) for strip in run.strips if strip.breaches],
        "quiet": [f"{strip.model}, {_title(strip)}" for strip in run.strips if not strip.breaches],
        "told": [
            {
                "at": moment(one.at),
                "kind": "pages" if one.pages else "dim",
                "word": "page" if one.pages else "warning" if one.warns else one.message.reason.replace("_", " "),
                "model": one.message.model,
                "text": one.message.changed,
            }
            for one in run.told
        ],
    }


def _title(strip: Strip) -> str:
    return f"{display_name(strip.metric, '', strip.segment)} {at_bound(strip.side, strip.threshold)}"


def _strip(strip: Strip, run: Replayed) -> dict[str, Any]:
    values = [row.value for row in strip.windows if row.value is not None]
    bounds = [] if strip.threshold is None else [strip.threshold]
    low, high = min([*values, *bounds], default=0.0), max([*values, *bounds], default=1.0)

    def y(value: float) -> float:
        return round(HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (value - low) / ((high - low) or 1.0), 1)

    def x(at: datetime) -> float:
        return round(WIDTH * ((at - run.since) / (run.until - run.since)), 1)

    width = max(WIDTH / max(len(strip.windows), 1), 1.5)
    return {
        "model": strip.model,
        "title": _title(strip),
        "summary": f"{strip.breaches:,} of {len(strip.windows):,} windows in breach",
        "bound": None if strip.threshold is None else y(strip.threshold),
        "bars": [
            {"x": round(x(first) - width, 1), "width": round(x(last) - x(first) + width, 1)}
            for first, last in strip.in_breach()
        ],
        "lines": [" ".join(f"{x(at)},{y(value)}" for at, value in line) for line in _lines(strip)],
        "top": number(high),
        "bottom": number(low),
    }


def _lines(strip: Strip) -> list[list[tuple[datetime, float]]]:
    """The values, broken where there is none."""
    lines: list[list[tuple[datetime, float]]] = [[]]
    for row in strip.windows:
        if row.value is not None:
            lines[-1].append((row.window_end, row.value))
        elif lines[-1]:
            lines.append([])
    return lines
