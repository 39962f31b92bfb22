"""The difference between a query and a snapshot, counted."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One bulk body: its number from 0, rows, and bytes of fragment text."""

    number: int
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeltaCounts:
    """What the delta holds. changed_fields, cleared_fields: field -> rows. unset_rows are cleared inside the bulk body;
    slow_rows need one call each. held_back: rows that a test send leaves for later. losing_candidates: candidates that lost
    against another row of their key. first_send_unset: field -> new people who unset it because it is NULL; they are not
    among the cleared ones, since nobody knows whether they had a value."""

    added: int = 0
    changed: int = 0
    rebased: int = 0
    quiet: int = 0
    removed: int = 0
    held_back: int = 0
    cleared_rows: int = 0
    slow_rows: int = 0
    losing_candidates: int = 0
    changed_fields: dict[str, int] = field(default_factory=dict)
    cleared_fields: dict[str, int] = field(default_factory=dict)
    kept_fields: dict[str, int] = field(default_factory=dict)
    first_send_unset: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """The staged difference of one run. chunks: what the send task sends; digest: hex, equal for equal differences
    whatever the order of the rows."""

    counts: DeltaCounts
    chunks: tuple[Chunk, ...]
    digest: str
