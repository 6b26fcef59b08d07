"""What a unit of work ends with in SQLite: a few statements and the commit, one trip to the connection's thread.

Every write ends with them, so they are compiled once, and their values are made ready by hand.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any

from sqlalchemy import Table, bindparam, select
from sqlalchemy import insert as insert_into
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.adapters.sql.turn import ADD_CARD, ADD_NUMBERED_CARD, LOG, REVISION, TAKE_TURN, Inserts, NewCard, Turn

from .compiled import Compiled
from .one_hop import in_one_trip

_TAKE_TURN = Compiled(TAKE_TURN)
_APPEND = Compiled(
    insert_into(REVISION)
    .inline()  # else it returns the seq, and what returns rows is nothing for executemany (Python 3.13 refuses it)
    .values(
        {column.key: bindparam(column.key, type_=column.type) for column in REVISION.columns}
        | {"seq": select(LOG.c.seq).scalar_subquery() - bindparam("left", type_=LOG.c.seq.type)}
    )
)


_ADD_CARD = Compiled(ADD_CARD.inline())
_ADD_NUMBERED_CARD = Compiled(ADD_NUMBERED_CARD.inline())


@cache
def _insert(table: Table) -> Compiled:
    return Compiled(insert_into(table).inline())


def _cards(turn: Turn) -> Mapping[Compiled, Sequence[NewCard]]:
    new = [card for card in turn.cards if card.number is None]
    others = [card for card in turn.cards if card.number is not None]
    return {statement: cards for statement, cards in ((_ADD_CARD, new), (_ADD_NUMBERED_CARD, others)) if cards}


async def insert(connection: AsyncConnection, inserts: Inserts) -> None:
    """Insert rows. Raises sqlite3.Error."""
    await in_one_trip(connection, partial(_inserted, inserts=_ready(inserts)))


def _ready(inserts: Inserts) -> Sequence[tuple[str, Sequence[Any]]]:
    new = [(_insert(table), rows) for table, rows in inserts]
    return [(statement.text, list(map(statement.values, rows))) for statement, rows in new]


def _inserted(connection: sqlite3.Connection, inserts: Sequence[tuple[str, Sequence[Any]]]) -> None:
    for text, values in inserts:
        connection.executemany(text, values)


async def append(connection: AsyncConnection, turn: Turn, inserts: Inserts) -> bool:
    """Insert, take the turn, write the entries and commit; return whether that was allowed. Raises sqlite3.Error."""
    inserted = _ready(inserts)
    counts = _TAKE_TURN.values(turn.counts)
    rows = [_APPEND.values({**entry, "left": left}) for entry, left in zip(turn.entries, turn.left, strict=True)]

    cards = {statement: [statement.values(card.bound) for card in found] for statement, found in _cards(turn).items()}

    def work(connection: sqlite3.Connection) -> bool:
        _inserted(connection, inserted)
        if not connection.execute(_TAKE_TURN.text, counts).rowcount:
            return False
        connection.executemany(_APPEND.text, rows)
        for statement, values in cards.items():
            connection.executemany(statement.text, values)
        connection.execute("COMMIT")
        return True

    return await in_one_trip(connection, work)
