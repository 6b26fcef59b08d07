"""What goes wrong, said to people and programs: problem details (RFC 9457) for every error there is.

`PROBLEMS` is the one table of problem types; `problem_of` finds the words for an error.
"""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from attrs import define, evolve, field, frozen
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from catalog.domain import errors
from catalog.domain.constraints import Doc

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
MOST_VIOLATIONS = 100
"""Errors that are told of at once; a request can hold more of them than anybody wants to read or send."""


@frozen(kw_only=True)
class Violation:
    """One thing that is wrong with a request."""

    detail: Annotated[str, Doc("what is wrong, and what would be right", example="must not be blank")]
    pointer: Annotated[str | None, Doc("where in the body, as a JSON Pointer (RFC 6901)", example="/title")] = None
    parameter: Annotated[str | None, Doc("which parameter or header", example="pageSize")] = None


@frozen(kw_only=True)
class Problem:
    """An error as RFC 9457 writes it."""

    type: Annotated[str, Doc("the kind of problem, a page of this service", example="/problems/not-found")]
    title: Annotated[str, Doc("the kind of problem in words", example="No such resource")]
    status: Annotated[int, Doc("the HTTP status", example=404)]
    detail: Annotated[str, Doc("what went wrong this time, and what to do")]
    instance: Annotated[str, Doc("the path that was asked for", example="/books")] = ""
    request_id: Annotated[str, Doc("names this request in the server's log; the X-Request-Id header says it too")] = ""
    errors: Annotated[Sequence[Violation], Doc("each thing that is wrong, where there are several")] = ()


@frozen
class ProblemType:
    """One kind of problem; `remedy` is what its page tells people to do."""

    status: HTTPStatus
    title: str
    remedy: str
    headers: Mapping[str, str] = field(factory=dict[str, str])


PROBLEMS: Mapping[str, ProblemType] = {
    "invalid-body": ProblemType(
        HTTPStatus.BAD_REQUEST, "The body is not valid", "Mend every place that `errors` names and send it again."
    ),
    "invalid-request": ProblemType(
        HTTPStatus.BAD_REQUEST, "The request is not valid", "Mend every parameter that `errors` names."
    ),
    "foreign-origin": ProblemType(
        HTTPStatus.FORBIDDEN,
        "A page of another origin may not write here",
        "Send the request from a page of this service, or list the page's origin in the setting allowed_origins.",
    ),
    "unreadable-file": ProblemType(
        HTTPStatus.BAD_REQUEST, "The file can not be read", "The detail says what the file would have to be."
    ),
    "not-found": ProblemType(
        HTTPStatus.NOT_FOUND, "No such resource", "Check the path; ids are UUIDs made by this catalogue."
    ),
    "method-not-allowed": ProblemType(
        HTTPStatus.METHOD_NOT_ALLOWED, "The resource has no such method", "The Allow header lists those that it has."
    ),
    "body-timeout": ProblemType(
        HTTPStatus.REQUEST_TIMEOUT, "The body came too slowly", "Send the request again over a faster connection."
    ),
    "author-has-books": ProblemType(
        HTTPStatus.CONFLICT, "The author has books", "Remove the books, or enter them under another author, first."
    ),
    "stale-version": ProblemType(
        HTTPStatus.PRECONDITION_FAILED,
        "The record has changed meanwhile",
        "GET the record again, look at what changed, and repeat with its new ETag in If-Match.",
    ),
    "body-too-large": ProblemType(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large", "Send less at once; a record fits easily."
    ),
    "not-json": ProblemType(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body is not declared as JSON", "Send Content-Type: application/json."
    ),
    "wrong-host": ProblemType(
        HTTPStatus.MISDIRECTED_REQUEST,
        "The request is meant for another host",
        "Call the service by its address or by localhost, or list the name in the setting allowed_hosts.",
    ),
    "unknown-reference": ProblemType(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The body refers to a record that does not exist",
        "Make the record first, or mend the ids that `errors` names.",
    ),
    "request-failed": ProblemType(
        HTTPStatus.BAD_REQUEST, "The request could not be answered", "The detail says what to change."
    ),
    "internal-error": ProblemType(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "The server failed",
        "It is not your request's fault. Report the request_id to whoever runs the service.",
    ),
    "busy": ProblemType(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The catalogue is busy",
        "Nothing was written. Wait for as long as Retry-After says.",
        {"Retry-After": "1"},
    ),
    "unavailable": ProblemType(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The catalogue is not available",
        "Whoever runs the service has to mend its storage; its log says why.",
        {"Retry-After": "10"},
    ),
    "storage-full": ProblemType(
        HTTPStatus.INSUFFICIENT_STORAGE, "The storage is full", "Nothing was written. Whoever runs it must make room."
    ),
}
"""Every problem type by the last part of its address."""

SLUG_OF_ERROR: Mapping[type[errors.CatalogError], str] = {
    errors.InvalidValue: "invalid-request",
    errors.NotFound: "not-found",
    errors.AuthorNotYetBorn: "invalid-body",
    errors.UnknownAuthors: "unknown-reference",
    errors.AuthorHasBooks: "author-has-books",
    errors.StaleVersion: "stale-version",
    errors.Interrupted: "busy",
    errors.UnreadableFile: "unreadable-file",
    errors.StorageBusy: "busy",
    errors.StorageFull: "storage-full",
    errors.StorageFailed: "internal-error",
    errors.StorageUnavailable: "unavailable",
}
"""The problem type of each refusal of the core."""

UNREMARKABLE = frozenset({"/problems/busy"})
"""The problems on our side that need nobody's attention."""

SLUG_OF_STATUS: Mapping[int, str] = {
    400: "request-failed",
    404: "not-found",
    405: "method-not-allowed",
    408: "body-timeout",
    413: "body-too-large",
    415: "not-json",
    503: "unavailable",
}
"""The problem type of what the framework refuses."""


@define(eq=False)
class RequestProblem(Exception):
    """A request that is refused before it reaches the core."""

    slug: str
    detail: str
    violations: Sequence[Violation] = ()


class InvalidBody(RequestProblem):
    """A body that is not what it should be."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        detail = "The body has an error." if len(violations) == 1 else f"The body has {len(violations)} errors."
        super().__init__("invalid-body", detail, violations)


class InvalidParameters(RequestProblem):
    """Query parameters that are not what they should be."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        names = sorted({violation.parameter or "" for violation in violations})
        some = ", ".join(names[:10]) + (" and more" if len(names) > 10 else "")
        super().__init__("invalid-request", f"Not valid: {some}.", violations)


def problem_of(error: Exception) -> tuple[Problem, Mapping[str, str]]:
    """Return the problem an error makes, and the headers that go with it."""
    match error:
        case RequestProblem():
            return _problem(error.slug, error.detail, error.violations)
        case errors.NotFound():
            return _problem("not-found", f"There is no {error.kind} with the id {error.id}.")
        case errors.AuthorNotYetBorn():
            violation = Violation(detail="must not lie in the future", pointer="/dob")
            return _problem("invalid-body", "Nobody is born in the future.", [violation])
        case errors.UnknownAuthors():
            violations = [
                Violation(detail=f"there is no author with the id {id}", pointer="/" + "/".join(map(str, place)))
                for place, id in error.references
            ]
            return _problem("unknown-reference", "The body names authors that do not exist.", violations)
        case errors.AuthorHasBooks():
            books = "1 book names" if error.books == 1 else f"{error.books} books name"
            return _problem(
                "author-has-books",
                f"{books} this author, as main entry or contributor; the former are /books?author_id={error.id}",
            )
        case errors.StaleVersion():
            return _problem("stale-version", f"The {error.kind} is at version {error.current} by now.")
        case errors.StorageBusy():
            problem, _ = _problem("busy", "Too many writers at once; nothing was written. Try again.")
            return problem, {"Retry-After": str(error.retry_after)}
        case errors.UnreadableFile():
            return _problem("unreadable-file", error.reason)
        case errors.InvalidValue():
            return _problem("invalid-request", f"A value {error.rule}.")
        case errors.CatalogError():
            slug = SLUG_OF_ERROR[type(error)]
            return _problem(slug, PROBLEMS[slug].remedy)
        case ValidationException() if any("body" in str(e) for e in error.extra or ()):
            # Litestar gives up on an empty body before it asks anybody to decode it.
            return problem_of(InvalidBody([Violation(detail="a JSON body is required", pointer="")]))
        case HTTPException() if error.status_code < 500 or error.status_code in SLUG_OF_STATUS:
            slug = SLUG_OF_STATUS.get(error.status_code, "request-failed")
            problem, _ = _problem(slug, error.detail if slug == "request-failed" else PROBLEMS[slug].remedy)
            return evolve(problem, status=error.status_code), error.headers or {}
        case _:
            return _problem("internal-error", PROBLEMS["internal-error"].remedy)


def _problem(slug: str, detail: str, violations: Sequence[Violation] = ()) -> tuple[Problem, Mapping[str, str]]:
    kind = PROBLEMS[slug]
    problem = Problem(
        type=f"/problems/{slug}", title=kind.title, status=kind.status.value, detail=detail, errors=violations
    )
    return problem, kind.headers


def render(error: Exception, *, path: str, request_id: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of the answer to a failed request; log those that are our fault."""
    problem, headers = problem_of(error)
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR and problem.type not in UNREMARKABLE:
        logger.error("request %s to %s failed", request_id, path, exc_info=error)
    problem = evolve(problem, instance=quote(path), request_id=request_id)
    closing = {"connection": "close"} if problem.status in {408, 413} else {}
    return problem.status, {**headers, **closing}, msgspec.json.encode(_as_dict(problem))


def _as_dict(problem: Problem) -> dict[str, Any]:
    """Write the members in the RFC's order, `errors` only where there are some."""
    members: dict[str, Any] = {
        name: getattr(problem, name) for name in ("type", "title", "status", "detail", "instance", "request_id")
    }
    if problem.errors:
        members["errors"] = [
            {key: value for key in ("detail", "pointer", "parameter") if (value := getattr(error, key)) is not None}
            for error in problem.errors
        ]
    return members


def handle(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer for Litestar's exception handling."""
    status, headers, body = render(error, path=request.scope["path"], request_id=request.scope["state"]["request_id"])
    return Response(body, status_code=status, headers=headers, media_type=MEDIA_TYPE)
