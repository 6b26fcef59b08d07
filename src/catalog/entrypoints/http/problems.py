"""What goes wrong, said to people and programs: problem details (RFC 9457) for every error there is.

`PROBLEMS` is the one table of problem types; `problem_of` finds the words for an error.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

import msgspec
from attrs import define, evolve, field, frozen
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from catalog.domain import errors
from catalog.domain.constraints import Doc
from catalog.domain.kinds import Kind

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
    removed_at: Annotated[datetime | None, Doc("when the record was removed")] = None
    removed_by: Annotated[str | None, Doc("who removed it", example="anonymous")] = None
    removed_by_request: Annotated[str | None, Doc("the request that removed it")] = None
    errors: Annotated[Sequence[Violation], Doc("each thing that is wrong, where there are several")] = ()


@frozen
class ProblemType:
    """One kind of problem; `remedy` is what its page tells people to do."""

    status: HTTPStatus
    title: str
    remedy: str
    headers: Mapping[str, str] = field(factory=dict[str, str])


PROBLEMS: Mapping[str, ProblemType] = {
    "merged": ProblemType(
        HTTPStatus.PERMANENT_REDIRECT,
        "The record was merged into another one",
        "The Location header leads to the record that stands for it; POST …/unmerge takes the merge back.",
    ),
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
    "not-acceptable": ProblemType(
        HTTPStatus.NOT_ACCEPTABLE,
        "No such representation",
        "The detail lists what there is; name one in Accept, or by ?format=.",
    ),
    "unreadable-file": ProblemType(
        HTTPStatus.BAD_REQUEST, "The file can not be read", "The detail says what the file would have to be."
    ),
    "malformed-upload": ProblemType(
        HTTPStatus.BAD_REQUEST,
        "The files can not be told apart",
        "Send one file as the body, or each as a part of multipart/form-data with a filename.",
    ),
    "not-found": ProblemType(
        HTTPStatus.NOT_FOUND, "No such resource", "Check the path; ids are UUIDs made by this catalogue."
    ),
    "no-such-version": ProblemType(
        HTTPStatus.NOT_FOUND, "No such version", "…/revisions lists the versions that the log has of the record."
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
    "version-is-removal": ProblemType(
        HTTPStatus.CONFLICT,
        "The record was gone at that version",
        "Choose a version before the removal; DELETE removes the record.",
    ),
    "not-mergeable": ProblemType(
        HTTPStatus.CONFLICT, "The records can not be merged", "The detail says which record to name instead."
    ),
    "not-merged": ProblemType(
        HTTPStatus.CONFLICT, "The record was not merged", "Only a record that redirects to another can be unmerged."
    ),
    "unmerge-first": ProblemType(
        HTTPStatus.CONFLICT,
        "The record was merged into another one",
        "POST …/unmerge first, or ask for the record that stands for it.",
    ),
    "import-running": ProblemType(
        HTTPStatus.CONFLICT, "The import is not done yet", "POST …/stop first, or wait until it has ended."
    ),
    "removed": ProblemType(
        HTTPStatus.GONE, "The record was removed", "POST …/restore brings it back; …/revisions tells what happened."
    ),
    "content-withheld": ProblemType(
        HTTPStatus.GONE,
        "The content of that version was dropped",
        "It was compacted or erased for good. Newer versions may still be there: …/revisions lists them.",
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
    "unknown-coding": ProblemType(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "The body is compressed in a way that is not read",
        "Send the file as it is, or compressed with gzip.",
        {"Accept-Encoding": "gzip"},
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
    "key-reused": ProblemType(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The idempotency key was used for another request",
        "Send a new key with each new request, and the same key only with the same request.",
    ),
    "read-only-replica": ProblemType(
        HTTPStatus.FORBIDDEN, "This is a read-only replica", "Write to the catalogue that it follows."
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
    "outcome-unknown": ProblemType(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Nobody knows whether it was written",
        "The storage was lost while it committed. With an Idempotency-Key, send the same request again: it is done "
        "once, whatever happened. Without one, GET what you meant to write before you send it again.",
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
    errors.DoesNotFit: "invalid-body",
    errors.NotFound: "not-found",
    errors.NeverRecorded: "not-found",
    errors.Removed: "removed",
    errors.Merged: "merged",
    errors.NotMerged: "not-merged",
    errors.UnmergeFirst: "unmerge-first",
    errors.NotMergeable: "not-mergeable",
    errors.VersionNotFound: "no-such-version",
    errors.VersionIsRemoval: "version-is-removal",
    errors.ContentWithheld: "content-withheld",
    errors.GroupNotFound: "not-found",
    errors.SeqNotReached: "invalid-request",
    errors.KeyReused: "key-reused",
    errors.ReadOnlyReplica: "read-only-replica",
    errors.CanNotFollow: "unavailable",
    errors.SourceUnreachable: "unavailable",
    errors.AuthorNotYetBorn: "invalid-body",
    errors.UnknownAuthors: "unknown-reference",
    errors.AuthorHasBooks: "author-has-books",
    errors.StaleVersion: "stale-version",
    errors.Interrupted: "busy",
    errors.UnknownFormat: "not-acceptable",
    errors.UnreadableFile: "unreadable-file",
    errors.ImportNotFound: "not-found",
    errors.ImportRunning: "import-running",
    errors.StorageBusy: "busy",
    errors.OutcomeUnknown: "outcome-unknown",
    errors.StorageFull: "storage-full",
    errors.StorageFailed: "internal-error",
    errors.StorageUnavailable: "unavailable",
}
"""The problem type of each refusal of the core."""

UNREMARKABLE = frozenset({"/problems/busy"})
"""The problems on our side that need nobody's attention."""

MENDED_ELSEWHERE = frozenset({"/problems/unavailable", "/problems/outcome-unknown", "/problems/storage-full"})
"""What our program has no part in: a line in the log says it all, and there may be many of them at once."""

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


class SeqBeyondEnd(RequestProblem):
    """A seq, in that parameter or header, which the log has not reached."""

    def __init__(self, seq: int, last: int, parameter: str) -> None:
        detail = f"must be at most {last}, which is how far the log has come"
        super().__init__(
            "invalid-request",
            f"The log has not come to {seq} yet. If it had, the catalogue was put back to an earlier state.",
            [Violation(detail=detail, parameter=parameter)],
        )


NOT_FOR_EVER = {"Cache-Control": "no-cache"}
"""Else caches may keep a redirect or a removal for ever (RFC 9111, section 4.2.2), and both can be taken back."""


def problem_of(error: Exception) -> tuple[Problem, Mapping[str, str]]:
    """Return the problem an error makes, and the headers that go with it."""
    match error:
        case RequestProblem():
            return _problem(error.slug, error.detail, error.violations)
        case errors.NotFound():
            return _problem("not-found", f"There is no {error.kind} with the id {error.id}.")
        case errors.Removed():
            by = f"the request {error.request_id} of {error.actor}" if error.request_id else error.actor
            problem, _ = _problem("removed", f"The {error.kind} {error.id} was removed at {_time(error.at)} by {by}.")
            removed = evolve(problem, removed_at=error.at, removed_by=error.actor)
            return evolve(removed, removed_by_request=error.request_id), NOT_FOR_EVER
        case errors.Merged():
            address = _address(error.kind, error.into)
            problem, _ = _problem("merged", f"The {error.kind} {error.id} was merged into {address}.")
            return problem, {"Location": address, **NOT_FOR_EVER}
        case errors.NotMerged():
            return _problem("not-merged", f"The {error.kind} {error.id} stands for itself.")
        case errors.UnmergeFirst():
            into = _address(error.kind, error.into)
            here = _address(error.kind, error.id)
            return _problem("unmerge-first", f"{here} was merged into {into}; POST {here}/unmerge brings it back.")
        case errors.NotMergeable():
            return _not_mergeable(error)
        case errors.VersionNotFound():
            return _problem(
                "no-such-version",
                f"The log has no version {error.version} of the {error.kind}; the newest is {error.newest}.",
            )
        case errors.VersionIsRemoval():
            return _problem("version-is-removal", f"At version {error.version}, the {error.kind} was gone.")
        case errors.ContentWithheld():
            return _problem(
                "content-withheld", f"What version {error.version} of the {error.kind} said was {error.why} for good."
            )
        case errors.SeqNotReached():
            return problem_of(SeqBeyondEnd(error.seq, error.last, "since"))
        case (
            errors.ReadOnlyReplica()
            | errors.CanNotFollow()
            | errors.SourceUnreachable()
            | errors.GroupNotFound()
            | errors.NeverRecorded()
            | errors.ImportNotFound()
            | errors.ImportRunning()
        ):
            return _problem(SLUG_OF_ERROR[type(error)], f"{str(error)[:1].upper()}{str(error)[1:]}.")
        case errors.AuthorNotYetBorn():
            violation = Violation(detail="must not lie in the future", pointer=f"/{error.field}")
            return _problem("invalid-body", "Nobody is born in the future.", [violation])
        case errors.UnknownAuthors():
            violations = [
                Violation(detail=_unknown_author(error, id), pointer="/" + "/".join(map(str, place)))
                for place, id in error.references
            ]
            return _problem(
                "unknown-reference",
                "It names authors that are not there; a removed author can be restored.",
                violations,
            )
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
        case errors.UnknownFormat():
            known = ", ".join(error.known)
            told = f"There is no {error.format[:200]}. There are: {known}. The parameter `format` knows some more."
            return _problem("not-acceptable", told)
        case errors.UnreadableFile():
            return _problem("unreadable-file", error.reason)
        case errors.DoesNotFit():
            return problem_of(InvalidBody([Violation(detail=error.rule, pointer="")]))
        case errors.InvalidValue():
            problem, headers = _problem("invalid-request", f"A value {error.rule}.")
            return evolve(problem, errors=[Violation(detail=error.rule)]), headers
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


def _not_mergeable(error: errors.NotMergeable) -> tuple[Problem, Mapping[str, str]]:
    into, other = _address(error.kind, error.into), _address(error.kind, error.other or error.into)
    match error.obstacle:
        case errors.Obstacle.UNKNOWN | errors.Obstacle.OTHER_KIND:
            detail = f"there is no {error.kind} with the id {error.into}"
            is_other = error.obstacle is errors.Obstacle.OTHER_KIND
            detail += f"; it is another kind of record, and only {error.kind}s go into {error.kind}s" * is_other
            violation = Violation(detail=detail, pointer="/into")
            return _problem("unknown-reference", "The record to merge into does not exist.", [violation])
        case errors.Obstacle.ITSELF:
            detail = "A record can not be merged into itself; name another one in `into`."
        case errors.Obstacle.REMOVED:
            detail = f"{into} was removed; POST {into}/restore first, or merge the other way round."
        case errors.Obstacle.MERGED:
            detail = f"{into} was merged itself; merge into {other}, which stands for it."
        case errors.Obstacle.ELSEWHERE:
            here = _address(error.kind, error.id)
            detail = f"{here} was merged into {other} before; POST {here}/unmerge first, or merge {other} into {into}."
    return _problem("not-mergeable", detail)


def _unknown_author(error: errors.UnknownAuthors, id: UUID) -> str:
    if id in error.merged:
        return f"the author {id} was merged into {error.merged[id]}; name that one"
    return f"there is no author with the id {id}"


def _address(kind: Kind, id: UUID) -> str:
    return f"/{kind}s/{id}"


def _time(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


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
        if problem.type in MENDED_ELSEWHERE:
            why = problem.detail if isinstance(error, RequestProblem) else error
            logger.warning("request %s to %s: %s", request_id, path, why)
        else:
            logger.error("request %s to %s failed", request_id, path, exc_info=error)
    problem = evolve(problem, instance=quote(path), request_id=request_id)
    closing = {"connection": "close"} if problem.status in {408, 413} else {}
    return problem.status, {**headers, **closing}, msgspec.json.encode(_as_dict(problem))


def _as_dict(problem: Problem) -> dict[str, Any]:
    """Write the members in the RFC's order, `errors` only where there are some."""
    members: dict[str, Any] = {
        name: getattr(problem, name) for name in ("type", "title", "status", "detail", "instance", "request_id")
    }
    removal = ("removed_at", "removed_by", "removed_by_request") if problem.removed_at else ()
    members |= {name: getattr(problem, name) for name in removal}
    if problem.errors:
        members["errors"] = [
            {key: value for key in ("detail", "pointer", "parameter") if (value := getattr(error, key)) is not None}
            for error in problem.errors
        ]
    return members


def handle(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer for Litestar's exception handling."""
    status, headers, body = render(error, path=request.scope["path"], request_id=request.scope["state"]["request_id"])
    query: bytes = request.scope["query_string"]
    if isinstance(error, errors.Merged) and query and request.scope["path"].count("/") == 2:
        # Else a client that asked for another form would get JSON.
        headers = {**headers, "Location": f"{headers['Location']}?{query.decode('latin-1')}"}
    return Response(body, status_code=status, headers=headers, media_type=MEDIA_TYPE)
