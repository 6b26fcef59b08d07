"""Whether anything has changed that readers can see."""

import asyncio
from collections.abc import Hashable
from datetime import timedelta

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import BookDetails
from catalog.domain.ports import Storage
from catalog.domain.queries import AuthorQuery
from catalog.domain.records import Amendment
from catalog.domain.snapshots import SnapshotStorage
from catalog.testing.doubles import Cataloguers, FeedOf


async def version_of(catalogue: Cataloguers) -> Hashable:
    return await catalogue.storage.data_version()


async def test_every_change_changes_the_version_of_the_data(catalogue: Cataloguers) -> None:
    seen = [await version_of(catalogue)]
    one = await catalogue.authors.add(AuthorDetails(name="One"))
    seen.append(await version_of(catalogue))
    two = await catalogue.authors.add(AuthorDetails(name="Two"))
    seen.append(await version_of(catalogue))
    book = await catalogue.books.add(BookDetails(title="Book", author_id=one.id))
    seen.append(await version_of(catalogue))
    await catalogue.authors.revise(one.id, Amendment({"name": "Uno"}))
    seen.append(await version_of(catalogue))
    await catalogue.merging.merge(Author, one.id, two.id)
    seen.append(await version_of(catalogue))
    await catalogue.books.remove(book.id)
    seen.append(await version_of(catalogue))

    assert len(set(seen)) == len(seen)


async def test_what_the_log_does_not_count_changes_the_version_of_the_data(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Early"))
    await catalogue.authors.revise(author.id, Amendment({"name": "Later"}))
    seen = [await version_of(catalogue)]
    async for _ in catalogue.log_keeping.compact(catalogue.clock.now() + timedelta(days=1)):
        pass
    seen.append(await version_of(catalogue))
    await catalogue.authors.remove(author.id)
    seen.append(await version_of(catalogue))
    await catalogue.log_keeping.erase(author.id)
    seen.append(await version_of(catalogue))

    assert len(set(seen)) == len(seen)


async def test_what_comes_from_a_source_and_the_end_of_following_change_the_version_of_the_data(
    catalogue: Cataloguers,
) -> None:
    source = Cataloguers(SnapshotStorage())
    await source.authors.add(AuthorDetails(name="There"))
    seen = [await version_of(catalogue)]
    async for _ in catalogue.following(FeedOf(source.storage)).catch_up():
        pass
    seen.append(await version_of(catalogue))
    await catalogue.storage.promote()
    seen.append(await version_of(catalogue))

    assert len(set(seen)) == len(seen)


async def test_versions_of_the_data_never_come_again(catalogue: Cataloguers) -> None:
    """Nor that of an equal state: whoever keeps only the version has nothing else to tell them apart by."""
    author = await catalogue.authors.add(AuthorDetails(name="One"))
    seen = [await version_of(catalogue)]
    for number in range(50):
        await catalogue.authors.revise(author.id, Amendment({"name": ("One", "Two")[number % 2 - 1]}))
        seen.append(await version_of(catalogue))

    assert len(set(seen)) == len(seen)


async def test_a_version_of_the_data_comes_with_one_state_of_it(catalogue: Cataloguers) -> None:
    """Reading between two equal answers, while others write, shows the same each time."""
    shown: dict[Hashable, set[tuple[str, ...]]] = {}
    is_over = asyncio.Event()

    async def write() -> None:
        for number in range(30):
            await catalogue.authors.add(AuthorDetails(name=f"Author {number:02}"))
            await asyncio.sleep(0.001)
        is_over.set()

    async def read() -> None:
        while not is_over.is_set():
            before = await version_of(catalogue)
            page = await catalogue.storage.reader.authors(AuthorQuery())
            if before == await version_of(catalogue):
                names = tuple(author.name for author in page.items)
                shown.setdefault(before, set()).add((str(page.total), *names))
            await asyncio.sleep(0)

    await asyncio.gather(write(), read(), read())

    assert [states for states in shown.values() if len(states) > 1] == []


async def test_who_has_just_written_is_not_given_the_version_before(storage: Storage) -> None:
    """Also among others who ask at the same moment, and whose question may be on its way already."""
    catalogue = Cataloguers(storage)
    is_over = asyncio.Event()

    async def ask() -> None:
        while not is_over.is_set():
            await storage.data_version()
            await asyncio.sleep(0)

    async def write() -> None:
        for number in range(20):
            before = await storage.data_version()
            await catalogue.authors.add(AuthorDetails(name=str(number)))
            assert await storage.data_version() != before
        is_over.set()

    await asyncio.gather(write(), *(ask() for _ in range(8)))
