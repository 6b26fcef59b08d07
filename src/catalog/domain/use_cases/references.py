"""Records and what they refer to, inside a unit of work."""

from collections.abc import Mapping
from typing import Any, TypeVar, cast
from uuid import UUID

from catalog.domain.authors import Author
from catalog.domain.books import Book, BookDetails, BookRecord
from catalog.domain.errors import UnknownAuthors
from catalog.domain.kinds import Kind
from catalog.domain.ports import Repository, UnitOfWork

ShownT = TypeVar("ShownT", Author, BookRecord)
DetailsT = TypeVar("DetailsT", bound=BookDetails)


def repository(unit: UnitOfWork, kind: Kind) -> Repository[Any]:
    """Return the unit's repository of that kind."""
    return unit.authors if kind is Kind.AUTHOR else unit.books


async def known_authors(unit: UnitOfWork, details: BookDetails) -> Mapping[UUID, Author]:
    """Return the authors that the details name; raise UnknownAuthors where the catalogue does not hold one."""
    references = list(details.author_references())
    known = await unit.authors.get_many({id for _, id in references})
    if unknown := [(place, id) for place, id in references if id not in known]:
        last = await unit.log.last(Kind.AUTHOR, {id for _, id in unknown})
        raise UnknownAuthors(unknown, {id: revision.into for id, revision in last.items() if revision.into})
    return known


async def with_authors_of_today(unit: UnitOfWork, book: DetailsT) -> DetailsT:
    """Return an old content with those who have taken the place of merged authors; raise UnknownAuthors."""
    named = {id for _, id in book.author_references()}
    last = await unit.log.last(Kind.AUTHOR, named - (await unit.authors.get_many(named)).keys())
    book = book.exchanging({id: revision.into for id, revision in last.items() if revision.into})
    await known_authors(unit, book)
    return book


async def shown(unit: UnitOfWork, record: Author | Book, shown_as: type[ShownT]) -> ShownT:
    """Return the record as readers get it: a book with its author."""
    seen: Any = record
    if isinstance(record, Book):
        authors = {} if record.author_id is None else await unit.authors.get_many([record.author_id])
        seen = BookRecord.of(record, None if record.author_id is None else authors[record.author_id])
    return cast("ShownT", seen)
