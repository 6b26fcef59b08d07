"""What can be asked of a list: the parameters of each, what they are called and what they may be.

All of it follows from the fields of the records (`catalog.domain.filters`) and the orders there are.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from attrs import evolve, fields_dict, frozen
from litestar import Request
from litestar.openapi.spec import Parameter, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType

from catalog.domain.cursors import LONGEST as LONGEST_CURSOR
from catalog.domain.errors import InvalidValue
from catalog.domain.facets import Facet
from catalog.domain.filters import MOST_ALTERNATIVES, Filter, Filterable, Operator, filterable
from catalog.domain.orders import Sort
from catalog.domain.queries import PAGE_NUMBER_LIMIT, PAGE_SIZE_LIMIT, BookQuery, Include, ListQuery, Page, PageRequest
from catalog.domain.search import LONGEST_QUERY, Search, marked
from catalog.domain.text import normalised
from catalog.domain.values import TextValue

from .conditions import remember_links
from .exports import FORMAT_NAMES, FORMAT_TOLD
from .problems import MOST_VIOLATIONS, InvalidParameters, Violation

LONGEST_TEXT = 1000
LEAST_INTEGER, MOST_INTEGER = -(2**31), 2**31 - 1

ListQueryT = TypeVar("ListQueryT", bound=ListQuery)
Parse = Callable[[str], Any]

_UUID = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(
    rf"{_DAY.pattern}[Tt][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(\.[0-9]{{1,6}})?([Zz]|[+-][0-9]{{2}}:[0-9]{{2}})"
)
_INTEGER = re.compile("0|-?[1-9][0-9]{0,18}")


@frozen
class ListParameter:
    """One parameter of a list; `parse` returns what a text says, or raises InvalidValue."""

    name: str
    description: str
    schema: Schema
    parse: Parse
    filter_on: tuple[Filterable, Operator] | None = None


@frozen
class _Asked:
    """A question, and how its answer is wanted: with these fields only, if any are said; with highlights."""

    query: Any
    fields: Sequence[str]
    highlight: bool
    format: str | None
    is_part: bool
    """Whether it is a part of the list that is asked for, and not the list."""


def asked(query_class: type[ListQueryT], request: Request[Any, Any, Any]) -> ListQueryT:
    """Return what a request asks of the list; raise InvalidParameters with all that is wrong."""
    of: Any = query_class
    query: ListQueryT
    query = _parsed(of, request.scope["query_string"]).query
    return query


def query_in(query_class: type[ListQueryT], parameters: Sequence[str]) -> ListQueryT:
    """Return what these parameters ask, each `name=value`; raise InvalidParameters with all that is wrong."""
    pairs = [(name, value) for name, _, value in (each.partition("=") for each in parameters)]
    of: Any = query_class
    query: ListQueryT
    query = _parsed(of, urlencode(pairs).encode()).query
    return query


def format_asked(request: Request[Any, Any, Any]) -> str | None:
    """Return the form in which a request asks for books, if it names one."""
    of: Any = BookQuery
    return _parsed(of, request.scope["query_string"]).format


def is_part_asked(request: Request[Any, Any, Any]) -> bool:
    """Whether a request asks for a part of the list of books, and not for the list."""
    of: Any = BookQuery
    return _parsed(of, request.scope["query_string"]).is_part


def must_be_of_whole_records(request: Request[Any, Any, Any]) -> None:
    """Refuse what can only be told in JSON, where books are asked for in another form."""
    of: Any = BookQuery
    how = _parsed(of, request.scope["query_string"])
    asked_for = {
        "fields": how.fields,
        "highlight": how.highlight,
        "facet": how.query.facets,
        "include": how.query.includes,
    }
    rule = "must be left out where books are wanted in another form than JSON"
    if wrong := [Violation(detail=rule, parameter=name) for name, value in asked_for.items() if value]:
        raise InvalidParameters(wrong)


def links_of(page: Page[Any], request: Request[Any, Any, Any]) -> dict[str, Any]:
    """Return where the list goes on, by relation."""
    links = {"next": page.next, "prev": page.prev}
    path, query_string = request.scope["path"], request.scope["query_string"]
    return {rel: _link(path, query_string, cursor) for rel, cursor in links.items() if cursor}


def answered(page: Page[Any], query: ListQuery, request: Request[Any, Any, Any]) -> Page[Any]:
    """Return the page as it is told: with links in the place of cursors, and with no more fields than asked for."""
    query_string: bytes = request.scope["query_string"]
    of: Any = type(query)
    how = _parsed(of, query_string)
    told: dict[str, Any] = links_of(page, request)
    remember_links(request.scope, told)
    if how.highlight and isinstance(query, BookQuery) and query.search is not None:
        told["highlights"] = [marked(query.search, item) for item in page.items]
    if how.fields:
        told["items"] = [{name: getattr(item, name) for name in how.fields} for item in page.items]
    return evolve(page, **told) if told else page


def _link(path: str, query_string: bytes, cursor: str) -> str:
    others = [(name, value) for name, value in _pairs(query_string) if name not in {"cursor", "currentPage"}]
    return f"{path}?{urlencode([*others, ('cursor', cursor)])}"


def _pairs(query_string: bytes) -> Sequence[tuple[str, str]]:
    return parse_qsl(query_string.decode("utf-8", "replace"), keep_blank_values=True)


@lru_cache(maxsize=1024)
def _parsed(query_class: Any, query_string: bytes) -> _Asked:
    known = parameters_of(query_class)
    given: dict[str, list[str]] = {}
    for name, value in _pairs(query_string):
        given.setdefault(name, []).append(value)
    values: dict[str, Any] = {}
    violations = list(islice(_violations(known, given, values), MOST_VIOLATIONS))
    if not violations and "cursor" in given and "currentPage" in given:
        violations = [Violation(detail="must be left out where a cursor is given", parameter="currentPage")]
    if not violations and values.get("highlight") and not values.get("q"):
        violations = [Violation(detail="must be left out where nothing is searched for", parameter="highlight")]
    if violations:
        raise InvalidParameters(violations)
    filters = tuple(
        Filter(field=on[0], operator=on[1], value=value)
        for name, value in values.items()
        if (on := known[name].filter_on) is not None
    )
    more: dict[str, Any] = {"search": values["q"]} if values.get("q") else {}
    if "facet" in values:
        more["facets"] = tuple(map(Facet, values["facet"]))
    if "include" in values:
        more["includes"] = tuple(map(Include, values["include"]))
    query = query_class(
        **more,
        page=PageRequest(number=values.get("currentPage", 1), size=values.get("pageSize", 10)),
        sort=values.get("sort"),
        filters=filters,
        cursor=values.get("cursor"),
        count=values.get("count", "exact") == "exact",
    )
    try:
        query.start  # noqa: B018 - it is read here to be refused here
    except InvalidValue as error:
        raise InvalidParameters([Violation(detail=error.rule, parameter="cursor")]) from None
    is_part = not {"currentPage", "pageSize", "cursor"}.isdisjoint(given)
    return _Asked(query, values.get("fields", ()), values.get("highlight", False), values.get("format"), is_part)


def _violations(
    known: Mapping[str, ListParameter], given: Mapping[str, list[str]], values: dict[str, Any]
) -> Iterator[Violation]:
    """Yield what is wrong, and put what is not into `values`."""
    for name, texts in given.items():
        if name not in known:
            yield Violation(detail=_unknown(known, name), parameter=name[:100])
        elif len(texts) > 1:
            yield Violation(detail=f"must be given once, and was given {len(texts)} times", parameter=name)
        else:
            try:
                values[name] = known[name].parse(texts[0])
            except InvalidValue as error:
                yield Violation(detail=error.rule, parameter=name)


def _unknown(known: Mapping[str, ListParameter], name: str) -> str:
    """Return that there is no such parameter, and those that there are; of one field, its operators."""
    field = name.partition("[")[0]
    if operators := [other for other in known if other.partition("[")[0] == field]:
        return f"there is no such parameter; there are: {', '.join(operators)}"
    plain = sorted(name for name in known if "[" not in name)
    return f"there is no such parameter; there are: {', '.join(plain)}"


def _search(text: str) -> Search | None:
    search = Search.parse(text)
    return None if search.is_empty else search


_SEARCH = ListParameter(
    "q",
    'Only books in whose title, subtitle, authors or ISBN all these words occur, best first: words, "phrases", '
    "beginnings*, -not, field:word. Case, accents and punctuation do not matter.",
    Schema(type=OpenAPIType.STRING, max_length=LONGEST_QUERY),
    _search,
)


@lru_cache
def parameters_of(query_class: Any) -> Mapping[str, ListParameter]:
    """Return the parameters of a list, by name."""
    record = query_class.RECORD
    parameters = [
        _whole_number("currentPage", "Which page, from 1.", 1, PAGE_NUMBER_LIMIT, 1),
        _whole_number("pageSize", "How many items a page holds.", 1, PAGE_SIZE_LIMIT, 10),
        ListParameter(
            "cursor",
            "Walks the list, so that each record which stays is met once, whatever happens meanwhile: empty to begin, "
            "then as `next` and `prev` say. Good for the list it was given for: with the same sort and filters.",
            Schema(type=OpenAPIType.STRING, max_length=LONGEST_CURSOR, pattern="^[A-Za-z0-9_-]*$"),
            str,
        ),
        _one_of(
            "sort",
            "The key that orders the list, after a minus in descending order. Equal keys are ordered by id; records "
            "without the key come last.",
            [sign + name for name in query_class.ORDERS for sign in ("", "-")],
            lambda text: Sort.parse(text, query_class.ORDERS),
        ),
        _one_of("count", "none leaves the total uncounted (null).", ["exact", "none"], str),
        _some_of("fields", "Only these fields of each item.", list(fields_dict(record))),
    ]
    if issubclass(query_class, BookQuery):
        parameters += [
            _SEARCH,
            ListParameter(
                "highlight",
                "Tell in `highlights` where each item shows what was searched for.",
                Schema(type=OpenAPIType.BOOLEAN, default=False),
                _boolean,
            ),
            _some_of("facet", "Counts the books of the list by these.", list(Facet)),
            _some_of("include", "Tells in `included`, by id, whom the items name as these.", list(Include)),
            _one_of("format", f"{FORMAT_TOLD} The whole list, unless a part of it is asked for.", [*FORMAT_NAMES], str),
        ]
    for field in filterable(record).values():
        parameters += (_filter(field, operator) for operator in field.operators)
    return {parameter.name: parameter for parameter in parameters}


def openapi_parameters(query_class: Any) -> list[Parameter]:
    """Return the parameters as the document tells them."""
    return [
        Parameter(
            name=p.name,
            param_in="query",
            required=False,
            description=p.description,
            schema=p.schema,
            explode=False if p.schema.type == OpenAPIType.ARRAY else None,
        )
        for p in parameters_of(query_class).values()
    ]


def _filter(field: Filterable, operator: Operator) -> ListParameter:
    name = field.name if operator is Operator.EQ else f"{field.name}[{operator}]"
    on = field, operator
    if operator is Operator.ISNULL:
        schema = Schema(type=OpenAPIType.BOOLEAN)
        told = "Only records that do not tell it (true), or that do (false)."
        return ListParameter(name, told, schema, _boolean, on)
    schema, parse = _kind(field.kind)
    if operator is Operator.IN:
        several = _several(parse)
        schema = Schema(type=OpenAPIType.ARRAY, items=schema, min_items=1, max_items=MOST_ALTERNATIVES)
        return ListParameter(name, OPERATORS[operator], schema, several, on)
    return ListParameter(name, OPERATORS[operator], schema, parse, on)


OPERATORS: Mapping[Operator, str] = {
    Operator.EQ: "Only records with this value.",
    Operator.NE: "Only records without this value.",
    Operator.LT: "Only records before this value.",
    Operator.LTE: "Only records up to this value.",
    Operator.GT: "Only records after this value.",
    Operator.GTE: "Only records from this value on.",
    Operator.IN: "Only records with one of these values, which commas separate.",
    Operator.CONTAINS: "Only records that have this text somewhere in it, folded.",
    Operator.STARTSWITH: "Only records that begin with this text, folded.",
}


def _kind(kind: Any) -> tuple[Schema, Parse]:
    """Return how values of that kind are described and read."""
    if issubclass(kind, TextValue):
        return Schema(type=OpenAPIType.STRING, description=kind.description, pattern=kind.pattern), kind.parse
    if kind is UUID:
        schema = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.UUID)
        return schema, _checked(_UUID, "must be a UUID", UUID)
    if kind is datetime:
        rule = "must be a time as 2026-01-31T12:00:00Z"
        return Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.DATE_TIME), _checked(_TIME, rule, _time)
    if kind is date:
        rule = "must be a day as YYYY-MM-DD"
        return Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.DATE), _checked(_DAY, rule, date.fromisoformat)
    if kind is bool:
        return Schema(type=OpenAPIType.BOOLEAN), _boolean
    if kind is int:
        schema = Schema(type=OpenAPIType.INTEGER, minimum=LEAST_INTEGER, maximum=MOST_INTEGER)
        return schema, _in_range(LEAST_INTEGER, MOST_INTEGER)
    schema = Schema(type=OpenAPIType.STRING, min_length=1, max_length=LONGEST_TEXT)
    return schema, lambda text: normalised(text, longest=LONGEST_TEXT)


def _checked(pattern: re.Pattern[str], rule: str, parse: Parse) -> Parse:
    def read(text: str) -> Any:
        if not pattern.fullmatch(text):
            raise InvalidValue(rule)
        try:
            return parse(text)
        except (ValueError, OverflowError):  # a time that is in UTC beyond the years there are
            raise InvalidValue(rule) from None

    return read


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.upper()).astimezone(UTC)


def _boolean(text: str) -> bool:
    if text not in {"true", "false"}:
        raise InvalidValue("must be true or false")
    return text == "true"


def _in_range(least: int, most: int) -> Parse:
    def read(text: str) -> int:
        if not (_INTEGER.fullmatch(text) and least <= int(text) <= most):
            raise InvalidValue(f"must be a whole number from {least} to {most}")
        return int(text)

    return read


def _whole_number(name: str, told: str, least: int, most: int, default: int) -> ListParameter:
    schema = Schema(type=OpenAPIType.INTEGER, minimum=least, maximum=most, default=default)
    return ListParameter(name, told, schema, _in_range(least, most))


def _one_of(name: str, told: str, choices: list[str], parse: Parse) -> ListParameter:
    def read(text: str) -> Any:
        if text not in choices:
            raise InvalidValue(f"must be one of {', '.join(choices)}")
        return parse(text)

    return ListParameter(name, told, Schema(type=OpenAPIType.STRING, enum=choices), read)


def _some_of(name: str, told: str, choices: list[str]) -> ListParameter:
    def read(text: str) -> Sequence[str]:
        names = text.split(",")
        if unknown := [name for name in names if name not in choices]:
            raise InvalidValue(f"must be some of {', '.join(choices)}, and {unknown[0][:100]!r} is none of them")
        return list(dict.fromkeys(names))

    schema = Schema(type=OpenAPIType.ARRAY, items=Schema(type=OpenAPIType.STRING, enum=choices), min_items=1)
    return ListParameter(name, f"{told} Commas separate them.", schema, read)


def _several(parse: Parse) -> Parse:
    def read(text: str) -> Any:
        texts = text.split(",")
        if len(texts) > MOST_ALTERNATIVES:
            raise InvalidValue(f"must name at most {MOST_ALTERNATIVES} values, and this names {len(texts)}")
        return tuple(parse(part) for part in texts)

    return read
