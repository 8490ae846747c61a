"""Who is told, by the settings: the receivers there are, which incidents go where, and how long they gather."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pydantic import SecretStr
from rich.console import Console
from sqlalchemy import Engine

from monitor.alerts.muting import muted
from monitor.alerts.routing import Route, Routing
from monitor.clock import wall_now
from monitor.delivery.alertmanager import AlertmanagerMirror
from monitor.delivery.console import ConsoleReceiver
from monitor.delivery.http import Address
from monitor.delivery.receiver import Receiver
from monitor.delivery.relay import Gate
from monitor.delivery.retry import RelayRules
from monitor.delivery.slack import SlackReceiver
from monitor.delivery.webhook import WebhookReceiver
from monitor.history.deliveries import ReceiverRow
from monitor.history.silences import SilencesNow
from monitor.settings import Settings, Webhook

HEARTBEAT = "heartbeat"
_UNKNOWN = "config.toml names no such receiver any more. Name it again, and what waits goes out."


def receivers_of(settings: Settings, console: Console) -> tuple[Receiver, ...]:
    """One receiver for each channel that is named anywhere, the console where there is no Slack, and each webhook."""
    return (*_chat(settings, console), *(_webhook(hook, settings) for hook in settings.webhooks))


def _chat(settings: Settings, console: Console) -> tuple[Receiver, ...]:
    slack = settings.slack
    if slack.token is None:
        return (ConsoleReceiver(console),)
    return tuple(_channel(settings, slack.token, name) for name in _channels(settings))


def _webhook(hook: Webhook, settings: Settings) -> Receiver:
    secret = None if hook.secret is None else hook.secret.get_secret_value()
    timeout = RelayRules().timeout
    url = hook.url.get_secret_value()
    return WebhookReceiver(hook.name, url, secret, web_url=settings.web.url, timeout=timeout, wall_now=wall_now)


def default_channel(settings: Settings) -> SlackReceiver | None:
    """The channel for what is about no model; None without Slack."""
    slack = settings.slack
    return None if slack.token is None or slack.channel is None else _channel(settings, slack.token, slack.channel)


def routing_of(settings: Settings) -> Routing:
    """Which receivers are told of which incident."""
    slack, always = settings.slack, tuple(f"webhook:{hook.name}" for hook in settings.webhooks)
    if slack.token is None:
        return Routing((Route("console"),), always)
    routes = [Route(_name(route.channel), route.models, route.owners, route.severities) for route in slack.routes]
    if slack.channel is not None:
        routes.append(Route(_name(slack.channel)))
    return Routing(tuple(routes), always)


def mirrors_of(settings: Settings) -> tuple[AlertmanagerMirror, ...]:
    """The Alertmanagers that are told what is open."""
    timeout = RelayRules().timeout
    return tuple(AlertmanagerMirror(each.name, each.url.get_secret_value(), timeout) for each in settings.alertmanagers)


def heartbeat_of(settings: Settings) -> Address | None:
    """The address of the dead man's switch."""
    url = settings.alerts.heartbeat
    return None if url is None else Address(url.get_secret_value(), RelayRules().timeout)


def names_of(settings: Settings) -> list[str]:
    """Everybody who is told something, by the name that the history knows them by."""
    told = [receiver.name for receiver in receivers_of(settings, Console(quiet=True))]
    told += [mirror.name for mirror in mirrors_of(settings)]
    return told if settings.alerts.heartbeat is None else [*told, HEARTBEAT]


def listed(rows: Sequence[ReceiverRow], names: Sequence[str], now: datetime) -> list[ReceiverRow]:
    """The receivers called *names*, in that order, then others that something still waits for, as they are *now*."""
    rows = [_as_of(row, now) for row in rows]
    known = {row.receiver: row for row in rows}
    mine = [known.get(name, ReceiverRow(name)) for name in names]
    others = [row for row in rows if row.receiver not in names and (row.waiting or row.blocked)]
    return [*mine, *(replace(row, healthy=False, error=_UNKNOWN) for row in others)]


def _as_of(row: ReceiverRow, now: datetime) -> ReceiverRow:
    """Without a pause that is over."""
    over = row.blocked_until is not None and row.blocked_until <= now
    return replace(row, blocked_until=None) if over else row


def well(row: ReceiverRow) -> bool:
    """Whether it is told what is due."""
    return row.healthy and not row.blocked


def gate_of(settings: Settings, engine: Engine) -> Gate:
    """Why nobody is told of a message at a time: a silence of the history or a calendar of the settings."""
    silences = SilencesNow(engine)
    return lambda message, now: muted(message, silences(now), settings.alerts.maintenance, now)


def rules_of(settings: Settings) -> RelayRules:
    """The times of delivery; where the clock is played back, waiting for what belongs together would take days."""
    return RelayRules(group_wait=timedelta(0) if settings.clock else settings.alerts.group_wait)


def _channels(settings: Settings) -> list[str]:
    """Each channel once: the default, those of routes, those that are told when nobody acknowledges."""
    named = [settings.slack.channel, *(route.channel for route in settings.slack.routes)]
    named += [tier.channel for tier in settings.alerts.escalation]
    return [name for name in dict.fromkeys(named) if name is not None]


def _channel(settings: Settings, token: SecretStr, name: str) -> SlackReceiver:
    slack = settings.slack
    return SlackReceiver(
        token.get_secret_value(),
        name,
        api_url=slack.api_url,
        timeout=RelayRules().timeout,
        mentions=slack.mentions,
        web_url=settings.web.url or "",
        buttons=slack.app_token is not None,
    )


def _name(channel: str) -> str:
    return f"slack:{channel}"
