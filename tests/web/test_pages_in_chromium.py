"""What people see: the pages in a real browser over a played history, from the fleet to the incident of July."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from sqlalchemy import Engine, select

from monitor.history.engine import open_engine
from monitor.history.tables import acknowledgements, silences
from monitor.settings import Settings
from tests.web.flights import play, served
from tests.world import command, environment

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
]
PHONE, DESKTOP = (390, 844), (1280, 900)
PAGES = {
    "fleet": "/",
    "fleet without a match": "/?q=nothing&verdict=breach",
    "model": "/models/flight-delay?since=14d",
    "incidents": "/incidents?since=90d",
    "incident": "/incidents/1",
    "evaluations": "/evaluations",
    "evaluation": "/evaluations/20",
    "silences": "/silences?all=1",
    "nothing": "/nothing-here",
}

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="No Chromium is installed here (Debian: apt install chromium)."),
    pytest.mark.xdist_group("chromium"),
]

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Path]:
    folder = tmp_path_factory.mktemp("flights")
    return play(folder), folder


@pytest.fixture(scope="module")
def engine(played: tuple[Settings, Path]) -> Iterator[Engine]:
    opened = open_engine(f"sqlite:///{played[1]}/data/history.db")
    yield opened
    opened.dispose()


@pytest.fixture(scope="module")
def address(played: tuple[Settings, Path], engine: Engine) -> Iterator[str]:
    with served(engine, *played) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def opened(browser: Browser, address: str) -> Iterator[Open]:
    """Opens a page; at the end of the test nothing may have been complained of."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def visit(path: str, size: tuple[int, int] = DESKTOP, **more: Any) -> Page:
        context = browser.new_context(base_url=address, viewport={"width": size[0], "height": size[1]}, **more)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        page.wait_for_load_state("networkidle")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert [one for one in complaints if "404 (Not Found)" not in one] == []


def test_from_the_fleet_to_the_incident_of_july_and_its_evidence(opened: Open) -> None:
    page = opened("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("1 of 1 model has an open incident")
    row = page.get_by_role("row", name="flight-delay")
    expect(row).to_contain_text("accuracy")
    expect(row.get_by_role("img", name="Last 30 days")).to_be_visible()
    row.get_by_role("link", name="page 1").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Incident 1 · flight-delay")
    expect(page.locator(".lead")).to_contain_text("is below the promised 0.728")
    expect(page.get_by_role("region", name="Who was told")).to_contain_text("console")
    evidence = page.get_by_role("region", name="The evidence")
    expect(evidence).to_contain_text("2013-06-23 00:00 → 2013-06-30 00:00 UTC")
    expect(evidence).to_contain_text(
        "model-monitor evaluate --model flight-delay --window 2013-06-23T00:00:00 2013-06-30T00:00:00"
    )
    expect(evidence).to_contain_text("model-monitor replay --model flight-delay --since 2013-06-29T00:00:00 --until ")
    expect(page.get_by_role("region", name="Before and now").get_by_role("figure").first).to_contain_text("dewp")


def type_in(shown: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What a command that a page shows answers, as JSON."""
    name, *words = shlex.split(shown)
    assert name == "model-monitor"
    return subprocess.run(
        command(*words, "--format", "json"),
        check=False,
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_the_command_on_the_page_judges_the_incident_again_to_the_digit(
    opened: Open, played: tuple[Settings, Path]
) -> None:
    page = opened("/incidents/1")
    evidence = page.get_by_role("region", name="The evidence")
    done = type_in(evidence.locator("pre", has_text="replay --incident").inner_text(), played[1])
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout), "there were verdicts to compare"


def test_the_command_on_the_page_finds_the_same_incident_again(opened: Open, played: tuple[Settings, Path]) -> None:
    page = opened("/incidents/1")
    evidence = page.get_by_role("region", name="The evidence")
    done = type_in(evidence.locator("pre", has_text="replay --model").inner_text(), played[1])
    [contract] = json.loads(done.stdout)["contracts"]
    found = [(each["opened_at"], each["metric"], each["severity"]) for each in contract["incidents"]]
    assert found == [("2013-06-30T00:00:00Z", "accuracy", "page")]


def test_the_model_shows_how_each_promise_went_what_moved_and_where_it_hurts(opened: Open) -> None:
    page = opened("/models/flight-delay")
    for metric in ("accuracy", "coverage", "drift.carrier", "drift.origin"):
        chart = page.get_by_role("region", name=metric, exact=True).get_by_role("img")
        chart.scroll_into_view_if_needed()
        expect(chart).to_have_attribute("alt", re.compile(rf"^{re.escape(metric)} of flight-delay in \d+ windows"))
        page.wait_for_function("each => each.complete && each.naturalWidth > 300", arg=chart.element_handle())
    page.get_by_role("region", name="accuracy", exact=True).get_by_text("The numbers").click()
    expect(page.get_by_role("region", name="accuracy", exact=True).get_by_role("row").nth(1)).to_contain_text("0.728")
    expect(page.get_by_role("region", name="What moved").get_by_role("row").nth(1)).to_contain_text("temp")
    expect(page.get_by_role("region", name="Where it hurts").get_by_role("row").nth(1)).to_contain_text("origin=JFK")
    expect(page.get_by_role("region", name="Who is not served")).to_contain_text("in the population")


def test_the_time_shown_is_in_the_address_and_a_slip_is_said(opened: Open) -> None:
    page = opened("/models/flight-delay?since=2013-06-28&until=2013-07-01")
    expect(page.get_by_text("2013-06-28 00:00 to 2013-07-02 00:00 UTC")).to_be_visible()
    page.get_by_label("Since").fill("yesterday")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("alert")).to_contain_text("'yesterday' is neither a time (2013-07-01")


def test_an_incident_is_acknowledged_by_whoever_says_so_and_told_once(opened: Open, engine: Engine) -> None:
    page = opened("/incidents/1")
    page.get_by_label("Your name").first.fill("Ann O'Nymous <b>")
    page.get_by_label("What you do about it").fill("looking at the weather & runways")
    page.get_by_role("button", name="Acknowledge").click()
    page.wait_for_load_state("networkidle")
    expect(page.get_by_role("status")).to_contain_text("Incident 1 of flight-delay is acknowledged until")
    expect(page.get_by_role("region", name="Acknowledgements")).to_contain_text(
        "Ann O'Nymous <b>: looking at the weather"
    )
    page.reload()
    expect(page.get_by_role("status")).to_have_count(0)
    with engine.connect() as connection:
        assert list(connection.execute(select(acknowledgements.c.author))) == [("Ann O'Nymous <b>",)]


def test_a_silence_is_made_from_an_incident_and_ended_where_silences_stand(opened: Open, engine: Engine) -> None:
    page = opened("/incidents/1")
    form = page.get_by_role("region", name="Silence flight-delay")
    form.get_by_label("Why").fill("a new model is on its way")
    form.get_by_label("Your name").fill("anna")
    form.get_by_role("button", name="1 hour").click()
    expect(page.get_by_role("status")).to_contain_text("mutes model=flight-delay metric=accuracy until")
    expect(page.get_by_role("heading", level=1)).to_have_text("Incident 1 · flight-delay")
    page.goto("/silences")
    page.get_by_role("button", name=re.compile("End silence")).click()
    expect(page.get_by_role("status")).to_contain_text("is over. What is still open is told within a minute.")
    with engine.connect() as connection:
        [(author, begin, end)] = connection.execute(select(silences.c.author, silences.c.starts_at, silences.c.ends_at))
    assert author == "anna"
    assert (end - begin).total_seconds() < 3600


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        # no model of that name; a length that is none; longer than a month
        ({"Model": "flihgt-*"}, "No model fits 'flihgt-*'; there is flight-delay."),
        ({"Model": "flight-*", "Another time": "soon"}, "A silence takes a length of time such as 30m, 2h or 3d"),
        ({"Model": "flight-*", "Another time": "60d"}, "A silence lasts 30 days at most"),
    ],
)
def test_a_silence_that_makes_no_sense_is_refused_with_a_sentence(
    opened: Open, fields: dict[str, str], sentence: str
) -> None:
    page = opened("/silences")
    for name, value in {"Why": "a try", "Your name": "anna", **fields}.items():
        page.get_by_label(name).fill(value)
    page.get_by_role("button", name="That long" if "Another time" in fields else "1 day").click()
    expect(page.get_by_role("status")).to_contain_text(sentence)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light")])
def test_every_page_is_accessible_and_fits_its_screen(
    opened: Open, name: str, size: tuple[int, int], scheme: str
) -> None:
    page = opened(PAGES[name], size, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    found = Axe().run(page)
    assert [(each["id"], each["nodes"][0]["html"]) for each in found.response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_at_night_pages_and_charts_are_dark(opened: Open) -> None:
    page = opened("/incidents/1", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 20, 26)"
    assert page.locator("figure img").first.evaluate("each => each.currentSrc").endswith("look=dark")


def test_a_phone_gets_a_narrow_chart(opened: Open) -> None:
    page = opened("/incidents/1", PHONE)
    chart = page.locator("figure img").first
    chart.scroll_into_view_if_needed()
    assert chart.evaluate("each => each.currentSrc").endswith("look=light-narrow")


def test_without_scripts_the_fleet_is_searched_and_an_evaluation_is_read(opened: Open) -> None:
    page = opened("/", java_script_enabled=False)
    page.get_by_label("Model or owner").fill("oncall FLIGHT")
    page.get_by_role("button", name="Search").click()
    assert page.url.endswith("/?q=oncall+FLIGHT")
    expect(page.get_by_role("link", name="flight-delay")).to_be_visible()
    page.get_by_role("link", name="Breach").click()
    assert page.url.endswith("/?q=oncall+FLIGHT&verdict=breach")
    page.goto("/evaluations")
    page.get_by_role("link", name="2013-").first.click()
    expect(page.get_by_role("heading", name="What ran")).to_be_visible()


def test_the_keyboard_comes_to_the_content_first(opened: Open) -> None:
    page = opened("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_no_script_runs_that_did_not_come_from_here(opened: Open, browser: Browser, address: str) -> None:
    page = opened("/")
    context = browser.new_context()
    hostile = context.new_page()
    said: list[str] = []
    hostile.on("console", lambda one: said.append(one.text))
    hostile.goto(address)
    hostile.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.broken = true";
        document.body.append(script);
    }""")
    assert hostile.evaluate("window.broken") is None
    assert any("Content Security Policy" in one for one in said)
    context.close()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_the_report_of_evidently_opens_where_it_can_reach_nothing(opened: Open) -> None:
    page = opened("/incidents/1")
    link = page.get_by_role("region", name="Documents").get_by_role("link").first
    with page.expect_response(re.compile("/artifacts/")) as answered:
        link.click()
    assert answered.value.headers["content-security-policy"].startswith("sandbox allow-scripts; default-src 'none'")
    assert page.evaluate("window.origin") == "null"


def test_what_is_being_evaluated_is_shown_as_it_goes_on(opened: Open) -> None:
    page = opened("/evaluations")
    expect(page.get_by_text("Shown as it goes on.")).to_be_visible()
    with page.expect_response(re.compile("/evaluations/now$"), timeout=10_000) as answered:
        pass
    assert answered.value.ok
    expect(page.get_by_role("region", name="Being evaluated now")).to_contain_text("the next window is waited for")
