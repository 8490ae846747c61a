"""What can be done: each a POST that leads back to where it was asked for, with a sentence that says what came of it.

Whether it may be done is decided before, by monitor.web.guard: the scope of who asks, and that the form is our own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from litestar import post
from litestar.enums import RequestEncodingType
from litestar.params import Body, PathParameter
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from monitor.alerts.silence import MATCHERS, Silence, fits_nobody, problems
from monitor.alerts.words import moment
from monitor.delivery.reminding import acknowledge
from monitor.history import queries, silences
from monitor.history.answers import mutes
from monitor.settings import parse_duration
from monitor.web.pages.login import inside
from monitor.web.pages.showing import Asked, author_of, done
from monitor.web.reader import Reader

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
Id = Annotated[int, PathParameter(ge=1, le=2**63 - 1)]


def handlers(reader: Reader) -> list[ControllerRouterHandler]:
    """Every page that changes something."""

    @post("/incidents/{identity:int}/acknowledge", sync_to_thread=True)
    def acknowledge_incident(request: Asked, identity: Id, data: Form) -> Redirect:
        back, author = f"/incidents/{identity}", _author(request, data)
        if not author:
            return done(back, _NAMELESS, well=False)
        comment, lasts = data.get("comment", "").strip(), reader.settings.alerts.acknowledged_for
        answer = acknowledge(reader.engine(), identity, author, comment, reader.wall_now(), lasts)
        return done(back, answer.sentence, well=answer.kind == "acknowledged")

    @post("/silences", sync_to_thread=True)
    def add_silence(request: Asked, data: Form) -> Redirect:
        back = inside(data.get("back", "/silences"))
        wanted = _silence(reader, data, _author(request, data))
        if isinstance(wanted, str):
            return done(back, wanted, well=False)
        engine = reader.engine()
        known = {model.name for model in reader.settings.models} | set(queries.model_names(engine))
        if wrong := [*problems(wanted), *filter(None, [fits_nobody(wanted, known)])]:
            return done(back, " ".join(wrong), well=False)
        made = silences.add(engine, wanted, wanted.starts_at)
        return done(back, f"Silence {made.id} mutes {mutes(made.matchers)} until {moment(made.ends_at)} UTC.")

    @post("/silences/{identity:int}/end", sync_to_thread=True)
    def end_silence(identity: Id) -> Redirect:
        now = reader.wall_now()
        ended = silences.end(reader.engine(), identity, now)
        if ended is None:
            return done("/silences", f"There is no silence {identity}.", well=False)
        if ended.ends_at < now:
            told = f"Silence {identity} is over since {moment(ended.ends_at)} UTC; nothing to end."
            return done("/silences", told, well=False)
        return done("/silences", f"Silence {identity} is over. What is still open is told within a minute.")

    return [acknowledge_incident, add_silence, end_silence]


_NAMELESS = "Say who you are, so that others know whom to ask."


def _author(request: Asked, data: Mapping[str, str]) -> str:
    """Whoever signed in; on this machine, whoever says so."""
    return author_of(request) or data.get("author", "").strip()


def _silence(reader: Reader, data: Mapping[str, str], author: str) -> Silence | str:
    """The silence that was asked for, or the sentence that says why it is none."""
    text = data.get("lasts", "")
    text = data.get("own", "").strip() if text == "own" else text
    try:
        lasts = parse_duration(text)
    except ValueError:
        lasts = timedelta(0)
    if lasts <= timedelta(0):
        return f"A silence takes a length of time such as 30m, 2h or 3d, not {text!r}."
    now = reader.wall_now()
    matchers = {name: data[name] for name in MATCHERS if data.get(name)}
    return Silence(0, matchers, now, now + lasts, author, data.get("comment", "").strip())
