"""What spans say of requests."""

from __future__ import annotations

from contextlib import AbstractContextManager

import httpx

from segue import traces
from segue.destinations.klaviyo.limits import Endpoint


def request_span(endpoint: Endpoint, attempt: int, rows: int | None) -> AbstractContextManager[traces.Span]:
    """A span of one attempt. Ids in paths and parameters may be people's: the endpoint is named without them."""
    method, _, route = endpoint.name.partition(" ")
    values: dict[str, traces.Value] = {"http.request.method": method, "url.template": route, "segue.attempt": attempt}
    return traces.span(endpoint.name, values if rows is None else {**values, "segue.rows": rows}, outgoing=True)


def note_answer(span: traces.Span, response: httpx.Response | None, cause: str) -> None:
    """How it was answered; None: not at all, and cause says why."""
    if response is None:
        span.fail(cause)
        return
    span.note({"http.response.status_code": response.status_code})
    if response.is_error:
        span.fail(f"status {response.status_code}")
