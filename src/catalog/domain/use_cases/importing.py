"""Importing records: what a file says becomes books, once."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from uuid import UUID

from attrs import fields, frozen

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import Book, BookDetails, Contributor
from catalog.domain.callers import Caller
from catalog.domain.errors import UnreadableFile
from catalog.domain.ports import Clock, IdGenerator, Storage, UnitOfWork
from catalog.domain.sources import BookDraft, Entry
from catalog.domain.text import fold

from .atomic import atomic

CHUNK = 500
"""Records per unit of work: what a killed import may have to do again, and what others may have to wait for."""


class Status(StrEnum):
    """How a record of a file ended."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@frozen(kw_only=True)
class Outcome:
    """What became of one record of a file."""

    entry: Entry
    status: Status
    book_id: UUID | None = None
    reason: str = ""
    warnings: tuple[str, ...] = ()


# What a draft says in the very words of a book; only people are still names.
_SAME_IN_BOTH = {f.name for f in fields(BookDraft)} & {f.name for f in fields(BookDetails)} - {"contributors"}


class _Ambiguous(Exception):
    """A name that several authors have."""


@frozen
class Importing:
    """Takes records into the catalogue. Each record is taken once: its source key tells it again."""

    storage: Storage
    caller: Caller
    clock: Clock
    ids: IdGenerator

    async def run(self, entries: Iterable[Entry], run: UUID) -> AsyncIterator[Outcome]:
        """Take all records, 500 in a unit of work, and yield what became of each, once it is durable.

        All that is written belongs to the `run`, and can be taken back under its id.
        """
        for chunk in _chunks(entries):
            for outcome in await self.take(chunk, run):
                yield outcome

    @atomic
    async def take(self, unit: UnitOfWork, entries: Sequence[Entry], run: UUID) -> Sequence[Outcome]:
        """Take some records, all or none of them."""
        unit.group = run
        drafts = [entry.draft for entry in entries if entry.draft is not None]
        books = dict(await unit.books.find_by_sources({draft.origin for draft in drafts}))
        people = _People(await unit.authors.find_by_folded_names({fold(n) for d in drafts for n in d.names()}))
        people.know(await unit.authors.get_many({id for book in books.values() for _, id in book.author_references()}))
        new = []
        outcomes = []
        for entry in entries:
            if entry.draft is None:
                outcomes.append(_refused(entry, entry.refusal))
            elif standing := books.get(entry.draft.origin):
                outcomes.append(_unchanged(entry, entry.draft, standing, people.folded_names))
            else:
                try:
                    book, warnings = self._book(entry.draft, people)
                except _Ambiguous as ambiguous:
                    outcomes.append(_refused(entry, str(ambiguous)))
                    continue
                books[entry.draft.origin] = book
                new.append(book)
                outcomes.append(
                    Outcome(entry=entry, status=Status.CREATED, book_id=book.id, warnings=entry.warnings + warnings)
                )
        await unit.authors.add(*people.new)
        await unit.books.add(*new)
        return outcomes

    def _book(self, draft: BookDraft, people: "_People") -> tuple[Book, tuple[str, ...]]:
        """Return the draft as a book, its people found or made, and what had to be left out."""
        people.must_be_clear(draft.names())
        named = [
            Contributor(author_id=self._author(contributor.name, people).id, role=contributor.role)
            for contributor in draft.contributors
        ]
        contributors = tuple(dict.fromkeys(named))
        details = BookDetails(
            author_id=None if draft.author is None else self._author(draft.author, people).id,
            contributors=contributors,
            **{name: getattr(draft, name) for name in _SAME_IN_BOTH},
        )
        twice = len(named) - len(contributors)
        warnings = (f"{twice} contributor(s) named twice, kept once",) if twice else ()
        book = Book.recorded(details, id=self.ids.new(), at=self.clock.now(), sources=(draft.origin,))
        return book, warnings

    def _author(self, name: str, people: "_People") -> Author:
        author = people.get(name)
        if author is None:
            author = Author.recorded(AuthorDetails(name=name), id=self.ids.new(), at=self.clock.now())
            people.add(author)
        return author


class _People:
    """The authors that a chunk names: those the catalogue has, and those it makes."""

    def __init__(self, authors: Iterable[Author]) -> None:
        self.new: list[Author] = []
        self.folded_names: dict[UUID, str] = {}
        self._by_name: dict[str, list[Author]] = {}
        for author in authors:
            self._by_name.setdefault(author.folded_name, []).append(author)
            self.folded_names[author.id] = author.folded_name

    def know(self, authors: Mapping[UUID, Author]) -> None:
        """Know the names of these authors too, who may be called otherwise than any draft says."""
        self.folded_names |= {id: author.folded_name for id, author in authors.items()}

    def must_be_clear(self, names: Iterable[str]) -> None:
        for name in names:
            if (candidates := len(self._by_name.get(fold(name), ()))) > 1:
                raise _Ambiguous(
                    f"the catalogue has {candidates} authors called {name!r}, and the file can not say which"
                )

    def get(self, name: str) -> Author | None:
        candidates = self._by_name.get(fold(name))
        return candidates[0] if candidates else None

    def add(self, author: Author) -> None:
        self.new.append(author)
        self._by_name[author.folded_name] = [author]
        self.folded_names[author.id] = author.folded_name


def _refused(entry: Entry, reason: str) -> Outcome:
    return Outcome(entry=entry, status=Status.REFUSED, reason=reason, warnings=entry.warnings)


def _unchanged(entry: Entry, draft: BookDraft, book: Book, names: Mapping[UUID, str]) -> Outcome:
    others = [name for name in sorted(_SAME_IN_BOTH) if getattr(draft, name) != getattr(book, name)]
    main = None if book.author_id is None else names[book.author_id]
    if main != (None if draft.author is None else fold(draft.author)):
        others.append("author")
    said = {(fold(contributor.name), contributor.role) for contributor in draft.contributors}
    if said != {(names[contributor.author_id], contributor.role) for contributor in book.contributors}:
        others.append("contributors")
    reason = f"the catalogue says otherwise in {', '.join(others)}, and was left as it is" if others else ""
    return Outcome(entry=entry, status=Status.UNCHANGED, book_id=book.id, reason=reason, warnings=entry.warnings)


def _chunks(entries: Iterable[Entry]) -> Iterator[Sequence[Entry]]:
    """Yield the entries in chunks; those read before a file turns out to be damaged, too."""
    chunk: list[Entry] = []
    try:
        for entry in entries:
            chunk.append(entry)
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
    except UnreadableFile:
        if chunk:
            yield chunk
        raise
    if chunk:
        yield chunk
