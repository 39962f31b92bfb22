"""The reference of the API, from its own description: ``python -m docs.make_api > docs/reference/api.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from segue.api import openapi
from segue.services.permissions import Scope

_HEAD = """\
# REST API

<!-- Made by `python -m docs.make_api`; a test compares the two. -->

How to use it: [Use the REST API](../how-to/api.md). The same, for programs and with every schema: `/api/openapi.json`.

Every request but those that need no token carries `Authorization: Bearer TOKEN`. What a token may do:

| Scope | Allows |
| --- | --- |
"""
_ERRORS = """
Every token may read; `admin` may do everything; the others do not contain each other.

An error is `application/problem+json`: `status`, `code` (see [Error codes](errors.md)), `detail`, and where they help `cause`,
`steps`, `line` and `column` of SQL, and `problems` with a place (`at`) and a `message` each. Every route may answer with 400
(no JSON), 401 (no valid token), 403 (scope missing), 411 (no length), 413 (over 1 MB), 422 (mistakes) and 503 (the workspace
cannot be used); the table of a route names the others.

| Status | Says |
| --- | --- |
| 404 | nothing has this name or id |
| 409 | something is in the way: in use, exists already, a run is under way |
| 412 | the thing was changed since it was read |
| 424 | the destination refuses the key or does not answer |
| 428 | a change needs `If-Match` |
| 429 | four queries are under way for the API already; `Retry-After` says when to come again |
"""
_ALWAYS = {"400", "401", "403", "411", "413", "422", "503"}


def reference() -> str:
    """The page in Markdown."""
    return "".join([_HEAD, *_scopes(), _ERRORS, *_routes(openapi())])


def _scopes() -> Iterator[str]:
    meaning = {
        Scope.READ: "look at the configuration, at runs and at numbers; nobody's data",
        Scope.RUN: "plan, start and stop runs; rejects and histories, which hold people's data",
        Scope.CONFIGURE: "change queries, destinations, data templates, orchestrations, groups; see rows of queries",
        Scope.ADMIN: "change databases and credentials too: what files are read, where keys are sent",
    }
    for scope in Scope:
        yield f"| `{scope}` | {meaning[scope]} |\n"


def _routes(document: dict[str, Any]) -> Iterator[str]:
    tag = None
    operations = [
        (op["tags"][0], path, method, op) for path, ops in document["paths"].items() for method, op in ops.items()
    ]
    order = list(dict.fromkeys(entry[0] for entry in operations))
    for name, path, method, operation in sorted(operations, key=lambda entry: order.index(entry[0])):
        if name != tag:
            tag = name
            yield f"\n## {tag[0].upper()}{tag[1:]}\n"
        yield _route(path, method, operation)


def _route(path: str, method: str, operation: dict[str, Any]) -> str:
    text = f"\n### {operation['summary']}\n\n`{method.upper()} {path}`\n\n"
    if operation.get("description"):
        text += f"{operation['description']}\n\n"
    rows = [("Scope", f"`{operation['x-scope']}`" if "x-scope" in operation else "none: no token is needed")]
    rows += [(f"`{p['name']}` ({p['in']})", p.get("description", "")) for p in operation.get("parameters", ())]
    if "requestBody" in operation:
        rows.append(("Body", _content(operation["requestBody"]["content"])))
    answers = operation["responses"]
    good = next(status for status in answers if status.startswith("2"))
    rows.append((good, _content(answers[good].get("content", {})) or "nothing"))
    others = sorted(set(answers) - _ALWAYS - {good})
    rows += [("Other errors", ", ".join(others))] if others else []
    return text + "| | |\n| --- | --- |\n" + "".join(f"| {what} | {why} |\n" for what, why in rows)


def _content(content: dict[str, Any]) -> str:
    return ", ".join(_schema(media, described.get("schema", {})) for media, described in content.items())


def _schema(media: str, schema: dict[str, Any]) -> str:
    names = [part["$ref"].rpartition("/")[2] for part in (schema, *schema.get("anyOf", ())) if "$ref" in part]
    return f"`{names[0]}`" if names and media == "application/json" else f"`{media}`"


if __name__ == "__main__":
    sys.stdout.write(reference())
