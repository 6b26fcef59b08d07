"""Conditions on the fields of records: what can be asked of a field follows from its type."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID

import attrs
from attrs import frozen

from .constraints import metadata_of
from .errors import InvalidValue
from .text import sort_key
from .values import PartialDate, TextValue

MOST_ALTERNATIVES = 100
"""Values that one `in` takes."""


class Operator(StrEnum):
    """How a field is compared."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    IN = "in"
    CONTAINS = "contains"
    STARTSWITH = "startswith"
    ISNULL = "isnull"


SAME = (Operator.EQ, Operator.NE, Operator.IN)
ORDERED = (Operator.LT, Operator.LTE, Operator.GT, Operator.GTE)
WRITTEN = (Operator.CONTAINS, Operator.STARTSWITH)


@frozen
class Filterable:
    """A field by which a list can be filtered."""

    name: str
    kind: Any
    """The type that it is compared as: text, int, bool, UUID, date, datetime or a TextValue."""
    operators: Sequence[Operator]
    is_many: bool = False
    """Whether it has several values; a record is found by any of them."""


@frozen(kw_only=True)
class Filter:
    """One condition; `value` is of the field's kind, for `in` a tuple of such, for `isnull` true or false.

    Text is compared as it is ordered: folded, its first 250 characters. A date that names a year or a month stands
    for all of it. What a record does not tell fulfils no comparison but `ne`.
    """

    field: Filterable
    operator: Operator
    value: Any

    def holds(self, record: Any) -> bool:
        """Whether the record fulfils it."""
        value = getattr(record, self.field.name)
        found: Sequence[Any] = value if self.field.is_many else () if value is None else (value,)
        match self.operator:
            case Operator.ISNULL:
                return bool(found) is not self.value
            case Operator.NE:
                return not any(_same(one, self.value) for one in found)
            case Operator.IN:
                return any(_same(one, value) for one in found for value in self.value)
            case operator:
                return any(_HOLDS[operator](one, self.value) for one in found)


def filterable(record_class: Any) -> Mapping[str, Filterable]:
    """Return the fields by which records can be filtered, by name.

    Of text, that is the one by which they are ordered; lists of parts with fields of their own are none.
    """
    return _filterable_fields(record_class)


def of_field(record_class: type[Any], name: str, value: Any, operator: Operator = Operator.EQ) -> Filter:
    """Return the condition on that field of the records."""
    return Filter(field=filterable(record_class)[name], operator=operator, value=value)


@lru_cache
def _filterable_fields(record_class: Any) -> Mapping[str, Filterable]:
    hints = get_type_hints(record_class, include_extras=True)
    found = (_filterable(record_class, f.name, hints[f.name]) for f in attrs.fields(record_class))
    return {field.name: field for field in found if field is not None}


def _filterable(record_class: type[Any], name: str, annotation: Any) -> Filterable | None:
    kind = get_args(annotation)[0] if metadata_of(annotation) else annotation
    is_many = get_origin(kind) is tuple
    alternatives = [arg for arg in get_args(kind) if arg is not Ellipsis]
    can_be_null = is_many or type(None) in alternatives
    if alternatives:
        kind = next(arg for arg in alternatives if arg is not type(None))
    operators = _operators(record_class, name, kind)
    if not operators:
        return None
    return Filterable(name, kind, (*operators, *[Operator.ISNULL] * can_be_null), is_many)


def _operators(record_class: type[Any], name: str, kind: Any) -> Sequence[Operator]:
    if kind is str:
        return (Operator.EQ, Operator.NE, *WRITTEN) if name == record_class.SORTED_BY else ()
    if kind is PartialDate:
        # Where no key orders them, as numbers: before the year 1, texts are not in the order of time.
        if not hasattr(record_class, f"{name}_up"):
            return ()
        return (Operator.EQ, Operator.NE, *ORDERED)
    if kind in (int, date, datetime):
        return (*SAME, *ORDERED)
    is_value = isinstance(kind, type) and issubclass(kind, TextValue)
    return SAME if kind in (bool, UUID) or is_value else ()


def must_be_few(values: Sequence[object]) -> None:
    """Refuse more alternatives than anybody needs."""
    if len(values) > MOST_ALTERNATIVES:
        raise InvalidValue(f"must name at most {MOST_ALTERNATIVES} values, and this names {len(values)}")


def _same(one: Any, other: Any) -> bool:
    if type(one) is str:
        return sort_key(one) == sort_key(other)
    if isinstance(one, PartialDate):
        return bool(other.first <= one.first and one.last <= other.last)
    return bool(one == other)


def _before(one: Any, other: Any) -> bool:
    return bool(one.first < other.first if isinstance(one, PartialDate) else one < other)


def _after(one: Any, other: Any) -> bool:
    return bool(one.first > other.last if isinstance(one, PartialDate) else one > other)


_HOLDS: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQ: _same,
    Operator.LT: _before,
    Operator.LTE: lambda one, other: not _after(one, other),
    Operator.GT: _after,
    Operator.GTE: lambda one, other: not _before(one, other),
    Operator.CONTAINS: lambda one, other: sort_key(other) in sort_key(one),
    Operator.STARTSWITH: lambda one, other: sort_key(one).startswith(sort_key(other)),
}
