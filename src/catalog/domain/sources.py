"""What a file says, before it is a book."""

from typing import Annotated

from attrs import frozen

from .books import SourceKey
from .constraints import Items, Text, constrained
from .values import Isbn, Language, PartialDate, Role


@frozen(field_transformer=constrained)
class DraftContributor:
    """A contributor, still by name."""

    name: Annotated[str, Text(500)]
    role: Role | None = None


@frozen(kw_only=True, field_transformer=constrained)
class BookDraft:
    """A book as a file describes it: people are still names."""

    origin: SourceKey
    title: Annotated[str, Text(1000)]
    subtitle: Annotated[str | None, Text(1000)] = None
    author: Annotated[str | None, Text(500)] = None
    contributors: Annotated[tuple[DraftContributor, ...], Items(200, unique=False)] = ()
    isbn: Isbn | None = None
    published: PartialDate | None = None
    languages: Annotated[tuple[Language, ...], Items(50)] = ()

    def names(self) -> list[str]:
        """Return everybody named, the main author first."""
        main = [self.author] if self.author is not None else []
        return main + [contributor.name for contributor in self.contributors]


@frozen(kw_only=True)
class Entry:
    """One record of a file: where it stands, what it says, and what could not be taken over as it is.

    `draft` is None where the record can not become a book at all; `refusal` says why.
    """

    line: int
    key: str = ""
    draft: BookDraft | None = None
    refusal: str = ""
    warnings: tuple[str, ...] = ()
