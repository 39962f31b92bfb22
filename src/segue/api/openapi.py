"""The description of the API, with what the routes cannot say of themselves."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from segue.api.access import PUBLIC, ROUTES
from segue.client.values import Problem
from segue.services.configuration import KINDS
from segue.services.permissions import PERMISSIONS

_REF = "#/components/schemas/{model}"
_ABOUT = """\
Everything that the command line can do with queries, orchestrations and runs. Every request carries an API token:
`Authorization: Bearer TOKEN`, made by `segue token create`. Errors are `application/problem+json` with the codes of the
command line.
"""


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of an application."""
    document = get_openapi(
        title="Segue", version="1", summary="From a query to a true list", description=_ABOUT, routes=app.routes
    )
    components: dict[str, Any] = document.setdefault("components", {})
    schemas: dict[str, Any] = components.setdefault("schemas", {})
    models: tuple[type[BaseModel], ...] = (Problem, *KINDS.values())
    for model in models:
        schema = model.model_json_schema(ref_template=_REF, schema_generator=_Schema)
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _secure(operation, (method.upper(), path))
    return document


def _secure(operation: dict[str, Any], route: tuple[str, str]) -> None:
    if route in PUBLIC:
        operation["security"] = []
        return
    operation["security"] = [{"token": []}]
    operation["x-permission"] = ROUTES[route]
    operation["x-scope"] = str(PERMISSIONS[ROUTES[route]].scope)


class _Schema(GenerateJsonSchema):
    """A secret is a text that is written and never read."""

    def is_instance_schema(self, schema: core_schema.IsInstanceSchema) -> JsonSchemaValue:  # noqa: ARG002 -- has one form
        """The schema of a Secret, the only type of ours that JSON does not know."""
        return {"type": "string", "writeOnly": True, "minLength": 1}
