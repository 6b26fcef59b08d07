"""What a file says, before it is a book."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Annotated

from attrs import evolve, frozen

from .authors import Author, AuthorDetails
from .books import Book, BookDetails, SourceRecord
from .constraints import Items, constrained
from .values import Role


@frozen(field_transformer=constrained)
class DraftContributor:
    """A contributor whom nobody has looked for among the authors yet."""

    author: AuthorDetails
    role: Role | None = None


@frozen(kw_only=True, field_transformer=constrained)
class BookDraft:
    """A book as a file describes it: its details, which name nobody, and its people as they are described."""

    origin: SourceRecord
    details: BookDetails
    author: AuthorDetails | None = None
    contributors: Annotated[tuple[DraftContributor, ...], Items(200, unique=False)] = ()
    has_own_key: bool = True
    """Whether the source gave the key; else it was made of what the record says, and another stands for a change."""

    def told_by_content(self) -> "BookDraft":
        """Return the draft of a record that is told again by its key and its bytes: another one has the key, too."""
        digest = sha256(self.origin.content or b"").hexdigest()
        return evolve(self, origin=evolve(self.origin, key=f"{self.origin.key} {digest}"))

    def people(self) -> Iterator[AuthorDetails]:
        """Yield everybody named, the main author first."""
        if self.author is not None:
            yield self.author
        for contributor in self.contributors:
            yield contributor.author


@frozen(kw_only=True)
class Entry:
    """One record of a file: where it stands, what it says, and what could not be taken over as it is.

    Both `draft` and `record` are None where it can not become a book at all; `refusal` says why.
    """

    line: int
    key: str = ""
    draft: BookDraft | None = None
    record: Author | Book | None = None
    """The record itself, where the file is one of ours and tells all of it."""
    refusal: str = ""
    warnings: tuple[str, ...] = ()
