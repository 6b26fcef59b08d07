"""The OpenAPI 3.1 document, drawn from the same annotations that check the values."""

from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from inspect import cleandoc
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import attrs
from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.plugins import SwaggerRenderPlugin
from litestar.openapi.spec import (
    OpenAPI,
    OpenAPIHeader,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    Parameter,
    Reference,
    RequestBody,
    Schema,
)
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import ParameterKwarg
from litestar.plugins import OpenAPISchemaPlugin
from litestar.typing import FieldDefinition

from catalog.domain.authors import AuthorDetails
from catalog.domain.books import BookDetails, Classification, Contributor, Link, Series, Subject
from catalog.domain.constraints import Doc, Items, Number, Text, metadata_of, text_of_items
from catalog.domain.identifiers import Identifier
from catalog.domain.queries import AuthorQuery, BookQuery, ListQuery
from catalog.domain.records import Amendment
from catalog.domain.values import TextValue
from catalog.entrypoints.formats import FORMATS

from . import wire
from .callers import LONGEST_KEY
from .lists import openapi_parameters
from .problems import MEDIA_TYPE, PROBLEMS, Problem, Violation
from .requests import Merge, Reversion

LISTS: Mapping[str, type[ListQuery]] = {"/authors": AuthorQuery, "/books": BookQuery}

ASSETS_PATH = "/schema-assets"

_PARTS = (Classification, Contributor, Identifier, Link, Series, Subject)
_REQUESTS = (AuthorDetails, BookDetails, Merge, Reversion, *_PARTS)


WRITE = (403, 408, 413, 415, 507)
"""The problems that whatever takes a body may answer with."""

WITHOUT_BODY = (403, 408, 413, 507)
"""The same for whatever takes none, and must read past one all the same."""

GONE = (308, 404, 410)
"""The problems that whatever names a record may answer with."""


def problem_responses(*statuses: int) -> dict[int, ResponseSpec]:
    """Document the problems a handler may answer with, besides those that any may answer with."""
    return {
        status: ResponseSpec(
            data_container=Problem,
            generate_examples=False,
            description=" / ".join(kind.title for kind in PROBLEMS.values() if kind.status == status),
            media_type=MEDIA_TYPE,
        )
        for status in sorted({400, 421, 500, 503, *statuses})
    }


def with_component_name(field_definition: FieldDefinition) -> FieldDefinition:
    """Name the schemas of generic classes as people would: BookPage, BookChanges."""
    if not field_definition.args:
        return field_definition
    declared: Any = field_definition.kwarg_definition or ParameterKwarg()
    named = replace(declared, schema_component_key=_component_name(field_definition))
    return replace(field_definition, kwarg_definition=named)


def _component_name(field_definition: FieldDefinition) -> str:
    cls = field_definition.origin or field_definition.annotation
    subjects = [argument.__name__.removesuffix("Details").removesuffix("Record") for argument in field_definition.args]
    return "".join([*subjects, cls.__name__])


class AttrsSchemas(OpenAPISchemaPlugin):
    """Describes attrs classes and text values: limits, defaults, meanings and examples."""

    @staticmethod
    def is_plugin_supported_type(value: Any) -> bool:
        """Say yes to attrs classes, generic ones included, and to text values."""
        cls = get_origin(value) or value
        return attrs.has(cls) or (isinstance(cls, type) and issubclass(cls, TextValue))

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: Any) -> Schema:
        """Return the schema of a class."""
        cls = field_definition.annotation
        if isinstance(cls, type) and issubclass(cls, TextValue):
            return Schema(
                type=OpenAPIType.STRING, description=cls.description, pattern=cls.pattern, examples=[cls.example]
            )
        if field_definition.origin is Amendment:
            return self._changes_schema(field_definition, schema_creator)
        return self._class_schema(field_definition, schema_creator)

    def _class_schema(self, field_definition: FieldDefinition, schema_creator: Any) -> Schema:
        cls: Any = field_definition.origin or field_definition.annotation
        is_answer = cls not in _REQUESTS
        schema = self._component(field_definition, cls, list(attrs.fields_dict(cls)), schema_creator)
        schema.description = cleandoc(cls.__doc__ or "")
        schema.required = [
            name
            for name, field in attrs.fields_dict(cls).items()
            if field.default is attrs.NOTHING or (is_answer and cls not in {Problem, Violation})
        ]
        if not is_answer:
            schema.additional_properties = False
            _describe_defaults(schema, cls)
            _bound_integers(schema)
        return schema

    def _changes_schema(self, field_definition: FieldDefinition, schema_creator: Any) -> Schema:
        (details,) = field_definition.args
        schema = self._component(field_definition, details, list(attrs.fields_dict(details)), schema_creator)
        schema.description = "The fields to change, as a JSON Merge Patch (RFC 7396)."
        schema.required = []
        schema.additional_properties = False
        _bound_integers(schema)
        for field in (schema.properties or {}).values():
            if isinstance(field, Schema) and field.type is OpenAPIType.ARRAY:
                field.type = [OpenAPIType.ARRAY, OpenAPIType.NULL]
        return schema

    @staticmethod
    def _component(field_definition: FieldDefinition, cls: Any, names: list[str], schema_creator: Any) -> Schema:
        hints = (
            field_definition.get_type_hints(include_extras=True, resolve_generics=True)
            if field_definition.origin not in {None, Amendment}
            else get_type_hints(cls, include_extras=True)
        )
        schema: Schema = schema_creator.create_component_schema(
            field_definition,
            required=[],
            property_fields={name: FieldDefinition.from_kwarg(_plain(hints[name]), name) for name in names},
        )
        schema.title = _component_name(field_definition)
        properties = schema.properties or {}
        schema.properties = {name: _described(properties[name], hints[name]) for name in names}
        return schema


def _plain(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _described(schema: Schema | Reference, annotation: Any) -> Schema | Reference:
    if isinstance(schema, Reference):
        schema = Schema(all_of=[schema])
    for item in metadata_of(annotation):
        match item:
            case Doc(text=text, example=example):
                schema.description = text
                if example is not None:
                    schema.examples = [example]
            case Text(longest=longest):
                for part in (schema, *(schema.one_of or ())):
                    if isinstance(part, Schema) and part.type == OpenAPIType.STRING:
                        part.min_length, part.max_length = 1, longest
            case Number(least=least, most=greatest):
                for part in (schema, *(schema.one_of or ())):
                    if isinstance(part, Schema) and part.type == OpenAPIType.INTEGER:
                        part.minimum, part.maximum = least, greatest
            case Items(most=most):
                schema.max_items, schema.unique_items = most, True
                if (limit := text_of_items(annotation)) is not None and isinstance(schema.items, Schema):
                    schema.items.min_length, schema.items.max_length = 1, limit.longest
            case _:
                pass
    return schema


def _describe_defaults(schema: Schema, cls: Any) -> None:
    for name, field in attrs.fields_dict(cls).items():
        described = (schema.properties or {})[name]
        if isinstance(described, Schema) and field.default not in {attrs.NOTHING, None}:
            described.default = wire.told(field.default)


def _bound_integers(schema: Schema) -> None:
    for described in (schema.properties or {}).values():
        if isinstance(described, Schema):
            for part in (described, *(described.one_of or ())):
                if isinstance(part, Schema) and part.type == OpenAPIType.INTEGER and part.minimum is None:
                    part.minimum, part.maximum = wire.LEAST_INTEGER, wire.MOST_INTEGER


IDEMPOTENCY_KEY = Parameter(
    name="Idempotency-Key",
    param_in="header",
    required=False,
    description=(
        "Makes the request safe to send again: it is done once, and every further request with the same key and body "
        "gets the same answer, with Idempotency-Replayed: true. A new key (a UUID, say) for each new request."
    ),
    schema=Schema(type=OpenAPIType.STRING, min_length=1, max_length=LONGEST_KEY, pattern="^[ -~]+$"),
)


ACTOR = Parameter(
    name="X-Actor",
    param_in="header",
    required=False,
    description="Who does it; counts only where the service is set up behind a proxy that says so.",
    schema=Schema(type=OpenAPIType.STRING),
)


def finished(document: OpenAPI) -> OpenAPI:
    """Say of each operation what Litestar can not know: what no parameter is, which headers come and go."""
    for path, item in (document.paths or {}).items():
        for method in ("get", "post", "put", "patch", "delete"):
            if (operation := getattr(item, method)) is not None:
                is_repeatable = method in {"post", "patch"}
                more = [IDEMPOTENCY_KEY] * is_repeatable + [ACTOR] * (method != "get")
                operation.parameters = [*map(_without_null, operation.parameters or ()), *more]
                for status, response in (operation.responses or {}).items():
                    if isinstance(response, OpenAPIResponse):
                        response.headers = _headers(status, response, is_repeatable=is_repeatable)
        if path == "/changes" and item.get is not None:
            _describe_stream(item.get)
        if path == "/imports" and item.post is not None:
            item.post.request_body = _files_body()
        if path in {"/books", "/books/{id}"} and item.get is not None:
            _describe_files(item.get)
        if path in LISTS and item.get is not None:
            item.get.parameters = [*(item.get.parameters or ()), *openapi_parameters(LISTS[path])]
            _describe_sparse_items(document, LISTS[path])
    return document


def _without_null(parameter: Parameter | Reference) -> Parameter | Reference:
    if not (isinstance(parameter, Parameter) and isinstance(parameter.schema, Schema)):
        return parameter
    outer = parameter.schema
    parts = [p for p in outer.one_of or () if isinstance(p, Reference) or p.type != OpenAPIType.NULL]
    if parts and isinstance(parts[0], Schema):
        bounds = {name: bound for name in ("minimum", "maximum", "enum") if (bound := getattr(outer, name)) is not None}
        parameter.schema = replace(parts[0], description=outer.description, **bounds)
    elif parts:
        parameter.schema = parts[0]
    return parameter


def _describe_sparse_items(document: OpenAPI, query_class: type[ListQuery]) -> None:
    """Say that with `fields` an item has these alone."""
    name = f"{query_class.RECORD.KIND.capitalize()}Page"
    page: Any = (document.components.schemas or {})[name] if document.components else None
    items = page.properties["items"]
    sparse = Schema(type=OpenAPIType.OBJECT, description="With `fields`: these fields of it, and no others.")
    items.items = Schema(any_of=[items.items, sparse])


def _describe_files(operation: Operation) -> None:
    answer = (operation.responses or {})["200"]
    if isinstance(answer, OpenAPIResponse) and answer.content is not None:
        for each in FORMATS.values():
            if each.writer is None:
                continue
            kind = None if each.media_type.endswith("+json") else OpenAPIType.STRING
            file = Schema(type=kind, description=f"Books as {each.title}.")
            answer.content[each.media_type] = OpenAPIMediaType(schema=file)


def _files_body() -> RequestBody:
    """Say which files can be sent, and how."""
    file = Schema(type=OpenAPIType.STRING, content_media_type="application/octet-stream")
    parts = Schema(type=OpenAPIType.OBJECT, properties={"file": Schema(type=OpenAPIType.ARRAY, items=file)})
    media_types = {each.media_type for each in FORMATS.values() if each.reader is not None and each.media_type}
    content = {
        media_type: OpenAPIMediaType(schema=file) for media_type in sorted({*media_types, "application/octet-stream"})
    }
    content["multipart/form-data"] = OpenAPIMediaType(schema=parts)
    return RequestBody(content=content, required=True, description="A file, or files as parts with a filename.")


def _describe_stream(operation: Operation) -> None:
    answer = (operation.responses or {})["200"]
    if isinstance(answer, OpenAPIResponse) and answer.content is not None:
        text = Schema(type=OpenAPIType.STRING, description="Events without end; `data` is a Revision, `id` its seq.")
        answer.content["text/event-stream"] = OpenAPIMediaType(schema=text)


def _headers(
    status: str, response: OpenAPIResponse, *, is_repeatable: bool
) -> dict[str, OpenAPIHeader | Reference] | None:
    text = Schema(type=OpenAPIType.STRING)
    location = {
        "201": "Where the new record is.",
        "202": "Where to see how far it is.",
        "308": "The record that stands for this one.",
    }
    headers: dict[str, OpenAPIHeader | Reference] = {}
    if "application/json" in (response.content or {}):
        headers["ETag"] = OpenAPIHeader(schema=text, description="The version and a digest of what is shown.")
        headers["X-Request-Id"] = OpenAPIHeader(schema=text, description="Names this request in the server's log.")
        if is_repeatable:
            replayed = "true where this is the answer to an earlier request with the same Idempotency-Key."
            headers["Idempotency-Replayed"] = OpenAPIHeader(schema=text, description=replayed)
    if status in location:
        headers["Location"] = OpenAPIHeader(schema=text, description=location[status])
    return headers | (response.headers or {}) or None


class DocsPage(SwaggerRenderPlugin):
    """The page at /schema, with every asset from this service."""

    def __init__(self) -> None:
        super().__init__(
            path="/",
            js_url=f"{ASSETS_PATH}/swagger-ui-bundle.js",
            css_url=f"{ASSETS_PATH}/swagger-ui.css",
            standalone_preset_js_url=f"{ASSETS_PATH}/swagger-ui-standalone-preset.js",
            favicon=f'<link rel="icon" type="image/png" href="{ASSETS_PATH}/favicon-32x32.png">',
        )


def openapi_config() -> OpenAPIConfig:
    """Return what Litestar needs to draw the document."""
    return OpenAPIConfig(
        title="catalog",
        version=version("catalog"),
        summary="A catalogue of books and authors.",
        description="Every error is a problem (RFC 9457). Records carry an ETag; send it as If-Match to write safely.",
        path="/schema",
        use_handler_docstrings=False,
        create_examples=False,
        render_plugins=[DocsPage()],
        operation_id_creator=lambda handler, _method, _components: handler.handler_name,
    )
