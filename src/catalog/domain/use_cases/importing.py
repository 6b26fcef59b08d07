"""Importing records: what a file says becomes books, once."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from attrs import evolve, frozen

from catalog.domain.authors import Author
from catalog.domain.books import CONTRIBUTORS, Book, BookDetails, Contributor, SourceRecord
from catalog.domain.callers import Caller
from catalog.domain.errors import InvalidValue, UnreadableFile
from catalog.domain.identifiers import Identifier
from catalog.domain.imports import OnDuplicate, Outcome, Status
from catalog.domain.kinds import Kind
from catalog.domain.ports import Clock, DryRun, IdGenerator, Storage, UnitOfWork
from catalog.domain.records import details_of, succeeded, told
from catalog.domain.revisions import Operation
from catalog.domain.sources import BookDraft, Entry
from catalog.domain.text import fold

from .atomic import atomic
from .holdings import Holdings
from .matching import Matches, Unclear
from .transferring import NotTaken, Transfer

CHUNK = 1_000
"""Records per unit of work: what a killed import may have to do again, and what others may have to wait for."""
FIRST_CHUNK = 100
"""Records of the first one: while they are written, those of the second are read."""


@frozen
class Importing:
    """Takes records into the catalogue. Each record is taken once: its source key tells it again."""

    storage: Storage
    caller: Caller
    clock: Clock
    ids: IdGenerator

    async def run(
        self,
        entries: Iterable[Entry],
        run: UUID,
        *,
        on_duplicate: OnDuplicate = OnDuplicate.FILL_EMPTY,
        dry: DryRun | None = None,
        stops: bool = False,
    ) -> AsyncIterator[Outcome]:
        """Take all records, and yield what became of each, once it is durable: 1,000 in a unit, 100 in the first.

        All that is written belongs to the `run`, and can be taken back under its id. A dry run writes nothing, and
        says what a run would do; several files can be those of one. One that `stops` ends with the first record that
        is refused.
        """
        for chunk in chunks_of(entries, first=FIRST_CHUNK):
            outcomes = await self.take(chunk, run, on_duplicate=on_duplicate, dry=dry, stops=stops)
            for outcome in outcomes:
                yield outcome
            if stops and outcomes[-1].status is Status.REFUSED:
                return

    async def take(
        self,
        entries: Sequence[Entry],
        run: UUID,
        *,
        on_duplicate: OnDuplicate = OnDuplicate.FILL_EMPTY,
        dry: DryRun | None = None,
        stops: bool = False,
        again_since: int | None = None,
    ) -> Sequence[Outcome]:
        """Take some records, all or none of them; in a dry run, keep what would be there afterwards instead.

        With `again_since`, nobody knows whether this run has taken them already, after that seq; if so, what became of
        them then is told.
        """
        outcomes, foreseen = await self._taken(
            entries, run, on_duplicate=on_duplicate, dry=dry, stops=stops, again_since=again_since
        )
        if dry is None:
            return outcomes
        # Not before the unit is done: one that is run again would meet what it has kept the first time.
        await dry.keep(*foreseen)
        return [evolve(each, book_id=None) if each.status is Status.CREATED else each for each in outcomes]

    @atomic
    async def _taken(
        self,
        unit: UnitOfWork,
        entries: Sequence[Entry],
        run: UUID,
        *,
        on_duplicate: OnDuplicate,
        dry: DryRun | None,
        stops: bool,
        again_since: int | None,
    ) -> tuple[Sequence[Outcome], Sequence[Author | Book]]:
        """Take some records; return what became of them, and what a dry run is to keep."""
        unit.group, now, holdings = run, self.clock.now(), Holdings(unit, dry)
        matches, transfer = Matches(now, self.ids), Transfer()
        matches.fills = on_duplicate in (OnDuplicate.FILL_EMPTY, OnDuplicate.UPDATE)
        await matches.look_for([entry.draft for entry in entries if entry.draft is not None], holdings, run)
        await transfer.look_for([entry.record for entry in entries if entry.record is not None], holdings)
        outcomes: list[Outcome] = []
        for entry in entries:
            matches.begin_record()
            try:
                if entry.record is not None:
                    outcomes.append(self._transferred(entry, entry.record, transfer, on_duplicate))
                else:
                    outcomes.append(self._take(entry, matches, on_duplicate))
            except _Refused as refused:
                matches.forget_people()
                outcomes.append(_told(entry, Status.REFUSED, reason=str(refused)))
            if stops and outcomes[-1].status is Status.REFUSED:
                break
        if dry is not None:
            foreseen = matches.new_authors + matches.changed_authors + transfer.new + transfer.changed
            return outcomes, foreseen + matches.new_books + matches.changed_books
        await unit.authors.add(*matches.new_authors)
        await unit.authors.replace(*matches.changed_authors)
        await unit.authors.add(*(each for each in transfer.new if isinstance(each, Author)), at=now)
        await unit.authors.replace(*(each for each in transfer.changed if isinstance(each, Author)))
        await unit.books.add(*matches.new_books)
        await unit.books.add(*(each for each in transfer.new if isinstance(each, Book)), at=now)
        await unit.books.replace(*matches.changed_books)
        await unit.books.replace(*(each for each in transfer.changed if isinstance(each, Book)))
        return (outcomes if again_since is None else await _told_again(unit, outcomes, run, again_since)), ()

    def _take(self, entry: Entry, matches: Matches, on_duplicate: OnDuplicate) -> Outcome:
        draft = entry.draft
        if draft is None:
            raise _Refused(entry.refusal)
        try:
            standing = matches.book_from(draft.origin.id)
            if standing is not None and matches.is_another(draft, standing):
                told = f"its key came before in this file, for {standing.title!r}, so that it is known by all it says"
                entry, draft = evolve(entry, warnings=(*entry.warnings, told)), draft.told_by_content()
                standing = matches.book_from(draft.origin.id)
            if standing is not None:
                matches.must_be_of(draft, standing)
            if standing is None and on_duplicate is not OnDuplicate.ADD:
                standing = matches.book_with_isbn_of(draft)
            if standing is None:
                return self._created(entry, draft, matches)
            if on_duplicate in (OnDuplicate.SKIP, OnDuplicate.ADD):
                return _left(entry, draft, standing, matches)
            return self._merged(entry, draft, standing, matches, overwrites=on_duplicate is OnDuplicate.UPDATE)
        except (Unclear, InvalidValue) as error:
            raise _Refused(str(error)) from None

    def _transferred(
        self, entry: Entry, record: Author | Book, transfer: Transfer, on_duplicate: OnDuplicate
    ) -> Outcome:
        """Take a whole record as it is, under its id."""
        book_id = record.id if isinstance(record, Book) else None
        try:
            standing = transfer.standing(record)
            if standing is None:
                transfer.add(record)
                return Outcome(entry=entry, status=Status.CREATED, book_id=book_id)
            if on_duplicate in (OnDuplicate.FILL_EMPTY, OnDuplicate.UPDATE):
                overwrites = on_duplicate is OnDuplicate.UPDATE
                merged = transfer.merge(standing, record, overwrites=overwrites, at=self.clock.now())
                if merged is not None:
                    changed = ", ".join(transfer.differing(standing, merged))
                    left = transfer.differing(merged, record)
                    return evolve(_told(entry, Status.UPDATED, reason=f"{changed} changed", left=left), book_id=book_id)
            left = transfer.differing(standing, record)
            return evolve(_told(entry, Status.UNCHANGED, left=left), book_id=book_id)
        except (NotTaken, InvalidValue) as error:
            raise _Refused(str(error)) from None

    def _created(self, entry: Entry, draft: BookDraft, matches: Matches) -> Outcome:
        people, warnings = _people(draft, matches)
        sources = (draft.origin,)
        book = Book.recorded(draft.details, id=self.ids.new(), at=matches.at, sources=sources, people=people)
        matches.make_book(book)
        return _told(entry, Status.CREATED, book, warnings=warnings)

    def _merged(self, entry: Entry, draft: BookDraft, standing: Book, matches: Matches, *, overwrites: bool) -> Outcome:
        """Give the book what the record says, and the record itself.

        A record that was imported byte by byte as it is fills nothing again: what is empty was emptied since.
        """
        sources = _with_source(standing.sources, draft.origin)
        values: dict[str, Any] = {}
        warnings: tuple[str, ...] = ()
        if overwrites or sources != standing.sources:
            said = _said(draft)
            values = {name: value for name, value in said.items() if overwrites or _is_empty(getattr(standing, name))}
            if numbers := said.get("identifiers"):
                values["identifiers"] = _numbers(standing.identifiers, numbers, overwrites=overwrites)
            if {"author_id", "contributors"} & values.keys():
                people, warnings = _people(draft, matches, standing)
                values |= {name: id for name, id in people.items() if name in values}
        details = details_of(standing, BookDetails).amended(values)
        book = succeeded(standing, {**told(details), "sources": sources}, at=matches.at)
        if book is standing:
            return _left(entry, draft, standing, matches)
        matches.changed_books.append(book)
        matches.know_book(book)
        changed = [name for name in values if getattr(book, name) != getattr(standing, name)]
        reason = f"{', '.join(sorted(changed)) or 'the record that is kept with the book'} changed"
        left = _differing(draft, book, matches)
        return _told(entry, Status.UPDATED, book, reason=reason, warnings=warnings, left=left)


class _Refused(Exception):
    """Why a record can not become a book of this catalogue."""


async def _told_again(unit: UnitOfWork, outcomes: Sequence[Outcome], run: UUID, since: int) -> Sequence[Outcome]:
    """Return the outcomes as they were when this run took the records, where it did so after that seq."""
    untouched = {each.book_id for each in outcomes if each.book_id and each.status is Status.UNCHANGED}
    last = await unit.log.last(Kind.BOOK, untouched)
    done = {id: each for id, each in last.items() if each.group == run and each.seq > since}
    told: list[Outcome] = []
    for outcome in outcomes:
        revision = None if outcome.book_id is None else done.pop(outcome.book_id, None)
        if revision is None or outcome.status is not Status.UNCHANGED:
            told.append(outcome)
        elif revision.operation is Operation.CREATE:
            told.append(evolve(outcome, status=Status.CREATED, reason="", left=()))
        else:
            told.append(evolve(outcome, status=Status.UPDATED, reason="what it says was taken over", left=()))
    return told


def _people(draft: BookDraft, matches: Matches, standing: Book | None = None) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return whom the book names, found or made, and what had to be left out.

    Where the record calls somebody as the standing book or the catalogue does, how the book credits them stays.
    """
    before = {} if standing is None else {CONTRIBUTORS.key(each): each for each in standing.contributors}
    named: list[Contributor] = []
    for each in draft.contributors:
        author, name = matches.author(each.author), each.author.name
        said = Contributor(author_id=author.id, role=each.role, credited_as=None if name == author.name else name)
        stands = before.get(CONTRIBUTORS.key(said))
        is_told = stands is not None and each.author.folded_name in _folded_names(stands, matches)
        named.append(stands if stands is not None and is_told else said)
    contributors = CONTRIBUTORS.once(named)
    author_id = None if draft.author is None else matches.author(draft.author).id
    twice = len(named) - len(contributors)
    warnings = (f"{twice} contributor(s) named twice, kept once",) if twice else ()
    return {"author_id": author_id, "contributors": contributors}, warnings


def _folded_names(contributor: Contributor, matches: Matches) -> Sequence[str]:
    """Return what the contributor is called, folded: by the catalogue, and by the book."""
    name = matches.name_of(contributor.author_id)
    return (name,) if contributor.credited_as is None else (name, fold(contributor.credited_as))


def _said(draft: BookDraft) -> dict[str, Any]:
    """Return what the record says anything of; people are still to be looked for."""
    values = {name: value for name, value in told(draft.details).items() if not _is_empty(value)}
    values |= {"author_id": draft.author, "contributors": draft.contributors}
    return {name: value for name, value in values.items() if name not in draft.details.DERIVED and not _is_empty(value)}


def _numbers(
    standing: tuple[Identifier, ...], said: tuple[Identifier, ...], *, overwrites: bool
) -> tuple[Identifier, ...]:
    """Return the identifiers of both. Those of one giver are one value: told anew, or left as they are."""
    if not overwrites:
        schemes = {each.scheme for each in standing}
        return (*standing, *(each for each in said if each.scheme not in schemes))
    told = {(each.scheme, each.status) for each in said}
    return (*said, *(each for each in standing if (each.scheme, each.status) not in told))


def _is_empty(value: object) -> bool:
    return value in (None, ())


def _with_source(sources: tuple[SourceRecord, ...], record: SourceRecord) -> tuple[SourceRecord, ...]:
    """Return the sources with the record as it is now; who does not keep its bytes does not take them away."""
    standing = next((source for source in sources if source.id == record.id), None)
    if standing is None:
        return (*sources, record)
    if record.content is None:
        return sources
    return tuple(record if source is standing else source for source in sources)


def _told(
    entry: Entry,
    status: Status,
    book: Book | None = None,
    *,
    reason: str = "",
    warnings: tuple[str, ...] = (),
    left: tuple[str, ...] = (),
) -> Outcome:
    otherwise = f"the catalogue says otherwise in {', '.join(left)}, and was left as it is" if left else ""
    return Outcome(
        entry=entry,
        status=status,
        book_id=None if book is None else book.id,
        reason="; ".join(filter(None, (reason, otherwise))),
        warnings=entry.warnings + warnings,
        left=left,
    )


def _left(entry: Entry, draft: BookDraft, book: Book, matches: Matches) -> Outcome:
    return _told(entry, Status.UNCHANGED, book, left=_differing(draft, book, matches))


def _differing(draft: BookDraft, book: Book, matches: Matches) -> tuple[str, ...]:
    """Return what the book and the record both say, and differently."""
    said = _said(draft)
    author, contributors = said.pop("author_id", None), said.pop("contributors", ())
    numbers = {(each.scheme, each.value) for each in said.pop("identifiers", ())}
    others = [name for name, value in said.items() if getattr(book, name) != value]
    if not numbers <= {(each.scheme, each.value) for each in book.identifiers}:
        others.append("identifiers")
    if author is not None and (book.author_id is None or matches.name_of(book.author_id) != author.folded_name):
        others.append("author")
    if contributors:
        said_of_them = {(contributor.author.folded_name, contributor.role) for contributor in draft.contributors}
        told_of_each = [{(name, each.role) for name in _folded_names(each, matches)} for each in book.contributors]
        if not said_of_them <= set[Any]().union(*told_of_each) or any(map(said_of_them.isdisjoint, told_of_each)):
            others.append("contributors")
    return tuple(sorted(others))


def chunks_of(entries: Iterable[Entry], size: int = CHUNK, *, first: int | None = None) -> Iterator[Sequence[Entry]]:
    """Yield the entries in chunks of `size`, of which the `first` may have another.

    Those that were read before a file turns out to be damaged are yielded, too.
    """
    chunk: list[Entry] = []
    most = first or size
    try:
        for entry in entries:
            chunk.append(entry)
            if len(chunk) == most:
                yield chunk
                chunk, most = [], size
    except UnreadableFile:
        if chunk:
            yield chunk
        raise
    if chunk:
        yield chunk
