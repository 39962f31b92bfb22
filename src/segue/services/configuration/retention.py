"""How long what runs stored is kept: what the workspace sets of it, in files and in the metadata database."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from sqlalchemy.orm import Session

from segue.catalog.preferences import WorkspaceSetting
from segue.services.configuration.changes import Change, FieldChange
from segue.services.configuration.values import Duration
from segue.settings import parse_duration

KEY = "retention"
"""The key of a file, and the name of the setting."""
_Count = Annotated[int | None, Field(ge=1, le=9999)]


class RetentionEntry(BaseModel):
    """How long what runs stored is kept, for the whole workspace. What is not set here is as the environment says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep_payloads: Duration = None
    """How long people's data of a run stay after its end, for history, undo and rejects: `90d`, `720h`."""
    most_payloads: _Count = None
    """Of each orchestration, so many of the latest runs keep people's data at most."""
    keep_runs: Duration = None
    """How long the record of a run stays, without people's data; not shorter than `keep_payloads`."""
    most_runs: _Count = None
    """Of each orchestration, so many of the latest runs keep their record at most; not fewer than `most_payloads`."""
    keep_last_runs: _Count = None
    """Of each orchestration, so many of the latest runs keep their record however old they are; not more than `most_runs`."""

    def document(self) -> dict[str, Any]:
        """What is set, as it stands in a file."""
        return self.model_dump(exclude_none=True)

    @field_validator("keep_payloads", "keep_runs", mode="before")
    @classmethod
    def _lasts(cls, value: object) -> object:
        # A duration of 0 would read as one that is not set.
        if str(value) in ("0", "0s"):
            raise ValueError("takes a duration of more than 0, such as 90d")
        return value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        runs, payloads = self.keep_runs, self.keep_payloads
        if runs and payloads and parse_duration(runs) < parse_duration(payloads):
            raise ValueError(
                "keep_runs is shorter than keep_payloads: people's data cannot outlive the record of their run"
            )
        if self.most_runs and self.most_payloads and self.most_runs < self.most_payloads:
            raise ValueError(
                "most_runs is less than most_payloads: people's data cannot outlive the record of their run"
            )
        if self.most_runs and self.keep_last_runs and self.most_runs < self.keep_last_runs:
            raise ValueError("most_runs is less than keep_last_runs")
        return self


def read_retention(session: Session) -> RetentionEntry:
    """What the workspace sets."""
    row = session.get(WorkspaceSetting, KEY)
    return RetentionEntry.model_validate(row.value if row is not None else {})


def save_retention(session: Session, entry: RetentionEntry) -> None:
    """Set it."""
    session.merge(WorkspaceSetting(name=KEY, value=entry.document()))
    session.flush()


def retention_change(before: RetentionEntry, after: RetentionEntry) -> Change:
    """What saving ``after`` would change."""
    old, new = before.document(), after.document()
    fields = tuple(
        FieldChange(name=name, old=old.get(name), new=new.get(name))
        for name in RetentionEntry.model_fields
        if old.get(name) != new.get(name)
    )
    return Change(kind=KEY, name="of the workspace", action="update" if fields else "unchanged", fields=fields)
