"""The way back from a merge: field by field and reference by reference, as far as they stand as the merge left them."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Self
from uuid import UUID

from attrs import evolve, frozen

from catalog.domain.authors import Author
from catalog.domain.books import CONTRIBUTORS, Book, BookDetails, Contributor
from catalog.domain.errors import InvalidValue
from catalog.domain.ports import Clock, UnitOfWork
from catalog.domain.receipts import LeftAlone
from catalog.domain.records import succeeded, told
from catalog.domain.revisions import Operation, Revision

from .references import repository


@frozen
class Moved:
    """Who was merged into whom, and who stands for the survivor by now.

    `stand_ins` are all that a moved reference may name; `heir` is the one of them that stands, if any does.
    """

    loser: UUID
    survivor: UUID
    stand_ins: Collection[UUID]
    heir: UUID | None

    def led_back(self, now: BookDetails, left: BookDetails, before: BookDetails) -> tuple[BookDetails, bool]:
        """Return the details with what still stands as the merge left it led back, and whether that was all of it."""
        author_id, is_whole = now.author_id, True
        if before.author_id == self.loser:
            is_whole = author_id in self.stand_ins
            author_id = self.loser if is_whole else author_id
        details = evolve(now, author_id=author_id)
        contributors, are_whole = self._contributors_led_back(now, left, before)
        try:
            return evolve(details, contributors=CONTRIBUTORS.once(contributors)), is_whole and are_whole
        except InvalidValue:  # what had collapsed finds no place in a list that was filled since
            return details, False

    def _contributors_led_back(
        self, now: BookDetails, left: BookDetails, before: BookDetails
    ) -> tuple[list[Contributor], bool]:
        is_untouched = now.contributors == left.contributors
        contributors = [] if is_untouched else list(now.contributors)
        is_whole = True
        for entry in before.contributors:
            if entry.author_id == self.survivor and (is_untouched or _like(entry, left.contributors) is None):
                is_whole = is_whole and self.heir is not None
                contributors += [] if self.heir is None else [evolve(entry, author_id=self.heir)]
            elif is_untouched:
                contributors.append(entry)
            elif entry.author_id == self.loser:
                is_whole = self._lead_back(contributors, entry, left, before) and is_whole
        return contributors, is_whole

    def _lead_back(
        self, contributors: list[Contributor], entry: Contributor, left: BookDetails, before: BookDetails
    ) -> bool:
        """Put the entry where its stand-in is; beside it, if that was there before the merge."""
        moved = evolve(entry, author_id=self.survivor)
        merged = _like(moved, left.contributors)
        if merged is None:
            contributors.append(entry)  # it had collapsed into another entry, and no place is left of it
            return True
        own = _like(moved, before.contributors)
        for index, standing in enumerate(contributors):
            if standing.role == entry.role and standing.author_id in self.stand_ins:
                is_as_left = standing.credited_as == merged.credited_as
                if own is not None:
                    stays = evolve(standing, credited_as=own.credited_as) if is_as_left else standing
                    contributors[index : index + 1] = [stays, entry]
                else:
                    contributors[index] = entry if is_as_left else evolve(entry, credited_as=standing.credited_as)
                return True
        return False


def _like(entry: Contributor, entries: Iterable[Contributor]) -> Contributor | None:
    """Return the entry of the same author and role, under whatever name."""
    return next((each for each in entries if CONTRIBUTORS.key(each) == CONTRIBUTORS.key(entry)), None)


class WayBack:
    """Takes one merge back."""

    def __init__(self, unit: UnitOfWork, clock: Clock, moved: Moved) -> None:
        self.moved = moved
        self.left_alone: list[LeftAlone] = []
        self._unit = unit
        self._clock = clock

    @classmethod
    async def of(cls, unit: UnitOfWork, clock: Clock, merge: Revision, last: Revision) -> Self:
        """Begin with the revision that merged the record, and its last one: the survivor may be merged by now."""
        assert merge.into is not None  # noqa: S101 - a merge leads somewhere
        stand_ins = [id for id in (merge.into, last.into) if id is not None]
        standing = await repository(unit, merge.kind).get_many(set(stand_ins))
        heir = next((id for id in stand_ins if id in standing), None)
        return cls(unit, clock, Moved(merge.id, merge.into, stand_ins, heir))

    async def give_back(self, loser: Author | Book, survivor: Sequence[Revision]) -> None:
        """Take from the survivor what the merge gave it, where that still stands."""
        for left in survivor:
            before = (await self._contents_before([left])).get(left.id)
            if before is None or left.after is None:
                self._leave(left, "what it said before was dropped from the log")
            elif self.moved.heir is None:
                self._leave(left, "it was removed since")
            else:
                heir = await repository(self._unit, left.kind).get(self.moved.heir)
                await self._take_from(heir, left, before, loser)

    async def _take_from(self, heir: Any, left: Revision, before: Author | Book, loser: Author | Book) -> None:
        after = left.content
        said = {name: value for name, value in told(before.details).items() if name not in before.DERIVED}
        given = {name: value for name, value in said.items() if getattr(after, name) != value}
        values: dict[str, Any] = {}
        for name, value in given.items():
            if heir.id != left.id:
                self._leave(left, f"its {name} was filled, and it was merged itself since")
            elif getattr(heir, name) != getattr(after, name):
                self._leave(left, f"its {name} was changed since")
            else:
                values[name] = value
        content = told(heir.details.amended(values))
        if isinstance(loser, Book) and isinstance(before, Book):
            came = set(loser.sources) - set(before.sources)
            content["sources"] = tuple(source for source in heir.sources if source not in came)
        given_back = succeeded(heir, content, at=self._clock.now())
        if given_back is not heir:
            await repository(self._unit, left.kind).replace(given_back, operation=Operation.UNMERGE)

    async def refer_back(self, books: Sequence[Revision]) -> None:
        """Let books name the author again whom they named before the merge."""
        standing = await self._unit.books.get_many({revision.id for revision in books})
        before = await self._contents_before(books)
        changed = []
        for left in books:
            book = standing.get(left.id)
            if book is None:
                self._leave(left, "it was removed, or merged, since")
            elif left.id not in before or left.after is None:
                self._leave(left, "what it said before was dropped from the log")
            else:
                after: Any = left.after
                details, is_whole = self.moved.led_back(book.details, after.details, before[left.id].details)
                if not is_whole:
                    self._leave(left, "whom it names was changed since")
                if (revised := book.revised(details, at=self._clock.now())) is not book:
                    changed.append(revised)
        await self._unit.books.replace(*changed, operation=Operation.UNMERGE)

    async def _contents_before(self, left: Sequence[Revision]) -> dict[UUID, Any]:
        """Return what the records said before these revisions, where the log still has it."""
        found = await self._unit.log.versions(left[0].kind, {r.id: r.version - 1 for r in left}) if left else {}
        return {id: revision.after for id, revision in found.items() if revision.after is not None}

    def _leave(self, left: Revision, reason: str) -> None:
        self.left_alone.append(LeftAlone(kind=left.kind, id=left.id, reason=reason))
