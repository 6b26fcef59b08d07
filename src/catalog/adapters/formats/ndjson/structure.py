"""What a line says to a record, strictly: what a member holds is what it must be, or the line is no record."""

from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from itertools import islice
from types import NoneType
from typing import Any, get_args
from uuid import UUID

import attrs
from cattrs import (
    AttributeValidationNote,
    Converter,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.cols import is_sequence
from cattrs.errors import BaseValidationError
from cattrs.gen import make_dict_structure_fn, override

from catalog.domain.books import SourceRecord
from catalog.domain.constraints import Text, checked, metadata_of
from catalog.domain.errors import InvalidValue
from catalog.domain.values import TextValue

MOST_VERSION = 2**31 - 1
"""What an INTEGER column keeps in every database."""

LONGEST_SOURCE = 500
"""Characters of a source, and of the key that it gives: databases have them in an index."""

_MOST_TOLD = 5
_JSON_NAMES: Mapping[type, str] = {
    NoneType: "null", bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list",
    dict: "an object",
}  # fmt: skip  # a table


def record_of(said: dict[str, Any], cls: type[Any]) -> Any:
    """Return the record; raise InvalidValue, which tells each member that is wrong, and what it must be."""
    with suppress(Exception):  # which says no more than that something is wrong
        return _quick.structure(said, cls)
    try:
        return _telling.structure(said, cls)
    except Exception as error:  # noqa: BLE001 - cattrs wraps whatever a hook raises
        told = list(islice(_told(error, ""), _MOST_TOLD + 1))
        if len(told) > _MOST_TOLD:
            told[-1] = "and more"
        raise InvalidValue("; ".join(told)) from None


def _told(error: BaseException, member: str) -> Iterator[str]:
    """Walk the tree of errors that cattrs raises."""
    match error:
        case BaseValidationError():
            for child in error.exceptions:
                yield from _told(child, member + _step(child))
        case ForbiddenExtraKeysError():
            names = ", ".join(sorted(error.extra_fields))[:200]
            yield f"{member.lstrip('.') or 'it'} must not have the members {names}, which there are not"
        case KeyError():
            yield f"{member.lstrip('.')} is missing"
        case InvalidValue():
            yield f"{member.lstrip('.') or 'it'} {error.rule}"
        case _:
            yield f"{member.lstrip('.') or 'it'} can not be read ({type(error).__name__})"


def _step(error: BaseException) -> str:
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            return f".{note.name}"
        if isinstance(note, IterableValidationNote):
            return f"[{note.index}]"
    return ""


def _strictly(value: Any, kind: type[Any], rule: str) -> Any:
    """Return the value if it is of that kind; cattrs would make "5" of 5."""
    if type(value) is not kind:
        raise InvalidValue(f"{rule}, not {_JSON_NAMES[type(value)]}")
    return value


def _whole_number(value: Any, _target: Any) -> int:
    number: int = _strictly(value, int, "must be a whole number")
    return number


def _text(value: Any, target: type[str]) -> str:
    text: str = _strictly(value, str, "must be text")
    return target(text) if issubclass(target, TextValue) else text


def _read_as(read: Callable[[str], Any], rule: str) -> Callable[[Any, Any], Any]:
    def structure(value: Any, _target: Any) -> Any:
        text = _strictly(value, str, rule)
        try:
            return read(text)
        except (ValueError, OverflowError):
            raise InvalidValue(f"{rule}, not {text[:50]!r}") from None

    return structure


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("it has no time zone")
    return time.astimezone(UTC)


def _version(value: Any, _target: Any) -> int:
    if type(value) is not int or not 1 <= value <= MOST_VERSION:
        raise InvalidValue(f"must be a whole number from 1 to {MOST_VERSION}")
    return value


def _source(value: Any, _target: Any) -> str:
    text = _text(value, str)
    if not 0 < len(text) <= LONGEST_SOURCE or "\0" in text:
        raise InvalidValue(f"must be text of at most {LONGEST_SOURCE} characters, none of them U+0000")
    return text


def _sequence_hook(target: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    inner = get_args(target)[0]
    hook = converter.get_structure_hook(inner)

    def structure(value: Any, _target: Any) -> Any:
        return tuple([hook(item, inner) for item in _strictly(value, list, "must be a list")])

    return structure


def _telling_sequence_hook(target: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    inner = get_args(target)[0]
    hook = converter.get_structure_hook(inner)
    text = next((each for each in metadata_of(inner) if isinstance(each, Text)), None)

    def structure(value: Any, _target: Any) -> Any:
        items: list[Any] = []
        errors: list[Exception] = []
        for index, item in enumerate(_strictly(value, list, "must be a list")):
            try:
                items.append(hook(item, inner) if text is None else text.convert(hook(item, inner)))
            except Exception as error:  # noqa: BLE001 - collected, as cattrs does
                error.add_note(IterableValidationNote(f"item {index}", index, inner))
                errors.append(error)
                if len(errors) > _MOST_TOLD:
                    break
        if errors:
            raise IterableValidationError("invalid items", errors, target)  # pyright: ignore[reportCallIssue]  # typed as its base
        return tuple(items)

    return structure


def _attrs_hook(cls: type[Any], converter: Converter) -> Callable[[Any, Any], Any]:
    overrides: dict[str, Any] = {}
    for each in attrs.fields(cls):
        hook = _own_hook(cls, each.name)
        if converter.detailed_validation:
            hook = _checking(each, hook or converter.get_structure_hook(each.type))
        if hook is not None:
            overrides[each.name] = override(struct_hook=hook)
    # A member that this version does not know would be lost: better no record.
    build = make_dict_structure_fn(
        cls,
        converter,
        _cattrs_forbid_extra_keys=True,
        _cattrs_detailed_validation=converter.detailed_validation,
        **overrides,
    )
    return lambda value, target: build(_strictly(value, dict, "must be an object"), target)


def _own_hook(cls: type[Any], name: str) -> Callable[[Any, Any], Any] | None:
    """Return what holds a field to more than its type says."""
    if name == "version":
        return _version
    return _source if cls is SourceRecord and name in ("source", "key") else None


def _checking(field: "attrs.Attribute[Any]", hook: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Check the value here, where it is known which field it is of."""
    return lambda value, _target: checked(field, hook(value, field.type))


def _make_converter(*, tells: bool) -> Converter:
    converter = Converter(forbid_extra_keys=True, detailed_validation=tells)
    converter.register_structure_hook(UUID, _read_as(UUID, "must be a UUID"))
    converter.register_structure_hook(bytes, _read_as(lambda text: b64decode(text, validate=True), "must be base64"))
    converter.register_structure_hook(date, _read_as(date.fromisoformat, "must be a day as YYYY-MM-DD"))
    converter.register_structure_hook(datetime, _read_as(_time, "must be a time as YYYY-MM-DDTHH:MM:SSZ"))
    converter.register_structure_hook(int, _whole_number)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook_factory(is_sequence, _telling_sequence_hook if tells else _sequence_hook)
    converter.register_structure_hook_factory(attrs.has, _attrs_hook)
    return converter


# Most lines are records, and one that is none may take longer.
_quick, _telling = _make_converter(tells=False), _make_converter(tells=True)
