"""Rows to records and back, by name: whatever has a column is kept, whatever has a field is read.

Inside the log, and in receipts, a record is JSON.
"""

from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache, partial
from types import NoneType
from typing import Any, TypeVar, cast, get_origin
from uuid import UUID

import attrs
import msgspec
from advanced_alchemy.base import DefaultBase
from cattrs import Converter
from sqlalchemy import Column, Table, inspect
from sqlalchemy.orm import Mapper, RelationshipProperty

from catalog.domain.errors import StorageFailed
from catalog.domain.records import Record
from catalog.domain.values import TextValue

RecordT = TypeVar("RecordT", bound=Record)
T = TypeVar("T")


def inserts_of(records: Sequence[Record], row_class: type[DefaultBase]) -> list[tuple[Table, list[dict[str, Any]]]]:
    """Return what to insert for new records, table by table, parents first.

    Plain values and not rows: a session that tracks thousands of new objects takes twice as long.
    """
    mapper: Mapper[Any] = inspect(row_class)
    parents = list(map(_new_values(row_class), records))
    inserts = [(cast("Table", mapper.local_table), parents)]
    for name, relationship in mapper.relationships.items():
        children = [
            {str(remote.key): parent[str(local.key)] for local, remote in relationship.local_remote_pairs or ()}
            | values
            for record, parent in zip(records, parents, strict=True)
            for values in _children_values(getattr(record, name))
        ]
        if children:
            inserts.append((cast("Table", relationship.mapper.local_table), children))
    return inserts


def update_row(row: DefaultBase, record: Record) -> None:
    """Make the row keep the record, touching only what differs."""
    for name, value in _column_values(record, type(row)).items():
        if getattr(row, name) != value:
            setattr(row, name, value)
    mapper: Mapper[Any] = inspect(type(row))
    for name, relationship in mapper.relationships.items():
        children = getattr(record, name)
        standing = [_content(child, relationship) for child in getattr(row, name)]
        if standing != [converter.unstructure(child) for child in children]:
            setattr(row, name, [relationship.mapper.class_(**values) for values in _children_values(children)])


def record_of(row: DefaultBase, record_class: type[RecordT]) -> RecordT:
    """Return the record that the row keeps."""
    mapper: Mapper[Any] = inspect(type(row))
    values = {column.key: getattr(row, column.key) for column in mapper.columns}
    for name, relationship in mapper.relationships.items():
        values[name] = [_content(child, relationship) for child in getattr(row, name)]
    return structure(values, record_class)


def structure(values: Mapping[str, Any], record_class: type[RecordT]) -> RecordT:
    """Return the record that has these column values; checked like any other, for a database can be edited."""
    try:
        return converter.structure(values, record_class)
    except (ValueError, TypeError, KeyError) as error:
        # What the database holds is nobody's request; a bare InvalidValue would be answered as one.
        raise StorageFailed from ValueError(f"{record_class.__name__} {values.get('id')}: {error}")


def columns_of(row_class: type[DefaultBase], record_class: type[Any]) -> Sequence[Column[Any]]:
    """Return the columns that keep fields of the record, not those computed from it."""
    fields = attrs.fields_dict(record_class)
    mapper: Mapper[Any] = inspect(row_class)
    return [column for column in mapper.columns if column.key in fields]


@cache
def _new_values(row_class: type[DefaultBase]) -> Callable[[Record], dict[str, Any]]:
    """Return what tells what the columns are to keep of a record, written out column by column.

    Text values are made plain text; drivers have types of their own for what else there is. What is to be JSON becomes
    that at once, however it is made.
    """
    items = [
        f"{name!r}: v if type(v := record.{name}) in kept or not isinstance(v, str) else str(v)"
        for name in _column_names(row_class)
    ]
    values: Callable[[Record], dict[str, Any]]
    values = eval(f"lambda record: {{{', '.join(items)}}}", {"kept": _KEPT})  # noqa: S307 - only names of columns are put in
    return values


def _column_values(record: Record, row_class: type[DefaultBase]) -> dict[str, Any]:
    """Return what the columns of a row hold, for comparing."""
    return {name: converter.unstructure(getattr(record, name)) for name in _column_names(row_class)}


_KEPT = frozenset((str, NoneType, int, UUID, date, datetime, tuple))
"""What most values are, and nothing needs to be made of before it goes to its column."""


@cache
def _column_names(row_class: type[DefaultBase]) -> Sequence[str]:
    mapper: Mapper[Any] = inspect(row_class)
    return [column.key for column in mapper.columns]


def _children_values(children: Sequence[Any]) -> Iterator[dict[str, Any]]:
    for position, child in enumerate(children):
        yield {"position": position, **converter.unstructure(child)}


def _content(child: DefaultBase, relationship: RelationshipProperty[Any]) -> dict[str, Any]:
    """Return what a child row says, without the columns that only place it in its parent."""
    places = {remote.key for _, remote in relationship.local_remote_pairs or ()} | {"position"}
    mapper: Mapper[Any] = inspect(type(child))
    return {column.key: getattr(child, column.key) for column in mapper.columns if column.key not in places}


def _column_json(value: Any) -> str:
    if not value and isinstance(value, list | tuple):  # as most lists of a book are
        return "[]"
    return _json.encode(value).decode()


JSON_CODEC: Mapping[str, Any] = {"json_serializer": _column_json, "json_deserializer": msgspec.json.decode}
"""What engines make JSON with: a tenth of the time that the standard library takes, and a record has ten lists."""


def to_json(value: Any) -> str:
    """Return the value as JSON."""
    return _json.encode(value).decode()


def from_json(text: str, target: type[T]) -> T:
    """Return the value that the JSON says."""
    try:
        return _json_converter.structure(msgspec.json.decode(text), target)
    except (ValueError, TypeError, KeyError, msgspec.DecodeError) as error:
        raise StorageFailed from ValueError(f"the log has no {target.__name__} where one should be: {error}")


def _make_converter() -> Converter:
    converter = Converter(detailed_validation=False)
    for stored_as_is in (int, float, bool, bytes, UUID, date, datetime):
        converter.register_structure_hook(stored_as_is, lambda value, _target: value)
        converter.register_unstructure_hook(stored_as_is, lambda value: value)
    # Text values are str, too.
    converter.register_structure_hook(str, lambda value, target: value if target is str else target(value))
    converter.register_unstructure_hook(str, str)
    # As JSON gives them back, so that what is the same is seen to be the same.
    converter.register_unstructure_hook_factory(_is_tuple, partial(_list_hook, converter=converter))
    return converter


def _is_tuple(target: Any) -> bool:
    return (get_origin(target) or target) is tuple


def _list_hook(_target: Any, converter: Converter) -> Callable[[Any], Any]:
    return lambda values: [converter.unstructure(value) for value in values]


def _make_json_converter() -> Converter:
    converter = _make_converter()
    converter.register_structure_hook(UUID, lambda value, _target: UUID(value))
    converter.register_structure_hook(bytes, lambda value, _target: b64decode(value, validate=True))
    converter.register_structure_hook(date, lambda value, _target: date.fromisoformat(value))
    converter.register_structure_hook(datetime, lambda value, _target: datetime.fromisoformat(value))
    return converter


def _text_of(value: Any) -> str:
    if isinstance(value, TextValue):
        return str(value)
    raise NotImplementedError


_json = msgspec.json.Encoder(enc_hook=_text_of)
converter = _make_converter()
_json_converter = _make_json_converter()
