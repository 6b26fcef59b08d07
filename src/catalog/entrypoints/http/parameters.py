"""Query parameters and headers: what there is, and a guard that refuses everything else, all at once."""

import re
from functools import lru_cache
from itertools import islice
from typing import Annotated, Any
from uuid import UUID

from litestar import Request
from litestar.handlers.base import BaseRouteHandler
from litestar.params import HeaderParameter, PathParameter, QueryParameter

from catalog.domain.kinds import Kind
from catalog.domain.queries import CHANGES_LIMIT, PAGE_NUMBER_LIMIT, PAGE_SIZE_LIMIT, SEQ_LIMIT

from .exports import FORMAT_NAMES, FORMAT_TOLD
from .problems import MOST_VIOLATIONS, InvalidParameters, Violation

MOST_VERSIONS = 2**31 - 1

Id = Annotated[UUID, PathParameter(description="The id of the record, made by the catalogue.")]
CurrentPage = Annotated[
    int, QueryParameter(name="currentPage", ge=1, le=PAGE_NUMBER_LIMIT, description="Which page, from 1.")
]
PageSize = Annotated[
    int, QueryParameter(name="pageSize", ge=1, le=PAGE_SIZE_LIMIT, description="How many items a page holds.")
]
Version = Annotated[int, PathParameter(description="A version of the record, as its revisions tell it.")]
Since = Annotated[
    int, QueryParameter(name="since", ge=0, le=SEQ_LIMIT, description="Only what happened after this seq.")
]
Earlier = Annotated[
    int | None,
    QueryParameter(
        name="from",
        ge=0,
        le=MOST_VERSIONS,
        schema_extra={"minimum": 0, "maximum": MOST_VERSIONS},  # else lost with a default of None
        description="The version to compare with; without it, the one before.",
    ),
]
ChangesLimit = Annotated[
    int, QueryParameter(name="limit", ge=1, le=CHANGES_LIMIT, description="How many changes to answer at most.")
]
KindFilter = Annotated[
    Kind | None,
    QueryParameter(name="kind", enum=[kind.value for kind in Kind], description="Only this kind of record."),
]
Form = Annotated[
    str | None,
    QueryParameter(
        name="format",
        enum=list(FORMAT_NAMES),
        schema_extra={"enum": list(FORMAT_NAMES)},  # else lost with a default of None
        description=FORMAT_TOLD,
    ),
]
LastEventId = Annotated[
    str | None,
    HeaderParameter(name="Last-Event-ID", description="The id of the last event that came; goes before `since`."),
]
IfMatch = Annotated[
    str | None,
    HeaderParameter(
        name="If-Match",
        description="The ETag of the version you know; the write is refused (412) if another one stands by now.",
    ),
]


_UUID = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


async def refuse_unknown_parameters(request: Request[Any, Any, Any]) -> None:
    """Refuse unknown, repeated and wrong query parameters; raise InvalidParameters naming them all.

    It runs before the handler is called, and not as a guard, for each of those gets a copy of the handler to look at.
    """
    handler = request.route_handler
    if not request.scope["query_string"] or "list" in handler.opt:
        return  # `lists.asked` knows better
    known = _query_parameters(handler)
    given: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        given.setdefault(name, []).append(value)
    found = (
        Violation(detail=problem, parameter=name[:100])
        for name, values in given.items()
        if (problem := _problem(known, name, values))
    )
    if violations := list(islice(found, MOST_VIOLATIONS)):
        raise InvalidParameters(violations)


def _problem(known: dict[str, QueryParameter], name: str, values: list[str]) -> str | None:
    if name not in known:
        there_are = f"there are: {', '.join(sorted(known))}" if known else "there are none here"
        return f"there is no such parameter; {there_are}"
    if len(values) > 1:
        return f"must be given once, and was given {len(values)} times"
    return _rule_broken_by(values[0], known[name])


def _rule_broken_by(value: str, parameter: QueryParameter) -> str | None:
    """Return what a value would have to be, where it is not."""
    if parameter.enum is not None:
        return None if value in parameter.enum else f"must be one of {', '.join(map(str, parameter.enum))}"
    if parameter.ge is not None and parameter.le is not None:
        in_range = re.fullmatch("0|[1-9][0-9]{0,19}", value) and parameter.ge <= int(value) <= parameter.le
        if in_range:
            return None
        upto = f"to {parameter.le}" if parameter.le < SEQ_LIMIT else "to how far the log has come"
        return f"must be a whole number from {parameter.ge:.0f} {upto}"
    return None if _UUID.fullmatch(value) else "must be a UUID"


@lru_cache
def _query_parameters(handler: BaseRouteHandler) -> dict[str, QueryParameter]:
    """Return the query parameters that a handler declares, by the names that clients use."""
    declared = {name: field.kwarg_definition for name, field in handler.parsed_fn_signature.parameters.items()}
    return {p.name or name: p for name, p in declared.items() if isinstance(p, QueryParameter)}
