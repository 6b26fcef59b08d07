"""Appending to the log in PostgreSQL: one statement, so that the turn is held for as short as can be."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, func, insert, select, true, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.adapters.sql.rows import LogRow, RevisionRow

_LOG = cast("Table", LogRow.__table__)
_REVISION = cast("Table", RevisionRow.__table__)
_TOLD = [column for column in _REVISION.columns if column is not _REVISION.c.seq]

_TURN = (
    update(_LOG)
    .where(_LOG.c.follows.is_(None))
    .values(
        seq=_LOG.c.seq + bindparam("more", type_=_LOG.c.seq.type),
        at=bindparam("now", type_=_LOG.c.at.type),
        authors=_LOG.c.authors + bindparam("more_authors", type_=_LOG.c.authors.type),
        books=_LOG.c.books + bindparam("more_books", type_=_LOG.c.books.type),
    )
    .returning(_LOG.c.seq)
    .cte("turn")
)
# A column each instead of a row each, so that the statement is the same however many there are.
_ENTRIES = (
    func.unnest(
        bindparam("left", type_=ARRAY(_LOG.c.seq.type)),
        *(bindparam(f"{column.key}s", type_=ARRAY(column.type)) for column in _TOLD),
    )
    .table_valued("left", *(column.key for column in _TOLD), name="entry")
    .render_derived()
)
_APPEND = insert(_REVISION).from_select(
    ["seq", *(column.key for column in _TOLD)],
    select(_TURN.c.seq - _ENTRIES.c.left, *(_ENTRIES.c[column.key] for column in _TOLD)).select_from(
        _TURN.join(_ENTRIES, true())
    ),
)


async def append(
    connection: AsyncConnection, *, now: datetime, more_authors: int, more_books: int, entries: Sequence[dict[str, Any]]
) -> bool:
    """Take the turn and write the entries, which get their seq; return whether that was allowed."""
    count = len(entries)
    values: dict[str, Any] = {"more": count, "now": now, "more_authors": more_authors, "more_books": more_books}
    values["left"] = [count - number for number in range(1, count + 1)]
    values |= {f"{column.key}s": [entry[column.key] for entry in entries] for column in _TOLD}
    result = await connection.execute(_APPEND, values)
    return result.rowcount > 0
