"""``model-monitor check``: reach everything the settings name, and say what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from monitor.app import database_url, present
from monitor.history.problems import HistoryUnavailable
from monitor.settings import ModelSettings, Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was reached, or not."""

    ok: bool
    what: str
    where: str
    found: str


def inspect(settings: Settings, base: Path, tell: Callable[[str], None]) -> list[Finding]:
    """Open each source, find the columns, count the rows of the last bucket; reach the database and Slack."""
    now = present(settings)
    found: list[Finding] = []
    for model in settings.models:
        tell(model.name)
        found += _sources(model, base, now)
    tell("the database")
    found.append(_database(settings, base))
    tell("Slack")
    found.append(_slack(settings))
    return found


def _sources(model: ModelSettings, base: Path, now: datetime) -> Iterator[Finding]:
    from monitor.data.errors import SourceProblem
    from monitor.data.feed import Feed

    feed = Feed(model, base)
    try:
        inspection = feed.inspect(now)
    except SourceProblem as problem:
        yield Finding(ok=False, what=model.name, where="sources", found=str(problem))
        return
    finally:
        feed.close()
    for source in inspection.sources:
        yield Finding(not source.problems, f"{model.name}: {source.role}", source.where, _found(source))


def _found(source: object) -> str:
    raise NotImplementedError(source)


def _database(settings: Settings, base: Path) -> Finding:
    from monitor.history.engine import open_engine, ping
    from monitor.history.problems import shown_url

    where = "history.url"
    try:
        engine = open_engine(database_url(settings, base))
        where = shown_url(engine.url)
        ping(engine)
    except HistoryUnavailable as problem:
        return Finding(ok=False, what="database", where=where, found=str(problem))
    version = ".".join(str(part) for part in engine.dialect.server_version_info or ())
    engine.dispose()
    return Finding(ok=True, what="database", where=where, found=f"{engine.dialect.name} {version}".strip())
