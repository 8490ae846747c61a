"""The pages over HTTP: whatever names are in the data, whoever asks, and whatever is away."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from monitor.alerts.chart import Chart
from monitor.delivery.drawing import Drawing
from monitor.history.engine import open_engine
from monitor.history.rows import HistoryRow
from monitor.history.tables import acknowledgements, silences
from monitor.settings import WebSettings, WebToken
from monitor.web.pages import fleet
from monitor.web.pages.templating import STATIC, html
from monitor.web.standing import stand_of
from tests.web.conftest import Site
from tests.web.filled import HOSTILE, Filled, fill, relapse
from tests.web.serving import NOW, _model, serve

HOSTILE_MODEL = f"../{HOSTILE}/?#%2F"
PEOPLE = WebSettings(
    tokens=(
        WebToken(name="anna <b>", secret="w" * 32, scope="write"),
        WebToken(name="reader", secret="r" * 32, scope="read"),
    )
)
BROWSER = {"accept": "text/html,*/*"}


class Seen(HTMLParser):
    """What a browser would make of a page: its elements, and the words between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.handlers: list[str] = []
        self.links: list[str] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on") or name == "style"]
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "action"}]

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture
def filled(engine: Engine) -> Filled:
    fill(engine, HOSTILE_MODEL)
    return fill(engine)


def paths_of(filled: Filled) -> list[str]:
    return [
        "/",
        f"/?q={quote(HOSTILE)}&verdict={quote(HOSTILE)}",
        "/models/flights?since=365d",
        f"/models/{quote(HOSTILE_MODEL, safe='')}?since=365d",
        f"/models/flights?since={quote(HOSTILE)}",
        "/models/flights?since=0001-01-01&until=9999-12-31",
        f"/models/{quote(HOSTILE)}",
        "/incidents?since=365d",
        f"/incidents?model={quote(HOSTILE)}",
        f"/incidents/{filled.incident}",
        "/evaluations",
        "/evaluations/now",
        f"/evaluations/{filled.evaluation}",
        "/silences?all=1",
        f"/{quote(HOSTILE)}",
    ]


def test_names_from_data_stay_names(site: Site, filled: Filled) -> None:
    client = site(headers=BROWSER)
    for path in paths_of(filled):
        page = client.get(path)
        seen = Seen(page.text)
        assert page.status_code in {200, 404}, path
        assert seen.tags.count("script") == (0 if path == "/evaluations/now" else 1), path
        assert seen.handlers == [], path
        assert all(link.startswith(("/", "#")) for link in seen.links), path


def test_an_evaluation_says_how_late_outcomes_come_and_how_many_it_waits_for(site: Site, filled: Filled) -> None:
    seen = Seen(site().get(f"/evaluations/{filled.evaluation}").text)
    assert "half are in within 1d, 95 % within 4d; 90 % are usual, and 72 % make a window judged" in seen.words


def test_a_model_of_any_name_has_its_page(site: Site, filled: Filled) -> None:
    seen = Seen(site().get(f"/models/{quote(HOSTILE_MODEL, safe='')}").text)
    assert "<script>alert(1)</script>" in seen.words


@given(st.text(min_size=1, max_size=40), st.text(max_size=40), st.text(max_size=20))
def test_no_name_changes_what_a_page_is_made_of(name: str, owner: str, metric: str) -> None:
    def tags(name: str, owner: str, metric: str) -> list[str]:
        row = HistoryRow(
            name, owner, NOW, NOW, 0, NOW, "c", metric, metric, owner, 0.5, 0.4, 0.6, 9, "breach", "r", name, "page",
            "min", 0.7,
        )  # fmt: skip
        line_of = fleet.Fleet({name: stand_of([row], NOW)}, {}, {name: [metric]})
        model = _model("m").model_copy(update={"name": name, "version": owner, "owner": owner or None})
        lines = fleet.lines_of([model], line_of, {}, NOW)
        page = fleet.with_courses(fleet.page_of(lines, fleet.Asked(name)), {}, NOW)
        shown = html("fleet.html", page=page, asked=fleet.Asked(owner, "breach"), here="/", now=NOW, played=False)
        return Seen(shown.content).tags

    assert tags(name, owner, metric) == tags("m", "o" if owner else "", "accuracy")


def test_what_is_not_there_is_said_on_a_page_with_a_way_on(site: Site, filled: Filled) -> None:
    client = site(headers=BROWSER)
    for path, sentence in {
        "/nix": "There is no such page. Go on from the fleet.",
        "/models/nix": "Neither config.toml nor the history knows a model 'nix'.",
        "/incidents/99": "There is no incident 99, or it is kept no more.",
        "/evaluations/99": "There is no evaluation 99, or it is kept no more.",
        "/artifacts/99": "There is no document 99, or it is kept no more.",
    }.items():
        page = client.get(path)
        assert (page.status_code, page.headers["content-type"].partition(";")[0]) == (404, "text/html")
        assert sentence in Seen(page.text).words
    assert client.get("/?page=0").status_code == 400
    assert client.get("/incidents/99999999999999999999999").status_code in {400, 404}
    assert site().get("/nix").headers["content-type"] == "application/problem+json"


def test_a_database_that_is_away_is_said_on_every_page() -> None:
    away = open_engine("postgresql://monitor:secret@127.0.0.1:1/monitor")
    server = serve(away)
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", trust_env=False, headers=BROWSER) as client:
        for path in ("/", "/models/flights", "/incidents", "/incidents/1", "/evaluations", "/silences"):
            page = client.get(path)
            words = Seen(page.text).words
            assert page.status_code == 503, path
            assert "@127.0.0.1:1/monitor does not answer: " in words
            assert "secret" not in page.text
        assert client.get("/static/monitor.css").status_code == 200
        assert client.get("/healthz").status_code == 200
    server.stop()
    away.dispose()


def test_files_are_kept_for_good_under_an_address_that_changes_with_them(site: Site) -> None:
    client = site()
    page = Seen(client.get("/").text)
    for name in ("monitor.css", "monitor.js", "icon.svg"):
        [link] = {link for link in page.links if link.startswith(f"/static/{name}?")}
        answer = client.get(link)
        assert answer.content == (STATIC / name).read_bytes()
        assert "immutable" in answer.headers["cache-control"]


def chart_path(look: str = "light") -> str:
    about = "model=flights&metric=accuracy&side=min&since=2013-06-01&until=2013-07-31"
    return f"/chart.svg?{about}&look={look}"


def test_a_chart_that_has_not_changed_is_not_sent_again(
    site: Site, filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []

    def draw(_self: Drawing, _chart: Chart, look: str) -> bytes:
        drawn.append(look)
        return b"<svg/>"

    monkeypatch.setattr(Drawing, "svg", draw)
    client = site()
    first = client.get(chart_path())
    assert (first.headers["content-type"], first.text) == ("image/svg+xml", "<svg/>")
    again = client.get(chart_path(), headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(chart_path()).text == "<svg/>"
    assert client.get(chart_path("dark")).headers["etag"] != first.headers["etag"]
    assert drawn == ["light", "dark"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        # nothing was measured; a look there is not; a time that is none; something left out
        (chart_path().replace("accuracy", "nix"), 404),
        (chart_path("sepia"), 400),
        (chart_path().replace("2013-06-01", "soon"), 400),
        ("/chart.svg?model=flights", 400),
    ],
)
def test_a_chart_of_nothing_is_refused(site: Site, filled: Filled, path: str, status: int) -> None:
    assert site(headers=BROWSER).get(path).status_code == status


def test_who_signed_in_is_the_author_whatever_the_form_says(site: Site, engine: Engine, filled: Filled) -> None:
    client = site(PEOPLE, headers={"authorization": f"Bearer {'w' * 32}"})
    silence = {"model": "flights", "comment": "a deploy", "lasts": "1h", "author": "somebody else"}
    answer = client.post("/silences", data=silence)
    assert (answer.status_code, answer.headers["location"]) == (303, "/silences")
    assert "anna &lt;b&gt;" in client.get("/silences").text
    with engine.connect() as connection:
        assert "anna <b>" in set(connection.scalars(select(silences.c.author)))


def test_who_may_only_read_does_nothing_and_neither_does_a_page_of_somebody_else(
    site: Site, engine: Engine, filled: Filled
) -> None:
    path, form = f"/incidents/{filled.incident}/acknowledge", {"author": "eve"}
    assert site(PEOPLE, headers={"authorization": f"Bearer {'r' * 32}"}).post(path, data=form).status_code == 403
    here = site()
    assert here.post(path, data=form, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert here.post(path, data=form, headers={"origin": "https://evil.example"}).status_code == 403
    with engine.connect() as connection:
        assert connection.execute(select(acknowledgements.c.id)).all() == []


def test_who_may_only_read_is_shown_no_forms(site: Site, filled: Filled) -> None:
    reader = site(PEOPLE, headers={"authorization": f"Bearer {'r' * 32}"})
    for path in (f"/incidents/{filled.incident}", "/models/flights", "/silences"):
        assert 'method="post"' not in reader.get(path).text
        assert 'method="post"' in site().get(path).text


def test_what_was_done_is_told_once(site: Site, filled: Filled) -> None:
    client = site()
    answer = client.post(f"/silences/{filled.silence}/end")
    assert answer.status_code == 303
    told = f"Silence {filled.silence} is over. What is still open is told within a minute."
    assert told in Seen(client.get("/silences").text).words
    assert told not in Seen(client.get("/silences").text).words
    assert "There is no silence 99." in Seen(client.post("/silences/99/end", follow_redirects=True).text).words


def test_who_comes_from_elsewhere_signs_in_and_comes_to_where_they_wanted(site: Site, filled: Filled) -> None:
    browser = site(PEOPLE, "203.0.113.7", headers=BROWSER, follow_redirects=True)
    asked = browser.get(f"/incidents/{filled.incident}")
    assert "Sign in with a token of [[web.tokens]]." in Seen(asked.text).words
    wrong = browser.post("/login", data={"token": "nix", "next": "/silences"})
    assert (wrong.status_code, "Nobody knows this token." in wrong.text) == (401, True)
    signed_in = browser.post("/login", data={"token": "w" * 32, "next": f"/incidents/{filled.incident}"})
    assert f"Incident {filled.incident} · flights" in Seen(signed_in.text).words


@pytest.mark.parametrize("back", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_nobody_is_led_elsewhere(site: Site, filled: Filled, back: str) -> None:
    form = {"model": "flights", "comment": "x", "lasts": "1h", "author": "anna", "back": back}
    assert site().post("/silences", data=form).headers["location"] == "/"


def test_a_nameless_acknowledgement_is_refused_with_a_sentence(site: Site, filled: Filled) -> None:
    page = site().post(f"/incidents/{filled.incident}/acknowledge", data={"author": " "}, follow_redirects=True)
    assert "Say who you are, so that others know whom to ask." in Seen(page.text).words


def test_a_report_is_shut_off_from_everything(site: Site, filled: Filled) -> None:
    answer = site().get(f"/artifacts/{filled.artifact}")
    assert answer.content == b"<b>!"
    policy = answer.headers["content-security-policy"]
    assert "allow-same-origin" not in policy
    assert policy.startswith("sandbox allow-scripts; default-src 'none';")


def test_an_incident_that_relapsed_is_shown_by_what_opened_it_again(site: Site, engine: Engine, filled: Filled) -> None:
    again = relapse(engine, filled.incident, hours=30)
    shown = Seen(site().get(f"/incidents/{filled.incident}").text)
    assert "2013-07-06 00:00, again 2013-07-07 07:00 → still open" in " ".join(shown.words.split())
    assert "It fell anew." in shown.words
    assert f"2013-07-06 07:00 → 2013-07-07 07:00 UTC, evaluation {again}" in " ".join(shown.words.split())
    assert "again 2013-07-07 07:00" in Seen(site().get("/incidents").text).words
    assert "again: first on 2013-07-06 00:00" in Seen(site().get("/models/flights").text).words
    assert ", again" in Seen(site().get("/").text).words
