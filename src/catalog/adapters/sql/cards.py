"""Keeping the cards, by which books are found: whatever changes a book, or the name of an author, changes them.

They are computed at the end of a unit of work, from how its records stand then.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from attrs import frozen
from sqlalchemy import delete, func, select

from catalog.domain.books import Book
from catalog.domain.kinds import Kind
from catalog.domain.revisions import Change, Operation
from catalog.domain.search import Indexed

from .rows import CardRow, RevisionRow
from .slices import slices
from .transaction import Transaction
from .turn import CARD, NewCard
from .words import parts_of

NOBODY_UP, NOBODY_DOWN = "\U0010ffff", ""
"""What stands for the author of a book that names nobody, so that it comes last in either direction."""

_CARDS = select(*CARD.c)


class Name(Protocol):
    """What an author is called."""

    @property
    def name(self) -> str:
        """As it is written."""
        ...

    @property
    def sort_key(self) -> str:
        """As it is ordered."""
        ...


class Authors(Protocol):
    """Where the names of authors come from."""

    async def names(self, ids: Collection[UUID], /) -> Mapping[UUID, Name]:
        """Return what the authors are called."""
        ...


class Books(Protocol):
    """Where books come from."""

    async def find_naming(self, author_id: UUID, /) -> Sequence[Book]:
        """Return the books that name the author."""
        ...


@frozen
class Cards:
    """The cards of the books that one unit of work changed."""

    transaction: Transaction
    authors: Authors
    books: Books

    async def kept(self, changes: Sequence[Change], renamed: Iterable[UUID]) -> Sequence[NewCard]:
        """Take away the cards that do not fit any more, and return what is to be written in their place."""
        last = {change.id: change for change in changes if change.kind is Kind.BOOK}
        books = {id: change.after for id, change in last.items() if isinstance(change.after, Book)}
        for author_id in renamed:
            books |= {book.id: book for book in await self.books.find_naming(author_id) if book.id not in last}
        if not books:
            return ()
        authors = await self.authors.names({id for book in books.values() for _, id in book.author_references()})
        told = {id: _told(book, authors) for id, book in books.items()}
        created = {change.id for change in changes if change.operation is Operation.CREATE}
        standing = await self._standing([id for id in books if id not in created])
        told = {id: card for id, card in told.items() if not _is_same(card, standing.get(id))}
        await self._take([id for id in told if id in standing])
        first = {change.id: place for place, change in reversed(list(enumerate(changes)))}
        numbers = {id: parts_of(row["place"])[1] for id, row in standing.items()}
        numbers |= await self._first_seqs([id for id in told if id not in numbers and id not in created])
        cards = [
            NewCard(
                values=card.values,
                title_words=card.title_words,
                number=numbers.get(id),
                left=0 if id in numbers else len(changes) - 1 - first[id],
            )
            for id, card in told.items()
        ]
        # In the order of their places: the index of words in SQLite is written once for all that come so.
        return sorted(cards, key=lambda card: (card.title_words, card.number or 0, -card.left))

    async def _standing(self, ids: Sequence[UUID]) -> Mapping[UUID, Mapping[str, Any]]:
        found: dict[UUID, Mapping[str, Any]] = {}
        for some in slices(ids):
            rows = await self.transaction.execute(_CARDS.where(CardRow.book_id.in_(some)))
            found |= {row["book_id"]: row for row in rows.mappings()}
        return found

    async def _take(self, ids: Sequence[UUID]) -> None:
        for some in slices(ids):
            await self.transaction.execute(delete(CARD).where(CARD.c.book_id.in_(some)))

    async def _first_seqs(self, ids: Sequence[UUID]) -> Mapping[UUID, int]:
        """Return the seqs of the first revisions of books that were here before."""
        found: dict[UUID, int] = {}
        for some in slices(ids):
            first = select(RevisionRow.id, func.min(RevisionRow.seq).label("seq")).where(RevisionRow.id.in_(some))
            rows = await self.transaction.execute(first.group_by(RevisionRow.id))
            found |= {row.id: row.seq for row in rows}
        return found


@frozen
class _Told:
    """What a card says, but for its place."""

    values: Mapping[str, Any]
    title_words: int


def _told(book: Book, authors: Mapping[UUID, Name]) -> _Told:
    named = dict.fromkeys(id for _, id in book.author_references())
    indexed = Indexed.of(book, [authors[id].name for id in named])
    author = None if book.author_id is None else authors[book.author_id]
    values = {
        "book_id": book.id,
        "author_up": NOBODY_UP if author is None else author.sort_key,
        "author_down": NOBODY_DOWN if author is None else author.sort_key,
        **indexed.texts(),
    }
    return _Told(values, indexed.title_words)


def _is_same(card: _Told, standing: Mapping[str, Any] | None) -> bool:
    return standing is not None and all(standing[name] == value for name, value in card.values.items())
