"""Query parameters and headers: what there is, and a guard that refuses everything else, all at once."""

import re
from functools import lru_cache
from itertools import islice
from typing import Annotated, Any
from uuid import UUID

from litestar import Request
from litestar.handlers.base import BaseRouteHandler
from litestar.params import HeaderParameter, PathParameter, QueryParameter
from litestar.typing import FieldDefinition

from catalog.domain.imports import OnDuplicate, Status
from catalog.domain.kinds import Kind
from catalog.domain.queries import CHANGES_LIMIT, PAGE_NUMBER_LIMIT, PAGE_SIZE_LIMIT, SEQ_LIMIT
from catalog.entrypoints.formats import read_formats

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
LONGEST_TEXT = 500
"""Letters of a parameter that is text."""

FormatOfFile = Annotated[
    str | None,
    QueryParameter(
        name="format",
        enum=read_formats(),
        schema_extra={"enum": read_formats()},  # else lost with a default of None
        description="The format of the files; without it, each is what it begins like.",
    ),
]
SourceName = Annotated[
    str | None,
    QueryParameter(
        name="source",
        max_length=200,
        schema_extra={"maxLength": 200, "minLength": 1},
        description="The name of the source, which with a record's key tells it again; else that of the file.",
    ),
]
OnDuplicateParameter = Annotated[
    OnDuplicate,
    QueryParameter(
        name="onDuplicate",
        enum=[each.value for each in OnDuplicate],
        description="What becomes of a book that the catalogue has already.",
    ),
]
DryRun = Annotated[bool, QueryParameter(name="dryRun", description="Only say what a run would do.")]
StopOnError = Annotated[
    bool, QueryParameter(name="stopOnError", description="Stop with the first record that is refused.")
]
Mapping = Annotated[
    str | None,
    QueryParameter(
        name="map",
        max_length=LONGEST_TEXT,
        schema_extra={"maxLength": LONGEST_TEXT, "minLength": 1},
        description="Which column of a CSV file says what: FIELD=COLUMN,…",
    ),
]
Separator = Annotated[
    str,
    QueryParameter(
        name="separator",
        min_length=1,
        max_length=20,
        description="What stands between names or languages, with `map`.",
    ),
]
Encoding = Annotated[
    str, QueryParameter(name="encoding", min_length=1, max_length=40, description="The encoding of CSV files.")
]
ReportPlace = Annotated[
    int, QueryParameter(name="after", ge=0, le=SEQ_LIMIT, description="Go on from there; `next` says where.")
]
ReportLimit = Annotated[
    int, QueryParameter(name="limit", ge=1, le=CHANGES_LIMIT, description="How many records to tell of at most.")
]
StatusFilter = Annotated[
    Status | None,
    QueryParameter(name="status", enum=[status.value for status in Status], description="Only records that ended so."),
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


def _problem(known: dict[str, FieldDefinition], name: str, values: list[str]) -> str | None:
    if name not in known:
        there_are = f"there are: {', '.join(sorted(known))}" if known else "there are none here"
        return f"there is no such parameter; {there_are}"
    if len(values) > 1:
        return f"must be given once, and was given {len(values)} times"
    return _rule_broken_by(values[0], known[name])


def _rule_broken_by(value: str, field: FieldDefinition) -> str | None:
    """Return what a value would have to be, where it is not."""
    parameter: Any = field.kwarg_definition
    if parameter.enum is not None:
        return None if value in parameter.enum else f"must be one of {', '.join(map(str, parameter.enum))}"
    if parameter.ge is not None and parameter.le is not None:
        in_range = re.fullmatch("0|[1-9][0-9]{0,19}", value) and parameter.ge <= int(value) <= parameter.le
        if in_range:
            return None
        if parameter.le == SEQ_LIMIT:
            return f"must be a whole number from {parameter.ge:.0f}"
        return f"must be a whole number from {parameter.ge:.0f} to {parameter.le}"
    if field.annotation is bool:
        return None if value in ("true", "false") else "must be true or false"
    if parameter.max_length is not None:
        is_plain = 1 <= len(value) <= parameter.max_length and value.isprintable()
        return None if is_plain else f"must be 1 to {parameter.max_length} printable characters"
    return None if _UUID.fullmatch(value) else "must be a UUID"


@lru_cache
def _query_parameters(handler: BaseRouteHandler) -> dict[str, FieldDefinition]:
    """Return the query parameters that a handler declares, by the names that clients use."""
    declared = handler.parsed_fn_signature.parameters.items()
    return {
        field.kwarg_definition.name or name: field
        for name, field in declared
        if isinstance(field.kwarg_definition, QueryParameter)
    }
