"""Where a book came from, and what a file says before it is a book."""

from typing import Annotated

from attrs import field, frozen

from .constraints import Items, Text, constrained
from .values import Isbn, Language, PartialDate, Role


@frozen
class SourceKey:
    """One record of one source: the source's name (`gutenberg`) and the key the source gives the record."""

    source: str
    key: str


@frozen
class DraftContributor:
    """A contributor, still by name."""

    name: str
    role: Role | None = None


@frozen(kw_only=True, field_transformer=constrained)
class BookDraft:
    """A book as a file describes it: people are still names."""

    origin: SourceKey
    title: Annotated[str, Text(1000)]
    subtitle: Annotated[str | None, Text(1000)] = None
    author: Annotated[str | None, Text(500)] = None
    contributors: tuple[DraftContributor, ...] = ()
    isbn: Isbn | None = None
    published: PartialDate | None = None
    languages: Annotated[tuple[Language, ...], Items(50)] = ()


@frozen(kw_only=True)
class Entry:
    """One record of a file: where it stands, what it says, and what could not be taken over as it is.

    `draft` is None where the record can not become a book at all; `refusal` says why.
    """

    line: int
    label: str = ""
    draft: BookDraft | None = None
    refusal: str = ""
    warnings: tuple[str, ...] = field(default=())
