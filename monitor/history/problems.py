"""What can go wrong with the history, as sentences with a way out."""

from __future__ import annotations

from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError


class HistoryUnavailable(Exception):
    """The history cannot be used now; the sentence says why and what to do. Nothing was written."""


class LeaseLost(Exception):
    """Another owner evaluates the model by now, so this result is refused; nothing of it was written."""


class AlreadyEvaluated(Exception):
    """The window was evaluated before in this revision, so this result is refused; nothing of it was written."""


SQLITE_PROBLEMS = (  # part of the driver's message, what to say
    ("file is not a database", "is not an SQLite database. Move that file away, or point history.url elsewhere."),
    ("malformed", "is damaged. Stop model-monitor and restore a backup (docs/history.md says how)."),
    ("disk is full", "has no room left on its disk. Free some space, or lower history.keep."),
    ("readonly database", "cannot be written. Make the file and its folder writable for this user."),
    ("database is locked", "is locked by another program for more than 5 seconds. End what holds it, or wait for it."),
    ("unable to open", "cannot be opened. Make the file and its folder readable and writable for this user."),
    ("no such table", "has no tables yet. `model-monitor run` makes them."),
    ("disk i/o error", "cannot be read or written: its disk reports an error. Check the disk, then the file."),
)
MISSING_TABLE = "42P01"  # PostgreSQL's code for it


def shown_url(url: URL) -> str:
    """The URL as people may see it: without password and without parameters, which can hold one."""
    return url.set(password=None, query={}).render_as_string(hide_password=True)


def translate(url: URL, context: ExceptionContext) -> BaseException | None:
    """The sentence for an error of the driver where the database itself is the matter, else None."""
    error = context.sqlalchemy_exception
    if context.is_pre_ping:  # the pool finds a cut connection and is about to replace it
        return None
    if isinstance(error, IntegrityError) or not isinstance(error, DBAPIError):
        return None
    reason = str(error.orig).strip().partition("\n")[0]
    if url.get_backend_name() == "sqlite":
        return _sqlite_problem(url, reason)
    if getattr(error.orig, "sqlstate", None) == MISSING_TABLE:
        return HistoryUnavailable(f"The history at {shown_url(url)} has no tables yet. `model-monitor run` makes them.")
    if context.is_disconnect or isinstance(error, OperationalError):
        return HistoryUnavailable(
            f"The history at {shown_url(url)} does not answer: {_without_password(url, reason)}. "
            "Start the database or correct history.url; windows missed meanwhile are evaluated later."
        )
    return None


def _sqlite_problem(url: URL, reason: str) -> HistoryUnavailable | None:
    for part, sentence in SQLITE_PROBLEMS:
        if part in reason.lower():
            return HistoryUnavailable(f"The history at {shown_url(url)} {sentence}")
    return None


def _without_password(url: URL, text: str) -> str:
    secrets = [url.password, url.query.get("password")]
    for secret in secrets:
        if secret:
            text = text.replace(str(secret), "***")
    return text.rstrip(".")
