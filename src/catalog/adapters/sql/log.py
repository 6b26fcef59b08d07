"""The log in SQL: revisions, and the one row that counts them."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from attrs import evolve
from sqlalchemy import Row, Select, and_, bindparam, exists, insert, or_, select, tuple_, update
from sqlalchemy.orm import aliased

from catalog.domain.authors import Author
from catalog.domain.books import Book
from catalog.domain.callers import Caller
from catalog.domain.errors import CanNotFollow, Interrupted, ReadOnlyReplica
from catalog.domain.kinds import Kind
from catalog.domain.queries import Position
from catalog.domain.records import told
from catalog.domain.revisions import PROMOTED, Change, Operation, Revision, Withheld

from .mapping import columns_of, from_json, to_json
from .rows import LogRow, RevisionRow
from .slices import MOST_PARAMETERS, slices
from .transaction import Transaction
from .turn import COUNT, LOG, REVISION, NewCard, Turn

RECORDS: Mapping[Kind, type[Author | Book]] = {Kind.AUTHOR: Author, Kind.BOOK: Book}
REVISIONS = select(*columns_of(RevisionRow, Revision))
POSITION = select(LogRow.seq, LogRow.at, LogRow.authors, LogRow.books)

_LATER = aliased(RevisionRow)
_IS_LAST = ~exists().where(_LATER.id == RevisionRow.id, _LATER.version > RevisionRow.version)
_APPEND = insert(REVISION)

_IS_REPLICA = or_(LOG.c.follows == bindparam("source"), LOG.c.seq == 0)
_COUNT_REPLAYED = (
    COUNT.where(LOG.c.seq == bindparam("expected"), _IS_REPLICA)
    .values(follows=bindparam("source"))
    .returning(LOG.c.seq)
)


def revision_of(row: Row[*tuple[Any, ...]]) -> Revision:
    """Return the revision that a row of `REVISIONS` keeps."""
    values: dict[str, Any] = dict(row._mapping)  # noqa: SLF001 - public in spite of its name
    kind = Kind(values["kind"])
    after, withheld = values["after"], values["withheld"]
    return Revision(
        **values
        | {
            "kind": kind,
            "operation": Operation(values["operation"]),
            "after": None if after is None else from_json(after, RECORDS[kind]),
            "withheld": None if withheld is None else Withheld(withheld),
        }
    )


def position_of(row: Row[*tuple[Any, ...]]) -> Position:
    """Return the position that a row of `POSITION` keeps."""
    return Position(seq=row.seq, at=row.at)


class Ledger:
    """What a unit of work has done: its changes, how many more records of each kind there are, and who was renamed."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.more: Counter[Kind] = Counter()
        self.renamed: set[UUID] = set()


class SqlRevisionLog:
    """The log, inside a unit of work."""

    def __init__(self, transaction: Transaction, ledger: Ledger) -> None:
        self._transaction = transaction
        self._ledger = ledger
        self._replayed: list[Revision] = []
        self._source: str | None = None
        self._has_erased = False

    async def position(self) -> int:
        seq: int = (await self._transaction.execute(POSITION)).one().seq
        return seq

    async def source(self) -> str | None:
        source: str | None = (await self._transaction.execute(select(LogRow.follows))).scalar()
        return source

    async def last(self, kind: Kind, ids: Collection[UUID]) -> Mapping[UUID, Revision]:
        found: dict[UUID, Revision] = {}
        for some in slices(ids):
            revisions = await self._found(_of_kind(kind).where(RevisionRow.id.in_(some), _IS_LAST))
            found |= {revision.id: revision for revision in revisions}
        return found

    async def versions(self, kind: Kind, versions: Mapping[UUID, int]) -> Mapping[UUID, Revision]:
        found: dict[UUID, Revision] = {}
        for some in slices(versions.items(), MOST_PARAMETERS // 3):
            # SQLite takes the index for the ids alone; for pairs it would look through the whole log.
            ids = RevisionRow.id.in_([id for id, _ in some])
            wanted = and_(ids, tuple_(RevisionRow.id, RevisionRow.version).in_(some))
            found |= {revision.id: revision for revision in await self._found(_of_kind(kind).where(wanted))}
        return found

    async def as_of(self, kind: Kind, id: UUID, seq: int) -> Revision | None:
        statement = _of_kind(kind).where(RevisionRow.id == id, RevisionRow.seq <= seq)
        found = await self._found(statement.order_by(RevisionRow.version.desc()).limit(1))
        return found[0] if found else None

    async def of_group(self, group: UUID, *, before: int | None = None, limit: int = 1000) -> Sequence[Revision]:
        statement = REVISIONS.where(RevisionRow.group == group).order_by(RevisionRow.seq.desc()).limit(limit)
        return await self._found(statement if before is None else statement.where(RevisionRow.seq < before))

    async def merged_into(self, kind: Kind, id: UUID) -> Sequence[Revision]:
        return await self._found(_of_kind(kind).where(RevisionRow.into == id, _IS_LAST).order_by(RevisionRow.seq))

    async def append(self, *changes: Change) -> None:
        self._ledger.changes += changes

    async def replay(self, *revisions: Revision, source: str) -> None:
        self._replayed += revisions
        self._source = source

    async def erase(self, kind: Kind, id: UUID) -> None:
        has_content = or_(RevisionRow.after.is_not(None), RevisionRow.withheld.is_not(None))
        await self._withhold(Withheld.ERASED, RevisionRow.id == id, RevisionRow.kind == kind, has_content)
        self._has_erased = True

    async def compact(self, *, before: datetime, after_seq: int, limit: int) -> tuple[int, int | None]:
        upto = after_seq + limit
        is_succeeded = exists().where(
            and_(_LATER.id == RevisionRow.id, _LATER.version > RevisionRow.version, _LATER.at < before)
        )
        is_seen = RevisionRow.seq.between(after_seq + 1, upto)
        dropped = await self._withhold(Withheld.COMPACTED, is_seen, RevisionRow.after.is_not(None), is_succeeded)
        return dropped, upto if upto < await self.position() else None

    async def commit(self, caller: Caller, group: UUID | None, cards: Sequence[NewCard]) -> None:
        """Take the turn, and write what there is to write: the last thing before the transaction ends."""
        if self._has_erased:
            await self._transaction.forget_words()
        if self._source is not None:
            await self._replay(self._replayed, self._source, cards)
        elif changes := self._ledger.changes:
            of_all = {"seq": 0, "actor": caller.actor, "request_id": caller.request_id, "group": group}
            entries = [_values(change, of_all) for change in changes]
            if not await self._transaction.append(self._turn(changes[-1].at, entries, cards)):
                raise ReadOnlyReplica((await self._transaction.execute(select(LOG.c.follows))).scalar_one())

    async def _replay(self, revisions: Sequence[Revision], source: str, cards: Sequence[NewCard]) -> None:
        if not revisions:
            await self._transaction.execute(update(LOG).values(follows=source))
            return
        first = revisions[0].seq
        if [revision.seq for revision in revisions] != list(range(first, first + len(revisions))):
            raise Interrupted
        turn = self._turn(revisions[-1].at, [_values(revision) for revision in revisions])
        expected = turn.counts | {"expected": first - 1, "source": source}
        if (await self._transaction.execute(_COUNT_REPLAYED, expected)).scalar_one_or_none() is None:
            last = (await self._transaction.execute(select(LOG.c.seq))).scalar_one()
            raise CanNotFollow(PROMOTED) if last == first - 1 else Interrupted
        await self._transaction.execute(_APPEND, turn.entries)
        if cards:
            seqs = {revision.id: revision.seq for revision in reversed(revisions)}
            numbered = [evolve(card, number=card.number or seqs[card.values["book_id"]]) for card in cards]
            await self._transaction.add_cards(numbered)

    def _turn(self, now: datetime, entries: Sequence[dict[str, Any]], cards: Sequence[NewCard] = ()) -> Turn:
        more = self._ledger.more
        return Turn(now=now, more_authors=more[Kind.AUTHOR], more_books=more[Kind.BOOK], entries=entries, cards=cards)

    async def _withhold(self, why: Withheld, *conditions: Any) -> int:
        statement = update(REVISION).where(*conditions).values(after=None, withheld=why.value)
        return (await self._transaction.execute(statement)).rowcount

    async def _found(self, statement: Select[Any]) -> list[Revision]:
        return [revision_of(row) for row in await self._transaction.execute(statement)]


def _of_kind(kind: Kind) -> Select[Any]:
    return REVISIONS.where(RevisionRow.kind == kind.value)


def _values(change: Change | Revision, of_all: Mapping[str, Any] | None = None) -> dict[str, Any]:
    after = None if change.after is None else to_json(change.after)
    return {**told(change), "after": after, **(of_all or {})}
