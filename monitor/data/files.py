"""Files of rows: whether they can be read, and the query that reads them on DuckDB."""

from __future__ import annotations

import os
from pathlib import Path

from monitor.data.errors import SourceUnreachable, SourceUnreadable

READERS = {
    ".parquet": "read_parquet",
    ".pq": "read_parquet",
    ".csv": "read_csv",
    ".tsv": "read_csv",
    ".json": "read_json",
    ".jsonl": "read_json",
    ".ndjson": "read_json",
}

REMOTE = ("s3://", "gs://", "gcs://", "r2://", "http://", "https://")
GLOB = "*?["


def file_query(source: str, base: Path, where: str) -> tuple[str, bool]:
    """The query that reads a path or glob, relative to *base*, and whether a few columns cost only those.

    Raises SourceProblem where there is nothing to read.
    """
    path = source if source.startswith(REMOTE) else str(base / source)
    _check_path(path, where)
    reader = _reader(source, where)
    union = ", union_by_name = true" if any(sign in path for sign in GLOB) else ""
    return f"SELECT * FROM {reader}({_quoted(path)}{union})", reader == "read_parquet"  # noqa: S608  # quoted


def _check_path(path: str, where: str) -> None:
    if path.startswith(REMOTE) or any(sign in path for sign in GLOB):
        return
    place = Path(path)
    try:
        there, folder, readable = place.exists(), place.is_dir(), os.access(place, os.R_OK, effective_ids=True)
    except PermissionError:  # a folder on the way may not be entered
        there, folder, readable = True, False, False
    if folder:
        raise SourceUnreadable(f"{where}: is a folder; give its files, such as '{place.name}/*.parquet'.")
    if not there:
        raise SourceUnreachable(f"{where}: there is no such file; correct the path, or write the file.")
    if not readable:
        raise SourceUnreadable(f"{where}: permission denied; let the user of this process read it.")


def _reader(source: str, where: str) -> str:
    name = source.lower().split("?", maxsplit=1)[0]
    for packed in (".gz", ".zst"):
        name = name.removesuffix(packed)
    reader = READERS.get(Path(name).suffix)
    if reader is None:
        raise SourceUnreadable(f"{where}: its kind is not told by its name; end it in .parquet, .csv, .json or .jsonl.")
    return reader


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
