"""/books."""

from typing import Any

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import Controller, Request, delete, get, patch, post, put
from litestar.params import JSONBody

from catalog.domain.books import BookDetails, BookRecord
from catalog.domain.ports import CatalogReader
from catalog.domain.queries import BookQuery, Page
from catalog.domain.records import Amendment
from catalog.domain.use_cases.books import BookCataloguing
from catalog.domain.use_cases.exporting import Exporting

from .conditions import must_be_news, must_be_news_as_file, remember_links, versions_in
from .exports import listed, some, wanted
from .lists import answered, asked, format_asked, is_part_asked, links_of, must_be_of_whole_records
from .openapi import GONE, WRITE, problem_responses
from .parameters import Form, Id, IfMatch


class BookController(Controller):
    """Books, each shown with the author under whom it is entered."""

    path = "/books"
    tags = ("Books",)

    @get(
        summary="List books",
        description="Ordered by title, unless `sort` says otherwise.",
        responses=problem_responses(406),
        opt={"list": BookQuery},
    )
    @inject
    async def list_books(
        self, request: Request[Any, Any, Any], reader: FromDishka[CatalogReader], exporting: FromDishka[Exporting]
    ) -> Page[BookRecord]:
        """A part of the list of books; in another form than JSON, all of it unless a part is asked for."""
        query = asked(BookQuery, request)
        if (form := wanted(request, format_asked(request))) is not None:
            must_be_of_whole_records(request)
            file: Any
            if is_part_asked(request):
                page = await reader.books(query)
                remember_links(request.scope, links_of(page, request))
                file = await some(exporting, page.items, form, request)
            else:
                headers = await must_be_news_as_file(request, reader, form)
                file = await listed(exporting, query, form, request, headers)
            return file  # type: ignore[no-any-return]  # Litestar takes it in the place of what is declared
        await must_be_news(request, reader)
        return answered(await reader.books(query), query, request)

    @post(summary="Add a book", responses=problem_responses(*WRITE, 422))
    @inject
    async def add_book(self, data: JSONBody[BookDetails], books: FromDishka[BookCataloguing]) -> BookRecord:
        """Add a book; its authors must be there."""
        return await books.add(data)

    @get(
        "/{id:uuid}",
        summary="Read a book",
        responses=problem_responses(*GONE, 406),
    )
    @inject
    async def get_book(
        self,
        id: Id,
        request: Request[Any, Any, Any],
        reader: FromDishka[CatalogReader],
        exporting: FromDishka[Exporting],
        form: Form = None,
    ) -> BookRecord:
        """One book."""
        if (name := wanted(request, form)) is not None:
            file: Any = await some(exporting, [await reader.book(id)], name, request)
            return file  # type: ignore[no-any-return]  # Litestar takes it in the place of what is declared
        return await reader.book(id)

    @patch(
        "/{id:uuid}",
        summary="Change some fields of a book",
        description="A JSON Merge Patch (RFC 7396): fields left out stay, null clears.",
        responses=problem_responses(*WRITE, *GONE, 412, 422),
    )
    @inject
    async def amend_book(
        self,
        id: Id,
        data: JSONBody[Amendment[BookDetails]],
        books: FromDishka[BookCataloguing],
        if_match: IfMatch = None,
    ) -> BookRecord:
        """Change some fields."""
        return await books.revise(id, data, known_versions=versions_in(if_match))

    @put(
        "/{id:uuid}",
        summary="Replace a book",
        description="Fields left out are cleared. Never creates: ids are made by the catalogue.",
        responses=problem_responses(*WRITE, *GONE, 412, 422),
    )
    @inject
    async def replace_book(
        self,
        id: Id,
        data: JSONBody[BookDetails],
        books: FromDishka[BookCataloguing],
        if_match: IfMatch = None,
    ) -> BookRecord:
        """Say everything about it anew."""
        return await books.revise(id, Amendment.to(data), known_versions=versions_in(if_match))

    @delete("/{id:uuid}", summary="Remove a book", responses=problem_responses(403, *GONE, 412, 507))
    @inject
    async def remove_book(self, id: Id, books: FromDishka[BookCataloguing], if_match: IfMatch = None) -> None:
        """Remove it."""
        await books.remove(id, known_versions=versions_in(if_match))
