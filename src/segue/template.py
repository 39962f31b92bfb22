"""The settings of a data template: how the rows of a query go to a destination.

A data template carries them, an orchestration may override any of them; the merged value is what a run uses.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Share = float
"""A part of a whole, 0 to 1."""


class TemplateSettings(BaseModel):
    """What a run does with the rows; every field has a safe default but ``list_name``."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    list_name: str = Field(min_length=1, max_length=255)
    """Name of the Klaviyo list. It is made when it is not there."""
    list_id: str | None = Field(default=None, min_length=1, max_length=64)
    """Id of the Klaviyo list, where several have this name; None: the list is found by its name."""
    use_full_profile: bool = False
    """False: only ``email`` is sent. True: every column of the query goes to the profile."""
    audience_primary_key: Literal["email"] = "email"
    """The column that identifies a person."""
    nulls: Literal["clear", "keep"] = "clear"
    """What a field that became NULL does to the profile: clear it there, or leave the old value."""
    clear_identifiers: bool = False
    """Whether ``phone_number`` and ``external_id`` may be cleared too. They identify a person: off by default."""
    first_send_nulls: Literal["custom", "all", "keep"] = "custom"
    """NULLs of a row that was never sent: unset custom properties, clear every field, or leave all alone."""
    duplicates: str = "latest_by: last_event_date"
    """Rows with one key: ``latest_by: COLUMN`` (the latest wins) or ``fail``. Identical rows always collapse."""
    own_whole_list: bool = False
    """True: members that somebody else put on the list are removed too."""
    phone_region: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    """ISO 3166 country for phone numbers without ``+``; None: such a number is dropped and named in the rejects."""
    max_remove_share: Share = Field(default=0.3, ge=0, le=1)
    """Fuse: removes as a share of the members that Segue has sent."""
    max_clear_share: Share = Field(default=0.3, ge=0, le=1)
    """Fuse: rows with a cleared field as a share of the members that Segue has sent."""
    max_reject_share: Share = Field(default=0.1, ge=0, le=1)
    """Fuse: rejected rows as a share of the source rows."""
    max_count_change: float | None = Field(default=None, ge=0)
    """Fuse: how far the row count may move off the last run's, as a share of it; None: not watched."""
    allow_empty: bool = False
    """Whether a query without rows may empty the list."""
    max_rows: int | None = Field(default=None, ge=1)
    """A test send: at most this many members are added, and nobody is removed."""
    read_back: int = Field(default=100, ge=0, le=1000)
    """How many sent profiles the reconcile task reads back from Klaviyo."""

    @field_validator("duplicates", mode="before")
    @classmethod
    def _duplicates_form(cls, value: object) -> object:
        """Accept the mapping form ``{latest_by: COLUMN}`` that YAML makes of the unquoted text."""
        if isinstance(value, dict) and set(value) == {"latest_by"} and isinstance(value["latest_by"], str):
            return f"latest_by: {value['latest_by']}"
        return value

    @model_validator(mode="after")
    def _duplicates_known(self) -> Self:
        if self.duplicates != "fail" and not self.duplicates.removeprefix("latest_by:").strip():
            raise ValueError("duplicates takes 'fail' or 'latest_by: COLUMN'")
        if self.duplicates != "fail" and not self.duplicates.startswith("latest_by:"):
            raise ValueError("duplicates takes 'fail' or 'latest_by: COLUMN'")
        return self

    @property
    def latest_by(self) -> str | None:
        """Name of the column whose greatest value wins among rows of one key; None when repeated keys fail the run."""
        return None if self.duplicates == "fail" else self.duplicates.removeprefix("latest_by:").strip()
