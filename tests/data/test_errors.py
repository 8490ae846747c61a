"""What is wrong with a source is said in a sentence: where, what, and what would be right."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest

from monitor.data.errors import (
    ColumnMissing,
    SourceProblem,
    SourceUnreachable,
    SourceUnreadable,
    WrongType,
    in_midstream,
    shown,
    told,
)
from monitor.data.feed import Feed
from monitor.data.sources import Engines, batches
from monitor.settings import ModelSettings
from tests.conftest import PostgresServer
from tests.data.logs import Make, at, into_postgres, on_postgres, outcome, prediction, small_model, tables, write


def problem_of(feed: Feed, kind: type[SourceProblem]) -> str:
    with pytest.raises(kind) as raised:
        feed.counts(at(0), at(1), at(1))
    return str(raised.value)


def with_source(source: str, **more: Any) -> ModelSettings:
    said = small_model().predictions.model_copy(update={"source": source, **more})
    return small_model(predictions=said)


def simple() -> Any:
    return tables([prediction("a", 0.5)], [outcome("a", 0.6, 1)])


@pytest.mark.parametrize(
    ("source", "kind", "sentence"),
    [
        # no such file
        ("gone.parquet", SourceUnreachable, "there is no such file; correct the path, or write the file."),
        # a glob without a match
        ("gone-*.parquet", SourceUnreachable, "no file matches; correct the path or glob, or write the file."),
        # a folder
        ("folder", SourceUnreadable, "is a folder; give its files, such as 'folder/*.parquet'."),
        # a name that does not tell its kind
        (
            "log.xlsx",
            SourceUnreadable,
            "its kind is not told by its name; end it in .parquet, .csv, .json or .jsonl.",
        ),
        # a scheme nobody reads
        (
            "ftp://host/log.csv",
            SourceUnreadable,
            (
                "'ftp://' is not a place this reads; give a path or glob (.parquet, .csv, .json), s3://, gs://, or a "
                "postgresql:// or sc:// (Spark Connect) URL."
            ),
        ),
        # a database without a table
        (
            "postgresql://reader:secret@127.0.0.1/log",
            SourceUnreadable,
            'a database needs one of table = "schema.name" or query = "SELECT ...".',
        ),
        (
            "sc://127.0.0.1:15002",
            SourceUnreadable,
            'a database needs one of table = "schema.name" or query = "SELECT ...".',
        ),
    ],
)
def test_a_place_that_cannot_be_read(
    on_files: Make, tmp_path: Path, source: str, kind: type[SourceProblem], sentence: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "log.xlsx").write_text("")
    feed = on_files(with_source(source), simple())
    assert problem_of(feed, kind) == f"small: predictions ({shown(source)}): {sentence}"


def test_a_corrupted_file(on_files: Make, tmp_path: Path) -> None:
    feed = on_files(small_model(), simple())
    whole = (tmp_path / "outcomes.parquet").read_bytes()
    (tmp_path / "outcomes.parquet").write_bytes(whole[: len(whole) // 2])
    sentence = problem_of(feed, SourceUnreadable)
    assert sentence.startswith("small: outcomes (outcomes.parquet): cannot be read (")
    assert sentence.endswith("; give a whole, undamaged file of the kind its name says.")
    (tmp_path / "outcomes.parquet").write_bytes(whole)
    assert feed.counts(at(0), at(1), at(1))[at(0)].rows == 1, "a later call sees the mended file"


def test_rows_damaged_behind_a_sound_footer(on_files: Make, tmp_path: Path) -> None:
    rows = [prediction(f"p{place}", 0.5, x=place / 7) for place in range(2000)]
    feed = on_files(small_model(), tables(rows, []))
    damaged = bytearray((tmp_path / "predictions.parquet").read_bytes())
    damaged[4:4000] = os.urandom(3996)
    (tmp_path / "predictions.parquet").write_bytes(bytes(damaged))
    assert problem_of(feed, SourceUnreadable).startswith("small: predictions (predictions.parquet): cannot be read (")


@pytest.mark.parametrize(
    ("told_by_arrow", "kind"),
    [
        ("Conversion Error: Could not convert string 'a' to DOUBLE", WrongType),
        ("Out of Memory Error: could not allocate block of size 256.0 KiB", MemoryError),
        ("IO Error: Could not read enough bytes from file", SourceUnreadable),
    ],
)
def test_what_goes_wrong_in_midstream_is_told_as_at_the_start(told_by_arrow: str, kind: type[Exception]) -> None:
    with pytest.raises(kind), told("small: predictions"):
        raise in_midstream(OSError(told_by_arrow))


def test_a_value_that_does_not_fit_far_down_the_rows(tmp_path: Path) -> None:
    engine = Engines(tmp_path).embedded()
    sql = "SELECT CAST(CASE WHEN range = 9000000 THEN 'ten' ELSE '1' END AS DOUBLE) FROM range(10000000)"
    with pytest.raises(WrongType, match=r"^small: .*'ten'"), batches(engine, sql, "small: predictions") as found:
        assert sum(batch.num_rows for batch in found) == 0, "the rows end in an error"


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read everything, so not as root."""
    if os.getuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("closed", ["log/predictions.parquet", "log"])
def test_a_file_or_folder_nobody_may_open(tmp_path: Path, closed: str) -> None:
    with TemporaryDirectory() as shared:  # pytest's own folders are closed to others
        folder = Path(shared)
        (folder / "log").mkdir()
        write(folder / "log", simple())
        folder.chmod(0o755)
        (folder / closed).chmod(0)
        feed = Feed(with_source("log/predictions.parquet"), folder)
        with as_nobody():
            sentence = problem_of(feed, SourceUnreadable)
        (folder / "log").chmod(0o755)
        feed.close()
    where = "small: predictions (log/predictions.parquet)"
    assert sentence == f"{where}: permission denied; let the user of this process read it."


@pytest.mark.parametrize(
    ("role", "key", "name", "sentence"),
    [
        # one letter off: the nearest is named
        ("predictions", "time", "att", "the column 'att' (predictions.time) is not there; did you mean 'at'?"),
        # nothing like it: all are named
        (
            "outcomes",
            "value",
            "churned",
            "the column 'churned' (outcomes.value) is not there; there are 'id', 'known', 'truth'.",
        ),
        ("predictions", "id", "key", "the column 'key' (predictions.id) is not there;"),
    ],
)
def test_a_column_that_is_not_there(make: Make, role: str, key: str, name: str, sentence: str) -> None:
    settings = getattr(small_model(), role).model_copy(update={key: name})
    assert sentence in problem_of(make(small_model(**{role: settings}), simple()), ColumnMissing)


def test_a_score_that_is_text(make: Make) -> None:
    said = small_model().predictions.model_copy(update={"score": "colour"})
    feed = make(small_model(predictions=said), simple())
    with pytest.raises(WrongType) as raised:
        feed.baseline(at(0))
    assert str(raised.value).endswith("the column 'colour' (predictions.score) holds string; it must hold numbers.")


def test_a_prediction_column_that_disappears(on_files: Make, tmp_path: Path) -> None:
    feed = on_files(small_model(), simple())
    layout = feed.baseline(at(0)).layout
    less = simple()
    less["predictions"] = less["predictions"].drop_columns(["said"])
    on_files(small_model(), less)
    with pytest.raises(ColumnMissing) as raised:
        feed.profiles(layout, [at(0)], at(1))
    assert str(raised.value).startswith(
        "small: predictions (predictions.parquet): the column 'said' (predictions.prediction) is not there; there are "
    )


def test_a_model_without_a_reference_has_no_baseline(on_files: Make) -> None:
    with pytest.raises(SourceProblem) as raised:
        on_files(small_model(reference=None), simple()).baseline(at(0))
    assert str(raised.value) == "small: there is no reference; add [models.reference] with its source."


def test_a_table_that_is_not_there(postgres_database: str, tmp_path: Path) -> None:
    model = on_postgres(small_model(outcomes=None), postgres_database, "predictions")
    feed = Feed(model, tmp_path)
    sentence = problem_of(feed, SourceUnreadable)
    assert sentence.endswith('relation "predictions" does not exist; name a table as table = "schema.name".')
    feed.close()


def test_a_table_that_may_not_be_read(postgres_database: str, tmp_path: Path) -> None:
    into_postgres(postgres_database, simple())
    with psycopg.connect(postgres_database.replace("+psycopg", ""), autocommit=True) as connection:
        name = f"guest_{postgres_database[-6:]}"
        connection.execute(f'CREATE ROLE "{name}" LOGIN')
    guest = postgres_database.replace("//postgres@", f"//{name}@")
    feed = Feed(on_postgres(small_model(outcomes=None), guest, "predictions"), tmp_path)
    assert "permission denied for table predictions; grant SELECT to this user." in problem_of(feed, SourceUnreadable)
    feed.close()
    with psycopg.connect(postgres_database.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f'DROP ROLE "{name}"')


def test_a_query_that_writes_is_refused(postgres_database: str, tmp_path: Path) -> None:
    into_postgres(postgres_database, simple())
    query = "WITH gone AS (DELETE FROM predictions RETURNING *) SELECT * FROM gone"
    said = small_model().predictions.model_copy(update={"source": postgres_database, "query": query})
    feed = Feed(small_model(predictions=said, outcomes=None), tmp_path)
    problem_of(feed, SourceUnreadable)
    feed.close()
    with psycopg.connect(postgres_database.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT count(*) FROM predictions").fetchone() == (1,)


def test_a_database_that_goes_away_and_comes_back(postgres_server: PostgresServer, tmp_path: Path) -> None:
    into_postgres(postgres_server.url, simple())
    feed = Feed(on_postgres(small_model(outcomes=None, reference=None), postgres_server.url), tmp_path)
    assert feed.counts(at(0), at(1), at(1))[at(0)].rows == 1

    postgres_server.stop()
    assert "the database does not answer (" in problem_of(feed, SourceUnreachable)
    assert "the database does not answer (" in problem_of(feed, SourceUnreachable)

    postgres_server.start()
    assert feed.counts(at(0), at(1), at(1))[at(0)].rows == 1
    feed.close()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("log/*.parquet", "log/*.parquet"),
        ("postgresql://reader:secret@db:5432/log?password=secret", "postgresql://db:5432/log"),
        ("sc://cluster:15002/;use_ssl=true;token=secret", "sc://cluster:15002"),
        ("s3://bucket/log.parquet", "s3://bucket/log.parquet"),
    ],
)
def test_secrets_of_urls_are_never_shown(source: str, expected: str) -> None:
    assert shown(source) == expected


def test_the_password_is_not_in_the_sentence(tmp_path: Path, free_port: Any) -> None:
    url = f"postgresql://reader:hunter2@127.0.0.1:{free_port()}/log"
    feed = Feed(with_source(url, table="predictions"), tmp_path)
    sentence = problem_of(feed, SourceUnreachable)
    assert sentence.startswith("small: predictions (postgresql://127.0.0.1:")
    assert "hunter2" not in sentence
    feed.close()
