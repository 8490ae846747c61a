"""How models stand is read again only of those that were evaluated again, and is right all the same."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import pytest
from sqlalchemy import Engine

from monitor.history.overview import Evaluated, Passed, Subject, courses, evaluated_since
from monitor.history.queries import latest_verdicts
from monitor.history.records import EvaluationRecord, VerdictRecord
from monitor.history.rows import HistoryRow
from monitor.history.store import Store
from monitor.web.standing import MOST_ANEW, Standing, rank, stand_of
from tests.web.filled import DAY, START, WALL


def judge(store: Store, day: int, model: str, state: str) -> None:
    """Record the window of *model* that ended that many days after START."""
    token, end = store.claim(model, "me", WALL, DAY), START + day * DAY
    assert token is not None
    with store.recording(model, token, WALL) as recording:
        evaluation = recording.evaluation(EvaluationRecord("v1", "1d each 1d", end - DAY, end, end))
        recording.verdicts(evaluation, [VerdictRecord("accuracy", state, "holds", "page", "min", threshold=0.7)])
    store.give_back(model, token)


def row(name: str, state: str, **more: object) -> HistoryRow:
    values = {"value": 0.8, "threshold": 0.7, "side": "min", "severity": "page", "reason": "holds", **more}
    about = ("m", "v1", START, START, 0, START, "check", name, "", str(values.pop("segment", "")))
    value = values.pop("value")
    return HistoryRow(*about, value, None, None, 9, state, sentence="", **values)  # type: ignore[arg-type]  # of a table


def test_the_worst_promise_makes_the_verdict_of_a_model() -> None:
    rows = [
        # in this order: errors after breaches; the inconclusive first of what holds; the whole that pages before
        # segments and what only warns; then the closest to its bound
        row("a", "breach"),
        row("b", "error"),
        row("c", "unknown"),
        row("d", "ok", reason="inconclusive", severity="warn"),
        row("e", "ok", value=0.71),
        row("f", "ok", value=0.9),
        row("g", "ok", value=0.701, segment="origin=JFK"),
        row("h", "ok", value=0.705, severity="warn"),
    ]
    shuffled = rows[::-1]
    assert [each.metric for each in sorted(shuffled, key=rank)] == [each.metric for each in rows]
    stand = stand_of(rows[3:], START)
    assert (stand.verdict, stand.doubtful) == ("ok", ("d",))
    assert stand_of([], None).verdict == "unknown"


def test_only_what_was_evaluated_again_is_read_again(
    engine: Engine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for model in ("a", "b"):
        judge(store, 1, model, "ok")
    known = Standing()
    assert {name: stand.verdict for name, stand in known.of_all(engine).items()} == {"a": "ok", "b": "ok"}

    asked: list[str | None] = []

    def read(engine: Engine, model: str | None = None) -> list[HistoryRow]:
        asked.append(model)
        return latest_verdicts(engine, model)

    monkeypatch.setattr("monitor.web.standing.latest_verdicts", read)
    assert known.of_all(engine)["a"].verdict == "ok"
    assert asked == []
    judge(store, 2, "a", "breach")
    found = known.of_all(engine)
    assert (found["a"].verdict, found["b"].verdict) == ("breach", "ok")
    assert known.of_all(engine) == found
    assert asked == ["a"]


def test_after_many_evaluations_everything_is_read_and_nothing_is_missed(engine: Engine, store: Store) -> None:
    known = Standing()
    assert known.of_all(engine) == {}
    for place in range(MOST_ANEW + 3):
        judge(store, 1, f"m{place}", "ok")
    assert len(known.of_all(engine)) == MOST_ANEW + 3
    judge(store, 2, "m0", "breach")
    assert known.of_all(engine)["m0"].verdict == "breach"


def test_an_evaluation_that_is_seen_late_is_not_missed(
    engine: Engine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL a transaction may end after another one with a greater id."""
    judge(store, 1, "a", "ok")
    known = Standing()
    known.of_all(engine)
    judge(store, 2, "a", "breach")
    judge(store, 1, "b", "ok")

    def all_but_a(engine: Engine, floor: int, most: int) -> list[Evaluated]:
        return [one for one in evaluated_since(engine, floor, most) or () if one.model == "b"]

    monkeypatch.setattr("monitor.web.standing.evaluated_since", all_but_a)
    assert known.of_all(engine)["a"].verdict == "ok"
    monkeypatch.undo()
    assert known.of_all(engine)["a"].verdict == "breach"


def test_a_course_is_read_once_a_day_and_when_its_model_was_evaluated_again(
    engine: Engine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def read(engine: Engine, subjects: Iterable[Subject], until: datetime, days: int) -> dict[Subject, list[Passed]]:
        wanted = list(subjects)
        asked.extend(model for model, *_ in wanted)
        return courses(engine, wanted, until, days)

    monkeypatch.setattr("monitor.web.standing.courses", read)
    subjects: list[Subject] = [(model, "accuracy", "", "", "min") for model in ("a", "b", "gone")]
    known = Standing()

    def course_of_a(day: float) -> list[str]:
        known.of_all(engine)
        found = known.courses(engine, subjects, START + day * DAY)
        assert set(found) == set(subjects)
        return [passed.verdict for passed in found[subjects[0]]]

    judge(store, 1, "a", "ok")
    judge(store, 1, "b", "ok")
    assert course_of_a(2.1) == ["ok"]
    assert course_of_a(2.9) == ["ok"]
    judge(store, 2, "a", "breach")
    assert course_of_a(2.9) == ["ok", "breach"]
    assert asked == ["a", "b", "gone", "a"]
    assert course_of_a(3.0) == ["ok", "breach"]
    assert asked[4:] == ["a", "b", "gone"], "on another day, other windows end as it begins"


def test_a_course_that_was_read_while_its_model_was_evaluated_is_not_kept(
    engine: Engine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject: Subject = ("a", "accuracy", "", "", "min")
    known = Standing()
    judge(store, 1, "a", "ok")
    known.of_all(engine)

    def read(engine: Engine, subjects: Iterable[Subject], until: datetime, days: int) -> dict[Subject, list[Passed]]:
        found = courses(engine, subjects, until, days)
        judge(store, 2, "a", "breach")
        known.of_all(engine)
        return found

    monkeypatch.setattr("monitor.web.standing.courses", read)
    assert len(known.courses(engine, [subject], START + 3 * DAY)[subject]) == 1
    monkeypatch.undo()
    assert len(known.courses(engine, [subject], START + 3 * DAY)[subject]) == 2
