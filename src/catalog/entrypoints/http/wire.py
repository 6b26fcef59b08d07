"""JSON values to domain values and back: one converter, strict on the way in.

Values are checked one by one, so that a body is told everything that is wrong with it at once.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from itertools import islice
from types import NoneType
from typing import Annotated, Any, get_args, get_origin
from uuid import UUID

import attrs
import msgspec
from cattrs import (
    AttributeValidationNote,
    ClassValidationError,
    Converter,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.cols import is_sequence
from cattrs.gen import make_dict_structure_fn, override

from catalog.domain.constraints import Items, Text, checked, metadata_of
from catalog.domain.errors import InvalidValue
from catalog.domain.records import Amendment
from catalog.domain.values import TextValue

from .problems import MOST_VIOLATIONS, InvalidBody, Violation

# What an INTEGER column keeps in every database.
LEAST_INTEGER, MOST_INTEGER = -(2**31), 2**31 - 1

_RULES: Mapping[Any, str] = {
    str: "must be text",
    int: "must be a whole number",
    float: "must be a number",
    bool: "must be true or false",
    UUID: "must be a UUID",
    date: "must be a day as YYYY-MM-DD",
    datetime: "must be a time as YYYY-MM-DDTHH:MM:SSZ",
    list: "must be a list",
    dict: "must be an object",
}
_JSON_NAMES: Mapping[type, str] = {
    NoneType: "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
}
_STRICT: Mapping[Any, Any] = {int: Annotated[int, msgspec.Meta(ge=LEAST_INTEGER, le=MOST_INTEGER)]}
_HALF_A_PAIR = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
SCALARS = tuple(kind for kind in _RULES if kind not in {list, dict})


def decode(content: bytes, target: Any) -> Any:
    """Return the target type's value that the JSON text says; raise InvalidBody with all that is wrong."""
    if not content:
        raise InvalidBody([Violation(detail="a JSON body is required, and this request has none", pointer="")])
    try:
        data = msgspec.json.decode(content)
    except RecursionError:
        raise InvalidBody([Violation(detail="the JSON is nested too deeply", pointer="")]) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        half = _HALF_A_PAIR.search(content)
        why = error if half is None else f"{half[0].decode()} is half of a character, and the other half is missing"
        raise InvalidBody([Violation(detail=f"not JSON in UTF-8: {why}", pointer="")]) from None
    try:
        return converter.structure(data, target)
    except Exception as error:  # cattrs wraps whatever a hook raises
        violations = list(islice(_violations(error, ""), MOST_VIOLATIONS + 1))
        if len(violations) > MOST_VIOLATIONS:
            violations[-1] = Violation(detail="there are more errors; mend these first", pointer="")
        if violations:
            raise InvalidBody(violations) from None
        raise


def encode(value: Any) -> bytes:
    """Return the value as JSON: attrs classes as objects, field by field, with nothing made in between."""
    return _encoder.encode(value)


def told(value: Any) -> Any:
    """Return what that JSON says: dicts, lists and scalars."""
    return msgspec.to_builtins(value, enc_hook=_text_of)


def _text_of(value: Any) -> str:
    if isinstance(value, TextValue):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")


_encoder = msgspec.json.Encoder(enc_hook=_text_of)


def _violations(error: BaseException, pointer: str) -> Iterator[Violation]:
    """Walk the tree of errors that cattrs raises."""
    match error:
        case ClassValidationError() | IterableValidationError():
            for child in error.exceptions:
                yield from _violations(child, pointer + _step(child))
        case ForbiddenExtraKeysError():
            for name in sorted(error.extra_fields):
                yield Violation(detail="there is no such field; leave it out", pointer=f"{pointer}/{_escaped(name)}")
        case KeyError():
            yield Violation(detail="this field is required", pointer=pointer)
        case InvalidValue():
            yield Violation(detail=error.rule, pointer=pointer)
        case _:
            raise error


def _step(error: BaseException) -> str:
    for note in getattr(error, "__notes__", ()):
        match note:
            case AttributeValidationNote():
                return f"/{_escaped(note.name)}"
            case IterableValidationNote():
                return f"/{note.index}"
            case _:
                pass
    return ""


def _escaped(name: str) -> str:
    """Escape a key for a JSON Pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def _strictly(value: Any, target: Any) -> Any:
    """Return the value if its JSON type is the one wanted; cattrs would make "5" of 5 and True of "x"."""
    if target is int and type(value) is float and value.is_integer():
        value = int(value)  # JSON knows one kind of number: 5.0 is the whole number 5 (JSON Schema, section 6.3)
    try:
        return msgspec.convert(value, _STRICT.get(target, target))
    except msgspec.ValidationError:
        rule = _RULES[target]
        if target is int and type(value) is int:
            rule += f" from {LEAST_INTEGER} to {MOST_INTEGER}"
    if type(value) is not str:
        rule += f", not {_JSON_NAMES[type(value)]}"
    raise InvalidValue(rule)


def _make_converter() -> Converter:
    converter = Converter(forbid_extra_keys=True, detailed_validation=True)
    for scalar in SCALARS:
        converter.register_structure_hook(scalar, _strictly)
    converter.register_structure_hook(str, _structure_text)
    converter.register_structure_hook_factory(_is_optional, _optional_hook)
    converter.register_structure_hook_factory(is_sequence, _sequence_hook)
    converter.register_structure_hook_factory(attrs.has, _attrs_hook)
    converter.register_structure_hook_factory(_is_changes, _changes_hook)
    return converter


def _is_changes(target: Any) -> bool:
    return get_origin(target) is Amendment


def _structure_text(value: Any, target: type[str]) -> str:
    """Text values are str, too."""
    text: str = _strictly(value, str)
    return target.parse(text) if issubclass(target, TextValue) else text


def _is_optional(target: Any) -> bool:
    return type(None) in get_args(target) and len(get_args(target)) == 2


def _optional_hook(target: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    (inner,) = (arg for arg in get_args(target) if arg is not type(None))
    hook = converter.get_structure_hook(inner)
    return lambda value, _target: None if value is None else hook(value, inner)


def _sequence_hook(target: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    """Take a JSON array for a tuple, and nothing else: cattrs would take a string or an object apart."""
    inner = get_args(target)[0]
    hook = _item_hook(inner, converter)

    def structure(value: Any, _target: Any) -> Any:
        items = []
        errors: list[Exception] = []
        for index, item in enumerate(_strictly(value, list)):
            try:
                items.append(hook(item, inner))
            except Exception as error:  # collected, as cattrs does
                error.add_note(IterableValidationNote(f"item {index}", index, inner))
                errors.append(error)
        if errors:
            raise IterableValidationError("invalid items", errors, target)  # pyright: ignore[reportCallIssue]  # typed as its base
        return tuple(items)

    return structure


def _item_hook(inner: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    """Hold each text to what the list asks of its texts, so that the one which is wrong is told."""
    hook = converter.get_structure_hook(inner)
    text = next((item for item in metadata_of(inner) if isinstance(item, Text)), None)
    return hook if text is None else lambda value, target: text.convert(hook(value, target))


def _field_hooks(cls: type[Any], converter: Converter) -> dict[str, Callable[[Any, Any], Any]]:
    return {field.name: _field_hook(field, converter) for field in attrs.fields(cls)}


def _field_hook(field: "attrs.Attribute[Any]", converter: Converter) -> Callable[[Any, Any], Any]:
    hook = converter.get_structure_hook(field.type)
    bounds = [item for item in metadata_of(field.type) if isinstance(item, Items)]

    def structure(value: Any, _target: Any) -> Any:
        # Before the items are looked at: a body has room for half a million of them.
        for bound in bounds:
            if isinstance(value, list):
                bound.check_number(value)
        return checked(field, hook(value, field.type))

    return structure


def _attrs_hook(cls: type[Any], converter: Converter) -> Callable[[Any, Any], Any]:
    overrides: dict[str, Any] = {
        name: override(struct_hook=hook) for name, hook in _field_hooks(cls, converter).items()
    }
    build = make_dict_structure_fn(cls, converter, _cattrs_forbid_extra_keys=True, **overrides)
    return lambda value, target: build(_strictly(value, dict), target)


def _changes_hook(target: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    (details,) = get_args(target)
    hooks = _field_hooks(details, converter)
    lists = {field.name for field in attrs.fields(details) if field.default == ()}

    def structure(value: Any, _target: Any) -> Any:
        values: dict[str, Any] = {}
        errors: list[Exception] = []
        body = _strictly(value, dict)
        if unknown := body.keys() - hooks.keys():
            errors.append(ForbiddenExtraKeysError(None, details, unknown))
        for name, hook in hooks.items():
            if name in body:
                try:
                    # Of a list, null leaves nothing, as of any other field (RFC 7396, section 2).
                    values[name] = () if body[name] is None and name in lists else hook(body[name], None)
                except Exception as error:  # collected, as cattrs does
                    error.add_note(AttributeValidationNote(f"field {name}", name, details))
                    errors.append(error)
        if errors:
            raise ClassValidationError("invalid changes", errors, details)  # pyright: ignore[reportCallIssue]  # typed as its base
        return Amendment(values)

    return structure


converter = _make_converter()
