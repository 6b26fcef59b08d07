"""The tables. A column has the name of the field it keeps; a plain field is one line here and one in the entity.

Text is compared byte by byte (SQLite's BINARY), so the order is the order of the domain's sort keys.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from advanced_alchemy.base import DefaultBase
from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship


class AuthorRow(DefaultBase):
    """An author."""

    __tablename__ = "author"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column()
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    sort_key: Mapped[str]
    name: Mapped[str]
    dob: Mapped[date | None]

    __mapper_args__ = {"version_id_col": version, "version_id_generator": False}
    __table_args__ = (Index("ix_author_sort_key_id", "sort_key", "id"),)


class BookRow(DefaultBase):
    """A book."""

    __tablename__ = "book"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column()
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    sort_key: Mapped[str]
    title: Mapped[str]
    subtitle: Mapped[str | None]
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("author.id", ondelete="RESTRICT"))
    isbn: Mapped[str | None]
    published: Mapped[str | None]
    languages: Mapped[list[Any]] = mapped_column(JSON)

    contributors: Mapped[list["ContributorRow"]] = relationship(
        order_by="ContributorRow.position", cascade="all, delete-orphan", lazy="selectin"
    )

    __mapper_args__ = {"version_id_col": version, "version_id_generator": False}
    __table_args__ = (
        Index("ix_book_sort_key_id", "sort_key", "id"),
        Index("ix_book_author_id_sort_key_id", "author_id", "sort_key", "id"),
    )


class ContributorRow(DefaultBase):
    """One contributor of a book, at its place in the order."""

    __tablename__ = "contributor"

    book_id: Mapped[UUID] = mapped_column(ForeignKey("book.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[UUID] = mapped_column(ForeignKey("author.id", ondelete="RESTRICT"), index=True)
    role: Mapped[str | None]


class SourceRow(DefaultBase):
    """From which record of which source a book came."""

    __tablename__ = "source"

    source: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    book_id: Mapped[UUID] = mapped_column(ForeignKey("book.id", ondelete="CASCADE"), index=True)
