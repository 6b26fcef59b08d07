"""FastAPI over SQLAlchemy's async engine: selected columns, no lazy loading, a pool of readers and one writer."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI, HTTPException, Query
from pydantic import BaseModel
from sqlalchemy import JSON, Dialect, ForeignKey, Select, String, TypeDecorator, event, func, insert, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

URL = f"sqlite+aiosqlite:///{os.environ['PEER_DATABASE']}"
readers = create_async_engine(URL, pool_size=16)
writer = create_async_engine(URL, pool_size=1, max_overflow=0, pool_timeout=60)


def on_connect(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


for engine in (readers, writer):
    event.listen(engine.sync_engine, "connect", on_connect)


class UtcDateTime(TypeDecorator[datetime]):
    """SQLite keeps no time zone; everything there is UTC."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return value and value.strftime("%Y-%m-%d %H:%M:%S.%f")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return datetime.fromisoformat(value).replace(tzinfo=UTC) if value else None


class Base(DeclarativeBase):
    type_annotation_map: ClassVar = {datetime: UtcDateTime, list[str]: JSON, list[dict[str, Any]]: JSON}


class AuthorRow(Base):
    __tablename__ = "author"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    dob: Mapped[date | None]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class BookRow(Base):
    __tablename__ = "book"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    title: Mapped[str]
    sort_title: Mapped[str]
    subtitle: Mapped[str | None]
    author_id: Mapped[UUID] = mapped_column(ForeignKey("author.id"))
    contributors: Mapped[list[dict[str, Any]]]
    isbn: Mapped[str | None]
    published: Mapped[str | None]
    languages: Mapped[list[str]]
    sources: Mapped[list[str]]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Author(BaseModel):
    id: UUID
    name: str
    dob: date | None
    version: int
    created_at: datetime
    updated_at: datetime


class Contributor(BaseModel):
    author_id: UUID
    role: str | None


class BookIn(BaseModel):
    title: str
    author_id: UUID
    published: str | None = None
    languages: list[str] = []


class Book(BaseModel):
    id: UUID
    title: str
    subtitle: str | None
    author_id: UUID
    contributors: list[Contributor]
    isbn: str | None
    published: str | None
    languages: list[str]
    version: int
    created_at: datetime
    updated_at: datetime
    sources: list[str]
    author: Author


class Books(BaseModel):
    items: list[Book]
    limit: int
    offset: int
    total: int


AUTHOR_COLUMNS = [column.label(f"author_{column.key}") for column in AuthorRow.__table__.c if column.key != "id"]
BOOK_COLUMNS = [column for column in BookRow.__table__.c if column.key != "sort_title"]
BOOKS = select(*BOOK_COLUMNS, *AUTHOR_COLUMNS).join_from(BookRow, AuthorRow)


def book_of(row: Any) -> Book:
    values = row._asdict()
    author = {"id": values["author_id"]} | {column.name[7:]: values.pop(column.name) for column in AUTHOR_COLUMNS}
    return Book.model_validate({**values, "author": author})


async def reading() -> AsyncGenerator[AsyncConnection]:
    async with readers.connect() as connection:
        yield connection


async def writing() -> AsyncGenerator[AsyncConnection]:
    async with writer.begin() as connection:
        yield connection


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
    yield
    await readers.dispose()
    await writer.dispose()


app = FastAPI(lifespan=lifespan)


async def book_by(connection: AsyncConnection, id: UUID) -> Book:
    row = (await connection.execute(BOOKS.where(BookRow.id == id))).one_or_none()
    if row is None:
        raise HTTPException(404)
    return book_of(row)


@app.get("/books/{id}")
async def get_book(id: UUID, connection: Annotated[AsyncConnection, Depends(reading)]) -> Book:
    return await book_by(connection, id)


@app.get("/books")
async def list_books(
    connection: Annotated[AsyncConnection, Depends(reading)],
    page: Annotated[int, Query(alias="currentPage", ge=1)] = 1,
    size: Annotated[int, Query(alias="pageSize", ge=1, le=100)] = 10,
    author_id: UUID | None = None,
    q: str | None = None,
) -> Books:
    def chosen(statement: Select[Any]) -> Select[Any]:
        if author_id:
            statement = statement.where(BookRow.author_id == author_id)
        for word in (q or "").split():
            statement = statement.where(BookRow.title.icontains(word, autoescape=True))
        return statement

    offset = size * (page - 1)
    total = (await connection.execute(chosen(select(func.count()).select_from(BookRow)))).scalar_one()
    statement = chosen(BOOKS).order_by(BookRow.sort_title, BookRow.id).limit(size).offset(offset)
    rows = (await connection.execute(statement)).all()
    return Books(items=[book_of(row) for row in rows], limit=size, offset=offset, total=total)


@app.post("/books", status_code=201)
async def add_book(data: BookIn, connection: Annotated[AsyncConnection, Depends(writing, scope="function")]) -> Book:
    id, now = uuid4(), datetime.now(UTC)
    more = {"id": id, "sort_title": data.title.lower(), "contributors": [], "sources": [], "version": 1}
    await connection.execute(insert(BookRow).values(**data.model_dump(), **more, created_at=now, updated_at=now))
    return await book_by(connection, id)
