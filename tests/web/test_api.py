"""What the API answers: the words of the commands, page by page, in every form, under hostile names."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Callable
from datetime import datetime

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from monitor.history import incidents, queries, silences
from monitor.history.answers import incident_answer, plain, silence_answer
from monitor.history.problems import HistoryUnavailable
from monitor.settings import WebSettings, WebToken
from monitor.web.api.form import _harmless
from tests.web.filled import HOSTILE, SEGMENT, WALL, Filled, fill

Site = Callable[..., httpx.Client]
WRITER = WebToken(name="oncall", secret=SecretStr("w" * 32), scope="write")
READER = WebToken(name="grafana", secret=SecretStr("r" * 32))
TOKENS = WebSettings(tokens=(WRITER, READER))
API = "/api/v1"

NAMES_NOTHING = (
    "A silence names what it mutes; give a pattern for at least one of model, metric, segment, severity, owner."
)
NO_MATCHER = "A silence cannot match by 'name'; it matches by model, metric, segment, severity and owner."
TOO_LONG = (
    "A silence lasts 30 days at most; make it shorter, and a new one when it is over. "
    "What is never to be told wants another threshold."
)
NO_LENGTH = "for: Expected `str` matching regex '^[1-9][0-9]{0,2}[smhdw]$'. /api/v1/openapi.json says what is right."


@pytest.fixture
def filled(engine: Engine) -> Filled:
    return fill(engine)


@pytest.fixture
def client(site: Site, filled: Filled) -> httpx.Client:
    return site()


def test_a_question_is_answered_with_the_words_of_the_command(client: httpx.Client, engine: Engine) -> None:
    def rows(path: str) -> object:
        return client.get(f"{API}{path}").raise_for_status().json()["rows"]

    newest_first = [plain(row) for row in reversed(queries.history(engine, metric="accuracy"))]
    assert rows("/measurements?metric=accuracy") == newest_first
    assert rows("/verdicts") == [plain(row) for row in queries.latest_verdicts(engine)]
    assert rows("/incidents") == [plain(incident_answer(row)) for row in incidents.listed(engine, WALL)]
    assert rows("/silences") == [plain(silence_answer(each, WALL)) for each in silences.kept(engine)]
    assert rows("/artifacts") == [plain(row) for row in reversed(queries.artifacts(engine))]


def test_models_are_those_of_the_settings(client: httpx.Client, filled: Filled) -> None:
    flights, demand = client.get(f"{API}/models").json()["rows"]
    assert (flights["model"], flights["verdict"], flights["incident_id"]) == ("flights", "breach", filled.incident)
    assert (demand["model"], demand["verdict"], demand["window_end"]) == ("demand", "unknown", None)
    assert client.get(f"{API}/models/flights").json() == flights
    missing = client.get(f"{API}/models/{'x' * 300}")
    assert missing.status_code == 404
    assert missing.json()["detail"] == f"No model is called '{'x' * 200}'; config.toml has flights, demand."


@pytest.mark.parametrize(
    "path", ["/measurements", "/evaluations", "/incidents", "/verdicts", "/silences", "/artifacts"]
)
def test_pages_lead_on_by_cursor_and_by_link(client: httpx.Client, engine: Engine, path: str) -> None:
    for _ in range(2):
        fill(engine, f"m{_}")
    whole = client.get(f"{API}{path}").json()["rows"]
    found, url = [], f"{API}{path}?limit=1"
    while url:
        answer = client.get(url).raise_for_status()
        assert len(answer.json()["rows"]) <= 1
        found += answer.json()["rows"]
        assert (answer.json()["next"] is not None) == ("next" in answer.links)
        url = answer.links.get("next", {}).get("url", "")
    assert found == whole
    assert len(found) > 2


@pytest.mark.parametrize(
    "cursor",
    [
        # no base64, base64 of no JSON, of another shape, of a naive time, of numbers no database knows, of another page
        "?", "AAAA", base64.urlsafe_b64encode(b"[]").decode(),
        *(base64.urlsafe_b64encode(json.dumps(wrong).encode()).decode().rstrip("=") for wrong in (
            {"upto": 1, "window_end": "2013-07-01T00:00:00", "evaluation": 1, "taken": 0},
            {"upto": 2**70, "window_end": "2013-07-01T00:00:00Z", "evaluation": 1, "taken": 0},
            {"upto": 1, "window_end": "2013-07-01T00:00:00Z", "evaluation": -1, "taken": 0},
            {"incident": 3},
        )),
        "x" * 501,
    ],
)  # fmt: skip
def test_a_cursor_that_no_page_gave_is_a_sentence(client: httpx.Client, cursor: str) -> None:
    answer = client.get(f"{API}/measurements", params={"cursor": cursor})
    assert answer.status_code == 400
    assert "cursor" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        # everything, newest first
        ({}, [5, 5, 5, 4, 4, 4, 3, 3, 3, 2, 2, 2, 1, 1, 1]),
        # one metric
        ({"metric": "accuracy"}, [5, 4, 3, 2, 1]),
        # a metric of any column, and of one that has a name nobody would choose
        ({"metric": "drift.*"}, [5, 4, 3, 2, 1]),
        ({"metric": "drift", "column": HOSTILE, "segment": SEGMENT}, [5, 4, 3, 2, 1]),
        # the whole only
        ({"metric": "drift", "segment": ""}, []),
        # from a time on, up to another that is excluded, or how long ago (it is the 31st)
        ({"metric": "accuracy", "since": "2013-07-03", "until": "2013-07-05"}, [3, 2]),
        ({"metric": "accuracy", "since": "28d"}, [5, 4, 3, 2]),
        # what was known then
        ({"metric": "accuracy", "as_of": "2013-07-03T12:00:00Z"}, [2, 1]),
        ({"metric": "accuracy", "as_of": "2013-07-03T12:00:00-12:00"}, [3, 2, 1]),
        # a verdict, and a model that is none
        ({"verdict": "breach"}, [5]),
        ({"model": "'; drop table models; --"}, []),
        ({"model": "\x00"}, []),
        # the ends of time
        ({"since": "9999-12-31T23:59:59-14:00"}, []),
        ({"until": "0001-01-01T00:00:00+14:00"}, []),
    ],
)
def test_measurements_are_narrowed(client: httpx.Client, query: dict[str, str], found: list[int]) -> None:
    answer = client.get(f"{API}/measurements", params=query)
    if answer.status_code == 400:
        assert "neither a time" in answer.json()["detail"], "beyond what a clock can say"
        assert not found
        return
    days = [row["window_end"] for row in answer.raise_for_status().json()["rows"]]
    assert days == [f"2013-07-{1 + day:02}T00:00:00Z" for day in found]


@pytest.mark.parametrize("path", ["models", "measurements", "incidents", "artifacts"])
def test_a_parameter_that_is_there_twice_is_a_sentence(client: httpx.Client, path: str) -> None:
    answer = client.get(f"/api/v1/{path}?model=flights&limit=2&model=demand")
    sentence = "model: given more than once; ask once for each."
    assert (answer.status_code, answer.json()["detail"]) == (400, sentence)


def test_an_incident_of_the_filled_history_can_be_acknowledged(client: httpx.Client, filled: Filled) -> None:
    body = {"comment": "looking", "author": "ada"}
    answer = client.post(f"/api/v1/incidents/{filled.incident}/acknowledgements", json=body)
    assert (answer.status_code, "is acknowledged until" in answer.text) == (201, True), answer.text


def test_an_answer_that_has_not_changed_is_not_sent_again(client: httpx.Client, engine: Engine) -> None:
    first = client.get(f"{API}/measurements?limit=2")
    again = client.get(f"{API}/measurements?limit=2", headers={"if-none-match": f'"other", {first.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert again.headers["link"] == first.headers["link"]
    assert "content-type" not in again.headers
    fill(engine, "more")
    assert (
        client.get(f"{API}/measurements?limit=2", headers={"if-none-match": first.headers["etag"]}).status_code == 200
    )
    assert "etag" not in client.get(f"{API}/incidents/999").headers


@pytest.mark.parametrize(
    "path", ["/models", "/verdicts", "/measurements", "/evaluations", "/incidents", "/silences", "/artifacts"]
)
def test_each_list_comes_as_csv(client: httpx.Client, path: str) -> None:
    rows = client.get(f"{API}{path}").json()["rows"]
    asked = client.get(f"{API}{path}", headers={"accept": "text/csv"})
    assert asked.headers["content-type"].startswith("text/csv")
    assert asked.text == client.get(f"{API}{path}?format=csv").text
    read = list(csv.DictReader(io.StringIO(asked.text)))
    assert len(read) == len(rows)
    assert list(read[0]) == list(rows[0])


@pytest.mark.parametrize(
    ("name", "harmless"),
    [
        # formulas, and what leads to one
        ("=1+1", False), ("\t=1", False), ("\r=1", False), ("+cmd|' /C calc'!A0", False), ("-2+3+cmd|'!A0", False),
        ("@SUM(1)", False),
        # names as people give them
        ("@flights-oncall", True), ("-1 day", True), ("+49 30 1", True), ("a=b", True), ("", True),
    ],
)  # fmt: skip
def test_a_name_that_is_a_formula_is_text_in_a_spreadsheet(name: str, harmless: bool) -> None:
    assert _harmless(name) == (name if harmless else f"'{name}")


@pytest.mark.parametrize("form", ["arrow", "parquet"])
def test_very_many_rows_come_as_columns(client: httpx.Client, form: str) -> None:
    rows = client.get(f"{API}/measurements").json()["rows"]
    content = client.get(f"{API}/measurements", params={"format": form, "limit": 100_000}).content
    table = pq.read_table(io.BytesIO(content)) if form == "parquet" else pa.ipc.open_stream(content).read_all()
    assert table.num_rows == len(rows)
    assert table.column_names == list(rows[0])
    assert table["value"].to_pylist() == [row["value"] for row in rows]
    assert table["window_end"].to_pylist() == [datetime.fromisoformat(row["window_end"]) for row in rows]
    none = client.get(f"{API}/measurements", params={"format": form, "model": "nobody"}).content
    empty = pq.read_table(io.BytesIO(none)) if form == "parquet" else pa.ipc.open_stream(none).read_all()
    assert empty.schema == table.schema, "a page without rows has the same columns"


def test_columns_are_for_measurements_alone(client: httpx.Client) -> None:
    answer = client.get(f"{API}/models", headers={"accept": "application/vnd.apache.parquet"})
    assert (answer.status_code, answer.json()["detail"]) == (
        406,
        "Only measurements come as Arrow or Parquet; ask for JSON or CSV here.",
    )


def test_an_incident_is_told_whole(client: httpx.Client, filled: Filled) -> None:
    told = client.get(f"{API}/incidents/{filled.incident}").json()
    assert (told["model"], told["told"], told["owner"]) == ("flights", "waiting", "@team")
    assert [each["metric"] for each in told["alerts"]] == ["accuracy"]
    assert [each["reason"] for each in told["transitions"]] == ["fired"]
    assert [each["line"] for each in told["notifications"]] == [HOSTILE]
    assert [each["author"] for each in told["silences"]] == [HOSTILE]
    assert client.get(f"{API}/incidents/{filled.incident}/messages").json()[0]["title"] == HOSTILE


def test_an_evaluation_is_told_whole_and_its_window_as_distributions(client: httpx.Client, filled: Filled) -> None:
    told = client.get(f"{API}/evaluations/{filled.evaluation}").json()
    assert told["failures"] == [
        {"check": "drift", "sentence": f"The check drift raised {HOSTILE}", "detail": "Traceback"}
    ]
    assert {row["metric"] for row in told["results"]} == {"accuracy", "drift", "coverage"}
    assert told["incidents"] == [filled.incident]
    profile = client.get(f"{API}/evaluations/{filled.evaluation}/profile").json()
    assert [each["column"] for each in profile["columns"]] == ["temp", HOSTILE]
    assert profile["columns"][0]["window"]["counts"] == [0, 2, 1]
    same = {"model": "flights", "start": profile["start"], "end": profile["end"], "column": "temp"}
    assert client.get(f"{API}/profiles", params=same).json()["columns"] == profile["columns"][:1]
    missing = client.get(f"{API}/profiles", params={**same, "segment": "city=nowhere"})
    assert missing.json()["detail"] == (
        "No rows of that segment are stored for that time; /api/v1/evaluations lists the windows."
    )
    assert client.get(f"{API}/evaluations/under-way").json() == {"now": f"{WALL:%Y-%m-%dT%H:%M:%SZ}", "models": []}


def test_a_document_of_a_check_is_kept_away_from_everything(client: httpx.Client, filled: Filled) -> None:
    answer = client.get(f"{API}/artifacts/{filled.artifact}")
    assert answer.text == "<b>!"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'")
    assert "allow-same-origin" not in policy
    assert answer.headers["content-disposition"].startswith('inline; filename="_cmd')
    assert set('"\\\r\n/') & set(answer.headers["content-disposition"].split('filename="')[1][:-1]) == set()


def test_a_silence_is_made_and_ended(client: httpx.Client) -> None:
    wanted = {"matchers": {"model": "fli*", "severity": "warn"}, "for": "2h", "comment": "deploying", "author": "anna"}
    made = client.post(f"{API}/silences", json=wanted)
    assert made.status_code == 201
    assert made.json()["matchers"] == wanted["matchers"]
    assert (made.json()["author"], made.json()["state"], made.json()["ends_at"]) == (
        "anna",
        "holds",
        "2026-01-01T02:00:00Z",
    )
    ended = client.delete(f"{API}/silences/{made.json()['id']}")
    assert (ended.status_code, ended.json()["state"]) == (200, "over")
    assert [row["id"] for row in client.get(f"{API}/silences").json()["rows"]] == [1]
    assert len(client.get(f"{API}/silences?all=true").json()["rows"]) == 2


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        # every rule of the command, in its words
        ({"matchers": {}}, NAMES_NOTHING),
        ({"matchers": {"name": "x"}}, NO_MATCHER),
        ({"matchers": {"severity": "grave"}}, "No alert is of severity 'grave'; there is page and warn."),
        ({"comment": " "}, "A silence has a comment; say in a few words why nobody is to be told."),
        ({"for": "31d"}, TOO_LONG),
        ({"matchers": {"model": "fligth-*"}}, "No model fits 'fligth-*'; there is demand, flights."),
        # nobody says who it is
        ({"author": " "}, "Nobody is signed in here; say who you are with `author`."),
        # no length of time
        ({"for": "soon"}, NO_LENGTH),
    ],
)  # fmt: skip
def test_a_silence_that_cannot_be_is_a_sentence(client: httpx.Client, change: dict[str, object], sentence: str) -> None:
    wanted = {"matchers": {"model": "flights"}, "for": "2h", "comment": "deploying", "author": "anna"}
    answer = client.post(f"{API}/silences", json={**wanted, **change})
    assert (answer.status_code, answer.json()["detail"]) == (400, sentence)


def test_who_did_it_is_who_the_token_says(site: Site, filled: Filled) -> None:
    client = site(TOKENS, headers={"authorization": f"Bearer {'w' * 32}"})
    wanted = {"matchers": {"model": "flights"}, "for": "2h", "comment": "deploying"}
    assert client.post(f"{API}/silences", json=wanted).json()["author"] == "oncall"
    forged = client.post(f"{API}/silences", json={**wanted, "author": "anna"})
    assert (forged.status_code, forged.json()["detail"]) == (400, "You are oncall here; leave `author` out.")


def test_who_may_only_read_changes_nothing(site: Site, filled: Filled, engine: Engine) -> None:
    client = site(TOKENS, headers={"authorization": f"Bearer {'r' * 32}"})
    assert client.get(f"{API}/silences").status_code == 200
    before = silences.kept(engine)
    assert client.delete(f"{API}/silences/{filled.silence}").status_code == 403
    assert client.post(f"{API}/incidents/{filled.incident}/acknowledgements", json={}).status_code == 403
    assert silences.kept(engine) == before


def test_an_acknowledgement_that_cannot_be_is_a_sentence(client: httpx.Client) -> None:
    answer = client.post(f"{API}/incidents/999/acknowledgements", json={"author": "anna"})
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "There is no incident 999; `model-monitor incidents` lists those there are.",
    )


def test_a_database_that_is_away_is_a_sentence(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise HistoryUnavailable("The history at postgresql://db/x does not answer: refused. Start the database.")

    monkeypatch.setattr("monitor.web.api.measuring.in_force.page", away)
    answer = site().get(f"{API}/verdicts")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert answer.json()["detail"] == "The history at postgresql://db/x does not answer: refused. Start the database."


def test_a_fault_of_our_own_shows_nothing_of_the_inside(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("postgresql://me:password@db")

    monkeypatch.setattr("monitor.web.api.measuring.in_force.page", broken)
    answer = site().get(f"{API}/verdicts")
    assert (answer.status_code, "password" in answer.text) == (500, False)
    assert answer.json()["detail"] == (
        "This could not be answered through a fault of model-monitor's own; its log says what it was."
    )


def test_what_is_not_there_and_what_cannot_be_done_are_problems_too(client: httpx.Client) -> None:
    for method, path, status in (("GET", "/nothing", 404), ("PUT", "/models", 405), ("GET", "/incidents/x", 404)):
        answer = client.request(method, f"{API}{path}")
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert "/api/v1/openapi.json" in answer.json()["detail"]
