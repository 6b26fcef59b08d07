"""What a field's annotation says beyond its type, and the hook that makes attrs keep it.

    title: Annotated[str, Text(longest=1000), Doc("the title proper", example="Middlemarch")]

Adding a field stays one line: storage, HTTP and OpenAPI read the same annotation.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from attrs import Attribute, frozen

from .errors import InvalidValue
from .text import normalised

T = TypeVar("T")


@frozen
class Doc:
    """What a field means to people."""

    text: str
    example: object = None


@frozen
class Text:
    """Text of at most `longest` characters, kept in NFC and trimmed; never blank, no control characters.

    Only where it `has_lines`, there may be line feeds and tabs in it.
    """

    longest: int
    has_lines: bool = False

    def convert(self, value: object) -> object:
        """Return the text as it is kept."""
        return normalised(value, longest=self.longest, has_lines=self.has_lines) if isinstance(value, str) else value

    def check(self, value: object) -> None:
        """Conversion checks everything."""


@frozen
class Items:
    """At most `most` items; if `unique`, each of them once. What the items are held to stands at their own type.

    Items that are equal in the fields of `told_apart_by` are the same, whatever else they say.
    """

    most: int
    unique: bool = True
    told_apart_by: tuple[str, ...] = ()

    def convert(self, value: object) -> object:
        """Keep the items as they are."""
        return value

    def key(self, item: object) -> object:
        """Return what tells the item from others."""
        return tuple(getattr(item, name) for name in self.told_apart_by) if self.told_apart_by else item

    def once(self, items: Iterable[T]) -> tuple[T, ...]:
        """Return the items without those that come again."""
        first: dict[object, T] = {}
        for item in items:
            first.setdefault(self.key(item), item)
        return tuple(first.values())

    def check_number(self, value: Sequence[object]) -> None:
        """Refuse too many items."""
        if len(value) > self.most:
            raise InvalidValue(f"must have at most {self.most} items, and this has {len(value)}")

    def check(self, value: object) -> None:
        """Refuse too many items, and an item that comes twice."""
        if type(value) is not tuple and not isinstance(value, Sequence):
            raise InvalidValue("must be a list")
        self.check_number(value)
        told = [self.key(item) for item in value] if self.told_apart_by else value
        if not self.unique or len(set(told)) == len(told):
            return
        for index, item in enumerate(told):
            if item in told[:index]:
                first = told.index(item)
                equal = "equal" if value[first] == value[index] else f"equal in {' and '.join(self.told_apart_by)}"
                raise InvalidValue(f"must not say the same twice, and items {first} and {index} are {equal}")


@frozen
class Number:
    """A whole number from `least` to `most`."""

    least: int
    most: int

    def convert(self, value: object) -> object:
        """Keep the number as it is."""
        return value

    def check(self, value: object) -> None:
        """Refuse a number out of bounds."""
        if isinstance(value, int) and not self.least <= value <= self.most:
            raise InvalidValue(f"must be a whole number from {self.least} to {self.most}")


type_constraints = (Text, Items, Number)


def metadata_of(annotation: object) -> tuple[object, ...]:
    """Return what an annotation says beyond its type; nothing for a plain type."""
    return get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()


def constrained(cls: type[Any], fields: list["Attribute[Any]"]) -> list["Attribute[Any]"]:
    """Make attrs convert and check each field by its annotation, and tell the id first (a `field_transformer`)."""
    hints = get_type_hints(cls, include_extras=True)
    in_order = sorted(fields, key=lambda field: field.name != "id")
    return [_with_constraints(field, hints[field.name]) for field in in_order]


def checked(field: "Attribute[Any]", value: Any) -> Any:
    """Return the value as the field would keep it, or raise InvalidValue: attrs alone does not say which field."""
    if value is None:
        return None
    convert: Callable[[Any], Any] | None = field.converter  # type: ignore[assignment]  # `constrained` made it
    if convert is not None:
        value = convert(value)
    if field.validator is not None:
        field.validator(None, field, value)
    return value


def text_of_items(annotation: object) -> Text | None:
    """Return what the texts of a list are held to; None where it is no list of bounded texts."""
    kind = get_args(annotation)[0] if metadata_of(annotation) else annotation
    if get_origin(kind) is not tuple:
        return None
    return next((item for item in metadata_of(get_args(kind)[0]) if isinstance(item, Text)), None)


def _with_constraints(field: "Attribute[Any]", annotation: object) -> "Attribute[Any]":
    constraint = next((item for item in metadata_of(annotation) if isinstance(item, type_constraints)), None)
    if constraint is None:
        return field
    convert: Callable[[Any], Any] = constraint.convert
    if (text := text_of_items(annotation)) is not None:
        convert = _converter_of_texts(text)
    return field.evolve(converter=convert, validator=_validator(constraint.check))


def _converter_of_texts(text: Text) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        is_list = type(value) is tuple or isinstance(value, Sequence)
        return tuple(map(text.convert, value)) if is_list else value

    return convert


def _validator(check: Callable[[object], None]) -> Callable[[Any, Any, Any], None]:
    def validate(_instance: object, _attribute: object, value: object) -> None:
        check(value)

    return validate
