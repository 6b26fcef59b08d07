"""Books in other forms than JSON: which one a client wants, and the answer that is written while it is read."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from types import MappingProxyType
from typing import Any

from litestar import Request, Response
from litestar.response import Stream

from catalog.domain.books import BookRecord
from catalog.domain.errors import UnknownFormat
from catalog.domain.queries import BookQuery
from catalog.domain.use_cases.exporting import Exporting
from catalog.entrypoints.formats import FORMATS, record_writer

from .conditions import remember, remember_negotiated
from .methods import is_head
from .negotiation import accepted_by, most_wanted

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
    accept = accepted_by(request)
    if (best := most_wanted(accept, _NEGOTIABLE)) is None:
        raise UnknownFormat(accept, _NEGOTIABLE)
    return MEDIA_TYPES.get(best)


async def listed(
    exporting: Exporting, query: BookQuery, name: str, request: Request[Any, Any, Any], headers: Mapping[str, str]
) -> Response[Any]:
    """Return the whole list as a file."""
    parts = exporting.books(query, record_writer(name))
    first = [await anext(parts), await anext(parts)]  # a refusal has to come before the answer begins
    if is_head(request.scope):
        await parts.aclose()
        return _answer(_nothing(), name, headers)
    return _answer(_all_of(first, parts), name, headers)


async def some(
    exporting: Exporting, books: Sequence[BookRecord], name: str, request: Request[Any, Any, Any]
) -> Response[Any]:
    """Return these books as a file, which is a record's where that was asked for."""
    remember(request.scope, books[0] if "id" in request.path_params else None)
    return _answer(await exporting.some(books, record_writer(name)), name)


async def _nothing() -> AsyncGenerator[bytes]:
    yield b""


async def _all_of(first: list[bytes], parts: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    async with aclosing(parts):  # whoever leaves in the middle leaves no connection open
        for part in first:
            yield part
        async for part in parts:
            yield part


class _File(Stream):
    """A stream of its own media type; Litestar would put the handler's in its place."""

    def to_asgi_response(self, app: Any, request: Any, *, media_type: Any = None, **others: Any) -> Any:
        return super().to_asgi_response(app, request, media_type=self.media_type, **others)


def _answer(content: Any, name: str, more: Mapping[str, str] = MappingProxyType({})) -> Response[Any]:
    shown = FORMATS[name]
    headers = {"Content-Disposition": f'inline; filename="books.{shown.extension}"', **more}
    if isinstance(content, bytes):
        return Response(content, media_type=shown.media_type, headers=headers)
    return _File(content, media_type=shown.media_type, headers=headers)
