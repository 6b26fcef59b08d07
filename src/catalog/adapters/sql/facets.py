"""Facets in SQL: what `catalog.domain.facets` counts, over the books that a list holds."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from sqlalchemy import Integer, Select, Text, bindparam, func, literal_column, null, select, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from catalog.domain.facets import MOST_VALUES, YEARS, Facet

from .rows import AuthorRow, BookRow, LogRow

_BEFORE_ANY_YEAR = 10_000
"""Years; databases round divisions towards zero, and there are years before it."""


class _Each(GenericFunction[Any]):
    """The elements of a JSON array of texts, in a column `value`."""

    name = "catalog_each"
    inherit_cache = True
    type = Text()


@compiles(_Each, "sqlite")
def _in_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **kw)})"


@compiles(_Each, "postgresql")
def _in_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    return f"json_array_elements_text({compiler.process(element.clauses, **kw)})"


Restrict = Callable[[Select[Any]], Select[Any]]
"""Restricts a statement to the books of a list."""


def _select(*columns: Any) -> Select[Any]:
    statement: Any = select(*columns)  # the types of columns depend on the facet
    return cast(Select[Any], statement)


def facet_statement(facet: Facet, restrict: Restrict) -> Select[Any]:
    """Return the statement: the seq of the log, and the most frequent values with their counts and names."""
    told = _STATEMENTS[facet](restrict).subquery("told")
    head = _select(LogRow.seq, told.c.value, told.c.count, told.c.name).select_from(LogRow).outerjoin(told, true())
    return head.order_by(told.c.count.desc(), told.c.value.asc())


def _by(value: Any, restrict: Restrict) -> Select[Any]:
    count = func.count().label("count")
    statement = restrict(_select(value.label("value"), count, null().label("name"))).group_by(value)
    return statement.order_by(count.desc(), value.asc()).limit(bindparam("most_values", MOST_VALUES))


def _by_language(restrict: Restrict) -> Select[Any]:
    each = func.catalog_each(BookRow.languages).table_valued("value", name="each_language")
    return _by(each.c.value, lambda statement: restrict(statement).join(each, true()))


def _by_decade(restrict: Restrict) -> Select[Any]:
    decade: Any = literal_column(
        f"(book.published_up + {_BEFORE_ANY_YEAR * YEARS}) / {10 * YEARS} * 10 - {_BEFORE_ANY_YEAR}", Integer()
    )
    return _by(decade, lambda statement: restrict(statement).where(BookRow.published.is_not(None)))


def _by_author(restrict: Restrict) -> Select[Any]:
    of = _by(BookRow.author_id, lambda statement: restrict(statement).where(BookRow.author_id.is_not(None))).subquery(
        "of"
    )
    return _select(of.c.value, of.c.count, AuthorRow.name).join(AuthorRow, AuthorRow.id == of.c.value)


_STATEMENTS: Mapping[Facet, Callable[[Restrict], Select[Any]]] = {
    Facet.LANGUAGE: _by_language,
    Facet.DECADE: _by_decade,
    Facet.AUTHOR: _by_author,
}
