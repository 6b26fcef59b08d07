"""Django Ninja: models, select_related, an index that fits the order; writes begin at once and are durable."""

import os
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import django
from django.conf import settings
from django.db import models

settings.configure(
    DEBUG=False,
    ALLOWED_HOSTS=["127.0.0.1"],
    SECRET_KEY=os.urandom(32).hex(),
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    LOGGING_CONFIG=None,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["PEER_DATABASE"],
            "CONN_MAX_AGE": 0,  # what Django asks for under ASGI
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 60, "init_command": "PRAGMA synchronous=FULL"},
        }
    },
)
django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402 - Django is set up first
from django.db import transaction  # noqa: E402
from django.http import HttpRequest  # noqa: E402
from django.shortcuts import get_object_or_404  # noqa: E402
from django.urls import path  # noqa: E402
from ninja import NinjaAPI, Query, Schema  # noqa: E402
from pydantic import Field  # noqa: E402


class AuthorModel(models.Model):
    id = models.UUIDField(primary_key=True)
    name = models.TextField()
    dob = models.DateField(null=True)
    version = models.IntegerField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        app_label = "books"
        db_table = "author"


class BookModel(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid4)
    title = models.TextField()
    sort_title = models.TextField()
    subtitle = models.TextField(null=True)
    author = models.ForeignKey(AuthorModel, on_delete=models.PROTECT)
    contributors = models.JSONField(default=list)
    isbn = models.TextField(null=True)
    published = models.TextField(null=True)
    languages = models.JSONField(default=list)
    sources = models.JSONField(default=list)
    version = models.IntegerField(default=1)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        app_label = "books"
        db_table = "book"


class Author(Schema):
    id: UUID
    name: str
    dob: date | None
    version: int
    created_at: datetime
    updated_at: datetime


class Contributor(Schema):
    author_id: UUID
    role: str | None


class BookIn(Schema):
    title: str
    author_id: UUID
    published: str | None = None
    languages: list[str] = Field(default_factory=list)


class Book(Schema):
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


class Books(Schema):
    items: list[Book]
    limit: int
    offset: int
    total: int


class Asked(Schema):
    page: int = Field(1, alias="currentPage", ge=1)
    size: int = Field(10, alias="pageSize", ge=1, le=100)
    author_id: UUID | None = None
    q: str | None = None


api = NinjaAPI()


@api.get("/books/{uuid:id}", response=Book)
def get_book(request: HttpRequest, id: UUID) -> BookModel:
    return get_object_or_404(BookModel.objects.select_related("author"), id=id)


@api.get("/books", response=Books)
def list_books(request: HttpRequest, asked: Query[Asked]) -> dict[str, Any]:
    books = BookModel.objects.all()
    if asked.author_id:
        books = books.filter(author_id=asked.author_id)
    for word in (asked.q or "").split():
        books = books.filter(title__icontains=word)
    start = asked.size * (asked.page - 1)
    some = books.select_related("author").order_by("sort_title", "id")[start : start + asked.size]
    return {"items": list(some), "limit": asked.size, "offset": start, "total": books.count()}


@api.post("/books", response={201: Book})
def add_book(request: HttpRequest, data: BookIn) -> tuple[int, BookModel]:
    now = datetime.now(UTC)
    with transaction.atomic():
        author = get_object_or_404(AuthorModel, id=data.author_id)
        book = BookModel.objects.create(
            title=data.title,
            sort_title=data.title.lower(),
            author=author,
            published=data.published,
            languages=data.languages,
            created_at=now,
            updated_at=now,
        )
    return 201, book


urlpatterns = [path("", api.urls)]  # after the routes, which are frozen by this
app = get_asgi_application()
