"""The workload of the speed benchmark: predictions with outcomes, 20 numbers and 10 categories, written as Parquet."""

from __future__ import annotations

from pathlib import Path

import duckdb

NUMBERS = tuple(f"x{place}" for place in range(20))
CATEGORIES = tuple(f"k{place}" for place in range(10))
VALUES = (5, 5, 10, 20, 50, 100, 200, 500, 1000, 1000)
ENTITIES = 100_000

COPIED = 1_000_000
"""More rows than this are copies of as many with ids and times of their own: random numbers take longest."""

SHAPES = (
    "sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())",  # normal
    "exp(0.5 * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()))",  # lognormal
    "random()",
    "greatest(least(tan(pi() * (random() - 0.5)), 1e6), -1e6)",  # heavy-tailed
)


PART = 10_000_000
"""More rows than this are several files."""


def write(first: Path, rows: int, *, seed: float, days: int = 1) -> Path:
    """Rows over *days* from 2024-01-01 on, in order of time; nothing is done where they are there already.

    Further files are called ``first.1.parquet`` and so on.
    """
    if not first.exists():
        _write_first(first, min(rows, PART), rows, seed, days)
    for place in range(1, rows // PART):
        part = first.with_suffix(f".{place}.parquet")
        if not part.exists():
            seconds = place * PART / rows * days * 86400
            moved = f"id + {PART * place} AS id, live.at + INTERVAL '{seconds:.0f} seconds' AS \"at\""
            _copy(f"SELECT * REPLACE ({moved}) FROM '{first}' AS live", part, duckdb.connect())
    return first


def _write_first(path: Path, rows: int, whole: int, seed: float, days: int) -> None:
    base = min(rows, COPIED)
    engine = duckdb.connect()
    engine.execute(f"SELECT setseed({seed})")
    columns = _columns(exact=rows <= COPIED)
    engine.execute(f"CREATE TABLE base AS SELECT {columns} FROM (SELECT random() AS score FROM range({base}))")
    moved = f"id + {base} * copy AS id, ((id + {base} * copy)::DOUBLE / {whole} * {days * 86400})::BIGINT AS s"
    ordered = f"SELECT {moved}, * EXCLUDE (id, copy) FROM base, range({rows // base}) AS copies(copy) ORDER BY copy, id"
    at = "TIMESTAMP '2024-01-01' + s * INTERVAL 1 SECOND AS at"
    entity = f"id % {ENTITIES} AS entity"
    _copy(f"SELECT id, {at}, {entity}, * EXCLUDE (id, s) FROM ({ordered})", path, engine)


def _copy(query: str, path: Path, engine: duckdb.DuckDBPyConnection) -> None:
    half = path.with_suffix(".part")
    with engine:
        engine.execute("SET threads = 2; SET enable_progress_bar = false; SET memory_limit = '4GB'")
        engine.execute(f"COPY ({query}) TO '{half}' (FORMAT parquet, COMPRESSION zstd)")
    half.rename(path)


def peak_mb() -> float:
    """The most memory this process has held; not what its parent did, as getrusage tells."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def write_population(path: Path) -> Path:
    """The entities the model is meant to serve: those of the rows, and a twentieth more."""
    if not path.exists():
        with duckdb.connect() as engine:
            engine.execute(
                f"COPY (SELECT range AS entity FROM range({ENTITIES * 21 // 20})) TO '{path}' (FORMAT parquet)"
            )
    return path


def _columns(*, exact: bool) -> str:
    """Numbers of four shapes, most of them with nulls and NaN; categories; score and outcome.

    Numbers that are not *exact* have three decimals, as measured ones have: they take a third of the room.
    """
    digits = 17 if exact else 3
    numbers = [f"round({_holed(place)}, {digits}) AS {name}" for place, name in enumerate(NUMBERS)]
    categories = [
        f"'c' || floor(pow(random(), 2) * {count})::INT AS {name}"
        for name, count in zip(CATEGORIES, VALUES, strict=True)
    ]
    said = ["score", "(score > 0.5)::INT AS said", "(random() < score)::INT AS truth"]
    return ", ".join(["(row_number() OVER () - 1)::BIGINT AS id", *numbers, *categories, *said])


def _holed(place: int) -> str:
    shape = SHAPES[place % len(SHAPES)]
    if place % 5 != 4:
        return f"({shape})::DOUBLE"
    return f"(CASE WHEN random() < 0.05 THEN NULL WHEN random() < 0.01 THEN 'nan'::DOUBLE ELSE {shape} END)::DOUBLE"
