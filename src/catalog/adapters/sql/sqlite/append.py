"""What a unit of work ends with in SQLite: a few statements and the commit, one trip to the connection's thread.

Every write ends with them, so they are compiled once, and their values are made ready by hand.
"""

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache, partial
from typing import Any, TypeAlias

from sqlalchemy import Table, Text, bindparam, column, select, table
from sqlalchemy import insert as insert_into
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.adapters.sql.rows import BIG
from catalog.adapters.sql.turn import (
    ADD_CARD,
    ADD_NUMBERED_CARD,
    LOG,
    MANY,
    NEW_PLACE,
    REVISION,
    TAKE_TURN,
    Inserts,
    NewCard,
    Turn,
)
from catalog.domain.search import SearchField

from .compiled import Compiled
from .one_hop import in_one_trip

_Statements: TypeAlias = Sequence[tuple[str, Sequence[Sequence[Any]]]]

_TAKE_TURN = Compiled(TAKE_TURN)
_APPEND = Compiled(
    insert_into(REVISION)
    .inline()  # else it returns the seq, and what returns rows is nothing for executemany (Python 3.13 refuses it)
    .values(
        {column.key: bindparam(column.key, type_=column.type) for column in REVISION.columns}
        | {"seq": select(LOG.c.seq).scalar_subquery() - bindparam("left", type_=LOG.c.seq.type)}
    )
)


_PLACE = column("rowid", BIG)
_WORDS = {field.value: column(field.value, Text()) for field in SearchField}
_PUT_WORDS = insert_into(table("card_words", _PLACE, *_WORDS.values())).values(
    {name: bindparam(name, type_=Text()) for name in _WORDS}
)
_NEW_CARDS = (Compiled(ADD_CARD.inline()), Compiled(_PUT_WORDS.values(rowid=NEW_PLACE).inline()))
_NUMBERED_CARDS = (
    Compiled(ADD_NUMBERED_CARD.inline()),
    Compiled(_PUT_WORDS.values(rowid=bindparam("place", type_=BIG)).inline()),
)


CHECKPOINT, RARER_CHECKPOINT = 1_000, 4_000
"""Pages in SQLite's log after which a commit writes them into the file: always, and where commits are large.

Each of these writes some two thousand, and many are those that the one before wrote, too.
"""


@contextmanager
def _fewer_checkpoints(connection: sqlite3.Connection) -> Generator[None]:
    connection.execute(f"PRAGMA wal_autocheckpoint={RARER_CHECKPOINT}")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT}")


@cache
def _insert(table: Table) -> Compiled:
    return Compiled(insert_into(table).inline())


async def add_cards(connection: AsyncConnection, cards: Sequence[NewCard]) -> None:
    """Write cards, and put their words into the index. Raises sqlite3.Error."""
    await in_one_trip(connection, partial(_executed, statements=_ready_cards(cards)))


def _ready_cards(cards: Sequence[NewCard]) -> _Statements:
    """Return what writes the cards, and then puts their words into the index, in the order of their places.

    FTS5 gathers what comes in that order, and writes it at once; it would write it card by card if a trigger put it
    there.
    """
    new = [card.bound for card in cards if card.number is None]
    numbered = [card.bound for card in cards if card.number is not None]
    return [
        (statement.text, list(map(statement.values, values)))
        for statements, values in ((_NEW_CARDS, new), (_NUMBERED_CARDS, numbered))
        for statement in statements
        if values
    ]


async def insert(connection: AsyncConnection, inserts: Inserts) -> None:
    """Insert rows. Raises sqlite3.Error."""
    await in_one_trip(connection, partial(_executed, statements=_ready(inserts)))


def _ready(inserts: Inserts) -> _Statements:
    new = [(_insert(table), rows) for table, rows in inserts]
    return [(statement.text, list(map(statement.values, rows))) for statement, rows in new]


def _executed(connection: sqlite3.Connection, statements: _Statements) -> None:
    for text, values in statements:
        connection.executemany(text, values)


async def append(connection: AsyncConnection, turn: Turn, inserts: Inserts) -> bool:
    """Insert, take the turn, write the entries and commit; return whether that was allowed. Raises sqlite3.Error."""
    inserted = _ready(inserts)
    counts = _TAKE_TURN.values(turn.counts)
    rows = [_APPEND.values({**entry, "left": left}) for entry, left in zip(turn.entries, turn.left, strict=True)]
    cards = _ready_cards(turn.cards)

    def work(connection: sqlite3.Connection) -> bool:
        _executed(connection, inserted)
        if not connection.execute(_TAKE_TURN.text, counts).rowcount:
            return False
        connection.executemany(_APPEND.text, rows)
        _executed(connection, cards)
        with _fewer_checkpoints(connection) if len(rows) >= MANY else nullcontext():
            connection.execute("COMMIT")
        return True

    return await in_one_trip(connection, work)
