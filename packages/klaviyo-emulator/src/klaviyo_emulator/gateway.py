"""The way of every API request: route, fault, key, revision, scopes, windows, body, handler, answer."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

from klaviyo_emulator.access import authenticate, authorise, check_media, check_revision
from klaviyo_emulator.api import HANDLERS, Call, Reply
from klaviyo_emulator.errors import ApiError, Problem, invalid, throttled, too_large
from klaviyo_emulator.faults import Fault
from klaviyo_emulator.operations import Operation, Quota, Routes
from klaviyo_emulator.query import Query
from klaviyo_emulator.traffic import Seen
from klaviyo_emulator.worker import Worker
from klaviyo_emulator.world import Key, World

MAX_BODY_BYTES = 5_000_000
MIN_GZIP_BYTES = 1024
TRANSPORT = "klaviyo_emulator.transport"
"""Where the server puts the connection into the scope, so that a fault can close it."""
JSON_API = "application/vnd.api+json"
NON_JSON = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class DroppedError(Exception):
    """The connection goes away without an answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """Bytes on the wire."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    media: str = JSON_API


class Gateway:
    """The ASGI application below ``/api``."""

    def __init__(self, world: World, worker: Worker) -> None:
        self._world = world
        self._worker = worker
        self._routes = Routes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or drop it."""
        started = time.perf_counter()
        method, path = scope["method"], scope["path"]
        operation, values, path_known = self._routes.find(method, path)
        endpoint = operation.name if operation else f"{method} (unknown)"
        traffic = self._world.traffic
        traffic.begin(endpoint, self._world.clock.now())
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        status, size, account = 0, 0, ""
        try:
            body, size = await _read(receive)
            try:
                if operation is None:
                    raise _no_route(path_known)
                request = _Request(operation, values, scope, headers, body)
                answer, account = await self._serve(request)
            except ApiError as error:
                answer = _error_answer(error, {})
            status = answer.status
            await _send(send, answer, compress=self._compresses(headers))
        except DroppedError:
            await _close(scope)
        finally:
            seen = Seen(
                at=self._world.clock.now(),
                account=account,
                endpoint=endpoint,
                status=status,
                milliseconds=round((time.perf_counter() - started) * 1000, 2),
                bytes_in=size,
            )
            traffic.end(seen)
            if self._world.next_due() is not None:
                self._worker.wake()  # after the answer: accepting a job does not wait for its rows

    async def _serve(self, request: _Request) -> tuple[Answer, str]:
        world, operation = self._world, request.operation
        if world.settings.latency:
            await asyncio.sleep(world.settings.latency)
        fault = world.faults.strike(operation.method, operation.template)
        if fault is not None and (early := await _early(fault)) is not None:
            return early, ""
        key = authenticate(world, request.headers)
        check_revision(world, request.headers)
        authorise(key, operation)
        query = Query(request.scope["query_string"].decode("latin-1"))
        limits = self._take(key, operation, query)
        try:
            call = self._call(request, key, query, fault)
            reply = HANDLERS[operation.name](call)
            answer = _reply_answer(reply, limits)
        except ApiError as error:
            answer = _error_answer(error, {} if error.status == THROTTLED else limits)
        if fault is not None and fault.kind == "drop_after":
            raise DroppedError
        return answer, key.account_id

    def _take(self, key: Key, operation: Operation, query: Query) -> dict[str, str]:
        """Count against the windows; returns the rate headers, raises 429."""
        settings = self._world.settings
        if not settings.limit_scale:
            return {}
        named: list[tuple[str, Quota]] = [(operation.name, operation.quota)]
        named += [(one.name, one.quota) for one in operation.extras if one.value in (query.names(one.parameter) or ())]
        verdict = self._world.windows.take(
            key.owner,
            named,
            now=self._world.clock.now(),
            scale=settings.limit_scale,
            aligned=settings.windows == "aligned",
        )
        if verdict.retry_after is not None:
            raise throttled(verdict.retry_after)
        return verdict.headers()

    def _call(self, request: _Request, key: Key, query: Query, fault: Fault | None) -> Call:
        raw, body = request.body, None
        if request.operation.method in ("POST", "PATCH", "DELETE") and (raw or request.operation.method != "DELETE"):
            check_media(self._world, request.headers)
            raw = _decompressed(request)
            try:
                body = orjson.loads(raw)
            except orjson.JSONDecodeError:
                raise invalid("The body is not valid JSON.", pointer="/data") from None
        return Call(
            world=self._world,
            account=self._world.accounts[key.account_id],
            access=key,
            key=request.values[0] if request.values else "",
            query=query,
            raw=raw,
            body=body,
            base=f"{request.scope['scheme']}://{request.headers.get('host', 'localhost')}",
            path=request.scope["path"],
            now=self._world.clock.now(),
            fault=fault,
        )

    def _compresses(self, headers: Mapping[str, str]) -> bool:
        return self._world.settings.gzip_answers and "gzip" in headers.get("accept-encoding", "")


THROTTLED = 429


@dataclass(frozen=True, slots=True)
class _Request:
    operation: Operation
    values: tuple[str, ...]
    scope: Scope
    headers: Mapping[str, str]
    body: bytes


async def _read(receive: Receive) -> tuple[bytes, int]:
    """The body and its length; what lies beyond the size cap is counted but not kept."""
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise DroppedError
        chunk: bytes = message.get("body", b"")
        if size <= MAX_BODY_BYTES:
            chunks.append(chunk)
        size += len(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks), size


def _decompressed(request: _Request) -> bytes:
    """The body as JSON text; raises 413 when it is too long after decompression."""
    body = request.body
    if request.headers.get("content-encoding", "").strip().lower() == "gzip":
        try:
            body = zlib.decompressobj(wbits=31).decompress(body, MAX_BODY_BYTES + 1)
        except zlib.error:
            raise invalid("The body is not valid gzip.", pointer="/data") from None
    if len(body) > MAX_BODY_BYTES:
        raise too_large(MAX_BODY_BYTES)
    return body


async def _early(fault: Fault) -> Answer | None:
    """What a fault answers before anything is applied; None when the request goes on."""
    if fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
        return None
    if fault.kind == "drop_before":
        raise DroppedError
    if fault.kind == "non_json":
        status = fault.status if fault.status != 503 else 502  # noqa: PLR2004 -- 503 is the default of other faults
        return Answer(status=status, body=NON_JSON, media="text/html")
    if fault.kind != "status":
        return None
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    if isinstance(fault.body, str):
        return Answer(status=fault.status, body=fault.body.encode(), headers=headers, media="text/plain")
    if fault.body is not None:
        return Answer(status=fault.status, body=orjson.dumps(fault.body), headers=headers)
    if fault.status == THROTTLED:
        return _error_answer(throttled(fault.retry_after or 1), {})
    problem = Problem(code="error", title="A fault was asked for.", detail="A fault was asked for.")
    return _error_answer(ApiError(fault.status, [problem], headers), {})


def _no_route(path_known: bool) -> ApiError:
    status, code, detail = (
        (405, "method_not_allowed", "Method not allowed.")
        if path_known
        else (
            404,
            "not_found",
            "There is no such endpoint.",
        )
    )
    return ApiError(status, [Problem(code=code, title=detail, detail=detail)])


def _reply_answer(reply: Reply, limits: Mapping[str, str]) -> Answer:
    body = b"" if reply.document is None else orjson.dumps(reply.document)
    return Answer(status=reply.status, body=body, headers=limits)


def _error_answer(error: ApiError, limits: Mapping[str, str]) -> Answer:
    return Answer(status=error.status, body=orjson.dumps(error.document()), headers={**limits, **error.headers})


async def _send(send: Send, answer: Answer, *, compress: bool) -> None:
    body = answer.body
    headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers.items()]
    if body:
        headers.append((b"content-type", answer.media.encode()))
        if compress and len(body) >= MIN_GZIP_BYTES:
            packer = zlib.compressobj(level=1, wbits=31)
            body = packer.compress(body) + packer.flush()
            headers.append((b"content-encoding", b"gzip"))
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _close(scope: MutableMapping[str, Any]) -> None:
    """Close the connection under the request, then let the server notice."""
    transport = scope.get("extensions", {}).get(TRANSPORT)
    if transport is None:
        raise RuntimeError("this server cannot drop connections")
    transport.abort()
    while not scope["extensions"][TRANSPORT + ".lost"]():
        await asyncio.sleep(0)
