"""The history for notebooks: the answers of commands and API as pandas DataFrames, over a read-only connection."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, get_args, get_type_hints

from sqlalchemy import Engine

from monitor.clock import wall_now
from monitor.history import evaluations, incidents, queries, ranges, silences
from monitor.history.answers import IncidentAnswer, SilenceAnswer, incident_answer, silence_answer
from monitor.history.engine import database_url, open_engine
from monitor.history.rows import EvaluationRow, HistoryRow, IncidentStory, ModelRow
from monitor.history.stored_profiles import profile_of
from monitor.settings import load_settings, parse_moment, parse_time

if TYPE_CHECKING:
    from pandas import DataFrame

When = str | datetime | None
"""A time, as text or not (UTC unless it says otherwise), or how long ago: ``"2013-07-01"``, ``"7d"``."""
_PAGE = 10_000


class History:
    """A history opened for reading. Make one with ``History.open``; safe to use in a ``with`` statement."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, where: str | Path) -> Self:
        """The history at a database URL, or the one of a config.toml. Raises HistoryUnavailable, SettingsError."""
        path = Path(where)
        if "://" in str(where):
            return cls(open_engine(str(where), read_only=True))
        settings = load_settings(path, os.environ)
        return cls(open_engine(database_url(settings, path.absolute().parent), read_only=True))

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def models(self) -> DataFrame:
        """Every model that was ever evaluated, with its worst verdict now and its open incident."""
        return _frame(ModelRow, queries.models(self._engine))

    def verdicts(self, model: str | None = None) -> DataFrame:
        """The verdict in force on each promise."""
        return _frame(HistoryRow, queries.latest_verdicts(self._engine, model))

    def measurements(
        self,
        model: str | None = None,
        metric: str | None = None,
        *,
        segment: str | None = None,
        check: str | None = None,
        since: When = None,
        until: When = None,
        verdict: str | None = None,
        as_of: When = None,
        revisions: bool = False,
        limit: int | None = None,
    ) -> DataFrame:
        """What was measured, with the verdict on it, oldest first; the newest *limit* rows.

        *metric* as config.toml writes it: ``"accuracy"``, ``"drift.temp"``; ``segment=""`` is the whole alone.
        *as_of* asks for what was known then, *revisions* for each revision of a window.
        """
        name, _, column = (metric or "").partition(".")
        about = (model, check, name or None, None if column in {"", "*"} else column, segment)
        asked = ranges.Filters(*about, _at(since), _at(until), verdict, _at(as_of), revisions)
        found: list[HistoryRow] = []
        after: ranges.Place | None = None
        while limit is None or len(found) < limit:
            page = ranges.page(self._engine, asked, _PAGE if limit is None else min(_PAGE, limit - len(found)), after)
            found += page.rows
            after = page.after
            if after is None:
                break
        return _frame(HistoryRow, sorted(found, key=lambda row: row.window_end))

    def evaluations(
        self, model: str | None = None, *, state: str | None = None, since: When = None, until: When = None
    ) -> DataFrame:
        """What ran, how long, over how many rows, oldest first; in every revision."""
        found: list[EvaluationRow] = []
        after: evaluations.Place | None = None
        while True:
            narrowed = {"model": model, "state": state}
            page = evaluations.page(self._engine, _PAGE, after, **narrowed, since=_at(since), until=_at(until))
            found += page.rows
            after = page.after
            if after is None:
                return _frame(EvaluationRow, reversed(found))

    def incidents(self, model: str | None = None, *, since: When = None, open_only: bool = False) -> DataFrame:
        """Incidents, oldest first, with their alerts and who has acknowledged them."""
        found = incidents.listed(self._engine, wall_now(), model, _at(since), open_only=open_only)
        return _frame(IncidentAnswer, [incident_answer(row) for row in found])

    def incident(self, incident_id: int) -> IncidentStory | None:
        """Everything about one incident; None where there is none of that id."""
        return incidents.story(self._engine, incident_id, wall_now())

    def silences(self) -> DataFrame:
        """Every silence that is kept, oldest first."""
        now = wall_now()
        return _frame(SilenceAnswer, [silence_answer(each, now) for each in silences.kept(self._engine)])

    def profile(
        self, model: str, start: When, end: When, *, version: str | None = None, segment: str = ""
    ) -> DataFrame:
        """How each column was distributed, and in the reference: a row for each cell, with the share of the rows in it.

        Raises ValueError where nothing is stored for that time, or too much for one answer.
        """
        begin, until = _at(start), _at(end)
        if begin is None or until is None:
            raise ValueError("A profile has a start and an end; give both.")
        found = profile_of(self._engine, model, begin, until, version, segment=segment)
        if found is None:
            raise ValueError(f"No rows of {model!r} are stored for that time and segment; evaluations() lists windows.")
        rows = [cell for column in found.columns for cell in _cells(asdict(column))]
        return _data_frame(rows, ("column", "cell", "rows", "share", "reference_rows", "reference_share"))


def _cells(column: Mapping[str, Any]) -> Iterable[tuple[Any, ...]]:
    edges = column["edges"]
    bounds = zip(("-inf", *edges), (*edges, "inf"), strict=True)
    names = (
        [f"[{low}, {high})" for low, high in bounds] if column["kind"] == "numbers" else [*column["values"], "(other)"]
    )
    kinds = ("null", "nan", "infinite", "absent")
    sides = [_shares(column[side], kinds) for side in ("window", "reference")]
    for place, name in enumerate([*names, *(f"({kind})" for kind in kinds)]):
        yield (column["column"], name, *sides[0][place], *(sides[1][place] if sides[1] else (None, None)))


def _shares(side: Mapping[str, Any] | None, kinds: Sequence[str]) -> list[tuple[int, float | None]]:
    if side is None:
        return []
    counts = [*side["counts"], *(side[kind] for kind in kinds)]
    return [(count, count / side["rows"] if side["rows"] else None) for count in counts]


def _at(when: When) -> datetime | None:
    if when is None:
        return None
    return parse_time(when, wall_now()) if isinstance(when, str) else parse_moment(when)


def _frame(kind: type, rows: Iterable[Any]) -> DataFrame:
    """A row for each answer, a column for each of its fields; times are aware, also where there is none."""
    hints = get_type_hints(kind)
    names = list(hints)
    frame = _data_frame([tuple(getattr(row, name) for name in names) for row in rows], names)
    for name, hint in hints.items():
        if datetime in (hint, *get_args(hint)):
            frame[name] = frame[name].astype("datetime64[us, UTC]")
    return frame


def _data_frame(rows: Sequence[tuple[Any, ...]], names: Sequence[str]) -> DataFrame:
    import pandas as pd  # half a second, and only notebooks want it

    return pd.DataFrame.from_records(rows, columns=list(names))
