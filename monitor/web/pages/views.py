"""What can be looked at: each page as a handler."""

from __future__ import annotations

from glob import escape
from importlib.metadata import version as installed
from typing import Annotated, Literal

from litestar import Response, get
from litestar.exceptions import NotFoundException, ValidationException
from litestar.params import FromPath, FromQuery, PathParameter, QueryParameter
from litestar.types import ControllerRouterHandler

from monitor.clock import monotonic
from monitor.history import evaluations, incidents, queries, silences
from monitor.history.answers import mutes, said_of, silence_answer
from monitor.history.engine import reading
from monitor.history.overview import unjudged
from monitor.history.queries import incidents as episodes_of
from monitor.history.strips import judged
from monitor.settings import parse_time
from monitor.web.pages import fleet
from monitor.web.pages.charts import Pictures, chart_of, tag_of
from monitor.web.pages.damage import STRONG
from monitor.web.pages.incident import incident_page
from monitor.web.pages.model import model_page, owner_of
from monitor.web.pages.period import PRESETS, period_of
from monitor.web.pages.showing import Asked, show
from monitor.web.pages.templating import html, model_path
from monitor.web.reader import Reader
from monitor.web.standing import rank

Id = Annotated[int, PathParameter(ge=1, le=2**63 - 1)]
PageNumber = Annotated[int, QueryParameter(name="page", ge=1, le=10**6)]
Look = Literal["light", "dark", "light-narrow", "dark-narrow"]

MOST_ROWS, MOST_EVALUATIONS = 400, 50
STATES = {
    "sent": "✓ told",
    "superseded": "✓ told",
    "pending": "… waiting",
    "blocked": "✕ blocked",
    "suppressed": "– not told",
}
SANDBOX = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; frame-ancestors 'none'"
)
"""Evidently's report is one file that lives by inline scripts. In a sandbox it has no origin: no cookie, no request to
us, no form; nor may it load anything from anywhere."""
SHOWN = {"text/html", "image/png"}


def handlers(reader: Reader) -> list[ControllerRouterHandler]:
    """Every page that only shows."""
    return [
        *(each(reader) for each in (_fleet, _model, _chart, _incidents, _incident, _silences, _artifact)),
        *_evaluations(reader),
    ]


def _fleet(reader: Reader) -> ControllerRouterHandler:
    @get("/", sync_to_thread=True)
    def the_fleet(
        request: Asked, q: FromQuery[str] = "", verdict: FromQuery[str] = "", number: PageNumber = 1
    ) -> Response[str]:
        now, engine, asked = reader.now(), reader.engine(), fleet.Asked(q, verdict, number)
        open_now = fleet.by_model(incidents.listed(engine, reader.wall_now(), open_only=True))
        known = fleet.Fleet(reader.standing.of_all(engine), open_now, unjudged(engine))
        lines = fleet.lines_of(reader.settings.models, known, reader.units, now)
        page = fleet.page_of(lines, asked)
        subjects = [line.subject for line in page.lines if line.subject is not None]
        drawn = fleet.with_courses(page, reader.standing.courses(engine, subjects, now), now)
        return show(request, reader, "fleet.html", page=drawn, asked=asked, here="/")

    return the_fleet


def _model(reader: Reader) -> ControllerRouterHandler:
    @get("/models/{name:path}", sync_to_thread=True)
    def a_model(
        request: Asked,
        name: FromPath[str],
        since: FromQuery[str] = "",
        until: FromQuery[str] = "",
        metric: FromQuery[str] = "",
    ) -> Response[str]:
        name, now = name.removeprefix("/"), reader.now()
        period = period_of(since, until, now)
        page = model_page(reader, name, period, now, metric)
        if page is None:
            raise NotFoundException(f"Neither config.toml nor the history knows a model {name!r}.")
        about = {"silence_model": name, "silence_pattern": escape(name), "back": model_path(name)}
        return show(request, reader, "model.html", page=page, period=period, presets=PRESETS, strong=STRONG, **about)

    return a_model


def _chart(reader: Reader) -> ControllerRouterHandler:
    pictures = Pictures(reader.drawing)

    @get("/chart.svg", sync_to_thread=True)
    def a_chart(
        request: Asked,
        model: FromQuery[str],
        metric: FromQuery[str],
        since: FromQuery[str],
        until: FromQuery[str],
        look: FromQuery[Look] = "light",
        column: FromQuery[str] = "",
        segment: FromQuery[str] = "",
        side: FromQuery[str] = "min",
    ) -> Response[bytes]:
        engine, now, key = reader.engine(), reader.now(), (metric, column, segment, side)
        try:
            begin, end = parse_time(since, now), parse_time(until, now)
        except ValueError as problem:
            raise ValidationException(str(problem).rstrip(".")) from problem
        with reading(engine) as history:
            windows = judged(history, model, begin, end, metric).get(key, ())
            held, episodes = silences.kept(history, begin), episodes_of(history, model, begin)
        chart = chart_of(key, windows, episodes, held, reader.units, owner_of(reader, model))
        if chart is None:
            raise NotFoundException("Nothing was measured then that could be drawn.")
        headers = {"etag": tag_of(chart, look), "vary": "cookie, authorization"}
        if headers["etag"] in request.headers.get("if-none-match", ""):
            return Response(b"", status_code=304, headers=headers)
        return Response(pictures.svg(chart, look), media_type="image/svg+xml", headers=headers)

    return a_chart


def _incidents(reader: Reader) -> ControllerRouterHandler:
    @get("/incidents", sync_to_thread=True)
    def the_incidents(
        request: Asked,
        model: FromQuery[str] = "",
        since: FromQuery[str] = "90d",
        only: Annotated[str, QueryParameter(name="open")] = "",
    ) -> Response[str]:
        open_only = bool(only)
        engine, wall, now = reader.engine(), reader.wall_now(), reader.now()
        period = period_of(since, "", now)
        found = incidents.listed(engine, wall, model or None, None if open_only else period.since, open_only=open_only)
        values = {"since": period.since, "since_text": period.since_text, "only_open": open_only, "model": model}
        open_now = sum(each.resolved_at is None for each in found)
        return show(
            request, reader, "incidents.html", incidents=found[::-1], open_now=open_now, here="/incidents", **values
        )

    return the_incidents


def _incident(reader: Reader) -> ControllerRouterHandler:
    @get("/incidents/{identity:int}", sync_to_thread=True)
    def an_incident(request: Asked, identity: Id) -> Response[str]:
        page = incident_page(reader, identity, reader.now())
        if page is None:
            raise NotFoundException(f"There is no incident {identity}, or it is kept no more.")
        model, lead = page.story.incident.model, next(iter(page.story.alerts), None)
        return show(
            request, reader, "incident.html", page=page, states=STATES, said_of=said_of,
            program=installed("model-monitor"), silence_model=model, silence_pattern=escape(model),
            silence_metric="" if lead is None else escape(lead.metric), back=f"/incidents/{identity}",
        )  # fmt: skip

    return an_incident


def _evaluations(reader: Reader) -> list[ControllerRouterHandler]:
    def values() -> dict[str, object]:
        engine, own = reader.engine(), reader.under_way()
        mine = {one.model for one in own}
        elsewhere = [name for name in evaluations.under_way(engine, reader.wall_now()) if name not in mine]
        newest = evaluations.page(engine, MOST_EVALUATIONS).rows
        return {"own": own, "elsewhere": elsewhere, "evaluations": newest, "monotonic": monotonic()}

    @get("/evaluations", sync_to_thread=True)
    def the_evaluations(request: Asked) -> Response[str]:
        return show(request, reader, "evaluations.html", here="/evaluations", **values())

    @get("/evaluations/now", sync_to_thread=True)
    def now_evaluated() -> Response[str]:
        return html("evaluations_now.html", **values())

    @get("/evaluations/{identity:int}", sync_to_thread=True)
    def an_evaluation(request: Asked, identity: Id) -> Response[str]:
        page = evaluations.story(reader.engine(), identity)
        if page is None:
            raise NotFoundException(f"There is no evaluation {identity}, or it is kept no more.")
        promised = sorted((row for row in page.results if row.verdict), key=rank)
        beside = [row for row in page.results if not row.verdict]
        return show(
            request, reader, "evaluation.html", page=page, judged_rows=promised, other_rows=beside, most=MOST_ROWS
        )

    return [the_evaluations, now_evaluated, an_evaluation]


def _silences(reader: Reader) -> ControllerRouterHandler:
    @get("/silences", sync_to_thread=True)
    def the_silences(request: Asked, everything: Annotated[str, QueryParameter(name="all")] = "") -> Response[str]:
        every = bool(everything)
        wall = reader.wall_now()
        kept = [silence_answer(each, wall) for each in silences.kept(reader.engine(), None if every else wall)]
        holding = sum(each.state == "holds" for each in kept)
        return show(
            request,
            reader,
            "silences.html",
            found=kept[::-1],
            holding=holding,
            every=every,
            mutes=mutes,
            here="/silences",
        )

    return the_silences


def _artifact(reader: Reader) -> ControllerRouterHandler:
    @get("/artifacts/{identity:int}", sync_to_thread=True)
    def an_artifact(identity: Id) -> Response[bytes]:
        found = queries.artifact(reader.engine(), identity)
        if found is None:
            raise NotFoundException(f"There is no document {identity}, or it is kept no more.")
        row, content = found
        headers = {"content-security-policy": SANDBOX}
        if row.media_type not in SHOWN:
            headers["content-disposition"] = "attachment"
        return Response(content, media_type=row.media_type, headers=headers)

    return an_artifact
