"""/changes: what happened, in order, as pages and as a stream."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from attrs import evolve, frozen
from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import Litestar, Request, get
from litestar.openapi import ResponseSpec
from litestar.response import ServerSentEvent, ServerSentEventMessage
from litestar.response.base import ASGIResponse

from catalog.domain.constraints import Doc
from catalog.domain.ports import CatalogReader
from catalog.domain.queries import SEQ_LIMIT, ChangeQuery
from catalog.domain.revisions import Revision

from . import wire
from .negotiation import accepted_by, most_wanted
from .news import News
from .openapi import problem_responses
from .parameters import ChangesLimit, KindFilter, LastEventId, Since
from .problems import InvalidParameters, SeqBeyondEnd, Violation

STREAM = "text/event-stream"
SECONDS_BETWEEN_PINGS = 15.0
BATCH = 500
"""Revisions that a stream reads at once."""


@frozen(kw_only=True, slots=False)
class Changes:
    """Some of what happened, in order."""

    items: Annotated[Sequence[Revision], Doc("what happened, in the order of seq")]
    next: Annotated[
        str | None, Doc("where to go on; null at the end, where the seq of the last item is the next `since`")
    ]


@get(
    "/changes",
    summary="Follow what happens",
    description=(
        "What happened after `since`, in order. With `Accept: text/event-stream`, the same as a stream that does not "
        "end: one event for each revision, its `id` the seq; a client that comes back with Last-Event-ID misses "
        "nothing and gets nothing twice."
    ),
    tags=["History"],
    response_headers={"Vary": "Accept"},
    responses={
        **problem_responses(),
        200: ResponseSpec(data_container=Changes, description="The changes, or their stream", generate_examples=False),
    },
)
@inject
async def list_changes(
    request: Request[Any, Any, Any],
    reader: FromDishka[CatalogReader],
    news: FromDishka[News],
    since: Since = 0,
    kind: KindFilter = None,
    limit: ChangesLimit = 100,
    last_event_id: LastEventId = None,
) -> Changes:
    """Some changes, or the stream of them."""
    query = ChangeQuery(since=since, kind=kind, limit=limit)
    if most_wanted(accepted_by(request), ("application/json", STREAM)) != STREAM:
        items = await reader.changes(query)
        return Changes(items=items, next=await _next(reader, query, items))
    query = evolve(query, since=since if last_event_id is None else _seq(last_event_id), limit=BATCH)
    seq = (await reader.position()).seq
    if last_event_id is not None and query.since > seq:
        raise SeqBeyondEnd(query.since, seq, "Last-Event-ID")
    first = await reader.changes(query)  # a refusal has to come before the stream begins
    stream: Any = EventStream(_events(reader, news, query, first, seq, request.app.state.stopping))
    return stream  # type: ignore[no-any-return]  # Litestar takes it in the place of what is declared


class EventStream(ServerSentEvent):
    """A stream of events, whatever media type the handler has otherwise."""

    def to_asgi_response(self, app: Litestar | None, request: Request[Any, Any, Any], **others: Any) -> ASGIResponse:
        """Say what it is."""
        others["media_type"] = STREAM
        return super().to_asgi_response(app, request, **others)


async def _next(reader: CatalogReader, query: ChangeQuery, items: Sequence[Revision]) -> str | None:
    if len(items) < query.limit or items[-1].seq == (await reader.position()).seq:
        return None
    kind = {} if query.kind is None else {"kind": query.kind.value}
    return f"/changes?{urlencode({'since': items[-1].seq, **kind, 'limit': query.limit})}"


async def _events(
    reader: CatalogReader,
    news: News,
    query: ChangeQuery,
    revisions: Sequence[Revision],
    seq: int,
    stopping: asyncio.Event,
) -> AsyncGenerator[ServerSentEventMessage]:
    """Yield what happens, as it happens, until the service stops."""
    while not stopping.is_set():
        for revision in revisions:
            yield ServerSentEventMessage(id=str(revision.seq), data=wire.encode(revision).decode())
        if revisions:
            query = evolve(query, since=revisions[-1].seq)
        if len(revisions) < query.limit and not await _happens(news.beyond(seq), stopping):
            yield ServerSentEventMessage(comment="ping")
        seq = (await reader.position()).seq
        revisions = await reader.changes(query)


async def _happens(something: Coroutine[Any, Any, None], stopping: asyncio.Event) -> bool:
    """Wait for something, or for the end of the service; return whether one came before it is time for a ping."""
    tasks = [asyncio.create_task(something), asyncio.create_task(stopping.wait())]
    try:
        done, _ = await asyncio.wait(tasks, timeout=SECONDS_BETWEEN_PINGS, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        return bool(done)
    finally:
        for task in tasks:
            task.cancel()


def _seq(last_event_id: str) -> int:
    text = last_event_id.strip()
    if text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= SEQ_LIMIT:
        return int(text)
    violation = Violation(detail="must be the id of an event of this stream, a seq", parameter="Last-Event-ID")
    raise InvalidParameters([violation])
