"""Evaluations, the distributions of their windows, and the documents that checks left."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from litestar import Response, get
from litestar.openapi.spec import Example
from litestar.params import QueryParameter
from litestar.types import ControllerRouterHandler

from monitor.history import evaluations, queries
from monitor.history.rows import ArtifactRow, EvaluationRow, EvaluationStory
from monitor.history.stored_profiles import TooManyBuckets, WindowProfile, profile_of, profile_of_evaluation
from monitor.history.values import words
from monitor.web.api import parameters as p
from monitor.web.api.cursor import cursor_of, place_in
from monitor.web.api.form import Asked, Page, one_answer, rows_answer
from monitor.web.api.given import Given
from monitor.web.api.measuring import In
from monitor.web.problem import Problem

State = Annotated[
    Literal["done", "failed", "skipped"] | None, QueryParameter(name="state", description="Only those in this state.")
]
IncidentId = Annotated[int | None, QueryParameter(name="incident", description="Made for it.", ge=1, le=p.LARGEST)]
OneModel = Annotated[
    str, QueryParameter(name="model", description="The model.", examples=[Example(value="flight-delay")])
]
Version = Annotated[str | None, QueryParameter(name="version", description="Left out: the newest that has rows there.")]
Start = Annotated[str, QueryParameter(name="start", description="Of the window.", schema_extra=p.TIME)]
End = Annotated[str, QueryParameter(name="end", description="Of the window, excluded.", schema_extra=p.TIME)]
OneColumn = Annotated[
    str | None, QueryParameter(name="column", description="Only this column.", examples=[Example(value="temp")])
]
OneSegment = Annotated[str, QueryParameter(name="segment", description="The segment; empty for the whole.")]

SANDBOX = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'unsafe-inline'; img-src data:; font-src data:"
)
"""Of a document that a check made: its scripts run, but belong to no site. They see no cookie, ask nobody, and our
pages are as far from them as any other site's."""
SHOWN = frozenset({"text/html", "image/png", "text/plain", "application/json"})


@dataclass(frozen=True, slots=True)
class UnderWay:
    """The models that some daemon is evaluating at *now*, wall time."""

    now: datetime
    models: tuple[str, ...]


@get("/evaluations", operation_id="evaluations", tags=["evaluations"], sync_to_thread=True)
def listed(
    reader: Given,
    request: Asked,
    model: p.Model = None,
    in_state: State = None,
    since: p.Since = None,
    until: p.Until = None,
    limit: p.Limit = 100,
    cursor: p.Cursor = None,
    form: In = None,
) -> Response[Page[EvaluationRow]]:
    """What ran, how long, over how many rows, newest window first; failed and skipped ones too."""
    now = reader.now()
    about = {"model": p.cleaned(model), "state": in_state}
    after = place_in(cursor, evaluations.Place)
    found = evaluations.page(
        reader.engine(), limit, after, **about, since=p.perhaps(since, now), until=p.perhaps(until, now)
    )
    return rows_answer(request, found.rows, cursor_of(found.after), form)


@get("/evaluations/under-way", operation_id="under_way", tags=["evaluations"], sync_to_thread=True)
def under_way(reader: Given) -> Response[UnderWay]:
    """Which models are being evaluated at this moment, by any daemon on this history."""
    now = reader.wall_now()
    return one_answer(UnderWay(now, tuple(evaluations.under_way(reader.engine(), now))))


@get("/evaluations/{evaluation_id:int}", operation_id="evaluation", tags=["evaluations"], sync_to_thread=True)
def evaluation(reader: Given, evaluation_id: p.Id) -> Response[EvaluationStory]:
    """All of one evaluation: its results, what failed and with which traceback, revisions, documents."""
    found = evaluations.story(reader.engine(), evaluation_id)
    if found is None:
        raise _missing("evaluation", evaluation_id)
    return one_answer(found)


@get(
    "/evaluations/{evaluation_id:int}/profile",
    operation_id="profile_of_evaluation",
    tags=["evaluations"],
    sync_to_thread=True,
)
def of_evaluation(
    reader: Given, evaluation_id: p.Id, segment: OneSegment = "", column: OneColumn = None
) -> Response[WindowProfile]:
    """How each column was distributed in the window of one evaluation, and in the reference: counts, never a row."""
    columns = None if column is None else [column]
    try:
        found = profile_of_evaluation(reader.engine(), evaluation_id, segment=words(segment), columns=columns)
    except TooManyBuckets as problem:
        raise Problem(status_code=409, detail=str(problem)) from None
    return _profile(found)


@get("/profiles", operation_id="profile", tags=["evaluations"], sync_to_thread=True)
def of_range(
    reader: Given,
    model: OneModel,
    start: Start,
    end: End,
    version: Version = None,
    segment: OneSegment = "",
    column: OneColumn = None,
) -> Response[WindowProfile]:
    """The same of any time of a model."""
    now, columns = reader.now(), None if column is None else [column]
    begin, until = p.at(start, now), p.at(end, now)
    about = (words(model), begin, until, p.cleaned(version))
    try:
        found = profile_of(reader.engine(), *about, segment=words(segment), columns=columns)
    except TooManyBuckets as problem:
        raise Problem(status_code=409, detail=str(problem)) from None
    return _profile(found)


@dataclass(frozen=True, slots=True)
class Artifact:
    """Where a page ended: behind this document."""

    artifact: int


@get("/artifacts", operation_id="artifacts", tags=["evaluations"], sync_to_thread=True)
def artifacts(
    reader: Given,
    request: Asked,
    model: p.Model = None,
    incident: IncidentId = None,
    limit: p.Limit = 100,
    cursor: p.Cursor = None,
    form: In = None,
) -> Response[Page[ArtifactRow]]:
    """The documents that checks left beside their numbers, newest first, without their content."""
    after = place_in(cursor, Artifact)
    before = None if after is None else after.artifact
    found = queries.artifacts(reader.engine(), p.cleaned(model), incident, limit + 1, before)[::-1]
    following = Artifact(found[limit - 1].id) if len(found) > limit else None
    return rows_answer(request, found[:limit], cursor_of(following), form)


@get("/artifacts/{artifact_id:int}", operation_id="artifact", tags=["evaluations"], sync_to_thread=True)
def artifact(reader: Given, artifact_id: p.Id) -> Response[bytes]:
    """One document. It comes sandboxed: what is in it was made by a check, out of data."""
    found = queries.artifact(reader.engine(), artifact_id)
    if found is None:
        raise _missing("artifact", artifact_id)
    about, content = found
    known = about.media_type.split(";")[0].strip() in SHOWN
    name = re.sub(r"[^A-Za-z0-9._-]", "_", about.name)
    headers = {
        "content-security-policy": SANDBOX,
        "content-disposition": f'{"inline" if known else "attachment"}; filename="{name}"',
    }
    media_type = about.media_type if known and about.media_type.isprintable() else "application/octet-stream"
    return Response(content, media_type=media_type, headers=headers)


HANDLERS: list[ControllerRouterHandler] = [listed, under_way, evaluation, of_evaluation, of_range, artifacts, artifact]


def _profile(found: WindowProfile | None) -> Response[WindowProfile]:
    if found is None:
        sentence = "No rows of that segment are stored for that time; /api/v1/evaluations lists the windows."
        raise Problem(status_code=404, detail=sentence)
    return one_answer(found)


def _missing(what: str, given: int) -> Problem:
    return Problem(
        status_code=404, detail=f"There is no {what} {given}, or it is kept no more; /api/v1/{what}s lists them."
    )
