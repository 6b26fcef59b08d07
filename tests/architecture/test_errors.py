"""Every refusal of the core has its words for people."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from http import HTTPStatus
from types import UnionType
from typing import Any, get_args, get_type_hints
from uuid import UUID

import attrs
import pytest

import catalog
from catalog.domain.errors import (
    CatalogError,
    Interrupted,
    NotMergeable,
    Obstacle,
    StorageBusy,
    StorageFailed,
    StorageUnavailable,
)
from catalog.domain.kinds import Kind
from catalog.entrypoints.http.problems import (
    PROBLEMS,
    SLUG_OF_ERROR,
    SLUG_OF_STATUS,
    InvalidBody,
    InvalidParameters,
    RequestProblem,
    Violation,
    problem_of,
)

EXAMPLES: dict[Any, Any] = {
    str: "must be something else",
    int: 3,
    UUID: UUID(int=7),
    date: date(2026, 1, 1),
    datetime: datetime(2026, 1, 1, tzinfo=UTC),
    Kind: Kind.AUTHOR,
    Obstacle: Obstacle.MERGED,
    Sequence[str]: ["marc", "csv"],
    Mapping[UUID, UUID]: {UUID(int=7): UUID(int=8)},
    Sequence[tuple[tuple[str | int, ...], UUID]]: [(("contributors", 1, "author_id"), UUID(int=7))],
}
"""A value for each type of data that an error carries."""


def kinds_of(error: type[Exception]) -> Iterator[type[Any]]:
    """The error's subclasses, wherever they are defined."""
    for kind in error.__subclasses__():
        yield kind
        yield from kinds_of(kind)


def import_everything() -> None:
    for module in pkgutil.walk_packages(catalog.__path__, "catalog."):
        if not module.name.endswith(("__main__", "entrypoints.asgi")):  # these start something
            importlib.import_module(module.name)


import_everything()
OURS = (kind for kind in kinds_of(CatalogError) if kind.__module__.startswith("catalog."))
ERRORS = sorted(set(OURS), key=lambda kind: kind.__name__)


def plain(hint: Any) -> Any:
    """The type, without the None that it may be."""
    others = [arg for arg in get_args(hint) if arg is not type(None)]
    return others[0] if isinstance(hint, UnionType) else hint


def an_error(kind: type[Any]) -> Exception:
    data = {name: plain(hint) for name, hint in get_type_hints(kind).items()} if attrs.has(kind) else {}
    error = kind(**{field.name: EXAMPLES[data[field.name]] for field in attrs.fields(kind)} if attrs.has(kind) else {})
    assert isinstance(error, Exception)
    return error


def test_every_error_has_its_problem_type_and_no_type_is_for_an_error_that_is_gone() -> None:
    assert sorted(SLUG_OF_ERROR, key=lambda kind: kind.__name__) == ERRORS


def test_every_slug_there_is_a_page_for() -> None:
    assert {*SLUG_OF_ERROR.values(), *SLUG_OF_STATUS.values()} <= PROBLEMS.keys()


@pytest.mark.parametrize("obstacle", Obstacle)
def test_every_obstacle_to_a_merge_has_its_words(obstacle: Obstacle) -> None:
    problem, _ = problem_of(NotMergeable(Kind.AUTHOR, UUID(int=7), UUID(int=8), obstacle, UUID(int=9)))

    assert problem.detail
    assert problem.status in {409, 422}


@pytest.mark.parametrize("kind", sorted(set(ERRORS) - {NotMergeable}, key=str), ids=lambda kind: kind.__name__)
def test_every_error_is_rendered_as_the_problem_that_the_table_names(kind: type[Any]) -> None:
    problem, _ = problem_of(an_error(kind))

    expected = PROBLEMS[SLUG_OF_ERROR[kind]]
    assert problem.type == f"/problems/{SLUG_OF_ERROR[kind]}"
    assert (problem.title, problem.status) == (expected.title, expected.status)
    assert problem.detail
    assert problem.status != HTTPStatus.OK
    assert (problem.status == HTTPStatus.INTERNAL_SERVER_ERROR) == (kind is StorageFailed)


@pytest.mark.parametrize("kind", [StorageBusy, StorageUnavailable, Interrupted], ids=lambda kind: kind.__name__)
def test_who_should_come_back_is_told_when(kind: type[Any]) -> None:
    problem, headers = problem_of(an_error(kind))

    assert problem.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert int(headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    "problem",
    [
        InvalidBody([Violation(detail="must not be blank", pointer="/name")]),
        InvalidParameters([Violation(detail="there is no such parameter", parameter="q")]),
        *(RequestProblem(slug, "detail") for slug in PROBLEMS),
    ],
    ids=lambda problem: f"{type(problem).__name__}-{problem.slug}",
)
def test_a_refused_request_is_rendered_as_the_problem_it_names(problem: RequestProblem) -> None:
    rendered, _ = problem_of(problem)

    assert rendered.type == f"/problems/{problem.slug}"
    assert rendered.status == PROBLEMS[problem.slug].status
    assert (rendered.detail, list(rendered.errors)) == (problem.detail, list(problem.violations))


@pytest.mark.parametrize("slug", PROBLEMS)
def test_every_problem_says_what_it_is_and_what_to_do(slug: str) -> None:
    problem = PROBLEMS[slug]

    assert problem.title
    assert problem.remedy.endswith(".")
    assert problem.status >= HTTPStatus.BAD_REQUEST or slug == "merged"


def test_what_nobody_foresaw_is_the_servers_fault_and_says_nothing_of_its_inside() -> None:
    problem, _ = problem_of(ZeroDivisionError("the password is 1234"))

    assert (problem.type, problem.status) == ("/problems/internal-error", 500)
    assert "1234" not in repr(problem)
