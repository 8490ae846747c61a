"""What can be wrong with a source, as sentences with a way out: where, what, and what would be right."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from urllib.parse import urlsplit, urlunsplit


class SourceProblem(Exception):
    """The rows of a model could not be had; its sentence is shown to people."""


class SourceUnreachable(SourceProblem):
    """The place does not answer, or there is nothing: asking again later may help."""


class SourceUnreadable(SourceProblem):
    """The place answers, but what is there cannot be read."""


class ColumnMissing(SourceProblem):
    """A column the configuration names is not there."""


class WrongType(SourceProblem):
    """A column is there, but holds something else than it must."""


def shown(source: str) -> str:
    """A path or URL without user, password and query, fit to be shown."""
    parts = urlsplit(source)
    if not parts.scheme or not parts.netloc:
        return source
    path = parts.path if parts.scheme != "sc" else ""  # that of Spark Connect holds the token
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], path, "", ""))


def missing(where: str, key: str, column: str, known: tuple[str, ...]) -> ColumnMissing:
    """A sentence that names the nearest columns there are."""
    near = get_close_matches(column, known, n=1, cutoff=0.7)
    if near:
        hint = f"did you mean '{near[0]}'?"
    else:
        hint = f"there are {_listed(known)}." if known else "there are no columns at all."
    return ColumnMissing(f"{where}: the column '{column}' ({key}) is not there; {hint}")


def _listed(names: tuple[str, ...]) -> str:
    first = ", ".join(f"'{name}'" for name in names[:8])
    return first if len(names) <= 8 else f"{first} and {len(names) - 8} more"


@contextmanager
def told(where: str) -> Iterator[None]:
    """Turn what an engine raises while *where* is read into a SourceProblem."""
    import duckdb
    import psycopg

    try:
        yield
    except duckdb.OutOfMemoryException as problem:
        raise MemoryError(_first_line(problem)) from problem
    except duckdb.Error as problem:
        raise _from_duckdb(where, problem) from problem
    except psycopg.Error as problem:
        raise _from_postgres(where, problem) from problem
    except OSError as problem:
        raise SourceUnreachable(f"{where}: cannot be reached ({problem}).") from problem
    except _spark_errors() as problem:
        raise _from_spark(where, problem) from problem


def in_midstream(problem: OSError) -> Exception:
    """DuckDB's own error for what Arrow tells as an OSError, once rows have begun to flow."""
    import duckdb

    kinds = {"Out of Memory Error": duckdb.OutOfMemoryException, "Conversion Error": duckdb.ConversionException}
    kind: type[Exception] = kinds.get(str(problem).partition(":")[0], duckdb.Error)
    return kind(str(problem))


def _from_duckdb(where: str, problem: Exception) -> SourceProblem:
    text = _first_line(problem)
    if "No files found" in text:
        return SourceUnreachable(f"{where}: no file matches; correct the path or glob, or write the file.")
    if "Permission denied" in text:
        return SourceUnreadable(f"{where}: permission denied; let the user of this process read it.")
    if type(problem).__name__ == "ConversionException":
        return WrongType(f"{where}: a value does not fit its column ({text}); correct the rows or the column named.")
    if type(problem).__name__ in {"HTTPException", "ConnectionException"}:
        return SourceUnreachable(f"{where}: does not answer ({text}).")
    return SourceUnreadable(
        f"{where}: cannot be read ({text}); give a whole, undamaged file of the kind its name says."
    )


def _from_postgres(where: str, problem: Exception) -> SourceProblem:
    from psycopg import InterfaceError, OperationalError, errors

    text = _first_line(problem)
    known: tuple[tuple[type[Exception], SourceProblem], ...] = (
        (errors.QueryCanceled, SourceUnreachable("the database took too long; add an index on the time column")),
        (errors.UndefinedTable, SourceUnreadable(f'{text}; name a table as table = "schema.name"')),
        (errors.InsufficientPrivilege, SourceUnreadable(f"{text}; grant SELECT to this user")),
        (errors.ReadOnlySqlTransaction, SourceUnreadable(f"{text}; the query must only read")),
        (
            errors.DataError,
            WrongType(f"a value does not fit its column ({text}); correct the rows or the column named"),
        ),
        (OperationalError, SourceUnreachable(f"the database does not answer ({text})")),
        (InterfaceError, SourceUnreachable(f"the database does not answer ({text})")),
    )
    refused = SourceUnreadable(f"the database refuses to read this ({text}); correct table or query")
    found = next((sentence for kind, sentence in known if isinstance(problem, kind)), refused)
    return type(found)(f"{where}: {found}.")


SPARK_GONE = ("RETRIES_EXCEEDED", "INVALID_HANDLE", "UNKNOWN", "SPARK_JOB_CANCELLED")
"""What the client calls a server that is away, restarted, or stopped in the middle of a query."""


def _spark_errors() -> tuple[type[Exception], ...]:
    """What the client of Spark raises, where it is loaded at all."""
    if "pyspark" not in sys.modules:
        return ()
    import grpc
    from pyspark.errors import PySparkException

    return (PySparkException, grpc.RpcError, grpc.FutureTimeoutError)


def _from_spark(where: str, problem: Exception) -> SourceProblem:
    from pyspark.errors import DateTimeException, NumberFormatException, PySparkException

    name = (problem.getCondition() if isinstance(problem, PySparkException) else None) or ""
    text = _first_line(problem).removeprefix(f"[{name}] ").rstrip(".")
    if name.startswith("TABLE_OR_VIEW_NOT_FOUND"):
        return SourceUnreadable(f'{where}: {text}; name a table as table = "schema.name".')
    if name.startswith("PATH_NOT_FOUND"):
        return SourceUnreachable(f"{where}: {text}; correct the path, or write the files.")
    if name == "OPERATION_CANCELED":
        return SourceUnreachable(f"{where}: the cluster took too long; partition the table by time.")
    if isinstance(problem, DateTimeException | NumberFormatException):
        return WrongType(f"{where}: a value does not fit its column ({text}); correct the rows or the column named.")
    if name and not name.startswith(SPARK_GONE):
        return SourceUnreadable(f"{where}: Spark refuses to read this ({text}); correct table or query.")
    return SourceUnreachable(f"{where}: Spark does not answer ({_spark_words(problem)}).")


def _spark_words(problem: Exception) -> str:
    """What the network says, out of the depths of its report."""
    for deeper in (problem, problem.__cause__, problem.__context__):
        details = re.search(r'details = "(.*?)"', str(deeper))
        if details and details[1]:
            return details[1].rstrip(".")[:300]
    if type(problem).__name__ == "FutureTimeoutError":
        return "no connection within the time allowed"
    return _first_line(problem)


def _first_line(problem: Exception) -> str:
    """The engine's own words in one line, without its prefix and without any password."""
    line = next((line.strip() for line in str(problem).splitlines() if line.strip()), type(problem).__name__)
    line = re.sub(r"^(IO|Invalid Input|Binder|Catalog|Conversion|HTTP|Out of Memory|Parser) Error: ", "", line)
    line = re.sub(r"://[^/\s@]*@", "://", line)
    return line.rstrip(".")[:300]
