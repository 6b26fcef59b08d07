"""Appending to the log in SQLite: two statements, one trip to the connection's thread.

Every write ends with them, so they are compiled once, and their values are made ready by hand.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ClauseElement, Table, bindparam, insert, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.adapters.sql.rows import LogRow, RevisionRow

from .one_hop import in_one_trip

_DIALECT = sqlite.dialect()
_LOG = cast("Table", LogRow.__table__)
_REVISION = cast("Table", RevisionRow.__table__)


class _Statement:
    """A statement in SQLite's words, and what makes its values ready."""

    def __init__(self, statement: ClauseElement) -> None:
        compiled: Any = statement.compile(dialect=_DIALECT)
        self.text = str(compiled)
        self._places = [
            (name, compiled.binds[name].type.dialect_impl(_DIALECT).bind_processor(_DIALECT))
            for name in compiled.positiontup
        ]

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        """Return the values in the order of their places."""
        return [given[name] if ready is None else ready(given[name]) for name, ready in self._places]


_TAKE_TURN = _Statement(
    update(_LOG)
    .where(_LOG.c.follows.is_(None))
    .values(
        seq=_LOG.c.seq + bindparam("more", type_=_LOG.c.seq.type),
        at=bindparam("now", type_=_LOG.c.at.type),
        authors=_LOG.c.authors + bindparam("more_authors", type_=_LOG.c.authors.type),
        books=_LOG.c.books + bindparam("more_books", type_=_LOG.c.books.type),
    )
)
_APPEND = _Statement(
    insert(_REVISION)
    .inline()  # else it returns the seq, and what returns rows is nothing for executemany (Python 3.13 refuses it)
    .values(
        {column.key: bindparam(column.key, type_=column.type) for column in _REVISION.columns}
        | {"seq": select(_LOG.c.seq).scalar_subquery() - bindparam("left", type_=_LOG.c.seq.type)}
    )
)


async def append(
    connection: AsyncConnection, *, now: datetime, more_authors: int, more_books: int, entries: Sequence[dict[str, Any]]
) -> bool:
    """Take the turn and write the entries, which get their seq; return whether that was allowed.

    It is not where the storage follows another catalogue. Raises sqlite3.Error.
    """
    count = len(entries)
    turn = _TAKE_TURN.values({"more": count, "now": now, "more_authors": more_authors, "more_books": more_books})
    rows = [_APPEND.values(entry | {"left": count - number}) for number, entry in enumerate(entries, 1)]

    def work(connection: sqlite3.Connection) -> bool:
        if not connection.execute(_TAKE_TURN.text, turn).rowcount:
            return False
        connection.executemany(_APPEND.text, rows)
        return True

    return await in_one_trip(connection, work)
