"""What a record says, as far as it fits the fields of a book."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from attrs import Attribute, fields_dict

from catalog.domain.authors import AuthorDetails
from catalog.domain.books import BookDetails, Link, SourceRecord
from catalog.domain.constraints import Items, checked, metadata_of
from catalog.domain.errors import InvalidValue
from catalog.domain.identifiers import Identifier
from catalog.domain.records import made_of
from catalog.domain.sources import BookDraft, DraftContributor
from catalog.domain.values import Scheme, Url

_ISBN = re.compile(r"(?:urn:isbn:|isbn(?:-1[03])?:?)?\s*([0-9][0-9Xx\s\-\u2010-\u2015]*)", re.IGNORECASE)
_BETWEEN = re.compile(r"[,;/|]|\band\b|\s(?=97[89])|(?<=[0-9Xx])\s+(?=[0-9-]{10,}[0-9Xx])")


def fitting(said: Mapping[str, Any], warnings: list[str]) -> BookDetails:
    """Return the details; what a field does not take is left out and told. Raises InvalidValue without a title."""
    if not said.get("title"):
        raise InvalidValue("has no title")
    fitting = {name: _fitting(name, value, warnings) for name, value in said.items()}
    return made_of(BookDetails, {"author_id": None, **fitting})


def drafted(
    origin: SourceRecord,
    said: Mapping[str, Any],
    warnings: list[str],
    *,
    author: AuthorDetails | None,
    contributors: Sequence[DraftContributor],
    has_own_key: bool = True,
) -> BookDraft:
    """Return the draft of a book; whoever does not fit is left out, and told. Raises InvalidValue without a title."""
    if len(contributors) > _MOST_CONTRIBUTORS:
        warnings.append(f"{len(contributors) - _MOST_CONTRIBUTORS} of {len(contributors)} contributors left out")
    return BookDraft(
        origin=origin,
        details=fitting(said, warnings),
        author=author,
        contributors=tuple(contributors[:_MOST_CONTRIBUTORS]),
        has_own_key=has_own_key,
    )


def links_of(addresses: Iterable[str], warnings: list[str]) -> Iterator[Link]:
    """Yield what the addresses lead to; what is no address is left out, and told."""
    for address in filter(None, addresses):
        try:
            yield Link(url=Url.parse(address))
        except InvalidValue as error:
            warnings.append(f"link {address[:100]!r} left out: it {error.rule}")


def _fitting(name: str, value: Any, warnings: list[str]) -> Any:
    field, most = _FIELDS[name]
    if most is not None:
        return _fitting_items(name, value, field, most, warnings)
    if value is None:
        return None
    try:
        return checked(field, value)
    except InvalidValue as error:
        if name == "title":
            raise InvalidValue(f"title {error.rule}") from None
        warnings.append(f"{name} left out: it {error.rule}")
        return None


def _fitting_items(
    name: str, values: Iterable[Any], field: "Attribute[Any]", most: int, warnings: list[str]
) -> tuple[Any, ...]:
    items = tuple(dict.fromkeys([value for value in values if value]))
    if not items:
        return ()
    if len(items) <= most:
        try:
            converted = _CONVERTERS[name](items)
            return items if converted is items else tuple(dict.fromkeys(converted))
        except InvalidValue:  # one of them is wrong, and the others are not
            pass
    kept: dict[Any, None] = {}
    for value in items:
        try:
            (item,) = checked(field, (value,))
        except InvalidValue as error:
            warnings.append(f"one of {name} left out: it {error.rule}")
        else:
            kept[item] = None
    if len(kept) > most:
        warnings.append(f"{len(kept) - most} of {len(kept)} {name} left out")
    return tuple(kept)[:most]


def _most(field: "Attribute[Any]") -> int | None:
    """Return how many items the field takes; None where it is no list."""
    return next((item.most for item in metadata_of(field.type) if isinstance(item, Items)), None)


_MOST_CONTRIBUTORS = next(
    item.most for item in metadata_of(fields_dict(BookDraft)["contributors"].type) if isinstance(item, Items)
)
_CONVERTERS: Mapping[str, Any] = {name: field.converter for name, field in fields_dict(BookDetails).items()}
_FIELDS = {name: (field, _most(field)) for name, field in fields_dict(BookDetails).items()}


def identifiers_of(said: Mapping[str, str | Iterable[str]]) -> Iterator[Identifier]:
    """Yield identifiers, given by scheme; of a text, several ISBNs. Wrong ISBNs stay as they are, and are marked."""
    for scheme, given in said.items():
        for text in [given] if isinstance(given, str) else given:
            numbers = _BETWEEN.split(text) if scheme == "isbn" else [text]
            for number in numbers:
                found = _ISBN.match(number.strip()) if scheme == "isbn" else None
                value = " ".join((found[1] if found else number).split()).strip(" -")[:200]
                if value and (found or scheme != "isbn"):
                    try:
                        yield Identifier(scheme=Scheme.parse(scheme), value=value)
                    except InvalidValue:
                        continue
