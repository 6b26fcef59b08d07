"""Rows to records for the query side, without checking again what was checked when it was written.

A record that is read is not validated: the write side and `catalog doctor` do that. A row becomes the dict of a record,
field by field, and only what is more than a column's value is made into something else.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
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

    `reads` are what makes a value of what the driver gives, for each field; none where it gives the value itself. The
    fields stand in the row from `start` on. `joined` are records that are fields of this one and stand in the same row.
    """

    def __init__(
        self,
        record_class: type[RecordT],
        names: Sequence[str],
        reads: Sequence[Read | None] = (),
        *,
        start: int = 0,
        joined: "Mapping[str, Loader[Any]] | None" = None,
    ) -> None:
        of: Any = record_class
        self._class = of
        self._start = start
        self._names = tuple(names)
        hints = get_type_hints(record_class, include_extras=True)
        all_reads = reads or [None] * len(self._names)
        made: dict[str, Read | None] = {
            name: _after(read, _make(hints[name])) for name, read in zip(self._names, all_reads, strict=True)
        }
        items = {name: _item(name, start + place, made[name]) for place, name in enumerate(self._names)}
        for name, loader in (joined or {}).items():
            made[name] = loader.joined_record
            items[name] = f"{name!r}: {name}(row)"
        # The dict of a record is in the order of its fields, which is the order in which they are told.
        self._values = _written_out([items[f.name] for f in attrs.fields(of) if f.name in items], made)

    def record(self, row: Sequence[Any]) -> RecordT:
        """Return the record."""
        try:
            values = self._values(row)
        except (ValueError, TypeError) as error:
            id = dict(zip(self._names, row[self._start :], strict=False)).get("id")
            raise StorageFailed from ValueError(f"{self._class.__name__} {id}: {error}")
        record: Any = _NEW(self._class)
        _SET(record, "__dict__", values)
        return record  # type: ignore[no-any-return]  # it is one

    def joined_record(self, row: Sequence[Any]) -> RecordT | None:
        """Return the record that was joined to another; None where there was none, and the first column is null."""
        return None if row[self._start] is None else self.record(row)


_NEW, _SET = object.__new__, object.__setattr__


def _item(name: str, place: int, make: Read | None) -> str:
    value = f"row[{place}]"
    return f"{name!r}: {value if make is None else f'v if (v := {value}) is None else {name}(v)'}"


def _written_out(items: Sequence[str], made: Mapping[str, Read | None]) -> Callable[[Sequence[Any]], dict[str, Any]]:
    """Return what makes a dict of a row: one expression, written out field by field as attrs writes its methods.

    A loop over the fields takes three times as long, and this is most of what a list does in Python.
    """
    written: Callable[[Sequence[Any]], dict[str, Any]]
    written = eval(f"lambda row: {{{', '.join(items)}}}", dict(made))  # noqa: S307 - only names of fields are put in
    return written


def _after(read: Read | None, make: Read | None) -> Read | None:
    """Return what does both; what is read comes as text, and the same again and again."""
    if read is None or make is None:
        return read or make
    return lru_cache(maxsize=4096)(lambda value: make(read(value)))


def _make(annotation: Any) -> Read | None:
    """Return what makes the field's value of the column's, if that is anything else."""
    kind = _kind(annotation)
    if type(None) in get_args(kind):
        (kind,) = (arg for arg in get_args(kind) if arg is not type(None))
    if get_origin(kind) is tuple:
        return _tuple_of(get_args(kind)[0])
    if isinstance(kind, type) and issubclass(kind, TextValue):
        return partial(str.__new__, kind)  # as `kept` does, without a method around it
    return None


def _kind(annotation: Any) -> Any:
    return get_args(annotation)[0] if metadata_of(annotation) else annotation


def _tuple_of(kind: Any) -> Read:
    if attrs.has(kind):
        told = _told(kind)
        loader: Loader[Any] = Loader(kind, [f.name for f in attrs.fields(kind)])
        is_id = [f.type is UUID or get_args(f.type)[:1] == (UUID,) for f in attrs.fields(kind)]

        def parts(rows: Any) -> tuple[Any, ...]:
            if not rows:
                return ()
            # Parts that have rows of their own come as lists; those in a column of JSON, as objects.
            return tuple(
                told(row)
                if type(row) is dict
                else loader.record([UUID(hex=v) if id else v for v, id in zip(row, is_id, strict=True)])
                for row in rows
            )

        return parts
    make = _make(kind)
    return tuple if make is None else lambda values: tuple([make(value) for value in values])


def _told(kind: Any) -> Callable[[Mapping[str, Any]], Any]:
    """Return what makes a part of the object of JSON that says it; what it does not say, an older version knew not."""
    hints = get_type_hints(kind, include_extras=True)
    fields = [(f.name, f.default, _make(hints[f.name])) for f in attrs.fields(kind)]

    def part(said: Mapping[str, Any]) -> Any:
        values = {}
        for name, default, make in fields:
            value = said.get(name, default)
            values[name] = value if make is None or value is None else make(value)
        record = _NEW(kind)
        _SET(record, "__dict__", values)
        return record

    return part
