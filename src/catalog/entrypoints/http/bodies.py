"""Request and answer bodies: attrs classes through the converter, behind Litestar's DTO interface."""

import re
from collections.abc import Generator
from typing import Any

import attrs
from litestar import Response
from litestar.dto import AbstractDTO
from litestar.dto.data_structures import DTOFieldDefinition
from litestar.openapi.spec import Reference, Schema
from litestar.plugins import SerializationPlugin
from litestar.typing import FieldDefinition

from . import wire
from .conditions import remember
from .openapi import with_component_name
from .problems import RequestProblem

_JSON = re.compile(r"application/(?!json-patch\+)([a-z0-9.+-]+\+)?json\s*(;\s*charset=\"?utf-8\"?\s*)?", re.IGNORECASE)
"""Any JSON, but for a patch of another kind (RFC 6902), which is no record."""


class AttrsBody(AbstractDTO[Any]):
    """Reads and writes the bodies of one handler."""

    @classmethod
    def create_for_field_definition(
        cls, field_definition: FieldDefinition, handler_id: str, backend_cls: Any = None
    ) -> None:
        """Nothing to prepare: the converter knows every type."""

    @classmethod
    def generate_field_definitions(cls, model_type: type[Any]) -> Generator[DTOFieldDefinition]:
        """Nothing to transfer: the class itself is the wire form."""
        yield from ()

    @classmethod
    def detect_nested_field(cls, field_definition: FieldDefinition) -> bool:
        """Nothing to transfer."""
        return False

    @classmethod
    def is_supported_model_type_field(cls, field_definition: FieldDefinition) -> bool:
        """Say yes to attrs classes, generic ones included."""
        return attrs.has(field_definition.origin or field_definition.annotation)

    @classmethod
    def create_openapi_schema(cls, field_definition: FieldDefinition, handler_id: str, schema_creator: Any) -> Any:
        """Document the class itself."""
        schema: Reference | Schema = schema_creator.for_field_definition(with_component_name(field_definition))
        return schema

    def decode_bytes(self, value: bytes) -> Any:
        """Read a request's body; refuse what is not declared as JSON."""
        content_type = self.asgi_connection.headers.get("content-type", "")
        if not _JSON.fullmatch(content_type):
            sent = f"it is declared as {content_type!r}" if content_type else "it has no Content-Type"
            raise RequestProblem("not-json", f"The body must be application/json in UTF-8, and {sent}.")
        annotation = self.asgi_connection.route_handler.parsed_data_field.annotation
        return wire.decode(value, annotation)

    def decode_builtins(self, value: Any) -> Any:
        """Forms are not read; decode_bytes has refused them."""
        raise NotImplementedError

    def data_to_encodable_type(self, data: Any) -> Any:
        """Write an answer's body, and remember what it shows for the headers; a stream writes itself."""
        if isinstance(data, Response):
            return data
        remember(self.asgi_connection.scope, data)
        return wire.encode(data)


class AttrsBodyPlugin(SerializationPlugin):
    """Attaches AttrsBody to every handler that takes or returns attrs classes."""

    def supports_type(self, field_definition: FieldDefinition) -> bool:
        """Say yes to what the DTO can carry."""
        return AttrsBody.is_supported_model_type_field(field_definition)

    def create_dto_for_type(self, field_definition: FieldDefinition) -> type[AbstractDTO[Any]]:
        """Return the one DTO there is."""
        return AttrsBody
