"""The console as a receiver: messages as they would read in Slack."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from monitor.alerts.escape import clean
from monitor.alerts.message import EMOJI, Field, Message, MessageState
from monitor.alerts.words import moment
from monitor.delivery.receiver import Letter, Outcome, Thread

_COLOUR: dict[MessageState, str] = {"page": "red", "warn": "yellow", "resolved": "green"}
_MOST_OTHERS = 10


class ConsoleReceiver:
    """Prints to a terminal. There is nothing to be paced and nothing to be looked up."""

    name = "console"
    pace = timedelta(0)

    def __init__(self, console: Console) -> None:
        self._console = console

    def post_parent(self, letter: Letter) -> Outcome:
        """Print the whole message."""
        self._console.print(parent(letter.message, note=letter.note))
        return Outcome("sent", channel_id="console", provider_id=letter.identity)

    def update_parent(self, thread: Thread, letter: Letter) -> Outcome:  # noqa: ARG002  # nothing to edit
        """What is printed stays; the reply says what the parent would read now."""
        return Outcome("sent", channel_id=thread.channel_id, provider_id=thread.provider_id)

    def post_reply(self, thread: Thread, letter: Letter) -> Outcome:
        """Print the message's line as a reply."""
        self._console.print(reply(letter.message, note=letter.note))
        return Outcome("sent", channel_id=thread.channel_id, provider_id=letter.identity)

    def find(self, identity: str, thread: Thread | None, since: datetime) -> Outcome:  # noqa: ARG002  # no memory
        """A terminal cannot be asked."""
        return Outcome("absent")


def parent(message: Message, *, note: str = "") -> RenderableType:
    """The parent message, beside a bar in the colour of its state."""
    colour = _COLOUR[message.state]
    parts: list[RenderableType] = [Text(clean(message.title), style=f"bold {colour}")]
    if message.fields:
        parts.append(_FieldGrid(message.fields))
    if message.changed:
        parts.append(Text(clean(message.changed)))
    if message.movers:
        parts.append(Text("\n".join(clean(line) for line in message.movers.splitlines())))
    if message.others:
        parts.append(_others(message))
    parts.append(Text(" · ".join(_remarks(message, note)), style="dim"))
    return Padding(_Barred(Group(*parts), colour), (1, 0, 0, 0))


def reply(message: Message, *, note: str = "") -> RenderableType:
    """The reply, indented under a thread line, with what the parent reads from now on."""
    body = Table.grid(padding=(0, 1))
    body.add_column(no_wrap=True)
    body.add_column()
    body.add_row(Text("└", style="dim"), Text(clean(message.thread_line)))
    tail = f"the message above now reads: {clean(message.title)}"
    body.add_row("", Text(" · ".join(filter(None, [tail, note])), style="dim"))
    return Padding(body, (0, 0, 0, 2))


def thread(said: Sequence[Message]) -> RenderableType:
    """A whole incident: the message as it reads now, and its thread, oldest first."""
    body = Table.grid(padding=(0, 1))
    body.add_column(no_wrap=True)
    body.add_column()
    for each in said[1:]:
        body.add_row(Text("└", style="dim"), Text(clean(each.thread_line)))
    return Group(parent(said[-1]), Padding(body, (0, 0, 0, 2)))


class _Barred:
    """A renderable with a coloured bar along its left side."""

    def __init__(self, inner: RenderableType, colour: str) -> None:
        self._inner = inner
        self._style = Style.parse(colour)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        narrowed = options.update(width=max(options.max_width - 2, 10))
        for line in console.render_lines(self._inner, narrowed, pad=False):
            yield Segment("▌ ", self._style)
            yield from line
            yield Segment.line()


class _FieldGrid:
    """Labels and texts: two pairs side by side where every text fits, else one pair per line."""

    def __init__(self, fields: Iterable[Field]) -> None:
        self._fields = [(Text(clean(field.label), style="dim"), Text(clean(field.text))) for field in fields]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        left, right = self._fields[::2], self._fields[1::2]
        width = sum(
            max((pair[place].cell_len for pair in half), default=0) for half in (left, right) for place in (0, 1)
        )
        grid = Table.grid(padding=(0, 2))
        if width + 6 > options.max_width:
            for label, text in self._fields:
                grid.add_row(label, text)
        else:
            for index, pair in enumerate(left):
                grid.add_row(*pair, *(right[index] if index < len(right) else ("", "")))
        yield grid


def _others(message: Message) -> Text:
    shown = message.others[:_MOST_OTHERS]
    lines = [f"{EMOJI[line.state]} {clean(line.text)}" for line in shown]
    hidden = len(message.others) - len(shown) + message.more
    if hidden:
        lines.append(f"and {hidden:,} more")
    return Text("\n".join(lines))


def _remarks(message: Message, note: str) -> list[str]:
    since = "" if message.reason == "digest" else f"incident opened {moment(message.opened_at)} UTC"
    return [clean(part) for part in (message.owner, message.runbook, since, message.remark, note) if part]
