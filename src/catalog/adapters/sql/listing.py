"""A part of a list: which statement answers it, with which values, and what the rows say."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from attrs import evolve, frozen

from catalog.domain.authors import Author
from catalog.domain.cursors import Cursor
from catalog.domain.errors import StorageBusy
from catalog.domain.facets import Facet, FacetCount, counted
from catalog.domain.kinds import Kind
from catalog.domain.orders import Place
from catalog.domain.queries import BookQuery, Include, ListQuery, Page, PageRequest, Position, contributors_of
from catalog.domain.search import AndNot, Count, Search, Slice, any_of, corrected

from .database import Database
from .known import Known
from .lists import (
    AUTHOR_COLUMNS,
    AUTHOR_NAMES,
    HEAD,
    VERSIONS,
    Shape,
    Statements,
    authors_by_ids,
    bound,
    key_of,
    shapes_of,
)
from .loading import Loader
from .rows import BookRow, LogRow
from .slices import slices
from .words import parts_of, place_of

RecordT = TypeVar("RecordT")

MOST_AUTHORS = 512
"""Authors whom one statement finds."""
MOST_TOTALS = 1000
"""Totals that are remembered."""
ATTEMPTS = 3
"""How often a page is looked for from the end, which may move meanwhile, before it is looked for from the beginning."""


@frozen
class _Counted:
    """How many records a list had as of a seq."""

    seq: int
    total: int


@frozen
class _Window:
    """Which rows to ask for: so many, after so many others, in which direction, and whether one of them is too many."""

    offset: int
    limit: int
    is_backwards: bool = False


class Lists:
    """Answers lists, and remembers how long they were, for as long as nothing changes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._statements = Statements(database.words)
        self._time = database.reader_of(LogRow.__table__.c.at.type) or (lambda time: time)
        self._id = database.reader_of(BookRow.__table__.c.id.type) or str
        reads = [database.reader_of(column.type) for column in AUTHOR_COLUMNS]
        self._author = Loader(Author, AUTHOR_NAMES, reads, start=1).record
        self._totals: OrderedDict[str, _Counted] = OrderedDict()
        self._known = Known()
        self._known_facets: OrderedDict[tuple[str, Facet], tuple[int, Sequence[FacetCount]]] = OrderedDict()

    async def part(self, kind: Kind, query: ListQuery, read: Callable[[Sequence[Any]], RecordT]) -> Page[RecordT]:
        """Return the part of the list; raise InvalidValue for a cursor of another list."""
        page = await self._part(kind, query, read)
        if not isinstance(query, BookQuery):
            return page
        if query.search is not None and query.finds_nothing(page):
            page = evolve(page, did_you_mean=await self._meant(query.search, read))
        if not (query.facets or query.includes):
            return page
        for _ in range(ATTEMPTS):
            if (more := await self._more(query, page)) is not None:
                return evolve(page, **more)
            page = await self._part(kind, query, read)  # somebody has written meanwhile
        raise StorageBusy

    async def _more(self, query: BookQuery, page: Page[Any]) -> Mapping[str, Any] | None:
        """Return what was asked for besides the items, as of the seq of the page; None where that has passed."""
        more: dict[str, Any] = {}
        if query.facets:
            more["facets"] = await self._facets(query, page.as_of.seq)
        if Include.CONTRIBUTORS in query.includes:
            more["included"] = await self._authors(contributors_of(page.items), page.as_of.seq)
        return None if None in more.values() else more

    async def _authors(self, ids: Sequence[UUID], seq: int) -> Mapping[str, Author] | None:
        """Return the authors as of that seq, by id; None where that has passed."""
        found: dict[str, Author] = {}
        for some in slices(ids, MOST_AUTHORS):
            # A statement for each power of two; the last id fills it up.
            places = 1 << (len(some) - 1).bit_length()
            values = {f"id{place}": some[min(place, len(some) - 1)] for place in range(places)}
            rows = await self._database.fetch(authors_by_ids(places), values)
            if rows[0][0] != seq:
                return None
            found |= {str(author.id): author for author in map(self._author, [row for row in rows if row[1]])}
        return {str(id): found[str(id)] for id in ids}

    async def _meant(self, search: Search, read: Callable[[Sequence[Any]], Any]) -> str | None:
        """Return the search that was perhaps meant."""
        asking = corrected(search)
        answer: Any = None
        while True:
            try:
                question = asking.send(answer)
            except StopIteration as end:
                return None if end.value is None else str(end.value)
            match question:
                case Slice(first=first):
                    words = self._database.words.vocabulary
                    values = {"first": first, "beyond": chr(ord(first) + 1)}
                    answer = [word for (word,) in await self._database.fetch(words, values)]
                case Count(search=other):
                    query = BookQuery(search=other, page=PageRequest(size=1))
                    answer = (await self._part(Kind.BOOK, query, read)).total

    async def _facets(self, query: BookQuery, seq: int) -> Mapping[str, Sequence[FacetCount]] | None:
        """Return the facets as of that seq; None where that has passed."""
        shape = Shape(Kind.BOOK, "title", filters=shapes_of(query.filters), is_searched=query.search is not None)
        values = bound(query.filters, query.search, self._database.words)
        facets = {}
        for facet in query.facets:
            known = self._known_facets.get((query.digest, facet))
            if known is None or known[0] != seq:
                statement = self._statements.of_facet(facet, shape, query.filters)
                rows = await self._database.fetch(statement, values)
                if rows[0][0] != seq:
                    return None
                known = seq, self._counts(facet, rows)
                self._known_facets[query.digest, facet] = known
                if len(self._known_facets) > MOST_TOTALS:
                    self._known_facets.popitem(last=False)
            facets[facet.value] = known[1]
        return facets

    def _counts(self, facet: Facet, rows: Sequence[Sequence[Any]]) -> Sequence[FacetCount]:
        told = [row[1:] for row in rows if row[1] is not None]
        read = self._id if facet is Facet.AUTHOR else str
        return [counted(facet, read(value), count, name) for value, count, name in told]

    async def _part(self, kind: Kind, query: ListQuery, read: Callable[[Sequence[Any]], RecordT]) -> Page[RecordT]:
        start = query.start
        search = query.search if isinstance(query, BookQuery) else None
        attempt = 0
        while True:
            attempt += 1
            known = self._totals.get(query.digest) if attempt <= ATTEMPTS else None
            window = _window(query, start, known)
            shape = evolve(_shape(kind, query, start, search, window), is_counted=query.count and known is None)
            part = kind, query.digest, start, window
            records = self._known.of(part)
            rows = await self._rows(evolve(shape, is_brief=records is not None), query, start, search, window)
            found = [row for row in rows if row[HEAD + 1] is not None]
            if records is not None and any(row[HEAD + 2 :] not in records for row in found):
                records = None
                rows = await self._rows(shape, query, start, search, window)
                found = [row for row in rows if row[HEAD + 1] is not None]
            seq, at, total = rows[0][:HEAD]
            if total is None and known is not None and known.seq == seq:
                total = known.total
            if total is not None:
                self._remember(query, _Counted(seq, total))
            elif known is not None:
                self._totals.pop(query.digest, None)
            is_from_end = window.is_backwards and start is None
            is_of_now = known is None or known.seq == seq
            if is_of_now or not (is_from_end or (query.count and total is None)):
                break
        if records is None:
            versions = list(map(VERSIONS[kind], found))
            records = {version: read(row[HEAD + 2 :]) for version, row in zip(versions, found, strict=True)}
            self._known.keep(part, records)
        else:
            versions = [row[HEAD + 2 :] for row in found]
        listed = [(row[HEAD : HEAD + 2], records[version]) for row, version in zip(found, versions, strict=True)]
        as_of = Position(seq=seq, at=at and self._time(at))
        return _page(query, start, window, listed, total if query.count else None, as_of)

    async def _rows(
        self, shape: Shape, query: ListQuery, start: Cursor | None, search: Search | None, window: _Window
    ) -> Sequence[Sequence[Any]]:
        values = bound(query.filters, search, self._database.words)
        values |= {"limit": window.limit, "offset": window.offset}
        if shape.tiers and search is not None:
            values["most"] = window.offset + window.limit
            values |= {f"tier{tier}": self._database.words.query(_only(search, tier)) for tier in shape.tiers}
        if start is not None:
            values |= _beginning(shape, start.place)
        return await self._database.fetch(self._statements.of(shape, query.filters), values)

    def _remember(self, query: ListQuery, counted: _Counted) -> None:
        self._totals[query.digest] = counted
        self._totals.move_to_end(query.digest)
        if len(self._totals) > MOST_TOTALS:
            self._totals.popitem(last=False)


def _window(query: ListQuery, start: Cursor | None, known: _Counted | None) -> _Window:
    """Return which rows to ask for: one more than are told, to know whether the list goes on."""
    size = query.page.size
    if start is not None:
        return _Window(0, size + 1, is_backwards=start.is_backwards)
    offset = 0 if query.cursor is not None else query.page.offset
    if known is None or offset <= known.total // 2:
        return _Window(offset, size + 1)
    first, beyond = min(offset, known.total), min(offset + size + 1, known.total)
    return _Window(known.total - beyond, beyond - first, is_backwards=True)


def _shape(kind: Kind, query: ListQuery, start: Cursor | None, search: Search | None, window: _Window) -> Shape:
    sort = query.sorted_by
    shape = Shape(
        kind=kind,
        order=sort.order.name,
        is_descending=sort.is_descending is not window.is_backwards,
        is_down=sort.is_descending,
        begins_at_key=start is not None,
        filters=shapes_of(query.filters),
        is_searched=search is not None,
    )
    if search is None or not sort.is_by_relevance:
        return shape
    tiers = tuple(range(len(search.tiers)))
    if start is None:
        return evolve(shape, tiers=tiers)
    at = _tier_of(start.place)
    return evolve(shape, tiers=tiers[: at + 1] if window.is_backwards else tiers[at:], at_tier=at)


def _only(search: Search, tier: int) -> Any:
    """Return what a book of that tier fulfils, and of none before."""
    return AndNot(search.tiers[tier], any_of(search.tiers[:tier])) if tier else search.tiers[0]


def _tier_of(place: Place) -> int:
    key: Any = place.key
    return int(key[0])


def _beginning(shape: Shape, place: Place) -> dict[str, Any]:
    if shape.tiers:
        key: Any = place.key
        return {"key": place_of(*key[1:])}
    return {"key": key_of(shape).unknown if place.key is None else place.key, "id": place.id}


def _page(
    query: ListQuery,
    start: Cursor | None,
    window: _Window,
    found: Sequence[tuple[Sequence[Any], RecordT]],
    total: int | None,
    as_of: Position,
) -> Page[RecordT]:
    size = query.page.size
    if start is not None and start.is_backwards:
        # They come from the last to the first, and one too many tells that there are more before.
        told = found[:size][::-1]
        has_next, has_prev = True, len(found) > size
    else:
        listed = found[::-1] if window.is_backwards else found
        told = listed[:size]
        offset = 0 if query.cursor is not None else query.page.offset
        has_next, has_prev = len(listed) > size, start is not None or offset > 0
    return Page(
        items=[record for _, record in told],
        limit=size,
        offset=query.page.offset if query.cursor is None else None,
        total=total,
        as_of=as_of,
        next=_cursor(query, *told[-1]) if told and has_next else None,
        prev=_cursor(query, *told[0], is_backwards=True) if told and has_prev else None,
    )


def _cursor(query: ListQuery, key: Sequence[Any], record: Any, *, is_backwards: bool = False) -> str:
    sort = query.sorted_by
    if sort.is_by_relevance:
        tier, place = key
        return query.at(Place((tier, *parts_of(place)), record.id), is_backwards=is_backwards)
    return query.at(sort.place_of(record), is_backwards=is_backwards)
