"""The OpenAPI document says what the service does, and the documentation page needs nobody else."""

import json
import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from jsonschema_rs import Draft202012Validator
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from catalog.domain.queries import CHANGES_LIMIT, PAGE_NUMBER_LIMIT, PAGE_SIZE_LIMIT, SEQ_LIMIT
from catalog.domain.values import Url
from catalog.entrypoints.settings import Settings

from .clients import Client, in_process

COMMITTED = Path(__file__).parents[2] / "docs" / "reference" / "openapi.json"
RENEW = "WRITE_OPENAPI"

WITH_BODY = {"post", "put", "patch"}
BODILESS = {f"/{kind}/{{id}}/{what}": {"post"} for kind in ("authors", "books") for what in ("restore", "unmerge")}
BODILESS["/imports/{id}/stop"] = {"post"}


async def document_of(client: Client) -> dict[str, Any]:
    response = await client.get("/schema/openapi.json")
    assert response.status_code == 200
    document: dict[str, Any] = json.loads(response.content)
    return document


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def document() -> dict[str, Any]:
    async with in_process(Settings(storage="memory://")) as client:
        return await document_of(client)


def operations_of(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, path and description of each operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


# ---- the document


async def test_the_committed_document_is_the_one_that_is_served(shared_client: Client) -> None:
    document = await document_of(shared_client)
    if os.environ.get(RENEW):
        COMMITTED.parent.mkdir(parents=True, exist_ok=True)
        COMMITTED.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")

    assert COMMITTED.is_file(), _renewal()
    assert json.loads(COMMITTED.read_text("utf-8")) == document, _renewal()


def _renewal() -> str:
    top = COMMITTED.parents[2]
    return (
        f"the API is not what {COMMITTED.relative_to(top)} says. If that is intended, renew it with "
        f"`{RENEW}=1 pytest {Path(__file__).relative_to(top)}` and read the diff: it is the change of the API"
    )


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(document)] == []


def test_all_its_schemas_are_valid_json_schema_and_refer_to_schemas_that_there_are(document: dict[str, Any]) -> None:
    for name in document["components"]["schemas"]:
        Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": document["components"]})


def test_every_operation_has_a_summary_and_an_id_of_its_own(document: dict[str, Any]) -> None:
    operations = [operation for *_, operation in operations_of(document)]

    assert all(operation["summary"] for operation in operations)
    assert len({operation["operationId"] for operation in operations}) == len(operations)


def test_every_operation_documents_its_problems_as_problems(document: dict[str, Any]) -> None:
    for method, path, operation in operations_of(document):
        failures = {status: answer for status, answer in operation["responses"].items() if int(status) >= 305}
        for status, answer in failures.items():
            assert answer["content"] == {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            }, f"{status} of {method} {path}"
            assert answer["description"]
        if path.startswith(("/authors", "/books")):
            expected = {"400", "500", "503"}
            expected |= {"404"} if "{id}" in path else set()
            expected |= {"403", "507"} if method != "get" else set()
            expected |= {"413", "415"} if method in WITH_BODY - BODILESS.get(path, set()) else set()
            expected |= {"412"} if "{id}" in path and method != "get" and path not in BODILESS else set()
            expected |= {"422"} if path.startswith("/books") and method in WITH_BODY else set()
            expected |= {"409"} if (method, path) == ("delete", "/authors/{id}") else set()
            expected |= {"308", "410"} if path.endswith("/{id}") else set()
            expected |= {"409", "410", "422"} if method == "post" and "{id}" in path else set()
            expected |= {"410"} if "{version}" in path else set()
            assert failures.keys() >= expected, f"{method} {path}"


def test_every_redirect_documents_where_it_leads(document: dict[str, Any]) -> None:
    redirects = {
        f"{method} {path}": operation["responses"]["308"].get("headers", {}).keys()
        for method, path, operation in operations_of(document)
        if "308" in operation["responses"]
    }

    assert [operation for operation, headers in redirects.items() if "Location" not in headers] == []


def test_operations_without_a_body_take_none(document: dict[str, Any]) -> None:
    for method, path, operation in operations_of(document):
        takes_a_body = method in WITH_BODY - BODILESS.get(path, set())
        assert ("requestBody" in operation) == takes_a_body, f"{method} {path}"


def test_what_may_be_sent_again_takes_an_idempotency_key_and_says_whether_it_was_replayed(
    document: dict[str, Any],
) -> None:
    for method, path, operation in operations_of(document):
        names = {parameter["name"] for parameter in operation.get("parameters", ())}
        success = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))

        assert ("Idempotency-Key" in names) == (method in {"post", "patch"}), f"{method} {path}"
        assert ("Idempotency-Replayed" in success.get("headers", {})) == (method in {"post", "patch"})


def test_every_write_takes_the_actor_whom_a_proxy_names(document: dict[str, Any]) -> None:
    undocumented = [
        f"{method} {path}"
        for method, path, operation in operations_of(document)
        if method != "get" and "X-Actor" not in {parameter["name"] for parameter in operation["parameters"]}
    ]

    assert undocumented == []


def test_the_stream_of_changes_is_documented_beside_their_pages(document: dict[str, Any]) -> None:
    content = document["paths"]["/changes"]["get"]["responses"]["200"]["content"]

    assert content.keys() == {"application/json", "text/event-stream"}


def test_versions_and_seqs_have_their_limits(document: dict[str, Any]) -> None:
    def schema(path: str, name: str) -> Any:
        (parameter,) = (p for p in document["paths"][path]["get"]["parameters"] if p["name"] == name)
        return parameter["schema"]

    for kind in ("authors", "books"):
        path = f"/{kind}/{{id}}/revisions/{{version}}"
        earlier = schema(f"{path}/differences", "from")
        assert (earlier["minimum"], earlier["maximum"]) == (0, 2**31 - 1)
    since, limit = schema("/changes", "since"), schema("/changes", "limit")
    assert (since["minimum"], since["maximum"], since["default"]) == (0, SEQ_LIMIT, 0)
    assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, CHANGES_LIMIT, 100)


def test_every_field_of_every_schema_is_described(document: dict[str, Any]) -> None:
    undescribed = [
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        for field, described in schema.get("properties", {}).items()
        if not described.get("description")
    ]

    assert undescribed == []
    assert [name for name, schema in document["components"]["schemas"].items() if not _has_members(schema)] == []
    assert all(schema["description"] for schema in document["components"]["schemas"].values())


def _has_members(schema: dict[str, Any]) -> bool:
    return bool(schema.get("properties") or schema.get("enum"))


def test_every_parameter_is_described(document: dict[str, Any]) -> None:
    undescribed = {
        f"{parameter['name']} of {path}"
        for _, path, operation in operations_of(document)
        for parameter in operation.get("parameters", [])
        if not parameter.get("description")
    }

    assert undescribed == set()


def test_parameters_have_their_limits_and_defaults(document: dict[str, Any]) -> None:
    for path in ("/authors", "/books"):
        parameters = {parameter["name"]: parameter for parameter in document["paths"][path]["get"]["parameters"]}

        page, size = parameters["currentPage"]["schema"], parameters["pageSize"]["schema"]
        assert (page["minimum"], page["maximum"], page["default"]) == (1, PAGE_NUMBER_LIMIT, 1)
        assert (size["minimum"], size["maximum"], size["default"]) == (1, PAGE_SIZE_LIMIT, 10)


@pytest.mark.parametrize(("schema", "required"), [("AuthorDetails", ["name"]), ("BookDetails", ["title", "author_id"])])
def test_bodies_have_their_required_fields_and_no_others_than_they_say(
    document: dict[str, Any], schema: str, required: list[str]
) -> None:
    described = document["components"]["schemas"][schema]

    assert described["required"] == required
    assert described["additionalProperties"] is False
    assert "id" not in described["properties"]


def test_fields_have_their_limits_examples_and_defaults(document: dict[str, Any]) -> None:
    author = document["components"]["schemas"]["AuthorDetails"]["properties"]
    book = document["components"]["schemas"]["BookDetails"]["properties"]

    assert (author["name"]["minLength"], author["name"]["maxLength"]) == (1, 500)
    assert author["name"]["examples"] == ["Ursula K. Le Guin"]
    assert (book["contributors"]["maxItems"], book["contributors"]["default"]) == (200, [])
    assert book["languages"]["uniqueItems"] is True
    (isbn,) = (kind for kind in book["isbn"]["oneOf"] if kind["type"] == "string")
    assert isbn["examples"] == ["9780141439600"]
    assert re.search(isbn["pattern"], "978-0-14-143960-0")


def test_all_that_a_record_has_is_always_answered(document: dict[str, Any]) -> None:
    requests = {"AuthorDetails", "BookDetails", "AuthorAmendment", "BookAmendment", "Merge", "Reversion"}
    # The parts of records, which stand in requests and in answers.
    requests |= {"Classification", "Contributor", "Identifier", "Link", "Series", "Subject"}
    sometimes = {
        "Problem": {"errors", "removed_at", "removed_by", "removed_by_request", "instance", "request_id"},
        "Violation": {"pointer", "parameter"},
    }
    schemas = document["components"]["schemas"]
    assert schemas.keys() >= {*requests, *sometimes, "Author", "BookRecord", "Revision", "Comparison", "BookUnmerged"}
    for name in schemas.keys() - requests:
        fields = schemas[name].get("properties", {}).keys()

        assert fields - set(schemas[name].get("required", ())) == sometimes.get(name, set()), name


# ---- the page


class Addresses(HTMLParser):
    """Collects what a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in {"src", "href"} and value]


# Addresses that the scripts only write: names of XML spaces and of schemas, and links in messages and answers' texts.
# A browser asks none of them for anything before somebody clicks.
NAMED_BY_SCRIPTS = {
    "www.w3.org",
    "json-schema.org",
    "spec.openapis.org",
    "datatracker.ietf.org",
    "www.rfc-editor.org",
    "spdx.org",
    "github.com",
    "redux.js.org",
    "reactjs.org",
    "fb.me",
    "swagger.io",
    "vladimirgorej.com",
    "example.com",
    "i.test",
    *(f"{name}.com" for name in ("www.tiktok", "www.facebook", "twitter", "soundcloud", "instagram")),
    # Asked by the "standalone" layout alone, which our page does not choose; see the test below.
    "validator.swagger.io",
}
OUTSIDE = re.compile(r"(?:https?:)?//(?P<host>[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,})\b", re.IGNORECASE)


async def page_of(client: Client) -> tuple[str, list[str]]:
    """Return the page, and the addresses that it loads."""
    response = await client.get("/schema")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    parser = Addresses()
    parser.feed(response.text)
    return response.text, parser.found


async def test_the_page_names_no_outside_address(shared_client: Client) -> None:
    page, addresses = await page_of(shared_client)

    assert len(addresses) >= 4
    assert all(re.match("/[^/]", address) for address in addresses)
    assert OUTSIDE.findall(page.replace(Url.example, "")) == []


async def test_every_asset_of_the_page_comes_from_the_service(shared_client: Client) -> None:
    _, addresses = await page_of(shared_client)
    kinds = {".js": "text/javascript", ".css": "text/css", ".png": "image/png"}

    for address in addresses:
        response = await shared_client.get(address)

        assert response.status_code == 200, address
        assert response.content
        assert response.headers["content-type"].startswith(kinds[Path(urlsplit(address).path).suffix])


async def test_no_asset_of_the_page_loads_anything_from_outside(shared_client: Client) -> None:
    _, addresses = await page_of(shared_client)

    for address in addresses:
        text = (await shared_client.get(address)).content.decode("utf-8", "replace")
        if address.endswith(".css"):
            assert "@import" not in text
            assert re.findall(r"url\((?![\"']?data:).{0,80}", text) == []
        if address.endswith(".js"):
            assert {found["host"].lower() for found in OUTSIDE.finditer(text)} <= NAMED_BY_SCRIPTS


async def test_the_page_asks_no_outside_validator(shared_client: Client) -> None:
    page, _ = await page_of(shared_client)

    assert "StandaloneLayout" not in page


async def test_the_root_leads_to_the_page(shared_client: Client) -> None:
    response = await shared_client.get("/", follow_redirects=False)

    assert (response.status_code, response.headers["location"]) == (307, "/schema")
