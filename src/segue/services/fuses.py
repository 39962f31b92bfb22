"""Fuses: numbers that stop a run before its first write."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from segue.delivery.words import counted
from segue.errors import FuseBlown, UsageError
from segue.services.names import suggestion
from segue.services.staged import Staged
from segue.template import TemplateSettings

FUSES = ("allow_empty", "max_remove_share", "max_clear_share", "max_reject_share", "max_count_change")
"""The names of all fuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuse:
    """name: as in the template; value, limit: shares of 1, or rows for allow_empty; why: the numbers in a sentence."""

    name: str
    value: float
    limit: float
    why: str

    @property
    def blown(self) -> bool:
        """Whether the run must stop here."""
        return self.value > self.limit

    @property
    def said(self) -> str:
        """Value and limit, in the words of the fuse."""
        if self.name == "allow_empty":
            return f"allow_empty is {'on' if self.limit else 'off'}, and {'nothing' if self.value else 'something'} can be sent"
        return f"{self.name} is {self.limit:g}, this run has {self.value:.3g}"


def check_fuses(staged: Staged, settings: TemplateSettings, *, last_count: int | None) -> tuple[Fuse, ...]:
    """Every fuse with its numbers. last_count: the row count of the last run, None when there was none."""
    counts, held = staged.delta.counts, staged.connected.snapshot.rows
    usable, source = staged.duplicates.kept, staged.rows.source
    present = held + staged.foreign
    removed = counts.removed + staged.foreign
    fuses = [
        Fuse(
            name="allow_empty",
            value=float(usable == 0),
            limit=float(settings.allow_empty),
            why=f"The query has {counted(source, 'row')}, none of which can be sent."
            if source
            else f"The query has no rows: every member that Segue sent ({held:,}) would be removed."
            if held
            else "The query has no rows: nobody would be sent.",
        ),
        Fuse(
            name="max_remove_share",
            value=_share(removed, present),
            limit=settings.max_remove_share,
            why=f"{removed:,} of {counted(present, 'member')} would be removed.",
        ),
        Fuse(
            name="max_clear_share",
            value=_share(counts.cleared_rows, held),
            limit=settings.max_clear_share,
            why=f"{counts.cleared_rows:,} of {counted(held, 'profile')} would have fields cleared.",
        ),
        Fuse(
            name="max_reject_share",
            value=_share(staged.rows.refused, source),
            limit=settings.max_reject_share,
            why=f"{staged.rows.refused:,} of {counted(source, 'row')} cannot be sent.",
        ),
    ]
    if settings.max_count_change is not None and last_count:
        fuses.append(
            Fuse(
                name="max_count_change",
                value=abs(source - last_count) / last_count,
                limit=settings.max_count_change,
                why=f"The query has {counted(source, 'row')}, after {last_count:,} at the last run.",
            )
        )
    return tuple(fuses)


def _share(part: int, whole: int) -> float:
    # Clears of a first send have no baseline to be a share of.
    return part / whole if whole else 0.0


def check_names(names: Collection[str]) -> None:
    """Raise UsageError for a name that no fuse has: what is misspelt would allow nothing, and only show when it blows."""
    for name in names:
        if name not in FUSES:
            raise UsageError(
                f'there is no fuse "{name}"{suggestion(name, FUSES)}',
                code="unknown_fuse",
                steps=(f"Take one of: {', '.join(FUSES)}.",),
            )


def refuse_blown(fuses: Collection[Fuse], *, allowed: Collection[str], command: str) -> None:
    """Raise FuseBlown for the fuses that are blown and not allowed for this run. command: how it is asked for."""
    blown = [fuse for fuse in fuses if fuse.blown and fuse.name not in allowed]
    if not blown:
        return
    names = " ".join(f"--allow {fuse.name}" for fuse in blown)
    raise FuseBlown(
        "Stopped before anything was sent: " + " ".join(fuse.why for fuse in blown),
        cause="; ".join(fuse.said for fuse in blown),
        steps=(
            "Look at the query: did its data arrive whole?",
            f"If the numbers are right, allow them for this run only: {command} {names}",
            "If they are always right, change the limit in the data template.",
        ),
        facts={"fuses": [fuse.name for fuse in blown]},
    )
