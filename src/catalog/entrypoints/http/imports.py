"""/imports: files that are imported while whoever sent them does something else."""

from collections.abc import AsyncGenerator, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from attrs import frozen
from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import Controller, Request, delete, get, post
from litestar.response import Stream

from catalog.domain.constraints import Doc
from catalog.domain.errors import InvalidValue
from catalog.domain.imports import ImportJob, ImportOptions, ImportPage, OnDuplicate, ReportLine
from catalog.domain.ports import ImportQueue
from catalog.domain.queries import PageRequest
from catalog.domain.use_cases.import_orders import ImportOrdering
from catalog.entrypoints.reports import heading, written

from .import_worker import ImportWorker
from .openapi import problem_responses
from .parameters import (
    CurrentPage,
    DryRun,
    Encoding,
    FormatOfFile,
    Id,
    Mapping,
    OnDuplicateParameter,
    PageSize,
    ReportLimit,
    ReportPlace,
    Separator,
    SourceName,
    StatusFilter,
    StopOnError,
)
from .problems import InvalidParameters, Violation
from .uploads import files_in

LINES = 500
"""Lines of a report that are read at once."""


@frozen(kw_only=True, slots=False)
class Outcomes:
    """What became of some records of an import."""

    items: Annotated[Sequence[ReportLine], Doc("what became of each record, in the order of the files")]
    next: Annotated[str | None, Doc("where to go on; null once the import has ended and all is told")]


class ImportController(Controller):
    """Imports that were asked for."""

    path = "/imports"
    tags = ("Imports",)

    @post(
        summary="Import files",
        description=(
            "The body is a file, of any size, or several as the parts of multipart/form-data. They are kept, and "
            "imported one import after the other; the answer tells where to see how far that is."
        ),
        status_code=202,
        request_max_body_size=None,
        responses=problem_responses(403, 408, 415, 422, 507),
    )
    @inject
    async def order_import(
        self,
        request: Request[Any, Any, Any],
        ordering: FromDishka[ImportOrdering],
        worker: FromDishka[ImportWorker],
        format_name: FormatOfFile = None,
        source: SourceName = None,
        on_duplicate: OnDuplicateParameter = OnDuplicate.FILL_EMPTY,
        dry_run: DryRun = False,
        stop_on_error: StopOnError = False,
        mapping: Mapping = None,
        separator: Separator = "; ",
        encoding: Encoding = "utf-8",
    ) -> ImportJob:
        """Keep the files, to be imported later."""
        options = ImportOptions(
            format=format_name,
            source=source,
            on_duplicate=on_duplicate,
            dry_run=dry_run,
            stop_on_error=stop_on_error,
            map=mapping,
            separator=separator,
            encoding=encoding,
        )
        job = await ordering.order(options, files_in(request, options))
        worker.look()
        return job

    @get(summary="List imports", description="Newest first.", responses=problem_responses())
    @inject
    async def list_imports(
        self, queue: FromDishka[ImportQueue], current_page: CurrentPage = 1, page_size: PageSize = 10
    ) -> ImportPage:
        """A page of imports."""
        return await queue.page(PageRequest(number=current_page, size=page_size))

    @get("/{id:uuid}", summary="See how far an import is", responses=problem_responses(404))
    @inject
    async def get_import(self, id: Id, queue: FromDishka[ImportQueue]) -> ImportJob:
        """One import."""
        return await queue.get(id)

    @get(
        "/{id:uuid}/outcomes",
        summary="List what became of each record",
        description="As far as the import is; `next` leads to what comes later, too.",
        responses=problem_responses(404),
    )
    @inject
    async def list_outcomes(
        self,
        id: Id,
        queue: FromDishka[ImportQueue],
        after: ReportPlace = 0,
        limit: ReportLimit = 100,
        status: StatusFilter = None,
    ) -> Outcomes:
        """What became of some records."""
        # First the job: what is reported before it ends is in the report that is read after.
        job = await queue.get(id)
        try:
            part = await queue.report(id, after=after, limit=limit, status=status)
        except InvalidValue as error:
            raise InvalidParameters([Violation(detail=error.rule, parameter="after")]) from None
        if part.is_end and job.state.is_final:
            return Outcomes(items=part.lines, next=None)
        asked = {"after": part.place, "limit": limit} | ({} if status is None else {"status": status.value})
        return Outcomes(items=part.lines, next=f"/imports/{id}/outcomes?{urlencode(asked)}")

    @get(
        "/{id:uuid}/report",
        summary="Download what became of each record",
        description="Comma-separated values, a line for each record; as far as the import is.",
        media_type="text/csv",
        responses=problem_responses(404),
    )
    @inject
    async def download_report(self, id: Id, queue: FromDishka[ImportQueue]) -> Stream:
        """The report."""
        await queue.get(id)
        headers = {"Content-Disposition": f'attachment; filename="import-{id}.csv"', "Cache-Control": "no-cache"}
        return Stream(_report(queue, id), media_type="text/csv; charset=utf-8", headers=headers)

    @post(
        "/{id:uuid}/stop",
        summary="Stop an import",
        description="What is in stays in; `catalog undo` takes it back. One that has ended stays as it is.",
        status_code=200,
        responses=problem_responses(403, 404, 408, 413, 507),
    )
    @inject
    async def stop_import(
        self, id: Id, ordering: FromDishka[ImportOrdering], worker: FromDishka[ImportWorker]
    ) -> ImportJob:
        """Stop it soon."""
        job = await ordering.stop(id)
        worker.look()  # the files of one that has not begun can go
        return job

    @delete(
        "/{id:uuid}",
        summary="Forget an import",
        description="Its report is dropped; its books stay. 30 days after its end, that happens by itself.",
        responses=problem_responses(403, 404, 409, 507),
    )
    @inject
    async def forget_import(self, id: Id, ordering: FromDishka[ImportOrdering]) -> None:
        """Drop its report."""
        await ordering.forget(id)


async def _report(queue: ImportQueue, id: UUID) -> AsyncGenerator[str]:
    yield heading()
    place, is_end = 0, False
    while not is_end:
        part = await queue.report(id, after=place, limit=LINES)
        place, is_end = part.place, part.is_end
        yield written(part.lines)
