"""The program of Advanced Alchemy's guide for Litestar: its models, repositories and services, as it teaches them.

With what makes it run, and with the filters that the guide describes; no order, no index, the pragmas that SQLite has.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from advanced_alchemy.base import UUIDAuditBase, UUIDBase
from advanced_alchemy.extensions.litestar import (
    AsyncSessionConfig,
    SQLAlchemyAsyncConfig,
    SQLAlchemyInitPlugin,
)
from advanced_alchemy.filters import CollectionFilter, LimitOffset, SearchFilter
from advanced_alchemy.repository import SQLAlchemyAsyncRepository
from advanced_alchemy.service import OffsetPagination, SQLAlchemyAsyncRepositoryService
from litestar import Controller, Litestar, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody, QueryParameter
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column, relationship


class AuthorModel(UUIDBase):
    __tablename__ = "author"
    name: Mapped[str]
    dob: Mapped[date | None]
    books: Mapped[list[BookModel]] = relationship(back_populates="author", lazy="selectin")


class BookModel(UUIDAuditBase):
    __tablename__ = "book"
    title: Mapped[str]
    author_id: Mapped[UUID] = mapped_column(ForeignKey("author.id"))
    author: Mapped[AuthorModel] = relationship(lazy="joined", innerjoin=True, viewonly=True)


class Author(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: UUID
    name: str
    dob: date | None = None


class Book(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: UUID
    title: str
    author_id: UUID
    author: Author


class BookCreate(BaseModel):
    title: str
    author_id: UUID


class BookRepository(SQLAlchemyAsyncRepository[BookModel]):
    model_type = BookModel


class BookService(SQLAlchemyAsyncRepositoryService[BookModel, BookRepository]):
    repository_type = BookRepository


async def provide_books_service(db_session: NamedDependency[AsyncSession]) -> AsyncGenerator[BookService]:
    async with BookService.new(session=db_session) as service:
        yield service


def provide_limit_offset(
    current_page: Annotated[int, QueryParameter(ge=1, name="currentPage")] = 1,
    page_size: Annotated[int, QueryParameter(ge=1, name="pageSize")] = 10,
) -> LimitOffset:
    return LimitOffset(page_size, page_size * (current_page - 1))


class BookController(Controller):
    path = "/books"
    dependencies: ClassVar = {
        "books_service": Provide(provide_books_service),
        "limit_offset": Provide(provide_limit_offset, sync_to_thread=False),
    }

    @get()
    async def list_books(
        self,
        books_service: NamedDependency[BookService],
        limit_offset: NamedDependency[LimitOffset],
        author_id: Annotated[UUID | None, QueryParameter()] = None,
        q: Annotated[str | None, QueryParameter()] = None,
    ) -> OffsetPagination[Book]:
        by_author = [CollectionFilter("author_id", [author_id])] if author_id else []
        by_title = [SearchFilter("title", word, ignore_case=True) for word in (q or "").split()]
        results, total = await books_service.list_and_count(limit_offset, *by_author, *by_title)
        return books_service.to_schema(results, total, filters=[limit_offset], schema_type=Book)

    @post()
    async def create_book(self, books_service: NamedDependency[BookService], data: JSONBody[BookCreate]) -> Book:
        book = await books_service.create(data.model_dump())
        return books_service.to_schema(book, schema_type=Book)

    @get("/{book_id:uuid}")
    async def get_book(self, books_service: NamedDependency[BookService], book_id: FromPath[UUID]) -> Book:
        return books_service.to_schema(await books_service.get(book_id), schema_type=Book)


config = SQLAlchemyAsyncConfig(
    connection_string=f"sqlite+aiosqlite:///{os.environ.get('PEER_DATABASE', 'guide.db')}",
    before_send_handler="autocommit",
    session_config=AsyncSessionConfig(expire_on_commit=False),
    create_all=True,
)
app = Litestar(route_handlers=[BookController], plugins=[SQLAlchemyInitPlugin(config=config)])
