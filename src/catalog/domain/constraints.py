"""What a field's annotation says beyond its type, and the hook that makes attrs keep it.

    title: Annotated[str, Text(longest=1000), Doc("the title proper", example="Middlemarch")]

Adding a field stays one line: storage, HTTP and OpenAPI read the same annotation.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from attrs import Attribute, frozen

from .errors import InvalidValue
from .text import normalised


@frozen
class Doc:
    """What a field means to people."""

    text: str
    example: object = None


@frozen
class Text:
    """Text of at most `longest` characters, kept in NFC and trimmed; never blank, no control characters."""

    longest: int

    def convert(self, value: object) -> object:
        """Return the text as it is kept."""
        return normalised(value, longest=self.longest) if isinstance(value, str) else value

    def check(self, value: object) -> None:
        """Conversion checks everything."""


@frozen
class Items:
    """At most `most` items; if `unique`, each of them once."""

    most: int
    unique: bool = True

    def convert(self, value: object) -> object:
        """Keep the items as they are."""
        return value

    def check_number(self, value: Sequence[object]) -> None:
        """Refuse too many items."""
        if len(value) > self.most:
            raise InvalidValue(f"must have at most {self.most} items, and this has {len(value)}")

    def check(self, value: object) -> None:
        """Refuse too many items, and an item that comes twice."""
        if not isinstance(value, Sequence):
            raise InvalidValue("must be a list")
        self.check_number(value)
        if not self.unique or len(set(value)) == len(value):
            return
        for index, item in enumerate(value):
            if item in value[:index]:
                raise InvalidValue(f"must not say the same twice, and items {value.index(item)} and {index} are equal")


type_constraints = (Text, Items)


def metadata_of(annotation: object) -> tuple[object, ...]:
    """Return what an annotation says beyond its type; nothing for a plain type."""
    return get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()


def constrained(cls: type[Any], fields: list["Attribute[Any]"]) -> list["Attribute[Any]"]:
    """Make attrs convert and check each field by its annotation, and tell the id first (a `field_transformer`)."""
    hints = get_type_hints(cls, include_extras=True)
    in_order = sorted(fields, key=lambda field: field.name != "id")
    return [_with_constraints(field, metadata_of(hints[field.name])) for field in in_order]


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


def _with_constraints(field: "Attribute[Any]", metadata: tuple[object, ...]) -> "Attribute[Any]":
    constraint = next((item for item in metadata if isinstance(item, type_constraints)), None)
    if constraint is None:
        return field
    return field.evolve(converter=constraint.convert, validator=_validator(constraint.check))


def _validator(check: Callable[[object], None]) -> Callable[[Any, Any, Any], None]:
    def validate(_instance: object, _attribute: object, value: object) -> None:
        check(value)

    return validate
