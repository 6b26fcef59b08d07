"""/livez and /readyz, and the pages that explain problem types."""

from typing import Annotated

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import MediaType, get
from litestar.exceptions import NotFoundException
from litestar.params import PathParameter
from litestar.response import Redirect

from catalog.domain.errors import StorageUnavailable
from catalog.domain.ports import Storage

from .openapi import problem_responses
from .problems import PROBLEMS, RequestProblem

Slug = Annotated[str, PathParameter(description="The last part of a problem's type.", enum=sorted(PROBLEMS))]


@get("/livez", summary="Whether the process runs", tags=["Operation"], media_type=MediaType.TEXT)
async def livez() -> str:
    """Whether the process answers at all."""
    return "ok\n"


@get(
    "/readyz",
    summary="Whether the catalogue can be used",
    description="503 with the reason while the database can not be reached or is not at the newest migration.",
    tags=["Operation"],
    media_type=MediaType.TEXT,
    responses=problem_responses(503),
)
@inject
async def readyz(storage: FromDishka[Storage]) -> str:
    """Whether the storage can be used as it is."""
    try:
        await storage.check()
    except StorageUnavailable as error:
        raise RequestProblem("unavailable", error.reason) from error
    return "ok\n"


@get(
    "/problems/{slug:str}",
    summary="What a problem type means",
    tags=["Operation"],
    media_type=MediaType.TEXT,
    responses=problem_responses(404),
)
async def explain_problem(slug: Slug) -> str:
    """The page that a problem's `type` leads to."""
    if kind := PROBLEMS.get(slug):
        return f"{kind.title} ({kind.status.value})\n\n{kind.remedy}\n"
    raise NotFoundException


@get("/", include_in_schema=False, status_code=307)
async def root() -> Redirect:
    """Lead people to the documentation."""
    return Redirect("/schema", status_code=307)
