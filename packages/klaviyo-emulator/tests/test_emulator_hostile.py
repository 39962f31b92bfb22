"""Whatever a client sends, the answer is a refusal or a success, never a server error, and no job gets stuck."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from emulator_kit import HEADERS
from hypothesis import given, settings
from hypothesis import strategies as st

from klaviyo_emulator.bulk import process
from klaviyo_emulator.gateway import Gateway
from klaviyo_emulator.jobs import Job
from klaviyo_emulator.operations import OPERATIONS, Operation
from klaviyo_emulator.seeding import put_profile, seed
from klaviyo_emulator.settings import Settings
from klaviyo_emulator.worker import Worker
from klaviyo_emulator.world import World

GONE = object()
WORDS = st.sampled_from(
    [
        "",
        "x",
        "ana@shop.io",
        "BO@shop.io",
        "+43660123456",
        "profile",
        "list",
        "SUBSCRIBED",
        "UNSUBSCRIBED",
        "2026-07-01",
    ]
)
LEAVES = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False, allow_infinity=False) | WORDS
NAMES = """data type id attributes meta relationships profiles profile list lists segment email phone_number external_id _kx
    first_name location city properties patch_properties patch_identifiers append unappend unset subscriptions sms
    marketing consent consented_at historical_import name opt_in_process metric time unique_id"""
KEYS = st.sampled_from(NAMES.split())
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)
IDENTIFIERS = st.fixed_dictionaries(
    {},
    optional={
        "email": st.sampled_from(["ana@shop.io", "bo@shop.io", "cy@shop.io", None, ""]),
        "phone_number": st.sampled_from(["+43660123456", "+43660123457", None]),
        "external_id": st.sampled_from(["A1", "B1", None, ""]),
    },
)
PATCHES = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "patch_properties": JSON
        | st.fixed_dictionaries({}, optional={"unset": WORDS | st.lists(WORDS), "append": JSON}),
        "patch_identifiers": JSON
        | st.fixed_dictionaries({}, optional={"append": st.fixed_dictionaries({"email": JSON})}),
    },
)
ATTRIBUTES = st.builds(
    lambda one, two: {**two, **one}, IDENTIFIERS, st.dictionaries(KEYS, JSON, max_size=2) | st.just({})
)
ROWS = (
    st.builds(lambda attributes, meta: {"type": "profile", "attributes": attributes, "meta": meta}, ATTRIBUTES, PATCHES)
    | JSON
)
REPEATABLE = settings(max_examples=25, deadline=None, derandomize=True, database=None)
WRITES = [operation for operation in OPERATIONS if operation.method != "GET"]


def new_world() -> World:
    world = World(settings=Settings(limit_scale=0, row_errors="row"))
    account = world.account()
    assert account is not None
    put_profile(account, {"email": "ana@shop.io", "external_id": "A1", "properties": {"tags": ["a"]}}, 0.0)
    seed(account, {"lists": [{"name": "VIP", "emails": ["bo@shop.io"]}], "segments": [{"name": "Engaged"}]}, 0.0)
    return world


def ask(world: World, method: str, path: str, query: str = "", body: bytes = b"") -> int:
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "scheme": "http",
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in HEADERS.items()],
    }
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    asyncio.run(Gateway(world, Worker(world))(scope, receive, send))
    return statuses[0]


def a_path(world: World, template: str) -> str:
    """The path with ids of things that exist."""
    account = world.account()
    assert account is not None
    noun = template.split("/")[2]
    kinds: dict[str, Any] = {"lists": account.lists, "segments": account.segments}
    known = next(iter(kinds.get(noun, account.profiles.by_id)))
    return template.replace("{id}", known).replace("{job_id}", known)


def valid(operation: Operation, key: str) -> Any:
    """A body that the operation accepts."""
    kind = operation.template.removeprefix("/api/").split("/")[0].removesuffix("s")
    people: Any = [{"type": "profile", "attributes": {"email": "ana@shop.io"}}]
    attributes: Any = {"profiles": {"data": people}}
    relationships: Any = {}
    if operation.template.endswith("/relationships/profiles"):
        return {"data": [{"type": "profile", "id": "x"}]}
    if "subscription" in kind:
        consent = "SUBSCRIBED" if "create" in kind else "UNSUBSCRIBED"
        marketing = {"consent": consent, "consented_at": "2026-07-01T00:00:00Z"}
        people[0]["attributes"] |= {"phone_number": "+43660123456", "subscriptions": {}}
        people[0]["attributes"]["subscriptions"] = {"email": {"marketing": marketing}, "sms": {"marketing": marketing}}
        attributes["historical_import"] = True
    elif kind in ("list", "segment"):
        attributes = {"name": "Gold", "opt_in_process": "single_opt_in"}
    elif kind in ("profile", "profile-import"):
        kind, attributes = "profile", {"email": "new@shop.io", "location": {"city": "Graz"}, "properties": {"a": [1]}}
    elif kind == "profile-merge":
        relationships = {"profiles": {"data": [{"type": "profile", "id": "x"}]}}
    elif kind == "event":
        metric = {"data": {"type": "metric", "attributes": {"name": "Bought"}}}
        attributes = {
            "properties": {},
            "time": "2026-07-01T00:00:00Z",
            "metric": metric,
            "profile": {"data": people[0]},
        }
    body: Any = {"type": kind, "attributes": attributes, "relationships": relationships}
    if "{id}" in operation.template:
        body["id"] = key
    elif kind == "profile-merge":
        body["id"] = "x"
    if operation.name != "POST /api/profiles":
        append = {"email": "z@shop.io"}
        body["meta"] = {
            "patch_properties": {"unset": ["a"], "append": {"a": 1}},
            "patch_identifiers": {"append": append},
        }
    return {"data": body}


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with each of its keys, from the outside in."""
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from places(value[key])


def spoiled(body: Any, changes: list[tuple[int, Any]]) -> Any:
    """The body with some places replaced or (GONE) removed."""
    for number, replacement in changes:
        found = list(places(body))
        if found:
            container, key = found[number % len(found)]
            if replacement is GONE:
                del container[key]
            else:
                container[key] = replacement
    return body


@pytest.mark.parametrize("operation", WRITES, ids=lambda one: one.name)
@REPEATABLE
@given(changes=st.lists(st.tuples(st.integers(0, 60), st.just(GONE) | LEAVES | JSON), max_size=6), body=JSON)
def test_writes(operation: Operation, changes: list[tuple[int, Any]], body: Any) -> None:
    world = new_world()
    path = a_path(world, operation.template)
    for sent in (spoiled(valid(operation, path.split("/")[-1]), changes), {"data": body}, body):
        assert ask(world, operation.method, path, body=orjson.dumps(sent)) < 500


@REPEATABLE
@given(rows=st.lists(ROWS, min_size=1, max_size=8))
def test_rows_of_a_job_all_come_to_an_end(rows: list[Any]) -> None:
    world = new_world()
    account = world.account()
    assert account is not None
    body = orjson.dumps({"data": {"attributes": {"profiles": {"data": rows}}}})
    job = Job(id="j", created=0.0, due=0.0, total=len(rows), list_ids=tuple(account.lists), body=body)
    for _ in process(world, account, job):
        pass
    assert job.status == "complete"
    assert job.completed + job.failed == len(rows)
    book = account.profiles
    for profile in book:
        assert profile.email or profile.phone_number or profile.external_id
        for email in filter(None, (profile.email, *profile.aliases)):
            assert book.by_email[email] is profile
    for index, field in ((book.by_phone, "phone_number"), (book.by_external, "external_id")):
        assert all(getattr(profile, field) == value for value, profile in index.items())


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.method == "GET"], ids=lambda one: one.name)
@REPEATABLE
@given(
    name=st.sampled_from(["filter", "sort", "page[size]", "page[cursor]", "fields[profile]", "include"]),
    value=st.sampled_from(
        [
            "",
            "x",
            "MQ",
            "W10",
            "WzEsMl0",
            "bnVsbA",
            "-1",
            "1e9",
            "equals(",
            'equals(email,"a")',
            "any(id,[])",
            "any(id,",
            "greater-than(created,now)",
            "and()",
            "email,title",
            "created",
            "-updated",
            "\u0661",
            "lists",
        ]
    ),
)
def test_reads(operation: Operation, name: str, value: str) -> None:
    world = new_world()
    assert ask(world, "GET", a_path(world, operation.template), urlencode({name: value})) < 500


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("operation", WRITES, ids=lambda one: one.name)
@pytest.mark.parametrize("levels", [60, 300])
def test_deep_values_are_refused_or_ignored_wherever_they_are(operation: Operation, levels: int) -> None:
    bodies = [valid(operation, "x") for _ in range(30)]
    for number, body in enumerate(bodies):
        world = new_world()
        path = a_path(world, operation.template)
        sent = spoiled(body, [(number, deep(levels))])
        assert ask(world, operation.method, path, body=as_json(sent)) < 500


def as_json(value: Any) -> bytes:
    """JSON of any depth."""
    return json.dumps(value).encode()


@pytest.mark.parametrize("levels", [60, 240, 300, 900])
def test_deep_rows_fail_alone_and_are_shown(levels: int) -> None:
    world = new_world()
    account = world.account()
    assert account is not None
    rows = [
        {"type": "profile", "attributes": {"email": "cy@shop.io", "properties": {"a": deep(levels)}}},
        {
            "type": "profile",
            "attributes": {"email": "cy@shop.io"},
            "meta": {"patch_properties": {"append": {"a": deep(levels)}}},
        },
        {"type": "profile", "attributes": {"email": "cy@shop.io"}, "more": deep(levels)},
        deep(levels),
        {"type": "profile", "attributes": {"email": "dee@shop.io", "properties": {"a": deep(40)}}},
    ]
    body = as_json({"data": {"attributes": {"profiles": {"data": rows}}}})
    job = Job(id="j", created=world.clock.now(), due=0.0, total=len(rows), body=body)
    account.jobs[job.id] = job
    for _ in process(world, account, job):
        pass
    assert (job.status, job.completed, job.failed) == ("complete", 1, 4)
    assert ask(world, "GET", "/api/profile-bulk-import-jobs/j/import-errors") == 200
    assert ask(world, "GET", "/api/profiles") == 200
