"""Books in other forms than JSON: which one a client wants, and the answer that is written while it is read."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from litestar import Request, Response
from litestar.datastructures.headers import Accept
from litestar.response import Stream

from catalog.domain.books import BookRecord
from catalog.domain.errors import UnknownFormat
from catalog.domain.queries import BookQuery
from catalog.domain.use_cases.exporting import Exporting
from catalog.entrypoints.formats import FORMATS, record_writer

from .conditions import remember_negotiated

JSON = "json"
MEDIA_TYPES: Mapping[str, str] = {
    each.media_type: name for name, each in reversed([*FORMATS.items()]) if each.writer and each.is_negotiable
}
"""The formats that can be asked for in Accept, by media type."""

FORMAT_NAMES = (JSON, *(name for name, each in FORMATS.items() if each.writer is not None))
"""The formats that can be asked for in `format`."""

FORMAT_TOLD = "The form of the answer, for who can not say it in Accept."

_NEGOTIABLE = ("application/json", *(MEDIA_TYPES))


def wanted(request: Request[Any, Any, Any], format_name: str | None) -> str | None:
    """Return the name of the format that is asked for; None for JSON. Raises UnknownFormat (406)."""
    remember_negotiated(request.scope)
    if format_name is not None:
        return None if format_name == JSON else format_name
    accept = request.headers.get("accept", "")
    return _accepted(accept) if accept not in ("", "*/*", "application/json") else None


@lru_cache(maxsize=256)
def _accepted(accept: str) -> str | None:
    best = Accept(accept).best_match(list(_NEGOTIABLE))
    if best is None:
        raise UnknownFormat(accept, _NEGOTIABLE)
    return MEDIA_TYPES.get(best)


async def listed(exporting: Exporting, query: BookQuery, name: str) -> Response[Any]:
    """Return the whole list as a file."""
    parts = exporting.books(query, record_writer(name))
    first = [await anext(parts), await anext(parts)]  # a refusal has to come before the answer begins
    return _answer(_all_of(first, parts), name)


async def some(exporting: Exporting, books: Sequence[BookRecord], name: str) -> Response[Any]:
    """Return these books as a file."""
    return _answer(await exporting.some(books, record_writer(name)), name)


async def _all_of(first: list[bytes], parts: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    for part in first:
        yield part
    async for part in parts:
        yield part


class _File(Stream):
    """A stream of its own media type; Litestar would put the handler's in its place."""

    def to_asgi_response(self, app: Any, request: Any, *, media_type: Any = None, **others: Any) -> Any:
        return super().to_asgi_response(app, request, media_type=self.media_type, **others)


def _answer(content: Any, name: str) -> Response[Any]:
    shown = FORMATS[name]
    headers = {"Vary": "Accept", "Content-Disposition": f'inline; filename="books.{shown.extension}"'}
    if isinstance(content, bytes):
        return Response(content, media_type=shown.media_type, headers=headers)
    return _File(content, media_type=shown.media_type, headers=headers)
