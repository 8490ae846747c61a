"""The form of an answer: JSON, CSV for a spreadsheet, Arrow or Parquet for very many rows."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar, get_args, get_type_hints
from urllib.parse import urlencode

from litestar import Request, Response

from monitor.history.answers import as_json, flat
from monitor.history.rows import HistoryRow
from monitor.web.problem import Problem

_FORMULA = re.compile(r"[=\t\r]|[-+@].*[(|!]")

Row = TypeVar("Row")
ListForm = Literal["json", "csv"]
BulkForm = Literal["json", "csv", "arrow", "parquet"]

MEDIA_TYPES = {
    "json": "application/json",
    "csv": "text/csv",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows, and the cursor of the next page: null where there is nothing more."""

    rows: Sequence[Row]
    next: str | None


Asked = Request[Any, Any, Any]


def rows_answer(request: Asked, rows: Sequence[Any], after: str | None, form: str | None) -> Response[Any]:
    """One page in the form that is asked for by *form* or else by Accept; the next one is in Link, too."""
    chosen = form or _accepted(request)
    headers = {"vary": "accept"}
    if after is not None:
        query = {**{key: value for key, value in request.query_params.items() if key != "cursor"}, "cursor": after}
        headers["link"] = f'<{request.url.path}?{urlencode(query)}>; rel="next"'
    if chosen == "json":
        return Response(as_json(Page(rows, after)), media_type=MEDIA_TYPES["json"], headers=headers)
    headers["content-disposition"] = f'attachment; filename="{request.url.path.rpartition("/")[2]}.{chosen}"'
    content = _csv(rows) if chosen == "csv" else _columns(rows, chosen)
    return Response(content, media_type=MEDIA_TYPES[chosen], headers=headers)


def one_answer(answer: Any, status_code: int = 200) -> Response[Any]:
    """One answer as JSON."""
    return Response(as_json(answer), media_type=MEDIA_TYPES["json"], status_code=status_code)


def _accepted(request: Asked) -> str:
    accepted = request.headers.get("accept", "")
    if "json" in accepted or "*/*" in accepted:
        return "json"
    found = next((form for form, media_type in MEDIA_TYPES.items() if media_type in accepted), None)
    if found in {"arrow", "parquet"} and not request.url.path.endswith("/measurements"):
        raise Problem(status_code=406, detail="Only measurements come as Arrow or Parquet; ask for JSON or CSV here.")
    return found or "json"


def _csv(rows: Sequence[Any]) -> bytes:
    """No row, no columns."""
    if not rows:
        return b""
    written = io.StringIO(newline="")
    cells = [{key: _harmless(value) for key, value in flat(row).items()} for row in rows]
    writer = csv.DictWriter(written, fieldnames=list(cells[0]))
    writer.writeheader()
    writer.writerows(cells)
    return written.getvalue().encode()


def _harmless(value: Any) -> Any:
    """A formula in a name is text to a spreadsheet; an owner like ``@team`` is none, and stays as it is.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def _columns(rows: Sequence[HistoryRow], form: str) -> bytes:
    import pyarrow as pa  # some 50 MB, so only once somebody asks
    import pyarrow.parquet as pq

    hints = get_type_hints(HistoryRow)
    # Said, not guessed: a page without any verdict has the columns of one all the same.
    types = {str: pa.string(), float: pa.float64(), int: pa.int64(), datetime: pa.timestamp("us", "UTC")}
    schema = pa.schema(
        [(name, next(types[each] for each in (hint, *get_args(hint)) if each in types)) for name, hint in hints.items()]
    )
    table = pa.table([[getattr(row, name) for row in rows] for name in schema.names], schema=schema)
    sink = pa.BufferOutputStream()
    if form == "parquet":
        pq.write_table(table, sink, compression="zstd")
    else:
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    return bytes(sink.getvalue())
