"""The tables. A column has the name of the field it keeps; a plain field is one line here and one in the entity.

Sort keys are compared byte by byte, so the order is the domain's, whatever language the database was set up for.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from advanced_alchemy.base import DefaultBase
from sqlalchemy import DDL, JSON, BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text, event, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

BIG = BigInteger().with_variant(Integer, "sqlite")  # SQLite's INTEGER has 64 bits, and only it can be the rowid
_SORTED = String().with_variant(String(collation="C"), "postgresql")  # in SQLite, that is the default


def _where(condition: str) -> dict[str, Any]:
    """Make an index of the rows alone for which that holds."""
    return {f"{database}_where": text(condition) for database in ("sqlite", "postgresql")}


class AuthorRow(DefaultBase):
    """An author."""

    __tablename__ = "author"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column()
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    sort_key: Mapped[str] = mapped_column(_SORTED)
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(_SORTED)
    dob: Mapped[date | None]
    sort_name: Mapped[str | None]
    kind: Mapped[str | None]
    birth: Mapped[str | None]
    death: Mapped[str | None]
    variants: Mapped[list[Any]] = mapped_column(JSON)
    identifiers: Mapped[list[Any]] = mapped_column(JSON)

    __mapper_args__ = {"version_id_col": version, "version_id_generator": False}
    __table_args__ = (
        Index("ix_author_sort_key_id", "sort_key", "id"),
        Index("ix_author_name_key_id", "name_key", "id"),
        Index("ix_author_created_at_id", "created_at", "id"),
        Index("ix_author_updated_at_id", "updated_at", "id"),
    )


class BookRow(DefaultBase):
    """A book."""

    __tablename__ = "book"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column()
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    sort_key: Mapped[str] = mapped_column(_SORTED)
    title: Mapped[str]
    subtitle: Mapped[str | None]
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("author.id", ondelete="RESTRICT"))
    isbn: Mapped[str | None]
    identifiers: Mapped[list[Any]] = mapped_column(JSON)
    published: Mapped[str | None]
    published_up: Mapped[int]
    published_down: Mapped[int]
    languages: Mapped[list[Any]] = mapped_column(JSON)
    publishers: Mapped[list[Any]] = mapped_column(JSON)
    places: Mapped[list[Any]] = mapped_column(JSON)
    edition: Mapped[str | None]
    series: Mapped[list[Any]] = mapped_column(JSON)
    extent: Mapped[str | None]
    pages: Mapped[int | None]
    subjects: Mapped[list[Any]] = mapped_column(JSON)
    classifications: Mapped[list[Any]] = mapped_column(JSON)
    responsibility: Mapped[str | None]
    description: Mapped[str | None] = mapped_column(Text)
    notes: Mapped[list[Any]] = mapped_column(JSON)
    links: Mapped[list[Any]] = mapped_column(JSON)
    tags: Mapped[list[Any]] = mapped_column(JSON)

    contributors: Mapped[list["ContributorRow"]] = relationship(
        order_by="ContributorRow.position", cascade="all, delete-orphan", lazy="selectin"
    )
    sources: Mapped[list["SourceRow"]] = relationship(
        order_by="SourceRow.position", cascade="all, delete-orphan", lazy="selectin"
    )

    __mapper_args__ = {"version_id_col": version, "version_id_generator": False}
    __table_args__ = (
        Index("ix_book_sort_key_id", "sort_key", "id"),
        Index("ix_book_author_id_sort_key_id", "author_id", "sort_key", "id"),
        Index("ix_book_published_up_id", "published_up", "id"),
        Index("ix_book_published_down_id", "published_down", "id"),
        Index("ix_book_created_at_id", "created_at", "id"),
        Index("ix_book_updated_at_id", "updated_at", "id"),
    )


class CardRow(DefaultBase):
    """What a book is found by, as the domain computes it from the book and the names of its authors.

    `place` is where it stands among what a search finds: shorter titles first, then what was catalogued earlier. Words
    are separated by spaces. The index of words stands on this table: in SQLite `card_words`, filled by whoever adds
    cards and emptied by triggers; in PostgreSQL the column `document`, which is generated.
    """

    __tablename__ = "card"

    place: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=False)
    book_id: Mapped[UUID] = mapped_column(ForeignKey("book.id", ondelete="CASCADE"), unique=True)
    author_up: Mapped[str] = mapped_column(_SORTED)
    author_down: Mapped[str] = mapped_column(_SORTED)
    title: Mapped[str] = mapped_column(Text)
    subtitle: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(Text)
    isbn: Mapped[str] = mapped_column(Text)

    __table_args__ = (
        Index("ix_card_author_up_book_id", "author_up", "book_id"),
        Index("ix_card_author_down_book_id", "author_down", "book_id"),
    )


class ContributorRow(DefaultBase):
    """One contributor of a book, at its place in the order."""

    __tablename__ = "contributor"

    book_id: Mapped[UUID] = mapped_column(ForeignKey("book.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[UUID] = mapped_column(ForeignKey("author.id", ondelete="RESTRICT"), index=True)
    role: Mapped[str | None]
    credited_as: Mapped[str | None]


class SourceRow(DefaultBase):
    """One record of one source from which a book was imported."""

    __tablename__ = "source"

    source: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    book_id: Mapped[UUID] = mapped_column(ForeignKey("book.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    format: Mapped[str | None]
    content: Mapped[bytes | None] = mapped_column(LargeBinary)


class IsbnRow(DefaultBase):
    """A valid ISBN of a book, by which an import finds it."""

    __tablename__ = "isbn"

    isbn: Mapped[str] = mapped_column(primary_key=True)
    book_id: Mapped[UUID] = mapped_column(ForeignKey("book.id", ondelete="CASCADE"), primary_key=True, index=True)


class NumberRow(DefaultBase):
    """A valid identifier of an author, by which an import finds the author."""

    __tablename__ = "number"

    scheme: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    author_id: Mapped[UUID] = mapped_column(ForeignKey("author.id", ondelete="CASCADE"), primary_key=True, index=True)


class RevisionRow(DefaultBase):
    """One entry of the log. Only `after` and `withheld` ever change, when a content is dropped."""

    __tablename__ = "revision"

    seq: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=False)
    kind: Mapped[str]
    id: Mapped[UUID]
    version: Mapped[int]
    operation: Mapped[str]
    actor: Mapped[str]
    request_id: Mapped[str | None]
    group: Mapped[UUID | None]
    into: Mapped[UUID | None]
    after: Mapped[str | None] = mapped_column(Text)
    withheld: Mapped[str | None]
    at: Mapped[datetime]

    __table_args__ = (
        Index("ix_revision_id_version", "id", "version", unique=True),
        Index("ix_revision_seq_of_authors", "seq", **_where("kind = 'author'")),
        Index("ix_revision_group_seq", "group", "seq", **_where('"group" IS NOT NULL')),
        Index("ix_revision_into", "into", **_where('"into" IS NOT NULL')),
    )


class LogRow(DefaultBase):
    """The one row that counts: how far the log has come, how many records stand, and whom it follows.

    Whoever writes takes its turn here, so the log has no gaps and is in the order of commits.
    """

    __tablename__ = "log"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BIG)
    at: Mapped[datetime | None]
    authors: Mapped[int]
    books: Mapped[int]
    follows: Mapped[str | None]


class ReceiptRow(DefaultBase):
    """What was written for a request that may come again."""

    __tablename__ = "receipt"

    actor: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    kind: Mapped[str]
    id: Mapped[UUID]
    version: Mapped[int]
    seq: Mapped[int] = mapped_column(BIG)
    status: Mapped[int]
    left_alone: Mapped[str] = mapped_column(Text)
    is_unmerge: Mapped[bool]
    at: Mapped[datetime] = mapped_column(index=True)


for _dialect, _goes_with_cards in (
    ("sqlite", "TABLE IF EXISTS card_words_vocabulary"),
    ("sqlite", "TABLE IF EXISTS card_words"),
    ("postgresql", "TABLE IF EXISTS card_words"),
    ("postgresql", "FUNCTION IF EXISTS card_document, card_words_noted"),
):
    _drop = DDL(f"DROP {_goes_with_cards}")  # type: ignore[no-untyped-call]  # its stubs
    event.listen(CardRow.__table__, "after_drop", _drop.execute_if(dialect=_dialect))
