"""Rows to records for the query side, without checking again what was checked when it was written.

A record that is read is not validated: the write side and `catalog doctor` do that. A row becomes the dict of a record,
field by field, and only what is more than a column's value is made into something else.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

import attrs

from catalog.domain.constraints import metadata_of
from catalog.domain.errors import StorageFailed
from catalog.domain.values import TextValue

RecordT = TypeVar("RecordT")
Read = Callable[[Any], Any]


class Loader(Generic[RecordT]):
    """Makes records of rows that hold these fields of theirs, in this order; lists of parts come as lists of lists.

    `reads` are what makes a value of what the driver gives, for each field; none where it gives the value itself.
    """

    def __init__(self, record_class: type[RecordT], names: Sequence[str], reads: Sequence[Read | None] = ()) -> None:
        of: Any = record_class
        self._class = of
        self._names = tuple(names)
        hints = get_type_hints(record_class, include_extras=True)
        all_reads = reads or [None] * len(self._names)
        self._made = [
            (name, make)
            for name, read in zip(self._names, all_reads, strict=True)
            if (make := _after(read, _make(hints[name]))) is not None
        ]
        # The dict of a record is in the order of its fields, which is the order in which they are told.
        fields = tuple(f.name for f in attrs.fields(of) if f.name in self._names)
        self._in_order = None if fields == self._names else {name: self._names.index(name) for name in fields}

    def record(self, row: Sequence[Any], **others: Any) -> RecordT:
        """Return the record; `others` are fields that are not in the row."""
        if self._in_order is None:
            values = dict(zip(self._names, row, strict=True))
        else:
            values = {name: row[place] for name, place in self._in_order.items()}
        try:
            for name, make in self._made:
                if (value := values[name]) is not None:
                    values[name] = make(value)
        except (ValueError, TypeError) as error:
            raise StorageFailed from ValueError(f"{self._class.__name__} {values.get('id')}: {error}")
        values.update(others)
        record: Any = _NEW(self._class)
        _SET(record, "__dict__", values)
        return record  # type: ignore[no-any-return]  # it is one


_NEW, _SET = object.__new__, object.__setattr__


def _after(read: Read | None, make: Read | None) -> Read | None:
    """Return what does both."""
    if read is None or make is None:
        return read or make
    return lambda value: make(read(value))


def _make(annotation: Any) -> Read | None:
    """Return what makes the field's value of the column's, if that is anything else."""
    kind = get_args(annotation)[0] if metadata_of(annotation) else annotation
    if type(None) in get_args(kind):
        (kind,) = (arg for arg in get_args(kind) if arg is not type(None))
    if get_origin(kind) is tuple:
        return _tuple_of(get_args(kind)[0])
    if isinstance(kind, type) and issubclass(kind, TextValue):
        return kind.kept
    return None


def _tuple_of(kind: Any) -> Read:
    if attrs.has(kind):
        loader: Loader[Any] = Loader(kind, [f.name for f in attrs.fields(kind)])
        is_id = [f.type is UUID or get_args(f.type)[:1] == (UUID,) for f in attrs.fields(kind)]

        def parts(rows: Any) -> tuple[Any, ...]:
            if not rows:
                return ()
            return tuple(
                loader.record([UUID(hex=v) if id else v for v, id in zip(row, is_id, strict=True)]) for row in rows
            )

        return parts
    make = _make(kind)
    return tuple if make is None else lambda values: tuple([make(value) for value in values])
