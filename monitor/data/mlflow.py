"""The runs of an experiment on an MLflow tracking server, over its REST API (/api/2.0/mlflow), as trainings."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http.client import HTTPException
from itertools import islice
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, unquote, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from checks.contract import Training
from monitor.data.errors import SourceProblem, SourceUnreachable, SourceUnreadable
from monitor.settings import Trainings

SECONDS = 10
"""How long the server may take for one answer."""
PAGE = 100
LARGEST = 32 * 10**6
"""Bytes of an answer that are read at most."""
ENDED_BADLY = {"FAILED", "KILLED"}


def trainings(settings: Trainings, where: str, as_of: datetime, newest: int) -> list[Training]:
    """The *newest* runs of the experiment begun before *as_of*, newest first. Raises SourceProblem."""
    try:
        return [_training(settings, run) for run in islice(_runs(settings, where, as_of), newest)]
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise SourceUnreadable(f"{where}: answers, but not as MLflow does; is this the tracking server?") from problem


def _runs(settings: Trainings, where: str, as_of: datetime) -> Iterator[Mapping[str, Any]]:
    name, before = settings.experiment or "", int(as_of.timestamp() * 1000)
    found = _ask(settings, where, f"experiments/get-by-name?experiment_name={quote(name, safe='')}")
    asked: dict[str, object] = {
        "experiment_ids": [found["experiment"]["experiment_id"]],
        "filter": f"attributes.start_time < {before}",
        "order_by": ["attributes.start_time DESC"],
        "max_results": PAGE,
    }
    while True:
        page = _ask(settings, where, "runs/search", asked)
        runs = page.get("runs") or []
        yield from (run for run in runs if run["info"].get("start_time") and int(run["info"]["start_time"]) < before)
        if not page.get("next_page_token") or not runs:
            return
        asked = asked | {"page_token": page["next_page_token"]}


def _training(settings: Trainings, run: Mapping[str, Any]) -> Training:
    info, status = run["info"], str(run["info"].get("status", ""))
    finished = _moment(info["end_time"]) if info.get("end_time") else None
    succeeded = None
    if finished is not None or status in ENDED_BADLY:
        succeeded = status.lower() in settings.succeeded
    return Training(_moment(info["start_time"]), finished, succeeded, _version(settings, run))


def _version(settings: Trainings, run: Mapping[str, Any]) -> str:
    """The tag, else the parameter, that names the version."""
    data = run.get("data") or {}
    told = [*(data.get("tags") or ()), *(data.get("params") or ())]
    return next((str(one["value"]) for one in told if one["key"] == settings.version), "")


def _moment(milliseconds: object) -> datetime:
    return datetime.fromtimestamp(int(str(milliseconds)) / 1000, UTC)


def _ask(settings: Trainings, where: str, path: str, body: Mapping[str, object] | None = None) -> Mapping[str, Any]:
    """One answer of the server. Raises SourceProblem."""
    parts = urlsplit(settings.source)
    host = parts.netloc.rpartition("@")[2]
    root = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
    data = None if body is None else json.dumps(body).encode()
    request = Request(f"{root}/api/2.0/mlflow/{path}", data, {"Content-Type": "application/json"})  # noqa: S310  # http(s) by review
    for name, value in _credentials(parts.username, parts.password):
        request.add_unredirected_header(name, value)
    try:
        with urlopen(request, timeout=SECONDS) as answer:  # noqa: S310  # the same
            found = json.loads(answer.read(LARGEST))
    except HTTPError as refused:
        with refused:  # it holds the connection
            raise _refused(settings, where, refused) from refused
    except (OSError, HTTPException) as problem:
        reason = getattr(problem, "reason", problem)
        raise SourceUnreachable(f"{where}: the MLflow server does not answer ({reason}).") from problem
    if not isinstance(found, dict):
        raise TypeError("an answer of MLflow is an object")
    return found


def _credentials(user: str | None, password: str | None) -> Iterator[tuple[str, str]]:
    """``user:password@`` is sent as such, ``token@`` as a bearer token."""
    if user and password:
        pair = base64.b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()
        yield "Authorization", f"Basic {pair}"
    elif user or password:
        yield "Authorization", f"Bearer {unquote(user or password or '')}"


def _refused(settings: Trainings, where: str, refused: HTTPError) -> SourceProblem:
    if refused.code in {401, 403}:
        what = f"the MLflow server refuses to tell (HTTP {refused.code})"
        return SourceUnreadable(f"{where}: {what}; give user:password@ or token@ in the URL.")
    if refused.code == 404 and b"RESOURCE_DOES_NOT_EXIST" in refused.read(LARGEST):
        return SourceUnreadable(
            f"{where}: the MLflow server has no experiment '{settings.experiment}'; correct trainings.experiment."
        )
    if refused.code >= 500 or refused.code == 429:
        return SourceUnreachable(f"{where}: the MLflow server cannot answer now (HTTP {refused.code}).")
    return SourceUnreadable(f"{where}: answers HTTP {refused.code} where MLflow would list runs; correct the URL.")
