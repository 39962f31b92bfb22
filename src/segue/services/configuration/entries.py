"""The things that a configuration file describes, one model per kind.

The docstrings of the fields are their documentation: `docs/reference/configuration.md` is made from them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    field_validator,
    model_validator,
)

from segue.security import Secret
from segue.template import TemplateSettings


def _name(text: str) -> str:
    if text != text.strip() or not text.isprintable():
        raise ValueError("takes a name without blanks around it and without control characters")
    return text


def _secret(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not re.fullmatch(r"[!-~]+", value.strip()):
        raise ValueError("is empty, or holds blanks or characters that no key has")
    return Secret(value.strip())


Name = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_name)]


class Entry(BaseModel):
    """What every kind has."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, allow_inf_nan=False)

    name: Name
    """The name, unique among its kind."""

    def document(self) -> dict[str, Any]:
        """The entry as it stands in a file, without what is not set; a secret is a ``Secret``."""
        return {key: value for key, value in self.model_dump().items() if value not in (None, "", {})}


class DatabaseEntry(Entry):
    """A connection to tables."""

    engine: Literal["duckdb"]
    """The engine that runs the queries."""
    path: str | None = None
    """A DuckDB database file; it is only read. A relative path starts at the folder of the YAML file."""
    tables: dict[Name, str] = {}
    """Table names and their Parquet or CSV files: a path or a pattern such as `./orders/*.parquet`."""

    @model_validator(mode="after")
    def _has_tables(self) -> Self:
        if bool(self.path) == bool(self.tables):
            raise ValueError('takes either "path" or "tables"')
        return self

    def resolved(self, folder: Path) -> DatabaseEntry:
        """The same with absolute paths; relative ones start at folder."""

        def absolute(text: str) -> str:
            return os.path.normpath(folder / Path(text).expanduser())

        changes: dict[str, object] = {"path": absolute(self.path)} if self.path else {}
        if self.tables:
            changes["tables"] = {table: absolute(files) for table, files in self.tables.items()}
        return self.model_copy(update=changes)


class CredentialEntry(Entry):
    """A named secret that destinations use. It is encrypted in the workspace and never shown again."""

    type: Literal["klaviyo"]
    """What the secret is for."""
    api_key: Annotated[Secret | None, BeforeValidator(_secret)] = None
    """A private API key: `"${VARIABLE}"`. When the variable is not set, a key saved earlier stays; a new `base_url` needs it."""
    base_url: str | None = None
    """Where Klaviyo is, without a path: for an emulator or a proxy. Not set: `https://a.klaviyo.com`."""

    @field_validator("base_url")
    @classmethod
    def _is_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            good = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
        except ValueError:
            good = False
        if not good or parts.username or parts.query or parts.fragment or parts.path.strip("/"):
            raise ValueError("takes http:// or https:// and a host, such as https://a.klaviyo.com")
        return value.rstrip("/")


class QueryEntry(Entry):
    """A named SELECT over one database."""

    folder: str | None = None
    """A folder to keep the query in; it has no meaning for a run."""
    database: Name
    """Name of the database."""
    status: Literal["draft", "active"] = "draft"
    """Only an active query can be sent. Its SQL is checked when it is applied; that of a draft is not."""
    sql: str = Field(min_length=1)
    """One SELECT in Presto or Trino SQL; WITH is allowed."""


class DestinationEntry(Entry):
    """A place to send to."""

    plugin: str
    """The kind of destination: `klaviyo`."""
    credential: Name
    """Name of the credential."""
    description: str = ""
    """For people."""
    settings: dict[str, JsonValue] = {}
    """Settings of the plug-in."""


class DataTemplateEntry(TemplateSettings, Entry):
    """How the rows of a query go to a destination."""

    # A fuse at infinity or NaN would never blow; switching one off has a value of its own.
    model_config = ConfigDict(allow_inf_nan=False)

    destination: Name
    """Name of the destination."""

    def settings(self) -> dict[str, Any]:
        """The template settings that are set, by name."""
        return self.model_dump(exclude_unset=True, exclude={"name", "destination"})

    def document(self) -> dict[str, Any]:
        """The entry as it stands in a file: only the settings that are set."""
        return {"name": self.name, "destination": self.destination, **self.settings()}


class Overrides(TemplateSettings):
    """Template settings that an orchestration sets for itself: any of them, none required."""

    model_config = ConfigDict(allow_inf_nan=False)

    # The default is never used: only the settings that are set override the template.
    list_name: str = Field(default="-", min_length=1, max_length=255)


class OrchestrationEntry(Entry):
    """A query, where it goes, and how."""

    query: Name
    """Name of the query."""
    destination: Name
    """Name of the destination."""
    data_template: Name
    """Name of the data template; it must belong to the destination."""
    workflow: Literal["manual", "automatic"] = "manual"
    """Run by hand, or as part of a group."""
    settings: Overrides = Overrides()
    """Settings of the data template that this orchestration sets for itself."""

    def overrides(self) -> dict[str, Any]:
        """The template settings that are set here, by name."""
        return self.settings.model_dump(exclude_unset=True)

    def document(self) -> dict[str, Any]:
        """The entry as it stands in a file."""
        fields = self.model_dump(exclude={"settings"})
        return {**fields, "settings": self.overrides()} if self.overrides() else fields


KINDS: Mapping[str, type[Entry]] = {
    "databases": DatabaseEntry,
    "credentials": CredentialEntry,
    "queries": QueryEntry,
    "destinations": DestinationEntry,
    "data_templates": DataTemplateEntry,
    "orchestrations": OrchestrationEntry,
}
"""The keys of a file and what each of their items is; a kind refers only to kinds before it."""

NOUNS: Mapping[str, str] = {
    "databases": "database",
    "credentials": "credential",
    "queries": "query",
    "destinations": "destination",
    "data_templates": "data template",
    "orchestrations": "orchestration",
}
"""What one of each kind is called."""
