"""Two records that are one thing become one, and can become two again."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from attrs import evolve, frozen

from catalog.domain.authors import Author
from catalog.domain.books import Book
from catalog.domain.callers import Caller
from catalog.domain.errors import Interrupted, Merged, NotFound, NotMergeable, NotMerged, Obstacle, Removed
from catalog.domain.kinds import Kind
from catalog.domain.ports import Clock, IdGenerator, Storage, UnitOfWork
from catalog.domain.receipts import Unmerged
from catalog.domain.records import filled, must_stand_at, succeeded, told
from catalog.domain.revisions import Operation, Revision, absence, redirected

from .atomic import atomic
from .past import fit_to_return, last_of, way_back_to_standing
from .references import ShownT, repository, shown
from .unmerging import WayBack


@frozen
class Merging:
    """Whatever makes one record of two, or two of one."""

    storage: Storage
    caller: Caller
    clock: Clock
    ids: IdGenerator

    @atomic
    async def merge(
        self,
        unit: UnitOfWork,
        shown_as: type[ShownT],
        id: UUID,
        into: UUID,
        *,
        known_versions: Collection[int] | None = None,
    ) -> ShownT:
        """Merge the record into another of its kind, which stands for it from now on; return that.

        The survivor's empty fields are filled. Whatever referred to the record, or was merged into it before, refers
        to the survivor. Merging again changes nothing. Raises NotMergeable.
        """
        kind = shown_as.KIND
        last = await last_of(unit, kind, id)
        if last.into is not None and last.into != into:
            raise NotMergeable(kind, id, into, Obstacle.ELSEWHERE, last.into)
        survivor = await _survivor(unit, kind, id, into)
        if last.into == into:
            return await shown(unit, survivor, shown_as)
        try:
            loser = await repository(unit, kind).get(id)
        except (Merged, Removed) as error:
            if last.stands:  # somebody took it away since
                raise Interrupted from error
            raise
        must_stand_at(loser, known_versions)
        unit.group = self.ids.new()
        for earlier in await unit.log.merged_into(kind, id):
            await unit.log.append(redirected(earlier, Operation.MERGE, into=into, at=self.clock.now()))
        return await shown(unit, await self._merge(unit, loser, survivor), shown_as)

    async def _merge(self, unit: UnitOfWork, loser: Author | Book, survivor: Author | Book) -> Author | Book:
        now = self.clock.now()
        if isinstance(loser, Book) and isinstance(survivor, Book):
            # The loser first: two books can not have a source in common.
            await unit.books.remove(loser, at=now, operation=Operation.MERGE, into=survivor.id)
            content = {**told(filled(survivor.details, loser.details)), "sources": survivor.sources + loser.sources}
            book = succeeded(survivor, content, at=now)
            if book is not survivor:
                await unit.books.replace(book, operation=Operation.MERGE)
            return book
        assert isinstance(loser, Author)  # noqa: S101 - for the type checker: both are of one kind
        assert isinstance(survivor, Author)  # noqa: S101
        author = survivor.revised(filled(survivor.details, loser.details), at=now)
        if author is not survivor:
            await unit.authors.replace(author, operation=Operation.MERGE)
        books = await unit.books.find_naming(loser.id)
        moved = [book.revised(book.details.exchanging({loser.id: survivor.id}), at=now) for book in books]
        await unit.books.replace(*moved, operation=Operation.MERGE)
        await unit.authors.remove(loser, at=now, operation=Operation.MERGE, into=survivor.id)
        return author

    @atomic
    async def unmerge(self, unit: UnitOfWork, shown_as: type[ShownT], id: UUID) -> Unmerged[ShownT]:
        """Make two records of one again: the one that was merged, and the survivor.

        What the merge gave the survivor, and each reference it moved, goes back where it still stands as the merge
        left it; the rest is left alone, and told. Raises NotMerged, ContentWithheld, UnknownAuthors.
        """
        kind = shown_as.KIND
        last = await last_of(unit, kind, id)
        if last.into is None:
            raise NotMerged(kind, id) if last.stands else absence(kind, id, last)
        before, merge = await way_back_to_standing(unit, last)
        group = await _whole_group(unit, merge)
        unit.group = self.ids.new()
        back = await WayBack.of(unit, self.clock, merge, last)
        await back.give_back(before.content, [r for r in group if r.id == merge.into])
        content: Any = await fit_to_return(unit, before.content)
        restored = evolve(content, version=last.version + 1, updated_at=self.clock.now())
        await repository(unit, kind).add(restored, operation=Operation.UNMERGE)
        if kind is Kind.AUTHOR:
            await back.refer_back([r for r in group if r.kind is Kind.BOOK])
        await self._redirect_back(
            unit, [r for r in group if r.into is not None and r.id != id], id, back.moved.stand_ins
        )
        return Unmerged(record=await shown(unit, restored, shown_as), left_alone=back.left_alone)

    async def _redirect_back(
        self, unit: UnitOfWork, earlier: Sequence[Revision], id: UUID, stand_ins: Collection[UUID]
    ) -> None:
        """Lead those that had been merged into the record before to it again, if they still go where the merge led."""
        last = await unit.log.last(earlier[0].kind, {r.id for r in earlier}) if earlier else {}
        for revision in sorted(last.values(), key=lambda revision: revision.seq):
            if revision.into in stand_ins:
                await unit.log.append(redirected(revision, Operation.UNMERGE, into=id, at=self.clock.now()))


async def _survivor(unit: UnitOfWork, kind: Kind, id: UUID, into: UUID) -> Any:
    """Return the record that is to stand for both; raise NotMergeable."""
    if id == into:
        raise NotMergeable(kind, id, into, Obstacle.ITSELF)
    with suppress(NotFound, Removed, Merged):
        return await repository(unit, kind).get(into)
    if last := (await unit.log.last(kind, [into])).get(into):
        obstacle = Obstacle.REMOVED if last.into is None else Obstacle.MERGED
        raise NotMergeable(kind, id, into, obstacle, last.into)
    is_other = any([into in await unit.log.last(other, [into]) for other in Kind])
    raise NotMergeable(kind, id, into, Obstacle.OTHER_KIND if is_other else Obstacle.UNKNOWN)


async def _whole_group(unit: UnitOfWork, merge: Revision) -> Sequence[Revision]:
    """Return all that the merge did."""
    assert merge.group is not None  # noqa: S101 - merge() sets it
    found: list[Revision] = []
    before: int | None = None
    while part := await unit.log.of_group(merge.group, before=before):
        found += part
        before = part[-1].seq
    return found
