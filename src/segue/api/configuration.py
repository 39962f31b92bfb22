"""Routes of what is configured: the same five for every kind, by the rules of ``segue apply``."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Response

from segue.api.access import path_of
from segue.api.problems import documented
from segue.api.tools import Document, Ref, ToolsHere
from segue.client import state_values, values
from segue.errors import UsageError
from segue.services import editing
from segue.services.configuration import KINDS, NOUNS
from segue.services.connections import check_connection
from segue.wire import connection_of

IfMatch = Annotated[
    str | None,
    Header(description="The ETag of the thing as it was read, or `*` for any. Required.", alias="If-Match"),
]


def router() -> APIRouter:
    """The routes of every kind, and the test of a credential."""
    routes = APIRouter()
    for kind in KINDS:
        _add(routes, kind)
    routes.post(
        f"{path_of('credentials')}/{{ref}}/test",
        summary="Test a credential",
        operation_id="test_credential",
        tags=["credentials"],
        responses=documented(404, 409, 424),
    )(_test)
    return routes


def _add(routes: APIRouter, kind: str) -> None:
    path, noun, tags = path_of(kind), NOUNS[kind], [kind.replace("_", " ")]
    word = noun.replace(" ", "_")
    body = {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{KINDS[kind].__name__}"}}},
        }
    }

    def list_(tools: ToolsHere) -> values.ConfiguredList:
        return values.ConfiguredList(items=tuple(map(_wire, editing.list_configured(tools.workspace, kind))))

    def create(tools: ToolsHere, entry: Document, response: Response) -> values.Configured:
        return _tagged(response, editing.create(tools.workspace, kind, entry))

    def get(tools: ToolsHere, ref: Ref, response: Response) -> values.Configured:
        return _tagged(response, editing.get_configured(tools.workspace, kind, ref))

    def change(
        tools: ToolsHere, ref: Ref, entry: Document, response: Response, if_match: IfMatch = None
    ) -> values.Configured:
        return _tagged(response, editing.replace(tools.workspace, kind, ref, entry, tag=tag_of(if_match)))

    def delete(tools: ToolsHere, ref: Ref, if_match: IfMatch = None) -> Response:
        editing.delete(tools.workspace, kind, ref, tag=tag_of(if_match))
        return Response(status_code=204)

    shared: dict[str, Any] = {"tags": tags}
    routes.get(path, summary=f"List every {noun}", operation_id=f"list_{kind}", responses=documented(), **shared)(list_)
    routes.post(
        path,
        summary=f"Make a {noun}",
        operation_id=f"create_{word}",
        status_code=201,
        responses=documented(409),
        openapi_extra=body,
        **shared,
    )(create)
    one: dict[str, Any] = {"path": f"{path}/{{ref}}", **shared}
    routes.get(summary=f"Read a {noun}", operation_id=f"get_{word}", responses=documented(404), **one)(get)
    routes.put(
        summary=f"Change a {noun}",
        operation_id=f"replace_{word}",
        responses=documented(404, 409, 412, 428),
        openapi_extra=body,
        **one,
    )(change)
    routes.delete(
        summary=f"Delete a {noun}",
        operation_id=f"delete_{word}",
        status_code=204,
        responses=documented(404, 409, 412, 428),
        **one,
    )(delete)


def _test(tools: ToolsHere, ref: Ref) -> state_values.Connection:
    """Try a credential at its destination, writing nothing. 424 says that the key is refused or nobody answers."""
    name = editing.get_configured(tools.workspace, "credentials", ref).name
    with tools.place():
        tested = check_connection(tools.workspace, tools.settings, name)
    return connection_of(tested)


def _tagged(response: Response, thing: editing.Configured) -> values.Configured:
    wire = _wire(thing)
    response.headers["ETag"] = wire.etag
    return wire


def _wire(thing: editing.Configured) -> values.Configured:
    return values.Configured(
        id=thing.id,
        name=thing.name,
        etag=f'"{thing.tag}"',
        created_at=thing.created_at,
        updated_at=thing.updated_at,
        entry=dict(thing.entry),
    )


def tag_of(if_match: str | None) -> str | None:
    """What the thing must still be; None for any. Raises UsageError when the caller does not say."""
    if if_match is None:
        raise UsageError(
            "A change needs If-Match: it says what is changed.",
            code="tag_needed",
            steps=("Read the thing, and send its ETag as If-Match.",),
        )
    return None if if_match.strip() == "*" else if_match.strip().removeprefix("W/").strip('"')
