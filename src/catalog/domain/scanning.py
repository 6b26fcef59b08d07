"""Right answers for any storage: it only has to tell what there is, and each question looks at all of it.

A storage begins with this reader, and is right from its first day. It gets quicker by overriding, one by one, what
its state can find without looking at everything, and may have a reader of its own in the end.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import Any, TypeVar
from uuid import UUID

from attrs import evolve

from .authors import Author
from .books import Book, BookRecord, SourceRecord
from .errors import CatalogError, NotFound, SeqNotReached, VersionNotFound
from .facets import Facet, FacetCount, facet_counts
from .kinds import Kind
from .orders import Sort
from .queries import (
    AuthorQuery,
    BookQuery,
    Candidates,
    ChangeQuery,
    Include,
    ListQuery,
    Page,
    PageRequest,
    Position,
    RevisionQuery,
    contributors_of,
)
from .revisions import Revision, absence
from .search import Count, Indexed, Search, SearchField, Slice, corrected, rank

T = TypeVar("T")


class State(ABC):
    """One state of a catalogue, which stays as it is while it is read.

    Three methods have to be there. The others find what they are asked for among all there is.
    """

    @abstractmethod
    def every_author(self) -> Iterable[Author]:
        """Return the authors that stand, in any order."""

    @abstractmethod
    def every_book(self) -> Iterable[Book]:
        """Return the books that stand, in any order."""

    @abstractmethod
    def every_revision(self) -> Iterable[Revision]:
        """Return the log, in the order of seq."""

    def author(self, id: UUID) -> Author | None:
        """Return the author, if it stands."""
        return next((author for author in self.every_author() if author.id == id), None)

    def book(self, id: UUID) -> Book | None:
        """Return the book, if it stands."""
        return next((book for book in self.every_book() if book.id == id), None)

    def authors_in_order(self) -> Sequence[Author]:
        """Return the authors by sort key, then id."""
        return sorted(self.every_author(), key=lambda author: (author.sort_key, author.id.bytes))

    def books_in_order(self) -> Sequence[Book]:
        """Return the books by sort key, then id."""
        return sorted(self.every_book(), key=lambda book: (book.sort_key, book.id.bytes))

    def indexed_books(self) -> Iterable[tuple[Book, Indexed, int]]:
        """Return each book with what it is found by and its number: the seq of the first revision that tells of it."""
        numbers: dict[UUID, int] = {}
        for revision in self.every_revision():
            numbers.setdefault(revision.id, revision.seq)
        names = {author.id: author.name for author in self.every_author()}
        for book in self.every_book():
            named = dict.fromkeys(id for _, id in book.author_references())
            yield book, Indexed.of(book, [names[id] for id in named]), numbers[book.id]

    def revisions_after(self, seq: int) -> Iterable[Revision]:
        """Return the log from there on, in order."""
        return (revision for revision in self.every_revision() if revision.seq > seq)

    def history(self, kind: Kind, id: UUID) -> Sequence[Revision]:
        """Return what happened to the record, in order; nothing where it never was."""
        return [revision for revision in self.every_revision() if revision.id == id and revision.kind is kind]

    def position(self) -> Position:
        """Return how far the log has come."""
        last = max(self.every_revision(), key=lambda revision: revision.seq, default=None)
        return Position() if last is None else Position(seq=last.seq, at=last.at)


class ScanningReader:
    """The query side over `current`, which returns the state that stands at the moment of a question.

    It keeps every promise of CatalogReader. A list takes the time to sort all records, unless the state knows better.
    """

    def __init__(self, current: Callable[[], Awaitable[State]]) -> None:
        self._current = current

    async def author(self, id: UUID) -> Author:
        """Return the author; raise NotFound, Removed or Merged."""
        state = await self._current()
        if author := state.author(id):
            return author
        raise _absence(state, Kind.AUTHOR, id)

    async def authors(self, query: AuthorQuery) -> Page[Author]:
        """Return a part of the list of authors; raise InvalidValue for a cursor of another list."""
        state = await self._current()
        return _part(state, state.authors_in_order(), query, query.sorted_by)

    async def book(self, id: UUID) -> BookRecord:
        """Return the book with its author; raise NotFound, Removed or Merged."""
        state = await self._current()
        if book := state.book(id):
            return _with_author(state, book)
        raise _absence(state, Kind.BOOK, id)

    async def books(self, query: BookQuery) -> Page[BookRecord]:
        """Return a part of the list of books; raise InvalidValue for a cursor of another list."""
        state = await self._current()
        sort = query.sorted_by
        if query.search is not None:
            found = sorted(_found(state, query.search), key=lambda each: each[0])
            keys = {book.id: key for key, book in found}
            books: Sequence[Any] = [book for _, book in found]
            if sort.is_by_relevance:
                sort = evolve(sort, order=evolve(sort.order, key=lambda book: keys[book.id]))
        else:
            books = state.books_in_order()
        if sort.order.of_author:
            books = [_with_author(state, book) for book in books]
        page = _part(state, books, query, sort).map(lambda book: _with_author(state, book))
        if query.search is not None and query.finds_nothing(page):
            page = evolve(page, did_you_mean=_meant(state, query.search))
        more: dict[str, Any] = {"facets": _facets(state, books, query)} if query.facets else {}
        if Include.CONTRIBUTORS in query.includes:
            more["included"] = {str(id): state.author(id) for id in contributors_of(page.items)}
        return evolve(page, **more) if more else page

    async def sources(self, ids: Collection[UUID]) -> Mapping[UUID, tuple[SourceRecord, ...]]:
        """Return the records from which these books were imported, for those books that have any."""
        state = await self._current()
        found = ((id, state.book(id)) for id in ids)
        return {id: book.sources for id, book in found if book is not None and book.sources}

    async def position(self) -> Position:
        """Return how far the log has come."""
        return (await self._current()).position()

    async def changes(self, query: ChangeQuery) -> Sequence[Revision]:
        """Return what happened since; raise SeqNotReached."""
        state = await self._current()
        last = state.position().seq
        if query.since > last:
            raise SeqNotReached(query.since, last)
        found = (r for r in state.revisions_after(query.since) if query.kind in (None, r.kind))
        return list(islice(found, query.limit))

    async def revisions(self, query: RevisionQuery) -> Page[Revision]:
        """Return a page of what happened to a record, newest first; raise NotFound."""
        state = await self._current()
        return _page(state, _history(state, query.kind, query.id)[::-1], query.page)

    async def revision(self, kind: Kind, id: UUID, version: int) -> Revision:
        """Return what made that version; raise NotFound, or VersionNotFound."""
        history = _history(await self._current(), kind, id)
        for revision in history:
            if revision.version == version:
                return revision
        raise VersionNotFound(kind, id, version, history[-1].version)

    async def duplicates(self, page: PageRequest) -> Page[Candidates]:
        """Return authors whose names are equal once folded, by name."""
        state = await self._current()
        by_name = sorted(state.every_author(), key=lambda author: (author.name_key, author.id.bytes))
        by_key = groupby(by_name, key=lambda author: author.name_key)
        groups = [Candidates(name=key, authors=authors) for key, found in by_key if len(authors := list(found)) > 1]
        return _page(state, groups, page)


def _history(state: State, kind: Kind, id: UUID) -> Sequence[Revision]:
    if history := state.history(kind, id):
        return history
    raise NotFound(kind, id)


def _absence(state: State, kind: Kind, id: UUID) -> CatalogError:
    history = state.history(kind, id)
    return absence(kind, id, history[-1] if history else None)


def _page(state: State, everything: Sequence[T], page: PageRequest) -> Page[T]:
    part = everything[page.offset : page.offset + page.size]
    return Page[T].of(part, page, len(everything), state.position())


def _found(state: State, search: Search) -> Iterator[tuple[tuple[int, int, int], Book]]:
    """Yield the books that the search finds, with their ranks."""
    for book, indexed, number in state.indexed_books():
        if (place := rank(search, indexed, number)) is not None:
            yield place, book


def _meant(state: State, search: Search) -> str | None:
    """Return the search that was perhaps meant."""
    words = {word for _, indexed, _ in state.indexed_books() for field in SearchField for word in indexed.words(field)}
    asking = corrected(search)
    answer: Any = None
    while True:
        try:
            question = asking.send(answer)
        except StopIteration as end:
            return None if end.value is None else str(end.value)
        match question:
            case Slice(first=first):
                answer = [word for word in words if word.startswith(first)]
            case Count(search=other):
                answer = sum(1 for _ in _found(state, other))


def _facets(state: State, books: Sequence[Book], query: BookQuery) -> Mapping[str, Sequence[FacetCount]]:
    found = [book for book in books if all(condition.holds(book) for condition in query.filters)]
    names = {author.id: author.name for author in state.every_author()} if Facet.AUTHOR in query.facets else {}
    return {facet.value: facet_counts(facet, found, names.__getitem__) for facet in query.facets}


def _part(state: State, everything: Sequence[T], query: ListQuery, sort: Sort) -> Page[T]:
    """Return the part of the list, with what leads on and back; everything comes in the usual order."""
    start = query.start
    size = query.page.size
    found = [record for record in everything if all(condition.holds(record) for condition in query.filters)]
    total = len(found) if query.count else None
    listed = found if query.sorted_by == query.usual_sort else sort.sorted(found)
    if start is None:
        first = 0 if query.cursor == "" else query.page.offset
    elif start.is_backwards:
        first = sort.index_from(listed, start.place) - size
    else:
        first = sort.index_after(listed, start.place)
    items = listed[max(first, 0) : max(first + size, 0)]
    return Page(
        items=items,
        limit=size,
        offset=query.page.offset if query.cursor is None else None,
        total=total,
        as_of=state.position(),
        next=query.at(sort.place_of(items[-1])) if first + size < len(listed) and items else None,
        prev=query.at(sort.place_of(items[0]), is_backwards=True) if first > 0 and items else None,
    )


def _with_author(state: State, book: Book | BookRecord) -> BookRecord:
    if isinstance(book, BookRecord):
        return book
    return BookRecord.of(book, None if book.author_id is None else state.author(book.author_id))
