"""Incidents with who was told of them, acknowledgements, silences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

import msgspec
from litestar import Response, delete, get, post
from litestar.params import JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from monitor.alerts.silence import Silence, fits_nobody, fitting, problems
from monitor.delivery.reminding import Answer, acknowledge
from monitor.history import incidents, queries, silences
from monitor.history.answers import (
    IncidentAnswer,
    SilenceAnswer,
    StoryAnswer,
    incident_answer,
    silence_answer,
    story_answer,
)
from monitor.history.values import words
from monitor.settings import parse_duration
from monitor.web.api import parameters as p
from monitor.web.api.cursor import cursor_of, place_in
from monitor.web.api.form import Asked, Page, one_answer, rows_answer
from monitor.web.api.given import Given
from monitor.web.api.measuring import In
from monitor.web.problem import Problem
from monitor.web.security import Caller

Open = Annotated[bool, QueryParameter(name="open", description="Only those that are not resolved.")]
Every = Annotated[bool, QueryParameter(name="all", description="Also those that are over.")]
Length = Annotated[
    str, msgspec.Meta(pattern="^[1-9][0-9]{0,2}[smhdw]$", description="How long: 30m, 2h, 3d.", examples=["2h"])
]
Words = Annotated[str, msgspec.Meta(max_length=2000)]
Author = Annotated[str, msgspec.Meta(max_length=200, description="Who you are, where neither token nor proxy says so.")]
Pattern = Annotated[str, msgspec.Meta(max_length=400)]
STATUS = {"acknowledged": 201, "unknown": 404, "resolved": 409, "busy": 503}


class NewSilence(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Alerts that fit all the patterns are muted from now on; matchers by model, metric, segment, severity, owner."""

    matchers: dict[str, Pattern]
    comment: Words
    lasts: Length = msgspec.field(name="for")
    author: Author = ""


class NewAcknowledgement(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """No reminders and no escalation for a while; left out, as long as alerts.acknowledged_for says."""

    comment: Words = ""
    lasts: Length | None = msgspec.field(name="for", default=None)
    author: Author = ""


@get("/incidents", operation_id="incidents", tags=["incidents"], sync_to_thread=True)
def listed(
    reader: Given,
    request: Asked,
    model: p.Model = None,
    since: p.Since = None,
    only_open: Open = False,  # noqa: FBT002  # Litestar's way to declare a parameter
    limit: p.Limit = 100,
    cursor: p.Cursor = None,
    form: In = None,
) -> Response[Page[IncidentAnswer]]:
    """Incidents, newest first, with their alerts, whether people were told, and who has acknowledged them."""
    after = place_in(cursor, incidents.Place)
    begin = p.perhaps(since, reader.now())
    engine, now = reader.engine(), reader.wall_now()
    found = incidents.page(engine, now, limit, after, p.cleaned(model), begin, open_only=only_open)
    return rows_answer(request, [incident_answer(row) for row in found.rows], cursor_of(found.after), form)


@get("/incidents/{incident_id:int}", operation_id="incident", tags=["incidents"], sync_to_thread=True)
def story(reader: Given, incident_id: p.Id) -> Response[StoryAnswer]:
    """All of one incident: its alerts, what happened and why, every notification and why there was none."""
    found = incidents.story(reader.engine(), incident_id, reader.wall_now())
    if found is None:
        raise _missing("incident", incident_id)
    return one_answer(story_answer(found, fitting(found, silences.kept(reader.engine()))))


@get("/incidents/{incident_id:int}/messages", operation_id="messages", tags=["incidents"], sync_to_thread=True)
def messages(reader: Given, incident_id: p.Id) -> list[dict[str, Any]]:
    """What was said of one incident, in order, as webhooks are told it."""
    return [dict(message) for message in incidents.messages(reader.engine(), incident_id)]


@post(
    "/incidents/{incident_id:int}/acknowledgements",
    operation_id="acknowledge",
    tags=["incidents"],
    sync_to_thread=True,
)
def give(reader: Given, request: Asked, incident_id: p.Id, data: JSONBody[NewAcknowledgement]) -> Response[Answer]:
    """Say that you have seen an incident."""
    lasts = reader.settings.alerts.acknowledged_for if data.lasts is None else parse_duration(data.lasts)
    by = author_of(request.user, data.author)
    answer = acknowledge(reader.engine(), incident_id, by, words(data.comment), reader.wall_now(), lasts)
    if answer.kind != "acknowledged":
        raise Problem(status_code=STATUS[answer.kind], detail=answer.sentence)
    return one_answer(answer, STATUS[answer.kind])


@dataclass(frozen=True, slots=True)
class LastSilence:
    """Where a page ended: behind this silence."""

    silence: int


@get("/silences", operation_id="silences", tags=["silences"], sync_to_thread=True)
def silenced(
    reader: Given,
    request: Asked,
    every: Every = False,  # noqa: FBT002  # as above
    limit: p.Limit = 100,
    cursor: p.Cursor = None,
    form: In = None,
) -> Response[Page[SilenceAnswer]]:
    """The silences that are not over, oldest first."""
    now, after = reader.wall_now(), place_in(cursor, LastSilence)
    found = silences.kept(reader.engine(), None if every else now, after.silence if after else 0, limit + 1)
    following = LastSilence(found[limit - 1].id) if len(found) > limit else None
    return rows_answer(request, [silence_answer(each, now) for each in found[:limit]], cursor_of(following), form)


@post("/silences", operation_id="add_silence", tags=["silences"], sync_to_thread=True)
def add(reader: Given, request: Asked, data: JSONBody[NewSilence]) -> Response[SilenceAnswer]:
    """Mute every alert that fits all the patterns; checks and history go on."""
    engine, now = reader.engine(), reader.wall_now()
    lasts = min(parse_duration(data.lasts), timedelta(days=3650))
    matchers = {words(name): words(pattern) for name, pattern in data.matchers.items()}
    wanted = Silence(0, matchers, now, now + lasts, author_of(request.user, data.author), words(data.comment))
    known = {model.name for model in reader.settings.models} | set(queries.model_names(engine))
    if wrong := problems(wanted) or [each for each in (fits_nobody(wanted, known),) if each]:
        raise Problem(status_code=400, detail=" ".join(wrong))
    return one_answer(silence_answer(silences.add(engine, wanted, now), now), 201)


@delete(
    "/silences/{silence_id:int}",
    operation_id="end_silence",
    tags=["silences"],
    sync_to_thread=True,
    status_code=200,
)
def end(reader: Given, silence_id: p.Id) -> Response[SilenceAnswer]:
    """End a silence now; what it muted and is still open is told within a minute."""
    now = reader.wall_now()
    ended = silences.end(reader.engine(), silence_id, now)
    if ended is None:
        raise _missing("silence", silence_id)
    return one_answer(silence_answer(ended, now))


HANDLERS: list[ControllerRouterHandler] = [listed, story, messages, give, silenced, add, end]


def author_of(caller: Caller, given: str) -> str:
    """Who does it: as the token or the proxy says; on this machine as they say themselves. Raises Problem."""
    said = words(given).strip()
    if caller.name and said not in {"", caller.name}:
        raise Problem(status_code=400, detail=f"You are {caller.name} here; leave `author` out.")
    author = caller.name or said
    if not author:
        raise Problem(status_code=400, detail="Nobody is signed in here; say who you are with `author`.")
    return author


def _missing(what: str, given: int) -> Problem:
    return Problem(
        status_code=404, detail=f"There is no {what} {given}, or it is kept no more; /api/v1/{what}s lists them."
    )
