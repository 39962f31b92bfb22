"""Configured things of one kind, over the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import httpx

from segue.client import values

Check = Callable[[httpx.Response], httpx.Response]


class Things:
    """The things of one kind. An entry is what stands in a configuration file; ref is a name or an id."""

    def __init__(self, http: httpx.Client, path: str, check: Check) -> None:
        self._http = http
        self._path = path
        self._check = check

    def list(self) -> tuple[values.Configured, ...]:
        """All of them, by name."""
        answer = self._check(self._http.get(self._path))
        return values.ConfiguredList.model_validate_json(answer.content).items

    def get(self, ref: str) -> values.Configured:
        """One of them."""
        return self._thing(self._http.get(self._one(ref)))

    def create(self, entry: Mapping[str, Any]) -> values.Configured:
        """A new one."""
        return self._thing(self._http.post(self._path, json=dict(entry)))

    def replace(self, thing: values.Configured, entry: Mapping[str, Any]) -> values.Configured:
        """Make a thing say what entry says, unless somebody changed it since it was read. A left out secret stays."""
        headers = {"If-Match": thing.etag}
        return self._thing(self._http.put(self._one(thing.id), json=dict(entry), headers=headers))

    def delete(self, thing: values.Configured) -> None:
        """Delete a thing, unless somebody changed it since it was read, or something refers to it."""
        self._check(self._http.delete(self._one(thing.id), headers={"If-Match": thing.etag}))

    def _one(self, ref: str) -> str:
        return f"{self._path}/{quote(ref, safe='')}"

    def _thing(self, response: httpx.Response) -> values.Configured:
        return values.Configured.model_validate_json(self._check(response).content)
