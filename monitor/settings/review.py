"""What pydantic cannot see: whether the values of config.toml fit each other, the files there are and the checks."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from checks.contract import Check
from monitor.settings import ModelSettings, Settings, Source, Trainings
from monitor.settings.access import review_access
from monitor.settings.problems import File
from monitor.settings.promises import review_release
from monitor.settings.remarks import Remark
from monitor.settings.schema import Place
from monitor.settings.telling import review_telling

FILES_ELSEWHERE = {"s3", "gs", "gcs", "http", "https", "az", "abfs", "abfss", "hf", "r2", "file"}
FILE_ENDINGS = (".parquet", ".pq", ".csv", ".tsv", ".json", ".jsonl", ".ndjson")
HISTORY_SCHEMES = {"sqlite", "postgresql", "postgresql+psycopg"}
DAY = timedelta(days=1)
SOURCES = ("predictions", "outcomes", "reference", "population", "catalogue", "trainings")


def review(settings: Settings, checks: Mapping[str, type[Check]], base: Path, file: File) -> Iterator[Remark]:
    """Everything that does not fit. *base* is the folder of config.toml."""
    if not settings.models:
        yield Remark.of(file, ("models",), "there is no model to watch", "add a table [[models]]")
    yield from _names(settings, file)
    for index, model in enumerate(settings.models):
        place: Place = ("models", index)
        yield from _sources(model, place, base, file)
        yield from _columns(model, place, file)
        yield from _tiles(model, place, file)
        yield from review_release(model, place, checks, file)
    yield from _surroundings(settings, file)


def _names(settings: Settings, file: File) -> Iterator[Remark]:
    first: dict[str, int] = {}
    for index, model in enumerate(settings.models):
        place: Place = ("models", index, "name")
        earlier = first.setdefault(model.name, index)
        if earlier != index:
            other: Place = ("models", earlier, "name")
            what = f"is the name of models[{earlier}] already"
            yield Remark.of(file, place, what, "give each model a name of its own", also=(other,))


def _sources(model: ModelSettings, place: Place, base: Path, file: File) -> Iterator[Remark]:
    for name in SOURCES:
        source: Source | None = getattr(model, name)
        if source is not None:
            yield from _source(source, (*place, name), base, file)
    if model.trainings is not None:
        yield from _tracked(model.trainings, (*place, "trainings"), file)


def _tracked(trainings: Trainings, place: Place, file: File) -> Iterator[Remark]:
    """An MLflow server is told by the experiment that is named."""
    here, experiment = (*place, "source"), (*place, "experiment")
    server = trainings.source.lower().startswith(("http://", "https://"))
    name = trainings.source.lower().partition("?")[0].removesuffix(".gz").removesuffix(".zst")
    if trainings.experiment is not None and not server:
        what = "is for an MLflow tracking server, and the source is none"
        yield Remark.of(file, experiment, what, 'leave it out, or write source = "https://..."', also=(here,))
    if trainings.experiment is None and server and not name.endswith(FILE_ENDINGS):
        what = "is neither a file nor an MLflow tracking server whose experiment is named"
        yield Remark.of(file, here, what, 'add experiment = "..."', also=(experiment,))


def _source(source: Source, place: Place, base: Path, file: File) -> Iterator[Remark]:
    scheme = re.match(r"([a-z][a-z0-9+.-]*)://", source.source, re.IGNORECASE)
    here: Place = (*place, "source")
    if scheme and scheme[1].lower() not in FILES_ELSEWHERE:
        asked = [key for key in ("table", "query") if getattr(source, key) is not None]
        also: tuple[Place, ...] = ((*place, "table"), (*place, "query"))
        if not asked:
            what, instead = "is a database, and nothing says what to read from it", "add table = or query ="
            yield Remark.of(file, here, what, instead, also=also)
        if len(asked) == 2:
            yield Remark.of(file, here, "has both table and query", "keep one of them", also=also)
        return
    for key in ("table", "query"):
        if getattr(source, key) is not None:
            what = "is for databases, and the source is a file"
            yield Remark.of(file, (*place, key), what, "leave it out", also=(here,))
    if not scheme:
        yield from _file(source.source, here, base, file)


def _file(pattern: str, place: Place, base: Path, file: File) -> Iterator[Remark]:
    shown = file.quoted(place) or "of that name"
    if glob.has_magic(pattern):
        if not glob.glob(pattern, root_dir=base, recursive=True):  # noqa: PTH207  # Path.glob refuses absolute patterns
            yield Remark.of(file, place, f"no file matches {shown}", "paths are relative to the folder of config.toml")
    elif (base / pattern).is_dir():
        yield Remark.of(file, place, f"{shown} is a folder", "name its files with a glob, such as 'folder/*.parquet'")
    elif not (base / pattern).exists():
        what = f"there is no file {shown}"
        yield Remark.of(file, place, what, "paths are relative to the folder of config.toml")


def _columns(model: ModelSettings, place: Place, file: File) -> Iterator[Remark]:
    said = model.predictions
    score, prediction = (*place, "predictions", "score"), (*place, "predictions", "prediction")
    task: Place = (*place, "task")
    also: tuple[Place, ...] = (score, prediction, task)
    if model.task in {"binary", "multiclass"} and said.score is None and said.prediction is None:
        what = f"says nothing of what the model predicts, and a {model.task} model predicts a class or a score"
        yield Remark.of(file, (*place, "predictions"), what, 'add prediction = "y_pred" or score = "..."', also=also)
    if model.task == "regression" and said.prediction is None:
        what = f"says nothing of what the model predicts, and a {model.task} model predicts a number"
        yield Remark.of(file, (*place, "predictions"), what, 'add prediction = "y_pred"', also=also)
    if model.task == "ranking":
        yield from _lists(model, place, file)
    if model.task == "binary" and isinstance(said.score, tuple):
        what = "names several columns, and a binary model has one, the probability of the positive class"
        yield Remark.of(file, score, what, 'write score = "y_pred_proba"', also=(task,))
    ids, others = _count(said.id), _count(model.outcomes.id if model.outcomes and model.outcomes.id else said.id)
    if ids != others:
        also = ((*place, "predictions", "id"), (*place, "outcomes"))
        what = f"must name as many columns as predictions.id, which names {ids}, not {others}"
        yield Remark.of(file, (*place, "outcomes", "id"), what, "write them in the same order", also=also)
    if model.population is not None and said.entity is None:
        what = "is missing, and [models.population] needs it to tell who got a prediction"
        yield Remark.of(file, (*place, "predictions", "entity"), what, 'add entity = "customer_id"')


def _lists(model: ModelSettings, place: Place, file: File) -> Iterator[Remark]:
    """What a ranking model must say of its lists."""
    said, task = model.predictions, (*place, "task")
    for key, why, column in (
        ("request", "which rows are one list", "request_id"),
        ("item", "what is recommended", "item_id"),
    ):
        if getattr(said, key) is None:
            what = f"is missing, and a ranking model needs it to tell {why}"
            yield Remark.of(file, (*place, "predictions", key), what, f'add {key} = "{column}"', also=(task,))
    if said.position is None and said.prediction is None and not isinstance(said.score, str):
        what = "says nothing of the order of the items, and a ranking model ranks them"
        also = (*((*place, "predictions", key) for key in ("position", "score", "prediction")), task)
        yield Remark.of(file, (*place, "predictions"), what, 'add position = "position" or score = "..."', also=also)


def _count(columns: str | tuple[str, ...]) -> int:
    return 1 if isinstance(columns, str) else len(columns)


def _tiles(model: ModelSettings, place: Place, file: File) -> Iterator[Remark]:
    bucket: Place = (*place, "bucket")
    if DAY % model.bucket and model.bucket % DAY:
        what = "must divide a day or be whole days, so that buckets begin at midnight UTC"
        yield Remark.of(file, bucket, what, "write '1h', '6h', '1d' or '7d'")
        return
    spans: list[tuple[Place, timedelta | None]] = [((*place, key), getattr(model, key)) for key in ("window", "every")]
    for name, threshold in model.release.items():
        spans += [((*place, "release", name, key), getattr(threshold, key)) for key in ("window", "every")]
    for index, check in enumerate(model.checks):
        spans += [((*place, "checks", index, key), getattr(check, key)) for key in ("window", "every")]
    for where, span in spans:
        if span is not None and span % model.bucket:
            yield _not_whole(file, where, bucket)


def _not_whole(file: File, where: Place, bucket: Place) -> Remark:
    found, size = file.quoted(where), file.quoted(bucket) or "'1d'"
    what = f"must be whole buckets of {size}" + (f", not {found}" if found else "")
    return Remark.of(file, where, what, "write a multiple of it, or make the bucket smaller", also=(bucket,))


def _surroundings(settings: Settings, file: File) -> Iterator[Remark]:
    yield from review_telling(settings, file)
    yield from review_access(settings, file)
    scheme = settings.history.url.get_secret_value().partition("://")[0]
    if scheme not in HISTORY_SCHEMES:
        what = "must be the URL of an SQLite or PostgreSQL database"
        instead = "such as sqlite:///data/history.db or postgresql://user:password@host/name"
        yield Remark.of(file, ("history", "url"), what, instead)
    clock = settings.clock
    if clock is not None and clock.end is not None and clock.end <= clock.start:
        yield Remark.of(file, ("clock", "end"), "must be later than start", "swap them", also=(("clock", "start"),))
