"""What the staging of a run leaves to the tasks that follow."""

from __future__ import annotations

from dataclasses import dataclass, replace

from segue.audience.delta import Delta
from segue.audience.duplicates import DuplicateCounts
from segue.audience.fields import Field
from segue.audience.rows import RowCounts
from segue.audience.snapshot import Snapshot
from segue.destinations.contract import Account, TargetList


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """Where a run goes: the account, the list (without an id when it has to be made), and the baseline that is valid
    there. warnings: sentences for people."""

    account: Account
    target: TargetList
    snapshot: Snapshot
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """The staged difference of one run. columns: the sent ones; left_out: the others, with why; matched: rows that
    the snapshot holds as they are and that did not lose against another row; foreign: members to be removed that
    Segue did not send; foreign_mark: hex, over who they are; released: leavers who stay on the list because another
    orchestration has them; notes: what the author of the query should know, a sentence each; same_as: the run that
    found the same, where nothing was compared anew."""

    connected: Connected
    columns: tuple[str, ...]
    left_out: tuple[Field, ...]
    rows: RowCounts
    duplicates: DuplicateCounts
    delta: Delta
    matched: int
    foreign: int
    foreign_mark: str = ""
    released: int = 0
    notes: tuple[str, ...] = ()
    same_as: str | None = None

    @property
    def unchanged(self) -> int:
        """Rows that are at the destination as the query has them."""
        counts = self.delta.counts
        return self.matched + counts.rebased + counts.quiet


def with_list(staged: Staged, target: TargetList) -> Staged:
    """The same work for a list that was made in the meantime."""
    return replace(staged, connected=replace(staged.connected, target=target))
