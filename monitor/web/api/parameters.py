"""What may be asked for: parameters with their descriptions and examples, and how they are read."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Annotated, Any, Literal

from litestar import Request
from litestar.openapi.spec import Example
from litestar.params import PathParameter, QueryParameter

from monitor.history.values import words
from monitor.settings import parse_time
from monitor.web.problem import Problem

LARGEST = 2**53 - 1
"""The largest id that every reader of JSON takes for what it is."""
TIME: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "format": "date-time"},
        {"type": "string", "format": "date"},
        {"type": "string", "pattern": "^[0-9]{1,3}[smhdw]$"},
    ]
}


def _query(name: str, description: str, example: object, **more: Any) -> QueryParameter:
    return QueryParameter(name=name, description=description, examples=[Example(value=example)], **more)


Model = Annotated[str | None, _query("model", "The model, by its name.", "flight-delay")]
Metric = Annotated[
    str | None, _query("metric", "The metric as config.toml writes it: accuracy, drift.temp.", "accuracy")
]
Column = Annotated[str | None, _query("column", "The column of the metric, where its name holds a dot itself.", "temp")]
Segment = Annotated[
    str | None, _query("segment", "The segment; empty for the whole. Left out: every one.", "origin=EWR")
]
Check = Annotated[str | None, _query("check", "What this check measured.", "accuracy")]
VerdictState = Annotated[
    Literal["ok", "breach", "unknown", "error"] | None, _query("verdict", "Only this verdict.", "breach")
]
Since = Annotated[
    str | None,
    _query(
        "since",
        "Windows that end then or later: a time (UTC unless it says otherwise), or how long ago.",
        "7d",
        schema_extra=TIME,
    ),
]
Until = Annotated[str | None, _query("until", "Windows that end before.", "2013-08-01", schema_extra=TIME)]
AsOf = Annotated[
    str | None,
    _query(
        "as_of",
        "What was known at that time: later evaluations are as if they had not been made.",
        "2013-07-08T06:00:00Z",
        schema_extra=TIME,
    ),
]
Revisions = Annotated[
    bool, _query("revisions", "Every revision of each window, not only the one that stands.", example=True)
]
Limit = Annotated[int, _query("limit", "At most this many rows.", 100, ge=1, le=1000)]
BulkLimit = Annotated[int, _query("limit", "At most this many rows; 10,000 as JSON.", 1000, ge=1, le=100_000)]
Cursor = Annotated[
    str | None,
    _query("cursor", "`next` of the page before.", "eyJ1cHRvIjo3fQ", max_length=500),
]
Id = Annotated[int, PathParameter(description="The id.", ge=1, le=LARGEST, examples=[Example(value=1)])]


async def each_once(request: Request[Any, Any, Any]) -> None:
    """Refuse a parameter that is there twice: nobody knows which was meant. Raises Problem."""
    counted = Counter(name for name, _ in request.query_params.multi_items())
    twice = ", ".join(name for name, count in counted.items() if count > 1)
    if twice:
        raise Problem(status_code=400, detail=f"{twice[:200]}: given more than once; ask once for each.")


def at(text: str, now: datetime) -> datetime:
    """A time that was asked for. Raises Problem."""
    try:
        return parse_time(text, now)
    except ValueError as problem:
        raise Problem(status_code=400, detail=str(problem)) from None


def perhaps(text: str | None, now: datetime) -> datetime | None:
    """The same, where one was asked for."""
    return None if text is None else at(text, now)


def named(metric: str | None, column: str | None) -> tuple[str | None, str | None]:
    """Metric and column apart: ``drift.temp`` is drift of temp, ``drift.*`` of any column, ``accuracy`` of none."""
    name, _, rest = (metric or "").partition(".")
    asked = column if column is not None else rest or None
    return cleaned(name) or None, None if asked == "*" else cleaned(asked)


def cleaned(text: str | None) -> str | None:
    """Text as the history keeps it: nothing else could be found."""
    return None if text is None else words(text)
