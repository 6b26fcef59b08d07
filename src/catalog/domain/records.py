"""The life of a record: it is never changed, it is succeeded by its next version.

A record is a details class (what a client may say) plus an id, a version and two times.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar
from uuid import UUID

from attrs import Attribute, AttrsInstance, evolve, fields, fields_dict, frozen

from .constraints import checked
from .errors import DoesNotFit, InvalidValue, StaleVersion
from .kinds import Kind


class Record(AttrsInstance, Protocol):
    """What authors and books have in common."""

    KIND: ClassVar[Kind]

    @property
    def id(self) -> UUID:
        """Made by the catalogue and never reused."""
        ...

    @property
    def version(self) -> int:
        """1 for a new record, one more for whatever happens to it."""
        ...

    @property
    def updated_at(self) -> datetime:
        """When its content last changed (UTC)."""
        ...


class Checked(AttrsInstance, Protocol):
    """Values that are checked one by one, and then as they stand together."""

    def __attrs_post_init__(self) -> None:
        """Derive what follows from other values; raise InvalidValue where they do not go together."""
        ...


class Details(Checked, Protocol):
    """What a client may say about a record."""

    DERIVED: ClassVar[Mapping[str, str]]
    """The fields that follow from another one, and which; each can be written in place of the other."""

    def amended(self, values: Mapping[str, Any], /) -> Self:
        """Return the details with these values, and whatever follows from them."""
        ...


T = TypeVar("T", bound=Checked)
RecordT = TypeVar("RecordT", bound=Record)
DetailsT = TypeVar("DetailsT", bound=Details)


@frozen
class Amendment(Generic[DetailsT]):
    """Some fields of some details, each with its new value; what is not named stays (RFC 7396)."""

    values: Mapping[str, Any]

    @classmethod
    def to(cls, details: DetailsT) -> "Amendment[DetailsT]":
        """Return the amendment that says everything anew."""
        return cls(told(details))

    def applied_to(self, details: DetailsT) -> DetailsT:
        """Return the details, amended; raise DoesNotFit where the values do not go with those that stay."""
        try:
            return details.amended(self.values)
        except InvalidValue as error:
            raise DoesNotFit(error.rule) from None


def told(details: AttrsInstance) -> dict[str, Any]:
    """Return the fields and their values, not taken apart any further."""
    return {name: getattr(details, name) for name in names_of(type(details))}


@cache
def names_of(cls: type[AttrsInstance]) -> tuple[str, ...]:
    """Return the names of the fields, in their order."""
    return tuple(f.name for f in fields(cls))


def record_with(record_class: type[RecordT], details: AttrsInstance, **more: Any) -> RecordT:
    """Return the record that has these details; they were checked when they were made, and are not checked again."""
    values = {**vars(details), **more}
    record: RecordT = object.__new__(record_class)
    record.__dict__.update({name: values[name] for name in names_of(record_class)})
    return record


def made_of(details_class: type[T], values: Mapping[str, Any]) -> T:
    """Return the details that have these values, each of them checked already; what is not said is as by default."""
    made: T = object.__new__(details_class)
    made.__dict__.update(_defaults(details_class))
    made.__dict__.update(values)
    made.__attrs_post_init__()
    return made


@cache
def _defaults(details_class: type[AttrsInstance]) -> Mapping[str, Any]:
    return {f.name: f.default for f in fields(details_class)}


def changed(details: T, values: Mapping[str, Any]) -> T:
    """Return the details with these values, which alone are checked: the others were, when they were made."""
    by_name = _fields(type(details))
    if unknown := values.keys() - by_name.keys():
        raise TypeError(f"{type(details).__name__} has no field {', '.join(sorted(unknown))}")
    made: T = object.__new__(type(details))
    made.__dict__.update(details.__dict__)
    made.__dict__.update((name, checked(by_name[name], value)) for name, value in values.items())
    made.__attrs_post_init__()
    return made


@cache
def _fields(details_class: type[AttrsInstance]) -> Mapping[str, "Attribute[Any]"]:
    return fields_dict(details_class)


def details_of(record: Record, details_class: type[DetailsT]) -> DetailsT:
    """Return the part of a record that a client may write."""
    return details_class(**{f.name: getattr(record, f.name) for f in fields(details_class)})


def succeeded(record: RecordT, values: Mapping[str, Any], *, at: datetime) -> RecordT:
    """Return the record's next version with these values, or the record itself if they change nothing."""
    if all(getattr(record, name) == value for name, value in values.items()):
        return record
    successor = {**values, "version": record.version + 1, "updated_at": at}
    return evolve(record, **successor)  # type: ignore[misc]  # mypy wants a concrete attrs class


def filled(details: DetailsT, others: DetailsT) -> DetailsT:
    """Return the details, with what they leave empty taken from the others, as far as it goes together."""
    for name, value in told(details).items():
        # What follows from another field is filled with it, and never without.
        if value in (None, ()) and name not in details.DERIVED:
            with suppress(InvalidValue):  # a birth that is later than the death, say: one of both is wrong
                details = details.amended({name: getattr(others, name)})
    return details


def must_stand_at(record: Record, versions: Collection[int] | None) -> None:
    """Refuse to go on from a version that the caller does not know; None stands for any version."""
    if versions is not None and record.version not in versions:
        raise StaleVersion(record.KIND, record.id, record.version)
