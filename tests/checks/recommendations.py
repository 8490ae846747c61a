"""A recommender's log, drawn from a fixed seed; and what its lists are worth, computed row by row in Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import md5
from math import log2
from random import Random
from statistics import fmean
from typing import Any

from checks.contract import Roles, Window
from checks.profile import Layout, Profile

START = datetime(2024, 1, 1, tzinfo=UTC)
COUNTRIES = ("DE", "NO", "SE", None)
Row = Mapping[str, Any]
ROLES = Roles(
    id="id",
    time="at",
    request="request",
    item="item",
    position="position",
    score="score",
    outcome="grade",
    segments=("country",),
)
BY_SCORE = Roles(time="at", request="request", item="item", score="score", outcome="grade")
LAYOUT = Layout({}, {"country": ("DE", "NO")})
TYPES = {"id": "string", "item": "string", "country": "string", "position": "float64", "score": "float64"}
TYPES |= {"request": "int64", "at": "timestamp", "grade": "float64"}


def window(
    rows: Sequence[Row],
    roles: Roles = ROLES,
    *,
    buckets: int = 5,
    types: Mapping[str, str] | None = None,
    catalogue: Sequence[Row] = (),
) -> Window:
    """Five days of rows."""
    import ibis

    schema = {**TYPES, **(types or {})}
    given = [{name: row.get(name) for name in schema} for row in rows]
    return Window(
        start=START,
        end=START + timedelta(days=5),
        task="ranking",
        buckets=(Profile(LAYOUT),) * buckets,
        roles=roles,
        load_table=lambda: ibis.memtable(given, schema=schema),
        load_catalogue=lambda: ibis.memtable(list(catalogue), schema={"item": "string", "uses": "float64"}),
    )


def shown(requests: int = 120, days: int = 5) -> list[dict[str, Any]]:
    """Lists of 1 to 14 of 60 items, a few liked much; of every ninth request no outcome is in."""
    chance, rows = Random(7), []
    for place in range(requests):
        at = START.replace(tzinfo=None) + timedelta(days=days * place / requests)
        items = sorted(
            {int(60 * chance.random() ** 2) for _ in range(chance.randint(1, 14))}, key=lambda _: chance.random()
        )
        for position, item in enumerate(items, start=1):
            liked = chance.choices((0, 1, 2, 3, None), (10, 3, 2, 1, 4))[0]
            rows.append(
                {
                    "id": f"{place}-{position}",
                    "at": at,
                    "request": place,
                    "item": f"i{item}",
                    "position": position,
                    "score": round(1 - position / 20 + chance.random() / 5, 1),  # with ties
                    "country": COUNTRIES[place % 4],
                    "grade": None if place % 9 == 0 else liked,
                }
            )
    return rows


def lists_of(rows: Iterable[Row]) -> list[list[Row]]:
    """Rows by request."""
    lists: dict[object, list[Row]] = {}
    for row in rows:
        lists.setdefault(row["request"], []).append(row)
    return list(lists.values())


def by_score(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The same rows, with positions by descending score; of equal ones by the MD5 of the item."""

    def order(row: Row) -> tuple[float, str]:
        return -row["score"], md5(row["item"].encode(), usedforsecurity=False).hexdigest()

    return [
        {**row, "position": position}
        for one in lists_of(rows)
        for position, row in enumerate(sorted(one, key=order), start=1)
    ]


def worth(rows: Iterable[Row], k: int, requests: str = "judged") -> dict[str, float]:
    """Each metric of the check ranking, by its definition."""
    lists = [one for one in lists_of(rows) if requests == "all" or any(row["grade"] is not None for row in one)]
    top = [[row for row in one if row["position"] <= k] for one in lists]
    pairs = list(zip(top, lists, strict=True))
    wanted = [(first, one) for first, one in pairs if _relevant(one)]
    return {
        "precision_at_k": fmean(_relevant(first) / min(k, len(one)) for first, one in pairs),
        "recall_at_k": fmean(_relevant(first) / _relevant(one) for first, one in wanted),
        "hit_rate": fmean(_relevant(first) > 0 for first in top),
        "map": fmean(_average_precision(first, _relevant(one)) for first, one in wanted),
        "mrr": fmean(max((1 / row["position"] for row in first if row["grade"]), default=0.0) for first in top),
        "ndcg": fmean(_gain(first) / _best(one, k) for first, one in wanted),
        "click_through": sum(map(_relevant, top)) / sum(map(len, top)),
    }


def _relevant(rows: Iterable[Row]) -> int:
    return sum(1 for row in rows if row["grade"])


def _average_precision(first: Sequence[Row], relevant: int) -> float:
    liked = sorted(float(row["position"]) for row in first if row["grade"])
    return sum(found / position for found, position in enumerate(liked, start=1)) / relevant


def _gain(first: Iterable[Row]) -> float:
    return sum(float(row["grade"] or 0) / log2(float(row["position"]) + 1) for row in first)


def _best(rows: Iterable[Row], k: int) -> float:
    grades = sorted((row["grade"] or 0 for row in rows), reverse=True)[:k]
    return sum(float(grade) / log2(place + 1) for place, grade in enumerate(grades, start=1))
