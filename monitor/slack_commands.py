"""The commands about messages: try out the channels, and see what was said of an incident."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.command_line import BREACH, CONFIG, USAGE, ConfigOption, fail, history_of, settings_of

if TYPE_CHECKING:
    from monitor.alerts.message import Message

slack = typer.Typer(name="slack", help="Try out what is told in Slack.", no_args_is_help=True, rich_markup_mode=None)


class Form(StrEnum):
    """How a message is printed."""

    text = "text"
    json = "json"


@slack.callback()
def about() -> None:
    """Try out what is told in Slack."""  # a group of one command is else taken for the command itself


@slack.command("test")
def try_out(config: ConfigOption = CONFIG) -> None:
    """Post a sample incident, marked as a test, to every channel of the settings, and say where it landed."""
    from rich.console import Console

    from monitor.alerts.sample import sample
    from monitor.clock import wall_now
    from monitor.delivery.receiver import Letter
    from monitor.delivery.slack import SlackReceiver
    from monitor.receivers import receivers_of

    settings = settings_of(config)
    told = [one for one in receivers_of(settings, Console(quiet=True)) if isinstance(one, SlackReceiver)]
    if not told:
        fail("No Slack token is set. Set slack.token and slack.channel; docs/alerts.md says how to get them.", USAGE)
    failed = False
    for receiver in told:
        outcome = receiver.post_parent(Letter(sample(wall_now()), str(uuid.uuid4()), None))
        failed |= outcome.kind != "sent"
        landed = f"posted, message {outcome.provider_id} in channel {outcome.channel_id}"
        typer.echo(f"{receiver.name.removeprefix('slack:')}: {landed if outcome.kind == 'sent' else outcome.error}")
    raise typer.Exit(BREACH if failed else 0)


def message(
    incident: Annotated[int, typer.Option("--incident", help="The incident, as model-monitor incidents lists it.")],
    output: Annotated[
        Form, typer.Option("--format", help="As a terminal shows it, or as Slack is sent it.")
    ] = Form.text,
    config: ConfigOption = CONFIG,
) -> None:
    """Print what is said of an incident: the message as it reads now, and its thread."""
    from monitor.alerts.message import Message
    from monitor.delivery.console import thread
    from monitor.history.incidents import messages
    from monitor.screen import console

    settings = settings_of(config)
    with history_of(settings, config) as store:
        said = [Message.from_data(each) for each in messages(store.engine, incident)]
    if not said:
        fail(f"Nothing was said of an incident {incident}; model-monitor incidents lists those there are.", USAGE)
    if output is Form.text:
        console().print(thread(said))
    else:
        typer.echo(json.dumps(_blocks(said), indent=1, ensure_ascii=False))


def _blocks(said: Sequence[Message]) -> dict[str, object]:
    """What Slack is sent, without the buttons and links that only the daemon adds."""
    from monitor.alerts import blocks

    parent = {"text": blocks.fallback_text(said[-1]), "blocks": blocks.parent_blocks(said[-1])}
    replies = [
        {"text": blocks.fallback_text(each, reply=True), "blocks": blocks.reply_blocks(each)} for each in said[1:]
    ]
    return {"parent": parent, "replies": replies}
