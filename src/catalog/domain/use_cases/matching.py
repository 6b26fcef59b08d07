"""Which books and authors of the catalogue a file means: what is unclear is told, and never guessed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from uuid import UUID

from attrs import define, evolve, field

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import Book, SourceKey
from catalog.domain.errors import AuthorNotYetBorn
from catalog.domain.identifiers import VALID, Number
from catalog.domain.ports import IdGenerator
from catalog.domain.sources import BookDraft
from catalog.domain.text import fold
from catalog.domain.values import Isbn, PartialDate

from .holdings import Holdings


class Unclear(Exception):
    """Several may be meant, or nobody can be; the message says why."""


@define
class Matches:
    """The books and authors that some records of a file may mean: those the catalogue has, and those they make."""

    at: datetime
    """When whatever is made and changed now is."""
    ids: IdGenerator
    new_authors: list[Author] = field(factory=list[Author])
    changed_authors: list[Author] = field(factory=list[Author])
    """Each version that follows another."""
    new_books: list[Book] = field(factory=list[Book])
    changed_books: list[Book] = field(factory=list[Book])
    """Each version that follows another."""
    fills: bool = True
    """Whether an author who is found is given the identifiers that the file tells, of those whom nobody else told."""
    _before: list[tuple[Author, Author | None]] = field(factory=list[tuple[Author, Author | None]])
    """The authors that a record has made or changed, and how they stood before."""
    _made: set[UUID] = field(factory=set[UUID])
    """The books that this run has made, as far as that is known."""
    _authors: dict[UUID, Author] = field(factory=dict[UUID, Author])
    _by_name: dict[str, dict[UUID, None]] = field(factory=dict[str, dict[UUID, None]])
    _by_number: dict[Number, dict[UUID, None]] = field(factory=dict[Number, dict[UUID, None]])
    _books: dict[UUID, Book] = field(factory=dict[UUID, Book])
    _by_source: dict[SourceKey, UUID] = field(factory=dict[SourceKey, UUID])
    _by_isbn: dict[Isbn, dict[UUID, None]] = field(factory=dict[Isbn, dict[UUID, None]])

    async def look_for(self, drafts: Sequence[BookDraft], holdings: Holdings, run: UUID) -> None:
        """Look for whatever the drafts may mean."""
        await holdings.unit.match_alone()
        by_source = dict(await holdings.books_from({draft.origin.id for draft in drafts}))
        await self._look_for_our_own(drafts, by_source, holdings)
        await self._look_for_others(drafts, by_source, holdings, run)
        isbns = {
            (isbn, draft.origin.source if draft.has_own_key else None)
            for draft in drafts
            if draft.origin.id not in by_source
            for isbn in draft.details.isbns()
        }
        for book in chain(by_source.values(), await holdings.books_with(isbns)):
            if book.id not in self._books:
                self.know_book(book)
        people = [person for draft in drafts for person in draft.people()]
        named = {id for book in self._books.values() for _, id in book.author_references()}
        for author in (
            *await holdings.authors_called({person.folded_name for person in people}),
            *await holdings.authors_with({number for person in people for number in person.numbers()}),
            *(await holdings.authors(named)).values(),
        ):
            if author.id not in self._authors:
                self._know_author(author)

    def book_from(self, source: SourceKey) -> Book | None:
        """Return the book that came from this very record, or was written with this key by ourselves."""
        id = self._by_source.get(source, _id_in(source.key))
        return None if id is None else self._books.get(id)

    async def _look_for_our_own(
        self, drafts: Sequence[BookDraft], by_source: dict[SourceKey, Book], holdings: Holdings
    ) -> None:
        """Look for books whose id is a key: an export of ours has it there, and may have been edited since."""
        ids = {draft.origin.id: id for draft in drafts if (id := _id_in(draft.origin.key)) is not None}
        if ids:
            found = await holdings.records(authors=(), books=set(ids.values()))
            by_source |= {
                source: book
                for source, id in ids.items()
                if source not in by_source and isinstance(book := found.get(id), Book)
            }

    async def _look_for_others(
        self, drafts: Sequence[BookDraft], by_source: Mapping[SourceKey, Book], holdings: Holdings, run: UUID
    ) -> None:
        """Look for what tells whether a key that is known means another record this time."""
        found = [(draft, by_source[draft.origin.id]) for draft in drafts if draft.origin.id in by_source]
        if not (doubtful := [(draft, book) for draft, book in found if not _may_be_of(draft, book)]):
            return
        self._made |= await holdings.made_by(run, {book.id for _, book in doubtful})
        others = await holdings.books_from({draft.told_by_content().origin.id for draft, _ in doubtful})
        for book in others.values():
            if book.id not in self._books:
                self.know_book(book)

    def is_another(self, draft: BookDraft, standing: Book) -> bool:
        """Whether the file has the draft's key for two records: this run has made a book of another title of it.

        Where an earlier run has made the book, the record is corrected since, or else that run has told them apart.
        """
        if _may_be_of(draft, standing):
            return False
        return standing.id in self._made or self.book_from(draft.told_by_content().origin.id) is not None

    def must_be_of(self, draft: BookDraft, standing: Book) -> None:
        """Raise Unclear where the draft has the key of a book with which it has nothing else in common.

        Where title, people and ISBNs all differ, it is another file of the same name rather than a correction.
        """
        if _may_be_of(draft, standing) or _id_in(draft.origin.key) == standing.id:
            return
        credited = {fold(each.credited_as) for each in standing.contributors if each.credited_as is not None}
        names = credited | {self.name_of(id) for _, id in standing.author_references()}
        told, isbns, known = {each.folded_name for each in draft.people()}, draft.details.isbns(), standing.isbns()
        of_people, of_isbns = (told, names), (set[str](isbns), set[str](known))
        if any(ours & theirs for ours, theirs in (of_people, of_isbns)):
            return
        if any(ours and theirs for ours, theirs in (of_people, of_isbns)):
            raise Unclear(
                f"the source {draft.origin.source} has told of {standing.title!r} with its key, a book by others: if "
                "this is another file, import it under another name of its source (--source)"
            )

    def book_with_isbn_of(self, draft: BookDraft) -> Book | None:
        """Return the book that has a valid ISBN of the draft; raise Unclear where several do.

        Books from the same source are others, for it has given them keys of their own.
        """
        ids = dict.fromkeys(id for isbn in draft.details.isbns() for id in self._by_isbn.get(isbn, ()))
        found = [self._books[id] for id in ids]
        if draft.has_own_key:
            source = draft.origin.source
            found = [book for book in found if all(each.source != source for each in book.sources)]
        if len(found) > 1:
            raise Unclear(
                f"the catalogue has {len(found)} books with its ISBN, and the file can not say which; merge them, or "
                "import it with --on-duplicate add"
            )
        return found[0] if found else None

    def make_book(self, book: Book) -> None:
        """Note a new book."""
        self.new_books.append(book)
        self._made.add(book.id)
        self.know_book(book)

    def know_book(self, book: Book) -> None:
        """Note how a book stands."""
        self._books[book.id] = book
        self._by_source |= {source.id: book.id for source in book.sources}
        for isbn in book.isbns():
            self._by_isbn.setdefault(isbn, {})[book.id] = None

    def author(self, described: AuthorDetails) -> Author:
        """Return who is meant, or somebody new; raise Unclear where several may be, or nobody can be."""
        candidates, numbers = self._candidates(described)
        if len(candidates) > 1 and numbers:
            named = ", ".join(sorted(repr(author.name) for author in candidates))
            raise Unclear(
                f"the identifiers of {described.name!r} are those of {len(candidates)} authors of the catalogue, "
                f"{named}; merge them, or correct the file"
            )
        if len(candidates) > 1:
            raise Unclear(
                f"the catalogue has {len(candidates)} authors called {described.name!r}, and the file can not say which"
            )
        if candidates:
            return self._filled(candidates[0], described) if self.fills else candidates[0]
        try:
            described.must_be_born_by(self.at.date())
        except AuthorNotYetBorn:
            raise Unclear(f"says that {described.name} was born {described.birth}, which is not yet") from None
        author = Author.recorded(described, id=self.ids.new(), at=self.at)
        self.new_authors.append(author)
        self._before.append((author, None))
        self._know_author(author)
        return author

    def begin_record(self) -> None:
        """Let the people of the record before stay, whatever becomes of this one."""
        self._before.clear()

    def forget_people(self) -> None:
        """Forget whom this record has made, and what it has changed."""
        for author, before in reversed(self._before):
            self._forget_author(author)
            if before is not None:
                self._know_author(before)
            if self.changed_authors and self.changed_authors[-1] is author:
                self.changed_authors.pop()
            elif before is None:
                self.new_authors.pop()
            else:
                self.new_authors[self.new_authors.index(author)] = before
        self._before.clear()

    def _filled(self, author: Author, described: AuthorDetails) -> Author:
        """Return the author, who has the identifiers of the file by now, but for a second one of the same giver.

        So whoever is described by them later is the same, in whichever order the records come.
        """
        schemes = {each.scheme for each in author.identifiers}
        told = [each for each in described.identifiers if each.status == VALID and each.scheme not in schemes]
        if not told or len(author.identifiers) + len(told) > 100:
            return author
        identifiers = (*author.identifiers, *told)
        if author in self.new_authors:
            filled = evolve(author, identifiers=identifiers)
            self.new_authors[self.new_authors.index(author)] = filled
        else:
            filled = author.revised(author.details.amended({"identifiers": identifiers}), at=self.at)
            self.changed_authors.append(filled)
        self._before.append((filled, author))
        self._forget_author(author)
        self._know_author(filled)
        return filled

    def name_of(self, author_id: UUID) -> str:
        """Return the folded name of an author whom a known book names."""
        return self._authors[author_id].folded_name

    def _know_author(self, author: Author) -> None:
        self._authors[author.id] = author
        self._by_name.setdefault(author.folded_name, {})[author.id] = None
        for number in author.numbers():
            self._by_number.setdefault(number, {})[author.id] = None

    def _forget_author(self, author: Author) -> None:
        del self._authors[author.id]
        del self._by_name[author.folded_name][author.id]
        for number in author.numbers():
            del self._by_number[number][author.id]

    def _candidates(self, described: AuthorDetails) -> tuple[Sequence[Author], bool]:
        """Return who may be meant: who has one of the identifiers, which is told, or else the name and the same dates.

        Where the file tells no dates, that is who has none either, or else anybody. Where it does, nobody else: two
        people with one name are told apart by their dates, and nobody is given dates by a guess.
        """
        numbers = described.numbers()
        ids = dict.fromkeys(id for number in numbers for id in self._by_number.get(number, ()))
        if ids:
            return [self._authors[id] for id in ids], True
        named = [self._authors[id] for id in self._by_name.get(described.folded_name, ())]
        if numbers:
            named = [author for author in named if not _are_told_apart(numbers, author.numbers())]
        same = [author for author in named if _live_at_one_time(author, described)]
        return same if same or _dates(described) != (None, None) else named, False


def _id_in(key: str) -> UUID | None:
    """Return the id that a key is, if it is one."""
    try:
        return UUID(key) if len(key) == 36 else None
    except ValueError:
        return None


def _may_be_of(draft: BookDraft, book: Book) -> bool:
    """Whether the draft has the book's title, or is the very record that it came from, whatever its title is by now."""
    return fold(draft.details.title) == fold(book.title) or draft.origin in book.sources


def _are_told_apart(numbers: frozenset[Number], others: frozenset[Number]) -> bool:
    """Whether one giver of identifiers gives them different ones, and so says that they are two."""
    schemes = {number.scheme for number in numbers} & {number.scheme for number in others}
    return bool(schemes) and numbers.isdisjoint(others)


def _dates(author: AuthorDetails) -> tuple[PartialDate | None, PartialDate | None]:
    return author.birth, author.death


def _live_at_one_time(one: AuthorDetails, other: AuthorDetails) -> bool:
    """Whether both were born at the same time, as far as that is told, and neither died when the other did not.

    A death that only one of them tells is no difference: who described the other may not have heard of it.
    """
    if _dates(one) == _dates(other):
        return True
    if (one.birth is None) is not (other.birth is None):
        return False
    if one.birth is None and (one.death is None) is not (other.death is None):
        return False
    pairs = ((one.birth, other.birth), (one.death, other.death))
    return all(a is None or b is None or a == b or (a.first <= b.last and b.first <= a.last) for a, b in pairs)
