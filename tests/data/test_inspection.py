"""``model-monitor check`` says of every source what was found and everything that is wrong."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from monitor.data.inspection import SourceInspection
from monitor.settings import ModelSettings, Population
from tests.data.logs import Make, at, outcome, prediction, small_model, tables


def looked(make: Make, model: ModelSettings, rows: list[dict[str, object]]) -> dict[str, SourceInspection]:
    feed = make(model, tables(rows, [outcome("a", 0.6, 1)]))
    return {source.role: source for source in feed.inspect(at(2) + timedelta(hours=3)).sources}


def test_a_sound_source_shows_columns_rows_and_newest_time(make: Make) -> None:
    rows = [prediction("a", 0.5), prediction("b", 1.5), prediction("c", 1.75), prediction("d", 2.1)]

    found = looked(make, small_model(), rows)

    said = found["predictions"]
    assert list(found) == ["predictions", "outcomes", "reference"]
    assert {name: kind for name, kind in said.columns.items() if name in {"id", "x", "flag"}} == {
        "id": "string",
        "x": "float64",
        "flag": "boolean",
    }
    assert (said.rows, said.newest, said.last_bucket, said.last_rows) == (4, at(2.1), at(1), 2)
    assert (said.untimed, said.future) == (0, 0)
    assert found["reference"].rows == 60
    assert all(not source.problems and not source.notes for source in found.values())


def test_rows_without_time_and_in_the_future_are_noted(make: Make) -> None:
    found = looked(make, small_model(), [prediction("a", None), prediction("b", 5), prediction("c", 6)])["predictions"]
    assert (found.untimed, found.future, found.last_rows, found.problems) == (1, 2, 0, ())
    assert found.notes == (
        f"{found.where}: 1 row without time is never read; give every row its time.",
        f"{found.where}: 2 rows are stamped after now and not read until then; is the time zone right?",
    )


def test_a_source_without_rows_is_noted(make: Make) -> None:
    found = looked(make, small_model(), [])["predictions"]
    assert (found.rows, found.newest, found.notes) == (0, None, (f"{found.where}: there are no rows yet.",))


def test_everything_wrong_with_a_source_is_said_at_once(on_files: Make) -> None:
    said = small_model().predictions.model_copy(
        update={"time": "x", "score": "colour", "entity": "shop", "features": ("flog", "at"), "segments": ("plaice",)}
    )
    found = looked(on_files, small_model(predictions=said), [prediction("a", 0.5)])["predictions"]
    where = "small: predictions (predictions.parquet)"
    names = "'id', 'at', 'x', 'colour', 'flag', 'place', 'score', 'said'"
    give = "leave it out, or give numbers, text or booleans."
    assert found.problems == (
        f"{where}: the column 'x' holds float64, not times; give timestamps, or text such as 2013-04-16T00:00:00Z.",
        f"{where}: the column 'shop' (predictions.entity) is not there; there are {names}.",
        f"{where}: the column 'colour' (predictions.score) holds string; it must hold numbers.",
        f"{where}: the column 'flog' (predictions.features) is not there; did you mean 'flag'?",
        f"{where}: the feature 'at' holds timestamp(6), which is not profiled; {give}",
        f"{where}: the column 'plaice' (predictions.segments) is not there; did you mean 'place'?",
    )


def test_one_source_that_is_gone_does_not_hide_the_others(on_files: Make, tmp_path: Path) -> None:
    model = small_model(population=Population(source="people.parquet", entity="who"))
    feed = on_files(model, tables([prediction("a", 0.5)], []))
    (tmp_path / "outcomes.parquet").unlink()

    inspection = feed.inspect(at(2))

    assert [bool(source.problems) for source in inspection.sources] == [False, True, False, True]
    assert inspection.problems == (
        "small: outcomes (outcomes.parquet): there is no such file; correct the path, or write the file.",
        "small: population (people.parquet): there is no such file; correct the path, or write the file.",
    )
