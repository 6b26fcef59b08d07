"""Appending to the log in PostgreSQL: one statement, so that the turn is held for as short as can be."""

from collections.abc import Sequence

from sqlalchemy import bindparam, func, insert, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.adapters.sql.turn import ADD_CARD, ADD_NUMBERED_CARD, LOG, REVISION, TAKE_TURN, NewCard, Turn

_TOLD = [column for column in REVISION.columns if column is not REVISION.c.seq]

_TURN = TAKE_TURN.returning(LOG.c.seq).cte("turn")
# A column each instead of a row each, so that the statement is the same however many there are.
_ENTRIES = (
    func.unnest(
        bindparam("left", type_=ARRAY(LOG.c.seq.type)),
        *(bindparam(f"{column.key}s", type_=ARRAY(column.type)) for column in _TOLD),
    )
    .table_valued("left", *(column.key for column in _TOLD), name="entry")
    .render_derived()
)
_APPEND = insert(REVISION).from_select(
    ["seq", *(column.key for column in _TOLD)],
    select(_TURN.c.seq - _ENTRIES.c.left, *(_ENTRIES.c[column.key] for column in _TOLD)).select_from(
        _TURN.join(_ENTRIES, true())
    ),
)


async def append(connection: AsyncConnection, turn: Turn) -> bool:
    """Take the turn and write the entries; return whether that was allowed."""
    columns = {f"{column.key}s": [entry[column.key] for entry in turn.entries] for column in _TOLD}
    result = await connection.execute(_APPEND, turn.counts | columns | {"left": list(turn.left)})
    if not result.rowcount:
        return False
    await add_cards(connection, turn.cards)
    return True


async def add_cards(connection: AsyncConnection, cards: Sequence[NewCard]) -> None:
    """Write cards; the index of words follows from them."""
    new = [card.bound for card in cards if card.number is None]
    others = [card.bound for card in cards if card.number is not None]
    for statement, values in ((ADD_CARD, new), (ADD_NUMBERED_CARD, others)):
        if values:
            await connection.execute(statement, values)
