"""How long what runs stored is kept: what the workspace sets counts, then the environment of the process, then the default."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy.orm import Session

from segue.errors import ConfigError
from segue.services.configuration.retention import RetentionEntry, read_retention, retention_change, save_retention
from segue.services.configuration.trail import record_change
from segue.services.editing import ChangedError
from segue.services.workspace import Workspace
from segue.settings import Settings, parse_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """What counts. keep_payloads, keep_runs: seconds since the end of a run that people's data of it, and its record, stay;
    most_payloads, most_runs: how many of the latest runs of an orchestration keep them at most, None for no such limit;
    keep_last_runs: how many keep their record whatever their age."""

    keep_payloads: float
    most_payloads: int | None
    keep_runs: float
    most_runs: int | None
    keep_last_runs: int

    @classmethod
    def of(cls, settings: Settings, entry: RetentionEntry | None = None) -> Retention:
        """What an entry sets, and of the rest what the settings say.

        The two may not fit each other. Then less is kept: what a run stored never outlives its record.
        """
        entry = entry or RetentionEntry()
        keep_runs = parse_duration(entry.keep_runs) if entry.keep_runs else settings.keep_runs
        keep_payloads = parse_duration(entry.keep_payloads) if entry.keep_payloads else settings.keep_payloads
        most_runs = entry.most_runs or settings.most_runs
        most_payloads = entry.most_payloads or settings.most_payloads
        last = entry.keep_last_runs or settings.keep_last_runs
        return cls(
            keep_payloads=min(keep_payloads, keep_runs),
            most_payloads=min(filter(None, (most_payloads, most_runs)), default=None),
            keep_runs=keep_runs,
            most_runs=most_runs,
            keep_last_runs=min(last, most_runs or last),
        )

    @property
    def words(self) -> str:
        """How long people's data are kept: ``90 days``, ``90 days and of the latest 5 runs``."""
        days = f"{self.keep_payloads / 86400:g} days"
        return days if self.most_payloads is None else f"{days}, and of the latest {self.most_payloads} runs"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionState:
    """entry: what the workspace sets; tag: another one for every other entry; effective: what counts; otherwise: what would
    count if it set nothing."""

    entry: RetentionEntry
    tag: str
    effective: Retention
    otherwise: Retention


def retention_in(session: Session, settings: Settings) -> Retention:
    """What counts, in a transaction that is open."""
    return Retention.of(settings, read_retention(session))


def retention(workspace: Workspace, settings: Settings) -> Retention:
    """What counts in a workspace."""
    with workspace.catalog.session(read_only=True) as session:
        return retention_in(session, settings)


def retention_state(workspace: Workspace, settings: Settings) -> RetentionState:
    """What is set and what counts. Raises NotPermittedError."""
    workspace.actor.require("configuration.read")
    with workspace.catalog.session(read_only=True) as session:
        entry = read_retention(session)
    effective, otherwise = Retention.of(settings, entry), Retention.of(settings)
    return RetentionState(entry=entry, tag=_tag(entry), effective=effective, otherwise=otherwise)


def retention_entry(values: Mapping[str, Any]) -> RetentionEntry:
    """An entry of values that somebody typed. Raises ConfigError ``bad_retention`` with every mistake."""
    try:
        return RetentionEntry.model_validate(values)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        told = [": ".join((*map(str, e["loc"]), e["msg"].removeprefix("Value error, "))) for e in found]
        raise ConfigError("These times and counts make no sense.", code="bad_retention", steps=tuple(told)) from None


def set_retention(workspace: Workspace, entry: RetentionEntry, *, tag: str | None) -> bool:
    """Set how long things are kept from the next collection on; whether that changed anything.

    tag: of what was set as the caller saw it, None for any. Raises NotPermittedError, and ChangedError for another tag.
    """
    workspace.actor.require("settings.edit")
    with workspace.catalog.session() as session:
        before = read_retention(session)
        if tag is not None and tag != _tag(before):
            raise ChangedError(
                "How long things are kept was changed meanwhile.",
                steps=("Read it again, and change what you meant to change.",),
            )
        change = retention_change(before, entry)
        if change.action == "unchanged":
            return False
        save_retention(session, entry)
        record_change(session, workspace.actor, change)
        return True


def _tag(entry: RetentionEntry) -> str:
    return hashlib.sha256(entry.model_dump_json().encode()).hexdigest()[:16]
