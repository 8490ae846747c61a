"""Who is told, by the settings: the receivers there are, which incidents go where, and how long they gather."""

from __future__ import annotations

from datetime import timedelta

from pydantic import SecretStr
from rich.console import Console

from monitor.alerts.routing import Route, Routing
from monitor.delivery.console import ConsoleReceiver
from monitor.delivery.receiver import Receiver
from monitor.delivery.retry import RelayRules
from monitor.delivery.slack import SlackReceiver
from monitor.settings import Settings, SlackSettings


def receivers_of(settings: Settings, console: Console) -> tuple[Receiver, ...]:
    """One receiver for each channel that is named anywhere; the console where there is no Slack."""
    slack = settings.slack
    if slack.token is None:
        return (ConsoleReceiver(console),)
    return tuple(_channel(slack, slack.token, name) for name in _channels(settings))


def default_channel(settings: Settings) -> SlackReceiver | None:
    """The channel for what is about no model; None without Slack."""
    slack = settings.slack
    return None if slack.token is None or slack.channel is None else _channel(slack, slack.token, slack.channel)


def routing_of(settings: Settings) -> Routing:
    """Which receivers are told of which incident."""
    slack = settings.slack
    if slack.token is None:
        return Routing((Route("console"),))
    routes = [Route(_name(route.channel), route.models, route.owners, route.severities) for route in slack.routes]
    if slack.channel is not None:
        routes.append(Route(_name(slack.channel)))
    return Routing(tuple(routes))


def rules_of(settings: Settings) -> RelayRules:
    """The times of delivery; where the clock is played back, waiting for what belongs together would take days."""
    return RelayRules(group_wait=timedelta(0) if settings.clock else settings.alerts.group_wait)


def _channels(settings: Settings) -> list[str]:
    """Each channel once: the default, those of routes, those that are told when nobody acknowledges."""
    named = [settings.slack.channel, *(route.channel for route in settings.slack.routes)]
    named += [tier.channel for tier in settings.alerts.escalation]
    return [name for name in dict.fromkeys(named) if name is not None]


def _channel(slack: SlackSettings, token: SecretStr, name: str) -> SlackReceiver:
    return SlackReceiver(token.get_secret_value(), name, api_url=slack.api_url, timeout=RelayRules().timeout)


def _name(channel: str) -> str:
    return f"slack:{channel}"
