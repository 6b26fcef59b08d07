"""A state that only tells what there is gets the same answers as one that finds each thing quickly."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from uuid import UUID

import pytest
from attrs import frozen

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import Book, BookDetails
from catalog.domain.kinds import Kind
from catalog.domain.ports import CatalogReader
from catalog.domain.queries import AuthorQuery, BookQuery, ChangeQuery, PageRequest, RevisionQuery, entered_under
from catalog.domain.records import Amendment
from catalog.domain.revisions import Revision
from catalog.domain.scanning import ScanningReader, State
from catalog.domain.snapshots import SnapshotStorage
from catalog.testing.doubles import NOBODY, Cataloguers, log_of, outcome_of


@frozen
class BareState(State):
    """What another state tells, and nothing it knows better."""

    of: State

    def every_author(self) -> Iterable[Author]:
        return reversed(list(self.of.every_author()))

    def every_book(self) -> Iterable[Book]:
        return reversed(list(self.of.every_book()))

    def every_revision(self) -> Iterable[Revision]:
        return self.of.every_revision()


def readers_of(storage: SnapshotStorage) -> tuple[CatalogReader, CatalogReader]:
    async def bare() -> BareState:
        return BareState(await storage._current())

    return storage.reader, ScanningReader(bare)


async def lived() -> SnapshotStorage:
    """A catalogue in which there is everything that can be asked for."""
    storage = SnapshotStorage()
    catalogue = Cataloguers(storage)
    authors = [await catalogue.authors.add(AuthorDetails(name=name)) for name in ("B", "é", "E", "a", "b")]
    books = [await catalogue.books.add(BookDetails(title=a.name, author_id=a.id)) for a in authors]
    await catalogue.books.revise(books[0].id, Amendment({"author_id": None}))
    await catalogue.books.remove(books[1].id)
    await catalogue.merging.merge(Author, authors[0].id, authors[4].id)
    return storage


QUESTIONS: dict[str, Callable[[CatalogReader, UUID], Awaitable[Any]]] = {
    "author": lambda reader, key: reader.author(key),
    "book": lambda reader, key: reader.book(key),
    "authors": lambda reader, _: reader.authors(AuthorQuery(page=PageRequest(number=2, size=2))),
    "books": lambda reader, _: reader.books(BookQuery()),
    "books by": lambda reader, key: reader.books(BookQuery(filters=(entered_under(key),))),
    "sources": lambda reader, key: reader.sources([key]),
    "position": lambda reader, _: reader.position(),
    "changes": lambda reader, _: reader.changes(ChangeQuery(since=3, limit=4, kind=Kind.BOOK)),
    "changes too far": lambda reader, _: reader.changes(ChangeQuery(since=99)),
    "revisions": lambda reader, key: reader.revisions(RevisionQuery(kind=Kind.BOOK, id=key)),
    "revision": lambda reader, key: reader.revision(Kind.AUTHOR, key, 2),
    "duplicates": lambda reader, _: reader.duplicates(PageRequest()),
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS.keys())
async def test_scanning_answers_every_question_alike(question: Callable[[CatalogReader, UUID], Awaitable[Any]]) -> None:
    for storage in (SnapshotStorage(), await lived()):
        quick, scanning = readers_of(storage)
        for id in {NOBODY, *(revision.id for revision in await log_of(quick))}:
            assert await outcome_of(question(scanning, id)) == await outcome_of(question(quick, id))


def test_every_question_that_there_is_is_asked() -> None:
    asked = {name.split()[0] for name in QUESTIONS}

    assert asked == {name for name in vars(CatalogReader) if not name.startswith("_")}
