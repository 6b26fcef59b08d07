"""/authors."""

from typing import Any

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import Controller, Request, delete, get, patch, post, put
from litestar.params import JSONBody

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.ports import CatalogReader
from catalog.domain.queries import AuthorQuery, Page
from catalog.domain.records import Amendment
from catalog.domain.use_cases.authors import AuthorCataloguing

from .conditions import must_be_news, versions_in
from .lists import answered, asked
from .openapi import GONE, WRITE, problem_responses
from .parameters import Id, IfMatch


class AuthorController(Controller):
    """Authors: whoever a book is by."""

    path = "/authors"
    tags = ("Authors",)

    @get(
        summary="List authors",
        description="Ordered by name, unless `sort` says otherwise.",
        responses=problem_responses(),
        opt={"list": AuthorQuery},
    )
    @inject
    async def list_authors(self, request: Request[Any, Any, Any], reader: FromDishka[CatalogReader]) -> Page[Author]:
        """A part of the list of authors."""
        query = asked(AuthorQuery, request)
        await must_be_news(request, reader)
        return answered(await reader.authors(query), query, request)

    @post(summary="Add an author", responses=problem_responses(*WRITE, 422))
    @inject
    async def add_author(self, data: JSONBody[AuthorDetails], authors: FromDishka[AuthorCataloguing]) -> Author:
        """Add an author."""
        return await authors.add(data)

    @get("/{id:uuid}", summary="Read an author", responses=problem_responses(*GONE))
    @inject
    async def get_author(self, id: Id, reader: FromDishka[CatalogReader]) -> Author:
        """One author."""
        return await reader.author(id)

    @patch(
        "/{id:uuid}",
        summary="Change some fields of an author",
        description="A JSON Merge Patch (RFC 7396): fields left out stay, null clears.",
        responses=problem_responses(*WRITE, *GONE, 412, 422),
    )
    @inject
    async def amend_author(
        self,
        id: Id,
        data: JSONBody[Amendment[AuthorDetails]],
        authors: FromDishka[AuthorCataloguing],
        if_match: IfMatch = None,
    ) -> Author:
        """Change some fields."""
        return await authors.revise(id, data, known_versions=versions_in(if_match))

    @put(
        "/{id:uuid}",
        summary="Replace an author",
        description="Fields left out are cleared. Never creates: ids are made by the catalogue.",
        responses=problem_responses(*WRITE, *GONE, 412, 422),
    )
    @inject
    async def replace_author(
        self,
        id: Id,
        data: JSONBody[AuthorDetails],
        authors: FromDishka[AuthorCataloguing],
        if_match: IfMatch = None,
    ) -> Author:
        """Say everything about it anew."""
        return await authors.revise(id, Amendment.to(data), known_versions=versions_in(if_match))

    @delete(
        "/{id:uuid}",
        summary="Remove an author whom no book names",
        responses=problem_responses(403, *GONE, 409, 412, 507),
    )
    @inject
    async def remove_author(self, id: Id, authors: FromDishka[AuthorCataloguing], if_match: IfMatch = None) -> None:
        """Remove it."""
        await authors.remove(id, known_versions=versions_in(if_match))
