"""Configured things of one kind, over the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from segue.client import values
from segue.client.transport import Transport


class Things:
    """The things of one kind. An entry is what stands in a configuration file; ref is a name or an id."""

    def __init__(self, server: Transport, path: str) -> None:
        self._server = server
        self._path = path

    def list(self) -> tuple[values.Configured, ...]:
        """All of them, by name."""
        return self._server.call(values.ConfiguredList, "GET", self._path).items

    def get(self, ref: str) -> values.Configured:
        """One of them."""
        return self._server.call(values.Configured, "GET", self._one(ref))

    def create(self, entry: Mapping[str, Any]) -> values.Configured:
        """A new one."""
        return self._server.call(values.Configured, "POST", self._path, json=dict(entry))

    def replace(self, thing: values.Configured, entry: Mapping[str, Any]) -> values.Configured:
        """Make a thing say what entry says, unless somebody changed it since it was read. A left out secret stays."""
        headers = {"If-Match": thing.etag}
        return self._server.call(values.Configured, "PUT", self._one(thing.id), json=dict(entry), headers=headers)

    def delete(self, thing: values.Configured) -> None:
        """Delete a thing, unless somebody changed it since it was read, or something refers to it."""
        self._server.request("DELETE", self._one(thing.id), headers={"If-Match": thing.etag})

    def _one(self, ref: str) -> str:
        return f"{self._path}/{quote(ref, safe='')}"
