"""Two records that are one thing become one, and can become two again."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from attrs import evolve, frozen

from catalog.domain.authors import Author
from catalog.domain.books import Book, BookDetails, Contributor
from catalog.domain.callers import Caller
from catalog.domain.errors import NotMergeable, NotMerged, Obstacle
from catalog.domain.kinds import Kind
from catalog.domain.ports import Clock, IdGenerator, Storage, UnitOfWork
from catalog.domain.receipts import LeftAlone, Unmerged
from catalog.domain.records import filled, must_stand_at, succeeded, told
from catalog.domain.revisions import Change, Operation, Revision, absence

from .atomic import atomic
from .past import fit_to_return, last_of, way_back_to_standing
from .references import ShownT, repository, shown


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
        loser = await repository(unit, kind).get(id)
        must_stand_at(loser, known_versions)
        unit.group = self.ids.new()
        merged = await self._merge(unit, loser, survivor)
        for earlier in await unit.log.merged_into(kind, id):
            await unit.log.append(self._redirect(earlier, Operation.MERGE, into))
        return await shown(unit, merged, shown_as)

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
        back = _WayBack(unit, self.clock, merge, last)
        await back.give_back(before.content, [r for r in group if r.id == merge.into])
        content: Any = await fit_to_return(unit, before.content)
        restored = evolve(content, version=last.version + 1, updated_at=self.clock.now())
        await repository(unit, kind).add(restored, operation=Operation.UNMERGE)
        if kind is Kind.AUTHOR:
            await back.refer_back([r for r in group if r.kind is Kind.BOOK])
        await self._redirect_back(unit, [r for r in group if r.into is not None and r.id != id], id, back.stand_ins)
        return Unmerged(record=await shown(unit, restored, shown_as), left_alone=back.left_alone)

    async def _redirect_back(
        self, unit: UnitOfWork, redirected: Sequence[Revision], id: UUID, stand_ins: Collection[UUID | None]
    ) -> None:
        """Lead those that had been merged into the record before to it again, if they still go where the merge led."""
        last = await unit.log.last(redirected[0].kind, {r.id for r in redirected}) if redirected else {}
        for earlier in last.values():
            if earlier.into in stand_ins:
                await unit.log.append(self._redirect(earlier, Operation.UNMERGE, id))

    def _redirect(self, last: Revision, operation: Operation, into: UUID) -> Change:
        return Change(
            kind=last.kind,
            id=last.id,
            version=last.version + 1,
            operation=operation,
            at=self.clock.now(),
            into=into,
        )


async def _survivor(unit: UnitOfWork, kind: Kind, id: UUID, into: UUID) -> Any:
    """Return the record that is to stand for both; raise NotMergeable."""
    if id == into:
        raise NotMergeable(kind, id, into, Obstacle.ITSELF)
    if found := (await repository(unit, kind).get_many([into])).get(into):
        return found
    if last := (await unit.log.last(kind, [into])).get(into):
        obstacle = Obstacle.REMOVED if last.into is None else Obstacle.MERGED
        raise NotMergeable(kind, id, into, obstacle, last.into)
    (other,) = set(Kind) - {kind}
    is_other = into in await unit.log.last(other, [into])
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


class _WayBack:
    """From what a merge left to what was before, field by field and reference by reference."""

    def __init__(self, unit: UnitOfWork, clock: Clock, merge: Revision, last: Revision) -> None:
        self.left_alone: list[LeftAlone] = []
        # The survivor may have been merged itself since.
        self.stand_ins = {merge.into, last.into}
        self._unit = unit
        self._clock = clock
        self._merge = merge

    async def give_back(self, loser: Author | Book, survivor: Sequence[Revision]) -> None:
        """Take from the survivor what it was given, where that still stands."""
        for left in survivor:
            records = repository(self._unit, left.kind)
            standing = (await records.get_many([left.id])).get(left.id)
            if standing is None:
                self._leave(left, "it was removed, or merged itself, since")
                continue
            before = await self._content_before([left])
            if left.id not in before or left.after is None:
                self._leave(left, "what it said before was dropped from the log")
                continue
            values: dict[str, Any] = {}
            for name, value in told(before[left.id].details).items():
                if getattr(left.after, name) == value:
                    continue
                if getattr(standing, name) == getattr(left.after, name):
                    values[name] = value
                else:
                    self._leave(left, f"its {name} was changed since")
            if isinstance(standing, Book) and isinstance(loser, Book):
                given = set(loser.sources) - set(before[left.id].sources)
                values["sources"] = tuple(source for source in standing.sources if source not in given)
            given_back = succeeded(standing, values, at=self._clock.now())
            if given_back is not standing:
                await records.replace(given_back, operation=Operation.UNMERGE)

    async def refer_back(self, moved: Sequence[Revision]) -> None:
        """Let books name the author again whom they named before the merge."""
        standing = await self._unit.books.get_many({revision.id for revision in moved})
        before = await self._content_before(moved)
        changed = []
        for left in moved:
            book = standing.get(left.id)
            if book is None:
                self._leave(left, "it was removed, or merged, since")
            elif left.id not in before or left.after is None:
                self._leave(left, "what it said before was dropped from the log")
            else:
                details, is_whole = self._referring_back(book.details, left.after.details, before[left.id].details)
                if not is_whole:
                    self._leave(left, "whom it names was changed since")
                if (revised := book.revised(details, at=self._clock.now())) is not book:
                    changed.append(revised)
        await self._unit.books.replace(*changed, operation=Operation.UNMERGE)

    def _referring_back(self, now: BookDetails, left: Any, before: Any) -> tuple[BookDetails, bool]:
        """Return the details with the references that still stand led back, and whether that were all of them."""
        is_whole = True
        author_id = now.author_id
        if before.author_id == self._merge.id:
            if author_id in self.stand_ins:
                author_id = self._merge.id
            else:
                is_whole = False
        contributors = list(now.contributors)
        if now.contributors == left.contributors:
            contributors = list(before.contributors)
        else:
            for entry in before.contributors:
                if entry.author_id == self._merge.id and not self._lead_back(contributors, entry, left, before):
                    is_whole = False
        return evolve(now, author_id=author_id, contributors=tuple(dict.fromkeys(contributors))), is_whole

    def _lead_back(self, contributors: list[Contributor], entry: Contributor, left: Any, before: Any) -> bool:
        """Put the entry where its stand-in is; beside it, if that was there before the merge."""
        assert self._merge.into is not None  # noqa: S101 - a merge leads somewhere
        moved = evolve(entry, author_id=self._merge.into)
        if moved not in left.contributors:
            contributors.append(entry)  # it had collapsed into another entry, and no place is left of it
            return True
        for index, standing in enumerate(contributors):
            if standing.role == entry.role and standing.author_id in self.stand_ins:
                contributors[index : index + 1] = [standing, entry] if moved in before.contributors else [entry]
                return True
        return False

    async def _content_before(self, left: Sequence[Revision]) -> dict[UUID, Any]:
        """Return what the records said before these revisions, where the log still has it."""
        found = await self._unit.log.versions(left[0].kind, {r.id: r.version - 1 for r in left}) if left else {}
        return {id: revision.after for id, revision in found.items() if revision.after is not None}

    def _leave(self, left: Revision, reason: str) -> None:
        self.left_alone.append(LeftAlone(kind=left.kind, id=left.id, reason=reason))
