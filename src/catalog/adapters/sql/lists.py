"""The statement that answers a part of a list: one, whatever is asked.

It begins with the one row that counts the log, so that the state which an answer shows is known, also where the
answer is empty. The keys of a part are found first, on an index alone; only then are its records read. What a
statement looks like depends on the shape of a question; it is built once for each shape.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from attrs import frozen
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    bindparam,
    func,
    literal,
    null,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.sql.elements import UnaryExpression

from catalog.domain.authors import Author
from catalog.domain.books import BookRecord, Contributor, SourceKey
from catalog.domain.facets import Facet
from catalog.domain.filters import Filter
from catalog.domain.kinds import Kind
from catalog.domain.search import Search

from .cards import NOBODY_DOWN, NOBODY_UP
from .conditions import condition_in_sql, shape_of, values_of
from .facets import facet_statement
from .mapping import columns_of
from .parts import parts_of
from .rows import AuthorRow, BookRow, CardRow, ContributorRow, LogRow, SourceRow
from .words import Words

HEAD = 3
"""Columns before the key and the record: the seq of the log, its time, and the total if it was asked for."""

_AUTHOR: Sequence[ColumnElement[Any]] = columns_of(AuthorRow, Author)
_BOOK: Sequence[ColumnElement[Any]] = columns_of(BookRow, BookRecord)
_PARTS = {
    "contributors": (ContributorRow.__table__, [column.key for column in columns_of(ContributorRow, Contributor)]),
    "sources": (SourceRow.__table__, [column.key for column in columns_of(SourceRow, SourceKey)]),
}

AUTHOR_NAMES = tuple(str(column.key) for column in _AUTHOR)
BOOK_NAMES = (*(str(column.key) for column in _BOOK), *_PARTS)

AUTHOR_COLUMNS = _AUTHOR
BOOK_COLUMNS = (*_BOOK, *(parts_of(table, names, of=BookRow.id).label(name) for name, (table, names) in _PARTS.items()))
OF_ITS_AUTHOR = tuple(column.label(f"author__{column.key}") for column in _AUTHOR)


_COLUMNS = {Kind.AUTHOR: AUTHOR_COLUMNS, Kind.BOOK: BOOK_COLUMNS}
_AUTHOR_VERSIONS = [AUTHOR_NAMES.index(name) for name in ("id", "version")]
_BOOK_VERSIONS = [BOOK_NAMES.index(name) for name in ("id", "version")]
VERSIONS: Mapping[Kind, Callable[[Sequence[Any]], Hashable]] = {
    Kind.AUTHOR: itemgetter(*(HEAD + 2 + place for place in _AUTHOR_VERSIONS)),
    Kind.BOOK: itemgetter(
        *(HEAD + 2 + place for place in (*_BOOK_VERSIONS, len(BOOK_NAMES) + AUTHOR_NAMES.index("version")))
    ),
}
"""What gives of a row just what a brief one tells after its key: an id, and the versions of what is shown under it."""


@frozen
class Key:
    """A column by which records are ordered, and the value of what has none."""

    column: Any
    unknown: Any = None


_AUTHOR_KEYS: Mapping[str, tuple[Key, Key]] = {
    "name": (Key(AuthorRow.sort_key), Key(AuthorRow.sort_key)),
    "created_at": (Key(AuthorRow.created_at), Key(AuthorRow.created_at)),
    "updated_at": (Key(AuthorRow.updated_at), Key(AuthorRow.updated_at)),
}
_BOOK_KEYS: Mapping[str, tuple[Key, Key]] = {
    "title": (Key(BookRow.sort_key), Key(BookRow.sort_key)),
    "author": (Key(CardRow.author_up, NOBODY_UP), Key(CardRow.author_down, NOBODY_DOWN)),
    "published": (
        Key(BookRow.published_up, 2**31 - 1),
        Key(BookRow.published_down, -(2**31 - 1)),
    ),
    "created_at": (Key(BookRow.created_at), Key(BookRow.created_at)),
    "updated_at": (Key(BookRow.updated_at), Key(BookRow.updated_at)),
}
KEYS: Mapping[Kind, Mapping[str, tuple[Key, Key]]] = {Kind.AUTHOR: _AUTHOR_KEYS, Kind.BOOK: _BOOK_KEYS}


@frozen
class Shape:
    """What the statement depends on."""

    kind: Kind
    order: str
    """The name of an order, or "relevance"."""
    is_descending: bool = False
    """Whether the index is read downwards."""
    is_down: bool = False
    """Whether the order is the descending one, where what is unknown has another key."""
    begins_at_key: bool = False
    filters: tuple[tuple[str, str, int], ...] = ()
    is_counted: bool = False
    is_searched: bool = False
    tiers: tuple[int, ...] = ()
    """The tiers in which to look, where the order is that of relevance."""
    at_tier: int = -1
    """The tier of the key at which to begin."""
    is_brief: bool = False
    """Whether only the versions of the records are told."""


def key_of(shape: Shape) -> Key:
    """Return the key by which the list is ordered."""
    return KEYS[shape.kind][shape.order][int(shape.is_down)]


class Statements:
    """The statements of one database."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._built = lru_cache(maxsize=512)(self._build)
        self._built_facets = lru_cache(maxsize=128)(self._build_facet)

    def of(self, shape: Shape, filters: Sequence[Filter]) -> Select[Any]:
        """Return the statement of that shape."""
        known = self._built
        # The cache looks at the shape alone; filters of one shape make one statement.
        return known(shape, _Unseen(filters))

    def of_facet(self, facet: Facet, shape: Shape, filters: Sequence[Filter]) -> Select[Any]:
        """Return the statement that counts a facet over the list of that shape."""
        return self._built_facets(facet, shape, _Unseen(filters))

    def _build_facet(self, facet: Facet, shape: Shape, filters: "_Unseen") -> Select[Any]:
        conditions = [condition_in_sql(condition, BookRow, place) for place, condition in enumerate(filters.filters)]
        return facet_statement(
            facet, lambda statement: self._among(statement, shape, BookRow, conditions, is_by_key=False)
        )

    def _build(self, shape: Shape, filters: "_Unseen") -> Select[Any]:
        row: Any = AuthorRow if shape.kind is Kind.AUTHOR else BookRow
        conditions = [condition_in_sql(condition, row, place) for place, condition in enumerate(filters.filters)]
        keys = self._by_relevance(shape, conditions) if shape.tiers else self._by_key(shape, row, conditions)
        return self._told(shape, row, keys, self._total(shape, row, conditions))

    def _by_key(self, shape: Shape, row: Any, conditions: Sequence[ColumnElement[bool]]) -> FromClause:
        key: Any = key_of(shape).column
        id = CardRow.book_id if shape.order == "author" else row.id
        columns: list[Any] = [id.label("id"), key.label("key")]
        if shape.is_brief and (shape.order != "author" or conditions):
            # They are in the row that is looked at anyway; else its id has to be looked up first.
            columns += [row.version, row.author_id] if shape.kind is Kind.BOOK else [row.version]
        listed: Any = select(*columns)
        statement = self._among(listed, shape, row, conditions, is_by_key=True)
        if shape.begins_at_key:
            place = tuple_(bindparam("key", type_=key.type), bindparam("id", type_=row.id.type))
            here = tuple_(key, id)
            statement = statement.where(here < place if shape.is_descending else here > place)
        found: FromClause = _window(statement.order_by(_in(key, shape), _in(id, shape))).subquery("found")
        return found

    def _by_relevance(self, shape: Shape, conditions: Sequence[ColumnElement[bool]]) -> FromClause:
        arms = []
        for tier in reversed(shape.tiers) if shape.is_descending else shape.tiers:
            matching = self._words.matching(f"tier{tier}")
            place = matching.c.place
            arm = select(literal(tier).label("tier"), place.label("place")).select_from(matching)
            if conditions:
                arm = arm.join(CardRow, CardRow.place == place).join(BookRow, BookRow.id == CardRow.book_id)
                arm = arm.where(*conditions)
            if tier == shape.at_tier:
                key = bindparam("key", type_=BigInteger())
                arm = arm.where(place < key if shape.is_descending else place > key)
            most = bindparam("most", type_=BigInteger())
            arms.append(select(arm.order_by(_in(place, shape)).limit(most).subquery(f"arm{tier}")))
        # One arm after another, and none is begun once there are enough: that is what both databases do with a limit
        # upon a UNION ALL that is not ordered. Most searches end in the first or the second.
        every = union_all(*arms).subquery("arms")
        found: Any = _window(select(every.c.tier, every.c.place)).subquery("first")
        card = select(CardRow.book_id.label("id"), found.c.tier, found.c.place.label("key"))
        return card.join(found, found.c.place == CardRow.place).subquery("found")

    def _among(
        self,
        statement: Select[Any],
        shape: Shape,
        row: Any,
        conditions: Sequence[ColumnElement[bool]],
        *,
        is_by_key: bool,
    ) -> Select[Any]:
        """Return the statement, restricted to what the list holds."""
        with_card = shape.is_searched or (is_by_key and shape.order == "author")
        if with_card:
            statement = statement.select_from(CardRow)
            if conditions or not is_by_key or shape.order != "author":
                statement = statement.join(BookRow, BookRow.id == CardRow.book_id)
        elif not is_by_key:
            statement = statement.select_from(row)
        if shape.is_searched:
            matching = self._words.matching("search")
            statement = statement.where(CardRow.place.in_(select(matching.c.place)))
        return statement.where(*conditions)

    def _total(self, shape: Shape, row: Any, conditions: Sequence[ColumnElement[bool]]) -> ColumnElement[Any]:
        if not conditions and not shape.is_searched:
            table = LogRow.__table__
            return table.c.authors if shape.kind is Kind.AUTHOR else table.c.books
        if not shape.is_counted:
            return null()
        if shape.is_searched and not conditions:
            return select(func.count()).select_from(self._words.matching("search")).scalar_subquery()
        return self._among(select(func.count()), shape, row, conditions, is_by_key=False).scalar_subquery()

    def _told(self, shape: Shape, row: Any, keys: Any, total: ColumnElement[Any]) -> Select[Any]:
        key = (keys.c.tier, keys.c.key) if shape.tiers else (null().label("tier"), keys.c.key)
        tables: Any = LogRow.__table__.outerjoin(keys, true())
        is_found = shape.is_brief and "version" in keys.c
        if not is_found:
            tables = tables.outerjoin(row, row.id == keys.c.id)
        columns: Sequence[Any] = _versions(keys.c if is_found else row) if shape.is_brief else _COLUMNS[shape.kind]
        if shape.kind is Kind.BOOK:
            author_id = keys.c.author_id if is_found else row.author_id
            tables = tables.outerjoin(AuthorRow, AuthorRow.id == author_id)
            columns = [*columns, *([AuthorRow.version.label("author__version")] if shape.is_brief else OF_ITS_AUTHOR)]
        order = [_in(keys.c.key, shape), _in(keys.c.id, shape)]
        if shape.tiers:
            order.insert(0, _in(keys.c.tier, shape))
        told: Sequence[Any] = LogRow.seq, LogRow.at, total.label("total"), *key, *columns
        return select(*told).select_from(tables).order_by(*order)


def _versions(row: Any) -> Sequence[Any]:
    return row.id, row.version


@lru_cache
def authors_by_ids(count: int) -> Select[Any]:
    """Return the statement that finds that many authors, `id0` and so on, beside the seq of the log."""
    ids = [bindparam(f"id{place}", type_=AuthorRow.id.type) for place in range(count)]
    told: Sequence[Any] = LogRow.seq, *AUTHOR_COLUMNS
    return select(*told).select_from(LogRow.__table__.outerjoin(AuthorRow, AuthorRow.id.in_(ids)))


class _Unseen:
    """Filters that the cache of statements does not compare: their shape says it all."""

    def __init__(self, filters: Sequence[Filter]) -> None:
        self.filters = filters

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Unseen)

    def __hash__(self) -> int:
        return 0


def _in(column: Any, shape: Shape) -> UnaryExpression[Any]:
    direction: UnaryExpression[Any] = column.desc() if shape.is_descending else column.asc()
    return direction


def _window(statement: Any) -> Any:
    return statement.limit(bindparam("limit", type_=BigInteger())).offset(bindparam("offset", type_=BigInteger()))


def shapes_of(filters: Sequence[Filter]) -> tuple[tuple[str, str, int], ...]:
    """Return the shapes of the filters."""
    return tuple(map(shape_of, filters))


def bound(filters: Sequence[Filter], search: Search | None, words: Words) -> dict[str, Any]:
    """Return the values of the filters and of the search."""
    values: dict[str, Any] = {}
    for place, condition in enumerate(filters):
        values |= values_of(condition, place)
    if search is not None:
        values["search"] = words.query(search.condition)
    return values
