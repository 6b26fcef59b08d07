"""Exporting: what a list, a search or the whole catalogue holds, as a file that is written while it is read."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from uuid import UUID

from attrs import evolve, frozen

from catalog.domain.authors import Author
from catalog.domain.books import BookRecord
from catalog.domain.errors import Merged, NotFound, Removed
from catalog.domain.exports import Exported
from catalog.domain.kinds import Kind
from catalog.domain.ports import CatalogReader, RecordWriter
from catalog.domain.queries import (
    CHANGES_LIMIT,
    PAGE_SIZE_LIMIT,
    AuthorQuery,
    BookQuery,
    ChangeQuery,
    Include,
    PageRequest,
    RevisionQuery,
)
from catalog.domain.revisions import Revision, edited_since

_GONE = (NotFound, Removed, Merged)
_WHOLE_PAGE = PageRequest(size=PAGE_SIZE_LIMIT)


@frozen
class Exporting:
    """Writes books, and who is named by them where the format tells authors, in parts of at most 100 records.

    Whoever writes meanwhile hinders nobody: each record that stays is told once, in the state of the moment.
    """

    reader: CatalogReader

    async def everything(self, writer: RecordWriter) -> AsyncIterator[bytes]:
        """Yield the whole catalogue: authors by name where the format tells them, then books by title."""
        yield writer.head()
        if writer.tells_authors:
            query = AuthorQuery(page=_WHOLE_PAGE, cursor="", count=False)
            while query.cursor is not None:
                page = await self.reader.authors(query)
                yield b"".join(map(writer.author, page.items))
                query = evolve(query, cursor=page.next)
        async for part in self._walk(BookQuery(), writer):
            yield b"".join([writer.book(each) for each in part])
        yield writer.tail()

    async def books(self, query: BookQuery, writer: RecordWriter) -> AsyncGenerator[bytes]:
        """Yield the books of a list or a search from its beginning, each after whoever it is the first to name."""
        yield writer.head()
        met: set[UUID] = set()
        async for part in self._walk(query, writer):
            yield b"".join(self._written(part, writer, met))
        yield writer.tail()

    async def some(self, books: Sequence[BookRecord], writer: RecordWriter) -> bytes:
        """Return these books as a file."""
        exported = await self._exported(books, writer)
        return b"".join([writer.head(), *self._written(exported, writer, set()), writer.tail()])

    async def since(self, seq: int, writer: RecordWriter) -> AsyncIterator[bytes]:
        """Yield what has changed since and still stands, in the order of the first change; raise SeqNotReached."""
        query = ChangeQuery(since=seq, limit=CHANGES_LIMIT)
        revisions = await self.reader.changes(query)
        yield writer.head()
        told: set[UUID] = set()
        while revisions:
            ids = dict.fromkeys((revision.kind, revision.id) for revision in revisions if revision.id not in told)
            told |= {id for _, id in ids}
            authors = [id for kind, id in ids if kind is Kind.AUTHOR]
            if writer.tells_authors:
                yield b"".join([writer.author(author) async for author in self._standing_authors(authors)])
            books = [book async for book in self._standing_books(id for kind, id in ids if kind is Kind.BOOK)]
            for at in range(0, len(books), PAGE_SIZE_LIMIT):
                exported = await self._exported(books[at : at + PAGE_SIZE_LIMIT], writer)
                yield b"".join(self._written(exported, writer, told))
            revisions = await self.reader.changes(evolve(query, since=revisions[-1].seq))
        yield writer.tail()

    async def _standing_authors(self, ids: Iterable[UUID]) -> AsyncIterator[Author]:
        for id in ids:
            try:
                yield await self.reader.author(id)
            except _GONE:
                continue

    async def _standing_books(self, ids: Iterable[UUID]) -> AsyncIterator[BookRecord]:
        for id in ids:
            try:
                yield await self.reader.book(id)
            except _GONE:
                continue

    async def _walk(self, query: BookQuery, writer: RecordWriter) -> AsyncIterator[Sequence[Exported]]:
        query = evolve(query, page=_WHOLE_PAGE, cursor="", count=False, facets=(), includes=(Include.CONTRIBUTORS,))
        while query.cursor is not None:
            page = await self.reader.books(query)
            included = {UUID(id): author for id, author in (page.included or {}).items()}
            yield await self._exported(page.items, writer, included)
            query = evolve(query, cursor=page.next)

    async def _exported(
        self, books: Sequence[BookRecord], writer: RecordWriter, known: dict[UUID, Author] | None = None
    ) -> Sequence[Exported]:
        authors = {book.author.id: book.author for book in books if book.author is not None} | (known or {})
        named = dict.fromkeys(id for book in books for _, id in book.author_references())
        authors |= {author.id: author async for author in self._standing_authors(named.keys() - authors.keys())}
        sources = await self.reader.sources([book.id for book in books]) if writer.wants_sources else {}
        edited: Mapping[UUID, Mapping[UUID, AbstractSet[str]]] = {}
        if not writer.tells_authors:  # whoever does needs no other record brought to what they are by now
            edited = await self._edited([book for book in books if book.id in sources], authors)
        return [
            Exported(book=book, authors=authors, sources=sources.get(book.id, ()), edited=edited.get(book.id, {}))
            for book in books
        ]

    async def _edited(
        self, books: Sequence[BookRecord], authors: Mapping[UUID, Author]
    ) -> Mapping[UUID, Mapping[UUID, AbstractSet[str]]]:
        """Return, for each book that an author was edited after, whom and what of them."""
        histories: dict[UUID, Sequence[Revision]] = {}
        edited: dict[UUID, dict[UUID, AbstractSet[str]]] = {}
        for book in books:
            for _, id in book.author_references():
                if authors[id].version > 1 and authors[id].updated_at > book.created_at:
                    if id not in histories:
                        query = RevisionQuery(kind=Kind.AUTHOR, id=id, page=_WHOLE_PAGE)
                        histories[id] = (await self.reader.revisions(query)).items
                    edited.setdefault(book.id, {})[id] = edited_since(histories[id], book.created_at)
        return edited

    @staticmethod
    def _written(books: Sequence[Exported], writer: RecordWriter, met: set[UUID]) -> Iterable[bytes]:
        for exported in books:
            if writer.tells_authors:
                for _, id in exported.book.author_references():
                    if id not in met:
                        met.add(id)
                        yield writer.author(exported.authors[id])
            yield writer.book(exported)
