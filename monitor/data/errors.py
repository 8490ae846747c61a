"""What can be wrong with a source, as sentences: where, what, and what would be right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class SourceProblem(Exception):
    """The rows could not be read; the sentence says which source, why, and what would be right."""


class SourceMissing(SourceProblem):
    """There is no such file, table or database."""


class ColumnProblem(SourceProblem):
    """A column that the settings name is missing or of a type that cannot be used."""


def shown(source: str) -> str:
    """A path or URL without its password."""
    return re.sub(r"://([^:/@\s]*):[^@\s]*@", r"://\1:***@", source)


@contextmanager
def reading(where: str, source: str) -> Iterator[None]:
    """Turn what an engine raises while reading *source* into a SourceProblem."""
    try:
        yield
    except (SourceProblem, MemoryError):
        raise
    except Exception as problem:
        if _out_of_memory(problem):
            raise MemoryError from problem
        raise SourceProblem(f"{where} ({shown(source)}) cannot be read: {_words(problem, source)}") from problem


def _out_of_memory(problem: Exception) -> bool:
    return type(problem).__name__ == "OutOfMemoryException"


def _words(problem: Exception, source: str) -> str:
    """The engine's first line, without a password and without the noise of its class."""
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    said = lines[0] if lines else type(problem).__name__
    said = re.sub(r"^(IO|Invalid Input|Catalog|Conversion|Binder) Error:\s*", "", said)
    for secret in re.findall(r"://[^:/@\s]*:([^@\s]+)@", source):
        said = said.replace(secret, "***")
    said = shown(said)[:400]
    return said if said.endswith(".") else f"{said}."


def missing_file(where: str, path: str) -> SourceMissing:
    """No file matches."""
    folder = Path(path).parent
    hint = "is there a typing error in its name?" if folder.exists() else f"there is no folder {folder} either."
    return SourceMissing(f"{where}: no file matches {path}; {hint}")
