"""Values and inserts that mean the same to both databases: what one would refuse, or change, is changed before."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    Integer,
    Subquery,
    Table,
    Text,
    any_,
    bindparam,
    cast,
    column,
    func,
    insert,
    select,
    type_coerce,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeDecorator


def number(value: float | None) -> float | None:
    """A float; NaN, which SQLite cannot hold, is "cannot tell"."""
    return None if value is None or math.isnan(value) else float(value)


def words(text: str, limit: int | None = None) -> str:
    """Text without NUL and lone surrogates, which PostgreSQL refuses; beyond *limit* its end becomes a hash of it."""
    plain = text.isascii() and "\x00" not in text
    clean = text if plain else text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    if limit is None or len(clean) <= limit:
        return clean
    return f"{clean[: limit - 17]}~{sha256(clean.encode()).hexdigest()[:16]}"


def packed(content: bytes) -> bytes:
    """A document as the history keeps it; slow for large ones, so outside of a transaction."""
    return zlib.compress(content)


def unpacked(content: bytes) -> bytes:
    """The document as it was."""
    return zlib.decompress(content)


def to_json(value: Any) -> str:
    """Strict JSON: NaN and infinities become null, and what JSON has no word for becomes text."""
    try:
        return json.dumps(value, allow_nan=False, default=str)
    except ValueError:
        return json.dumps(_finite(value), allow_nan=False, default=str)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


class _Ids(TypeDecorator[Sequence[int]]):
    """Many ids in PostgreSQL's own notation, which psycopg would put together with a search in each."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[int] | None, dialect: Dialect) -> str:  # noqa: ARG002  # as SQLAlchemy calls it
        return f"{{{','.join(map(str, value or ()))}}}"


def among(dialect: str, column: ColumnElement[int], ids: str) -> ColumnElement[bool]:
    """Whether a column is in the list that is given as the parameter *ids*: one word, not a statement of thousands."""
    if dialect == "sqlite":
        return column.in_(select(func.json_each(bindparam(ids, type_=JSON)).table_valued("value").c.value))
    return column == any_(cast(bindparam(ids, type_=_Ids), ARRAY(BigInteger)))


def numbered(dialect: str, ids: str) -> Subquery:
    """The list that is given as the parameter *ids* as a table of each id and its place in the list, from zero on."""
    if dialect == "sqlite":
        each = func.json_each(bindparam(ids, type_=JSON)).table_valued(column("key", Integer), column("value", Integer))
        return select(each.c.value.label("id"), each.c.key.label("place")).subquery()
    given = cast(bindparam(ids, type_=_Ids), ARRAY(BigInteger))
    each = func.unnest(given).table_valued(column("value", BigInteger), with_ordinality="ordinality").render_derived()
    return select(each.c.value.label("id"), (type_coerce(each.c.ordinality, Integer) - 1).label("place")).subquery()


def texts(dialect: str, rows: str, names: Sequence[str]) -> Subquery:
    """The rows of texts that are given as the parameter *rows* as a table with these columns."""
    given = bindparam(rows, type_=JSON)
    if dialect == "sqlite":
        row = func.json_each(given).table_valued("value").c.value
        return select(*(func.json_extract(row, f"$[{at}]").label(name) for at, name in enumerate(names))).subquery()
    row = func.json_array_elements(given).table_valued(column("value", JSON)).c.value
    return select(*(row[at].as_string().label(name) for at, name in enumerate(names))).subquery()


def insert_many(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that name the same columns; PostgreSQL gets a list per column, which is twice as fast as rows."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.execute(insert(table), rows)
        return
    names = list(rows[0])
    lists = [func.unnest(bindparam(f"all_{name}", type_=ARRAY(table.c[name].type))) for name in names]
    values = {f"all_{name}": [row[name] for row in rows] for name in names}
    connection.execute(insert(table).from_select(names, select(*lists), include_defaults=False), values)


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows whose unique keys are not there yet; leave the others as they are."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), rows)


def insert_or_replace(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], changes: Mapping[str, ColumnElement[Any]]
) -> None:
    """Insert rows; where the primary key is there already, set every other column, *changes* in their own way."""
    if not rows:
        return
    statement = _insert(connection, table)
    given = {name: statement.excluded[name] for name in rows[0] if not table.c[name].primary_key}
    connection.execute(
        statement.on_conflict_do_update(index_elements=list(table.primary_key), set_={**given, **changes}), rows
    )


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
