"""/authors/{id}/… and /books/{id}/…: what happened to a record, and how to take it back."""

from typing import Any
from uuid import UUID

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import Controller, get, post
from litestar.params import JSONBody

from catalog.domain.authors import Author
from catalog.domain.books import BookRecord
from catalog.domain.errors import VersionNotFound
from catalog.domain.kinds import Kind
from catalog.domain.ports import CatalogReader
from catalog.domain.queries import Candidates, Page, PageRequest, RevisionQuery
from catalog.domain.receipts import Unmerged
from catalog.domain.revisions import Comparison, Revision
from catalog.domain.use_cases.merging import Merging
from catalog.domain.use_cases.undoing import Undoing

from .conditions import versions_in
from .openapi import WITHOUT_BODY, WRITE, problem_responses
from .parameters import MOST_VERSIONS, CurrentPage, Earlier, Id, IfMatch, PageSize, Version
from .problems import InvalidParameters, Violation
from .requests import Merge, Reversion

REVISIONS: dict[str, Any] = {
    "summary": "List what happened to the record",
    "description": "Newest first; also of records that are gone.",
    "responses": problem_responses(404),
}
REVISION: dict[str, Any] = {
    "summary": "Read the record as it was at a version",
    "description": "`after` is the record; 410 where its content was compacted or erased.",
    "responses": problem_responses(404, 410),
}
DIFFERENCES: dict[str, Any] = {
    "summary": "Compare two versions, field by field",
    "responses": problem_responses(404, 410),
}
REVERT: dict[str, Any] = {
    "summary": "Go back to an earlier version",
    "description": "Gives the record, as its next version, the content it had. Merged authors stay merged.",
    "responses": problem_responses(*WRITE, 404, 409, 410, 412, 422),
    "status_code": 200,
}
RESTORE: dict[str, Any] = {
    "summary": "Bring a removed record back",
    "description": "As it was when it was removed. A record that stands is left as it is.",
    "responses": problem_responses(*WITHOUT_BODY, 404, 409, 410, 422),
    "status_code": 200,
}
MERGE: dict[str, Any] = {
    "summary": "Merge the record into another one",
    "description": "Answers the survivor, to which this id redirects (308) from now on. Once more changes nothing.",
    "responses": problem_responses(*WRITE, 404, 409, 410, 412, 422),
    "status_code": 200,
}
UNMERGE: dict[str, Any] = {
    "summary": "Take a merge back",
    "description": "Restores the record, and what still stands as the merge left it; `left_alone` tells the rest.",
    "responses": problem_responses(*WITHOUT_BODY, 404, 409, 410, 422),
    "status_code": 200,
}


async def revision_of(reader: CatalogReader, kind: Kind, id: UUID, version: int) -> Revision:
    """Return what made that version; a number that no version can have is not found, as any other."""
    try:
        return await reader.revision(kind, id, version if 0 < version <= MOST_VERSIONS else 0)
    except VersionNotFound as error:
        raise VersionNotFound(kind, id, version, error.newest) from None


async def compare(reader: CatalogReader, kind: Kind, id: UUID, version: int, earlier: int | None) -> Comparison:
    """Return what a version says otherwise than an earlier one."""
    later = await revision_of(reader, kind, id, version)
    if earlier is not None and earlier >= version:
        raise InvalidParameters([Violation(detail=f"must be less than {version}, the later version", parameter="from")])
    earlier = later.version_before if earlier is None else earlier
    return Comparison.of(None if not earlier else await reader.revision(kind, id, earlier), later)


class AuthorHistoryController(Controller):
    """What happened to authors."""

    path = "/authors"
    tags = ("History",)

    @get(
        "/duplicates",
        summary="List authors who may be one",
        description="Authors whose names are the same but for case, accents and punctuation. Nothing merges by itself.",
        responses=problem_responses(),
        tags=["Authors"],
    )
    @inject
    async def list_duplicate_authors(
        self, reader: FromDishka[CatalogReader], current_page: CurrentPage = 1, page_size: PageSize = 10
    ) -> Page[Candidates]:
        """A page of candidates."""
        return await reader.duplicates(PageRequest(number=current_page, size=page_size))

    @get("/{id:uuid}/revisions", **REVISIONS)
    @inject
    async def list_author_revisions(
        self, id: Id, reader: FromDishka[CatalogReader], current_page: CurrentPage = 1, page_size: PageSize = 10
    ) -> Page[Revision]:
        """A page of what happened."""
        page = PageRequest(number=current_page, size=page_size)
        return await reader.revisions(RevisionQuery(kind=Kind.AUTHOR, id=id, page=page))

    @get("/{id:uuid}/revisions/{version:int}", **REVISION)
    @inject
    async def get_author_revision(self, id: Id, version: Version, reader: FromDishka[CatalogReader]) -> Revision:
        """One revision."""
        return (await revision_of(reader, Kind.AUTHOR, id, version)).must_be_told()

    @get("/{id:uuid}/revisions/{version:int}/differences", **DIFFERENCES)
    @inject
    async def compare_author_versions(
        self, id: Id, version: Version, reader: FromDishka[CatalogReader], earlier: Earlier = None
    ) -> Comparison:
        """What differs."""
        return await compare(reader, Kind.AUTHOR, id, version, earlier)

    @post("/{id:uuid}/revert", **REVERT)
    @inject
    async def revert_author(
        self, id: Id, data: JSONBody[Reversion], undoing: FromDishka[Undoing], if_match: IfMatch = None
    ) -> Author:
        """Go back."""
        return await undoing.revert(Author, id, data.to_version, known_versions=versions_in(if_match))

    @post("/{id:uuid}/restore", **RESTORE)
    @inject
    async def restore_author(self, id: Id, undoing: FromDishka[Undoing]) -> Author:
        """Bring it back."""
        return await undoing.restore(Author, id)

    @post("/{id:uuid}/merge", **MERGE)
    @inject
    async def merge_author(
        self, id: Id, data: JSONBody[Merge], merging: FromDishka[Merging], if_match: IfMatch = None
    ) -> Author:
        """Make one of two."""
        return await merging.merge(Author, id, data.into, known_versions=versions_in(if_match))

    @post("/{id:uuid}/unmerge", **UNMERGE)
    @inject
    async def unmerge_author(self, id: Id, merging: FromDishka[Merging]) -> Unmerged[Author]:
        """Make two of one."""
        return await merging.unmerge(Author, id)


class BookHistoryController(Controller):
    """What happened to books."""

    path = "/books"
    tags = ("History",)

    @get("/{id:uuid}/revisions", **REVISIONS)
    @inject
    async def list_book_revisions(
        self, id: Id, reader: FromDishka[CatalogReader], current_page: CurrentPage = 1, page_size: PageSize = 10
    ) -> Page[Revision]:
        """A page of what happened."""
        page = PageRequest(number=current_page, size=page_size)
        return await reader.revisions(RevisionQuery(kind=Kind.BOOK, id=id, page=page))

    @get("/{id:uuid}/revisions/{version:int}", **REVISION)
    @inject
    async def get_book_revision(self, id: Id, version: Version, reader: FromDishka[CatalogReader]) -> Revision:
        """One revision."""
        return (await revision_of(reader, Kind.BOOK, id, version)).must_be_told()

    @get("/{id:uuid}/revisions/{version:int}/differences", **DIFFERENCES)
    @inject
    async def compare_book_versions(
        self, id: Id, version: Version, reader: FromDishka[CatalogReader], earlier: Earlier = None
    ) -> Comparison:
        """What differs."""
        return await compare(reader, Kind.BOOK, id, version, earlier)

    @post("/{id:uuid}/revert", **REVERT)
    @inject
    async def revert_book(
        self, id: Id, data: JSONBody[Reversion], undoing: FromDishka[Undoing], if_match: IfMatch = None
    ) -> BookRecord:
        """Go back."""
        return await undoing.revert(BookRecord, id, data.to_version, known_versions=versions_in(if_match))

    @post("/{id:uuid}/restore", **RESTORE)
    @inject
    async def restore_book(self, id: Id, undoing: FromDishka[Undoing]) -> BookRecord:
        """Bring it back."""
        return await undoing.restore(BookRecord, id)

    @post("/{id:uuid}/merge", **MERGE)
    @inject
    async def merge_book(
        self, id: Id, data: JSONBody[Merge], merging: FromDishka[Merging], if_match: IfMatch = None
    ) -> BookRecord:
        """Make one of two."""
        return await merging.merge(BookRecord, id, data.into, known_versions=versions_in(if_match))

    @post("/{id:uuid}/unmerge", **UNMERGE)
    @inject
    async def unmerge_book(self, id: Id, merging: FromDishka[Merging]) -> Unmerged[BookRecord]:
        """Make two of one."""
        return await merging.unmerge(BookRecord, id)
