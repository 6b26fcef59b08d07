"""Statements in SQLite's words, compiled once, with what makes their values ready and their rows readable."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, cast
from uuid import UUID, SafeUUID

import msgspec
from advanced_alchemy.types import GUID, DateTimeUTC
from sqlalchemy import JSON, ClauseElement, Date, Executable
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeEngine

from catalog.adapters.sql.mapping import JSON_CODEC

Read = Callable[[Any], Any]

_DIALECT: Any = sqlite.dialect(**JSON_CODEC)


class Compiled:
    """One statement."""

    def __init__(self, statement: ClauseElement) -> None:
        compiled: Any = statement.compile(dialect=_DIALECT)
        self.text = str(compiled)
        names: Sequence[str] = compiled.positiontup
        self.values = _written_out([(name, compiled.binds[name]) for name in names])
        """Returns the values in the order of their places."""


def _written_out(binds: Sequence[tuple[str, Any]]) -> Callable[[Mapping[str, Any]], list[Any]]:
    """Return what makes a list of given values: one expression, for rows come by the thousand."""
    items: list[str] = []
    writers: dict[str, Any] = {}
    for place, (name, bind) in enumerate(binds):
        value = f"given[{name!r}]" if bind.required else f"given.get({name!r}, fixed{place})"
        writers |= {f"fixed{place}": bind.value, f"write{place}": (write := _writer(bind.type))}
        items.append(value if write is None else f"write{place}({value})")
    values: Callable[[Mapping[str, Any]], list[Any]]
    values = eval(f"lambda given: [{', '.join(items)}]", writers)  # noqa: S307 - only names of columns are put in
    return values


@lru_cache(maxsize=1024)
def compiled(statement: Executable) -> Compiled:
    """Return the statement, compiled; known by its identity."""
    return Compiled(cast("ClauseElement", statement))


def fetched(connection: sqlite3.Connection, text: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
    """Return all rows; runs in the thread of the connection."""
    cursor = connection.execute(text, values)
    try:
        return cursor.fetchall()
    finally:
        cursor.close()


def _writer(kind: TypeEngine[Any]) -> Read | None:
    """Return what makes of a value what SQLite keeps."""
    if isinstance(kind, GUID):
        return _bytes
    if isinstance(kind, JSON):
        serialize: Read = _DIALECT._json_serializer  # noqa: SLF001 - what its own processor calls, past three others
        return serialize
    implementation: Any = kind.dialect_impl(_DIALECT)
    write: Read | None = implementation.bind_processor(_DIALECT)
    # What one unit of work writes was made at one time.
    return lru_cache(maxsize=64)(write) if write is not None and isinstance(kind, DateTimeUTC) else write


def _bytes(uuid: UUID | None) -> bytes | None:
    return None if uuid is None else uuid.bytes


def reader_of(kind: TypeEngine[Any]) -> Read | None:
    """Return what makes a value of a column of that type; SQLAlchemy's own take several times as long."""
    match kind:
        case GUID():
            return _uuid
        case DateTimeUTC():
            return _time
        case Date():
            return date.fromisoformat
        case JSON():
            return _list
        case _:
            implementation: Any = kind.dialect_impl(_DIALECT)
            read: Read | None = implementation.result_processor(_DIALECT, None)
            return read


_NEW, _SET = object.__new__, object.__setattr__


# Many rows name the same author, and were written at the same time.
@lru_cache(maxsize=16_384)
def _uuid(content: bytes) -> UUID:
    """Return the UUID that the bytes are; its own constructor looks at six ways to make one."""
    uuid = _NEW(UUID)
    _SET(uuid, "int", int.from_bytes(content, "big"))
    _SET(uuid, "is_safe", SafeUUID.unknown)
    return uuid


@lru_cache(maxsize=16_384)
def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _list(text: str) -> Any:
    if text == "[]":
        return ()
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise ValueError(f"{text[:100]!r} is no JSON: {error}") from None
