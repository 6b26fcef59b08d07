"""The filters of lists as conditions in SQL; what holds in `catalog.domain.filters` holds here, to the row."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Integer, Text, and_, bindparam, cast, not_, or_
from sqlalchemy.sql import ColumnElement

from catalog.domain.filters import Filter, Operator
from catalog.domain.text import sort_key
from catalog.domain.values import PartialDate

from .rows import AuthorRow, BookRow

Values = dict[str, Any]


def shape_of(condition: Filter) -> tuple[str, str, int]:
    """Return what the SQL of a filter depends on, whatever its values."""
    how_many = len(condition.value) if condition.operator is Operator.IN else int(condition.value is True)
    return condition.field.name, condition.operator.value, how_many


def values_of(condition: Filter, place: int) -> Values:
    """Return the values to be bound."""
    value = condition.value
    match condition.operator:
        case Operator.ISNULL:
            return {}
        case Operator.IN:
            return {f"f{place}_{n}": _bound(one, is_many=condition.field.is_many) for n, one in enumerate(value)}
        case _ if condition.field.kind is str:
            return {f"f{place}": _text_bound(condition)}
        case _ if isinstance(value, PartialDate):
            return {f"f{place}_first": value.first, f"f{place}_last": value.last}
        case _:
            return {f"f{place}": _bound(value, is_many=condition.field.is_many)}


def condition_in_sql(condition: Filter, row: type[AuthorRow | BookRow], place: int) -> ColumnElement[bool]:
    """Return the condition on the rows, with its values to be bound."""
    if condition.field.kind is str:
        return _on_text(row, condition.operator, bindparam(f"f{place}", type_=Text()))
    if condition.field.kind is PartialDate:
        return _on_partial_date(condition, place)
    column: Any = row.__table__.c[condition.field.name]
    if condition.field.is_many:
        return _on_list(column, condition, place)
    match condition.operator:
        case Operator.ISNULL:
            found: ColumnElement[bool] = column.is_(None) if condition.value else column.is_not(None)
            return found
        case Operator.NE:
            return or_(column.is_(None), column != bindparam(f"f{place}", type_=column.type))
        case Operator.IN:
            names = (f"f{place}_{n}" for n in range(len(condition.value)))
            return _is_one_of(column, [bindparam(name, type_=column.type) for name in names])
        case operator:
            return _COMPARED[operator](column, bindparam(f"f{place}", type_=column.type))


def _on_text(row: Any, operator: Operator, value: Any) -> ColumnElement[bool]:
    """Compare the folded text."""
    key = row.name_key if row is AuthorRow else row.sort_key
    match operator:
        case Operator.CONTAINS:
            found: ColumnElement[bool] = key.like(value, escape="\\")
            return found
        case Operator.STARTSWITH:
            return and_(key >= value, key < value.concat(_AFTER_ANY))
        case _:
            return _COMPARED[operator](key, value)


def _is_one_of(column: Any, values: Sequence[Any]) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column.in_(values)
    return found


_AFTER_ANY = "\U0010ffff"


def _on_partial_date(condition: Filter, place: int) -> ColumnElement[bool]:
    key: Any = BookRow.published_up
    is_known = BookRow.published.is_not(None)
    first: Any = bindparam(f"f{place}_first", type_=Integer())
    last: Any = bindparam(f"f{place}_last", type_=Integer())
    is_within = and_(key.between(first, last), is_known)
    match condition.operator:
        case Operator.ISNULL:
            return BookRow.published.is_(None) if condition.value else is_known
        case Operator.EQ:
            return is_within
        case Operator.NE:
            return or_(BookRow.published.is_(None), not_(key.between(first, last)))
        case Operator.LT:
            return and_(key < first, is_known)
        case Operator.LTE:
            return and_(key <= last, is_known)
        case Operator.GT:
            return and_(key > last, is_known)
        case _:
            return and_(key >= first, is_known)


def _on_list(column: Any, condition: Filter, place: int) -> ColumnElement[bool]:
    """Look for a value in its quotes: canonical spellings hold no quotes."""
    written = cast(column, Text)
    match condition.operator:
        case Operator.ISNULL:
            return written == "[]" if condition.value else written != "[]"
        case Operator.IN:
            return or_(*(written.like(bindparam(f"f{place}_{n}")) for n in range(len(condition.value))))
        case Operator.NE:
            return not_(written.like(bindparam(f"f{place}")))
        case _:
            return written.like(bindparam(f"f{place}"))


def _bound(value: Any, *, is_many: bool) -> Any:
    if is_many:
        return f'%"{value}"%'
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, str):
        return str(value)
    return value


def _text_bound(condition: Filter) -> str:
    """Return the folded text, with what LIKE would take for more than itself escaped."""
    key = sort_key(condition.value)
    if condition.operator is not Operator.CONTAINS:
        return key
    escaped = key.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


_COMPARED: Mapping[Operator, Callable[[Any, Any], ColumnElement[bool]]] = {
    Operator.EQ: lambda column, value: column == value,
    Operator.NE: lambda column, value: column != value,
    Operator.LT: lambda column, value: column < value,
    Operator.LTE: lambda column, value: column <= value,
    Operator.GT: lambda column, value: column > value,
    Operator.GTE: lambda column, value: column >= value,
}
