"""``model-monitor check``: reach everything the settings name, and say what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.app import present
from monitor.history.problems import HistoryUnavailable
from monitor.settings import ModelSettings, Settings

if TYPE_CHECKING:
    from monitor.data.inspection import SourceInspection


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was reached, or not."""

    ok: bool
    what: str
    where: str
    found: str


def inspect(settings: Settings, base: Path, tell: Callable[[str], None]) -> list[Finding]:
    """Open each source, find the columns, count the rows of the last bucket; reach the database and whoever is told."""
    now = present(settings)
    found: list[Finding] = []
    for model in settings.models:
        tell(model.name)
        found += _sources(model, base, now)
    tell("the database")
    found.append(_database(settings, base))
    tell("Slack")
    found.append(_slack(settings))
    tell("webhooks and Alertmanagers")
    found += _addresses(settings)
    return found


def _sources(model: ModelSettings, base: Path, now: datetime) -> Iterator[Finding]:
    from monitor.data.feed import Feed

    feed = Feed(model, base)
    try:
        for source in feed.inspect(now).sources:
            found = " ".join(source.problems) or _found(source)
            place = source.where.partition("(")[2].rstrip(")")
            yield Finding(not source.problems, f"{model.name}: {source.role}", place, found)
    finally:
        feed.close()


def _found(source: SourceInspection) -> str:
    """``17 columns; 802 rows on 2013-06-01; newest 2013-06-01 23:59``."""
    parts = [f"{len(source.columns)} columns"] if source.columns else []
    if source.last_bucket is not None and source.last_rows is not None:
        parts.append(f"{source.last_rows:,} rows in the last bucket ({source.last_bucket:%Y-%m-%d %H:%M})")
    elif source.rows is not None:
        parts.append(f"{source.rows:,} rows")
    if source.newest is not None:
        parts.append(f"newest {source.newest:%Y-%m-%d %H:%M} UTC")
    if source.untimed:
        parts.append(f"{source.untimed:,} without a time")
    if source.future:
        parts.append(f"{source.future:,} in the future")
    return "; ".join(parts)


def _database(settings: Settings, base: Path) -> Finding:
    from monitor.history.engine import database_url, open_engine, ping
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


def _slack(settings: Settings) -> Finding:
    slack = settings.slack
    if slack.token is None:
        return Finding(ok=True, what="Slack", where="[slack]", found="No token is set; messages go to the console.")
    from monitor.delivery.slack_client import auth_test

    answer = auth_test(slack.token.get_secret_value(), api_url=slack.api_url)
    return Finding(ok=answer.ok, what="Slack", where=f"{slack.channel}", found=answer.sentence)


def _addresses(settings: Settings) -> Iterator[Finding]:
    """Nothing is posted: a webhook is well where anybody answers, an Alertmanager where it tells its status."""
    from monitor.delivery.http import Address
    from monitor.delivery.retry import RelayRules

    timeout = RelayRules().timeout
    for hook in settings.webhooks:
        answer = Address(hook.url.get_secret_value(), timeout).get()
        ok = answer.kind not in {"not_sent", "ambiguous"}
        yield Finding(ok, f"webhook {hook.name}", "[[webhooks]]", "It answers." if ok else answer.error)
    for each in settings.alertmanagers:
        answer = Address(f"{each.url.get_secret_value().rstrip('/')}/api/v2/status", timeout).get()
        ok = answer.kind == "sent"
        yield Finding(ok, f"Alertmanager {each.name}", "[[alertmanagers]]", "It answers." if ok else answer.error)
