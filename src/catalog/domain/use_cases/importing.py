"""Importing records: what a file says becomes books, once."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from uuid import UUID

from attrs import evolve, fields, frozen

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import Book, BookDetails, Contributor
from catalog.domain.callers import Caller
from catalog.domain.errors import AuthorNotYetBorn, UnreadableFile
from catalog.domain.ports import Clock, IdGenerator, Storage, UnitOfWork
from catalog.domain.sources import BookDraft, Entry
from catalog.domain.values import PartialDate

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
_SAME_IN_BOTH = [f.name for f in fields(BookDetails) if f.name not in {"author_id", "contributors"}]


class _Refused(Exception):
    """Why a draft can not become a book of this catalogue."""


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
        people = _People(await unit.authors.find_by_folded_names({p.folded_name for d in drafts for p in d.people()}))
        people.know(await unit.authors.get_many({id for book in books.values() for _, id in book.author_references()}))
        new = []
        outcomes = []
        for entry in entries:
            if entry.draft is None:
                outcomes.append(_refused(entry, entry.refusal))
            elif standing := books.get(entry.draft.origin):
                outcomes.append(_unchanged(entry, entry.draft, standing, people.folded_names))
            else:
                made = len(people.new)
                try:
                    book, warnings = self._book(entry.draft, people)
                except _Refused as refused:
                    people.forget(made)
                    outcomes.append(_refused(entry, str(refused)))
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
        named = [
            Contributor(author_id=self._author(contributor.author, people).id, role=contributor.role)
            for contributor in draft.contributors
        ]
        contributors = tuple(dict.fromkeys(named))
        author_id = None if draft.author is None else self._author(draft.author, people).id
        details = evolve(draft.details, author_id=author_id, contributors=contributors)
        twice = len(named) - len(contributors)
        warnings = (f"{twice} contributor(s) named twice, kept once",) if twice else ()
        book = Book.recorded(details, id=self.ids.new(), at=self.clock.now(), sources=(draft.origin,))
        return book, warnings

    def _author(self, described: AuthorDetails, people: "_People") -> Author:
        author = people.get(described)
        if author is None:
            _must_be_born(described, self.clock)
            author = Author.recorded(described, id=self.ids.new(), at=self.clock.now())
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

    def get(self, described: AuthorDetails) -> Author | None:
        """Return who is meant, if anybody here is; raise _Refused where several may be."""
        candidates = self._candidates(described)
        if len(candidates) > 1:
            raise _Refused(
                f"the catalogue has {len(candidates)} authors called {described.name!r}, and the file can not say which"
            )
        return candidates[0] if candidates else None

    def _candidates(self, described: AuthorDetails) -> Sequence[Author]:
        """Return who may be meant: of those with the name, who has the same dates.

        Where the file tells no dates, that is who has none either, or else anybody. Where it does, nobody else: two
        people with one name are told apart by their dates, and nobody is given dates by a guess.
        """
        named = self._by_name.get(described.folded_name, [])
        same = [author for author in named if _live_at_one_time(author, described)]
        return same if same or _dates(described) != (None, None) else named

    def add(self, author: Author) -> None:
        self.new.append(author)
        self._by_name.setdefault(author.folded_name, []).append(author)
        self.folded_names[author.id] = author.folded_name

    def forget(self, made: int) -> None:
        """Forget all but the first so many of those that were made."""
        for author in self.new[made:]:
            self._by_name[author.folded_name].remove(author)
            del self.folded_names[author.id]
        del self.new[made:]


def _must_be_born(described: AuthorDetails, clock: Clock) -> None:
    try:
        described.must_be_born_by(clock.now().date())
    except AuthorNotYetBorn:
        raise _Refused(f"says that {described.name} was born {described.birth}, which is not yet") from None


def _dates(author: AuthorDetails) -> tuple[PartialDate | None, PartialDate | None]:
    return author.birth, author.death


def _live_at_one_time(one: AuthorDetails, other: AuthorDetails) -> bool:
    """Whether both were born at the same time, as far as that is told, and neither died when the other did not.

    A death that only one of them tells is no difference: who described the other may not have heard of it.
    """
    if (one.birth is None) is not (other.birth is None):
        return False
    if one.birth is None and (one.death is None) is not (other.death is None):
        return False
    pairs = ((one.birth, other.birth), (one.death, other.death))
    return all(a is None or b is None or (a.first <= b.last and b.first <= a.last) for a, b in pairs)


def _refused(entry: Entry, reason: str) -> Outcome:
    return Outcome(entry=entry, status=Status.REFUSED, reason=reason, warnings=entry.warnings)


def _unchanged(entry: Entry, draft: BookDraft, book: Book, names: Mapping[UUID, str]) -> Outcome:
    others = [name for name in sorted(_SAME_IN_BOTH) if getattr(draft.details, name) != getattr(book, name)]
    main = None if book.author_id is None else names[book.author_id]
    if main != (None if draft.author is None else draft.author.folded_name):
        others.append("author")
    said = {(contributor.author.folded_name, contributor.role) for contributor in draft.contributors}
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
