"""Whether those who are told can be told: addresses, names, secrets, and channels without a token."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from monitor.settings import Settings
from monitor.settings.problems import File
from monitor.settings.remarks import Remark
from monitor.settings.schema import Place

TOKEN: Place = ("slack", "token")
SECRET_PREFIX = "whsec_"  # noqa: S105  # of Standard Webhooks, not a secret
SECRET_SIZES = range(24, 65)  # bytes; https://www.standardwebhooks.com


def review_telling(settings: Settings, file: File) -> Iterator[Remark]:
    """Everything that would keep people from being told."""
    yield from _slack(settings, file)
    yield from _addresses(settings, file)
    yield from _twice("webhooks", [hook.name for hook in settings.webhooks], file)
    yield from _twice("alertmanagers", [each.name for each in settings.alertmanagers], file)
    for index, hook in enumerate(settings.webhooks):
        if hook.secret is not None and not _signs(hook.secret.get_secret_value()):
            what = f"must be {SECRET_PREFIX} and the base64 of {SECRET_SIZES[0]} to {SECRET_SIZES[-1]} random bytes"
            instead = f'such as the output of: echo "{SECRET_PREFIX}$(openssl rand -base64 32)"'
            yield Remark.of(file, ("webhooks", index, "secret"), what, instead)


def _slack(settings: Settings, file: File) -> Iterator[Remark]:
    slack = settings.slack
    if slack.token is not None and slack.channel is None:
        what = "is missing, and slack.token is set"
        yield Remark.of(file, ("slack", "channel"), what, 'add channel = "#model-alerts"', also=(TOKEN,))
    if slack.token is not None:
        return
    named: list[Place] = [("slack", "routes", index, "channel") for index in range(len(slack.routes))]
    named += [
        ("alerts", "escalation", index, "channel")
        for index, tier in enumerate(settings.alerts.escalation)
        if tier.channel is not None
    ]
    for place in named:
        what = "is a channel of Slack, and slack.token is missing"
        yield Remark.of(file, place, what, 'add token = "${SLACK_BOT_TOKEN}" to [slack]', also=(TOKEN,))


def _addresses(settings: Settings, file: File) -> Iterator[Remark]:
    written: list[tuple[Place, str]] = [
        (("webhooks", index, "url"), hook.url.get_secret_value()) for index, hook in enumerate(settings.webhooks)
    ]
    written += [
        (("alertmanagers", index, "url"), each.url.get_secret_value())
        for index, each in enumerate(settings.alertmanagers)
    ]
    if settings.alerts.heartbeat is not None:
        written.append((("alerts", "heartbeat"), settings.alerts.heartbeat.get_secret_value()))
    if settings.web.url is not None:
        written.append((("web", "url"), settings.web.url))
    for place, url in written:
        if not _is_address(url):
            yield Remark.of(file, place, "is no address on the web", "write it in full: https://host/path")


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        return False


def _twice(table: str, names: Sequence[str], file: File) -> Iterator[Remark]:
    for index, name in enumerate(names):
        first = names.index(name)
        if first != index:
            what = f"is the name of {table}[{first}] already"
            other: Place = (table, first, "name")
            yield Remark.of(file, (table, index, "name"), what, "give each a name of its own", also=(other,))


def _signs(secret: str) -> bool:
    """Whether it is a secret as Standard Webhooks writes them."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        return False
    return secret.startswith(SECRET_PREFIX) and len(key) in SECRET_SIZES
