"""The things that a configuration file describes, one model per kind.

The docstrings of the fields are their documentation: `docs/reference/configuration.md` is made from them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    field_validator,
    model_validator,
)

from segue.services.configuration.values import Conditions, Duration, Name, SecretText
from segue.settings import parse_duration
from segue.template import TemplateSettings
from segue.timetable import check_cron, check_timezone


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

    personal: list[Name] = []
    """Columns that point to a person, besides those whose names say so: masked for users with `restrict_pii`."""

    def document(self) -> dict[str, Any]:
        """The entry as it stands in a file."""
        return {key: value for key, value in super().document().items() if value or key != "personal"}

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
    api_key: SecretText = None
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
    """A folder to keep the query in, such as `VIP` or `VIP/Spring`; it has no meaning for a run."""
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
    """Settings that the plug-in declares; `klaviyo` has none."""
    admin_only: bool = False
    """Only administrators and operators may use it: plan, run and undo its orchestrations, and configure with it."""
    allow_restricted_pii: bool = False
    """Users who see no personal data may use it too. They still see none."""

    def document(self) -> dict[str, Any]:
        """The entry as it stands in a file; access that is not limited needs no words."""
        switches = ("admin_only", "allow_restricted_pii")
        return {key: value for key, value in super().document().items() if value or key not in switches}


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


class ScheduleEntry(BaseModel):
    """When a group runs by itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cron: Annotated[str, AfterValidator(check_cron)]
    """Minute, hour, day, month, weekday, as in cron: `0 6 * * *`."""
    timezone: Annotated[str, AfterValidator(check_timezone)]
    """The IANA time zone of these times, such as `Europe/Vienna`."""
    missed: Literal["run_once", "skip"] = "run_once"
    """When nothing watched at a time: run once as soon as something does, or wait for the next time. Both warn."""


class MemberEntry(BaseModel):
    """One orchestration of a group."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    orchestration: Name
    """Name of the orchestration."""
    after: list[Name] = []
    """Members that must succeed before this one begins; members that wait for nothing run side by side."""


class GroupEntry(Entry):
    """Orchestrations that run together: by hand, and whenever one of the things comes that the group waits for."""

    enabled: bool = True
    """False: nothing starts the group but `segue group run`."""
    schedule: ScheduleEntry | None = None
    """When it runs by the clock."""
    after_signal: Name | None = None
    """It runs after each upstream signal of this name: `segue signal NAME`."""
    after_group: Name | None = None
    """It runs each time that this other group has completed."""
    offset: Duration = None
    """How long to wait after the time, the signal or the other group: `90s`, `10m`, `1h30m`."""
    only_if_changed: bool = False
    """Skip the run when neither the files of the databases nor what is sent from them changed since the last one."""
    members: list[MemberEntry] = Field(min_length=1)
    """The orchestrations."""

    @property
    def seconds(self) -> float:
        """The offset in seconds."""
        return parse_duration(self.offset) if self.offset else 0.0

    def document(self) -> dict[str, Any]:
        """The entry as it stands in a file."""
        members = [{key: value for key, value in member.model_dump().items() if value} for member in self.members]
        return {**super().document(), "members": members}


class AlertEntry(Entry):
    """Somebody who is told what becomes of runs: one message for each change of state."""

    url: SecretText = None
    """The address, which is kept as a secret: `"${VARIABLE}"`. When the variable is not set, one saved earlier stays."""
    when: Conditions
    """Any of `failed`, `recovered`, `succeeded`, `missed`, `fuse_blown`, `query_threshold`, `longer_than: 2h`."""
    orchestrations: list[Name] = []
    """Names of the orchestrations; none: all of them."""


KINDS: Mapping[str, type[Entry]] = {
    "databases": DatabaseEntry,
    "credentials": CredentialEntry,
    "queries": QueryEntry,
    "destinations": DestinationEntry,
    "data_templates": DataTemplateEntry,
    "orchestrations": OrchestrationEntry,
    "orchestration_groups": GroupEntry,
    "alerts": AlertEntry,
}
"""The keys of a file and what each of their items is; a kind refers only to kinds before it, groups to each other too."""

NOUNS: Mapping[str, str] = {
    "databases": "database",
    "credentials": "credential",
    "queries": "query",
    "destinations": "destination",
    "data_templates": "data template",
    "orchestrations": "orchestration",
    "orchestration_groups": "orchestration group",
    "alerts": "alert",
}
"""What one of each kind is called."""

WORDS: Mapping[str, str] = {**NOUNS, "retention": "retention"}
"""What is called how in a list of changes: one of each kind, and the settings of the workspace."""

SECRETS: Mapping[str, str] = {"credentials": "api_key", "alerts": "url"}
"""The kinds that hold a secret, and the key that it stands behind."""
