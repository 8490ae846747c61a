"""Models, the verdicts in force, and what was measured."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, get
from litestar.params import PathParameter, QueryParameter
from litestar.types import ControllerRouterHandler

from monitor.history import in_force, queries, ranges
from monitor.history.answers import ModelAnswer, model_answers
from monitor.history.rows import HistoryRow
from monitor.web.api import parameters as p
from monitor.web.api.cursor import cursor_of, place_in
from monitor.web.api.form import Asked, BulkForm, ListForm, Page, one_answer, rows_answer
from monitor.web.api.given import Given
from monitor.web.problem import Problem

MOST_AS_JSON = 10_000

Name = Annotated[str, PathParameter(description="The model, by its name.")]
In = Annotated[ListForm | None, QueryParameter(name="format", description="The form; left out, Accept decides.")]
InBulk = Annotated[BulkForm | None, QueryParameter(name="format", description="The form; left out, Accept decides.")]


@get("/models", operation_id="models", tags=["models"], sync_to_thread=True)
def models(reader: Given, request: Asked, form: In = None) -> Response[Page[ModelAnswer]]:
    """Every model of config.toml with its verdict now and its open incident."""
    found = model_answers(reader.settings.models, queries.models(reader.engine()))
    return rows_answer(request, found, None, form)


@get("/models/{model:str}", operation_id="model", tags=["models"], sync_to_thread=True, raises=[Problem])
def model(reader: Given, model: Name) -> Response[ModelAnswer]:
    """One model with its verdict now and its open incident."""
    known = [each for each in reader.settings.models if each.name == model]
    if not known:
        names = ", ".join(each.name for each in reader.settings.models[:20])
        raise Problem(status_code=404, detail=f"No model is called {model[:200]!r}; config.toml has {names}.")
    return one_answer(model_answers(known, queries.models(reader.engine(), known[0].name))[0])


@get("/verdicts", operation_id="verdicts", tags=["measurements"], sync_to_thread=True)
def verdicts(
    reader: Given,
    request: Asked,
    model: p.Model = None,
    verdict: p.VerdictState = None,
    limit: p.Limit = 1000,
    cursor: p.Cursor = None,
    form: In = None,
) -> Response[Page[HistoryRow]]:
    """Does each promise hold now? The verdict on the newest window of each, by model."""
    found = in_force.page(reader.engine(), limit, place_in(cursor, in_force.Place), p.cleaned(model), verdict)
    return rows_answer(request, list(found.rows), cursor_of(found.after), form)


@get("/measurements", operation_id="measurements", tags=["measurements"], sync_to_thread=True)
def measurements(
    reader: Given,
    request: Asked,
    model: p.Model = None,
    check: p.Check = None,
    metric: p.Metric = None,
    column: p.Column = None,
    segment: p.Segment = None,
    since: p.Since = None,
    until: p.Until = None,
    verdict: p.VerdictState = None,
    as_of: p.AsOf = None,
    revisions: p.Revisions = False,  # noqa: FBT002  # Litestar's way to declare a parameter
    limit: p.BulkLimit = 1000,
    cursor: p.Cursor = None,
    form: InBulk = None,
) -> Response[Page[HistoryRow]]:
    """What was measured, with the verdict on it, newest window first.

    A page may hold fewer rows than `limit` while there are more: follow `next` until it is null. All pages
    together are what was there when the first was read.
    """
    now = reader.now()
    named, of_column = p.named(metric, column)
    about = (p.cleaned(model), p.cleaned(check), named, of_column, p.cleaned(segment))
    asked = ranges.Filters(
        *about, p.perhaps(since, now), p.perhaps(until, now), verdict, p.perhaps(as_of, now), revisions
    )
    after = place_in(cursor, ranges.Place)
    found = ranges.page(
        reader.engine(), asked, limit if form in {"csv", "arrow", "parquet"} else min(limit, MOST_AS_JSON), after
    )
    return rows_answer(request, found.rows, cursor_of(found.after), form)


HANDLERS: list[ControllerRouterHandler] = [models, model, verdicts, measurements]
