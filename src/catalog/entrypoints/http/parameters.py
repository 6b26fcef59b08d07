"""Query parameters and headers: what there is, and a guard that refuses everything else, all at once."""

from functools import lru_cache
from typing import Annotated, Any, get_args
from uuid import UUID

import msgspec
from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler
from litestar.params import HeaderParameter, QueryParameter

from catalog.domain.queries import PAGE_NUMBER_LIMIT, PAGE_SIZE_LIMIT

from .problems import InvalidParameters, Violation

CurrentPage = Annotated[
    int, QueryParameter(name="currentPage", ge=1, le=PAGE_NUMBER_LIMIT, description="Which page, from 1.")
]
PageSize = Annotated[
    int, QueryParameter(name="pageSize", ge=1, le=PAGE_SIZE_LIMIT, description="How many items a page holds.")
]
AuthorFilter = Annotated[
    UUID | None, QueryParameter(name="author_id", description="Only books entered under this author.")
]
IfMatch = Annotated[
    str | None,
    HeaderParameter(
        name="If-Match",
        description="The ETag of the version you know; the write is refused (412) if another one stands by now.",
    ),
]


def refuse_unknown_parameters(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Refuse unknown, repeated and wrong query parameters (a guard); raise InvalidParameters naming them all."""
    known = _query_parameters(handler)
    given: dict[str, list[str]] = {}
    for name, value in connection.query_params.multi_items():
        given.setdefault(name, []).append(value)
    violations = [
        Violation(detail=problem, parameter=name[:100])
        for name, values in given.items()
        if (problem := _problem(known, name, values))
    ]
    if violations:
        raise InvalidParameters(violations)


def _problem(known: dict[str, Any], name: str, values: list[str]) -> str | None:
    if name not in known:
        there_are = f"there are: {', '.join(sorted(known))}" if known else "there are none here"
        return f"there is no such parameter; {there_are}"
    if len(values) > 1:
        return f"must be given once, and was given {len(values)} times"
    try:
        msgspec.convert(values[0], known[name], strict=False)
    except msgspec.ValidationError as error:
        return str(error)[:1].lower() + str(error)[1:]
    return None


@lru_cache
def _query_parameters(handler: BaseRouteHandler) -> dict[str, Any]:
    """Return the type of each query parameter of a handler, with its limits."""
    types: dict[str, Any] = {}
    for name, parameter in handler.parsed_fn_signature.parameters.items():
        declared = parameter.kwarg_definition
        if isinstance(declared, QueryParameter):
            # Without None, which a lax conversion would read out of the text "null".
            annotation = next((a for a in get_args(parameter.annotation) if a is not type(None)), parameter.annotation)
            limits = msgspec.Meta(ge=declared.ge, le=declared.le)
            types[declared.name or name] = Annotated[annotation, limits] if annotation is int else annotation
    return types
