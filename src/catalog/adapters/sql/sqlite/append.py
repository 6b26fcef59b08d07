"""Appending to the log in SQLite: two statements, one trip to the connection's thread.

Every write ends with them, so they are compiled once, and their values are made ready by hand.
"""

import sqlite3
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ClauseElement, bindparam, insert, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.adapters.sql.turn import LOG, REVISION, TAKE_TURN, Turn

from .one_hop import in_one_trip

_DIALECT = sqlite.dialect()


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


_TAKE_TURN = _Statement(TAKE_TURN)
_APPEND = _Statement(
    insert(REVISION)
    .inline()  # else it returns the seq, and what returns rows is nothing for executemany (Python 3.13 refuses it)
    .values(
        {column.key: bindparam(column.key, type_=column.type) for column in REVISION.columns}
        | {"seq": select(LOG.c.seq).scalar_subquery() - bindparam("left", type_=LOG.c.seq.type)}
    )
)


async def append(connection: AsyncConnection, turn: Turn) -> bool:
    """Take the turn and write the entries; return whether that was allowed. Raises sqlite3.Error."""
    counts = _TAKE_TURN.values(turn.counts)
    rows = [_APPEND.values({**entry, "left": left}) for entry, left in zip(turn.entries, turn.left, strict=True)]

    def work(connection: sqlite3.Connection) -> bool:
        if not connection.execute(_TAKE_TURN.text, counts).rowcount:
            return False
        connection.executemany(_APPEND.text, rows)
        return True

    return await in_one_trip(connection, work)
