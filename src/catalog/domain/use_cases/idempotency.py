"""Requests that come again are done once."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar, cast

from catalog.domain.authors import Author
from catalog.domain.books import Book, BookRecord
from catalog.domain.callers import IdempotentRequest
from catalog.domain.errors import KeyReused
from catalog.domain.kinds import Kind
from catalog.domain.ports import UnitOfWork
from catalog.domain.receipts import Receipt, Unmerged

from .past import version_of

R = TypeVar("R")


async def once(unit: UnitOfWork, now: datetime, work: Callable[[], Awaitable[R]]) -> R:
    """Do the work, or return what an earlier request with the same key wrote.

    The receipt is part of the unit, so the work and its receipt are kept together or not at all.
    Raises KeyReused where the earlier request was another one.
    """
    request = unit.caller.idempotent
    if request is None:
        return await work()
    forgotten = now - request.kept_for
    receipt = await unit.receipts.find(unit.caller.actor, request.key, since=forgotten)
    if receipt is None:
        seq = await unit.log.position()
        result = await work()
        await unit.receipts.add(_receipt(unit.caller.actor, request, result, seq, now), forget_before=forgotten)
        return result
    if receipt.fingerprint != request.fingerprint:
        # A refusal goes first, and nothing else stays: who was redirected by a merged record is redirected again.
        await work()
        raise KeyReused(request.key)
    written = await _as_written(unit, receipt)
    request.replayed = True
    result_then: Any = Unmerged(record=written, left_alone=receipt.left_alone) if receipt.is_unmerge else written
    return cast("R", result_then)


def _receipt(actor: str, request: IdempotentRequest, result: Any, seq: int, now: datetime) -> Receipt:
    is_unmerge = isinstance(result, Unmerged)
    record = result.record if is_unmerge else result
    return Receipt(
        actor=actor,
        key=request.key,
        fingerprint=request.fingerprint,
        kind=record.KIND,
        id=record.id,
        version=record.version,
        seq=seq,
        status=request.status,
        left_alone=tuple(result.left_alone) if is_unmerge else (),
        is_unmerge=is_unmerge,
        at=now,
    )


async def _as_written(unit: UnitOfWork, receipt: Receipt) -> Author | BookRecord:
    """Return the record as it was shown then: a book with its author as of that moment."""
    revision = await version_of(unit, receipt.kind, receipt.id, receipt.version)
    record = revision.content
    if isinstance(record, Author):
        return record
    return BookRecord.of(record, await _author_then(unit, record, max(receipt.seq, revision.seq)))


async def _author_then(unit: UnitOfWork, book: Book, seq: int) -> Author | None:
    if book.author_id is None:
        return None
    revision = await unit.log.as_of(Kind.AUTHOR, book.author_id, seq)
    author = None if revision is None else revision.content
    return author if isinstance(author, Author) else None
