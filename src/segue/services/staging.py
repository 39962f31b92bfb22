"""From an orchestration to a staged difference: connect, query, compare. Nothing is written at the destination."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from segue.audience.compare import Comparison
from segue.audience.delta import Delta
from segue.audience.duplicates import DuplicateCounts, settle_duplicates
from segue.audience.encode import EncodeOptions, is_identifier
from segue.audience.fields import Field, Place, place_columns
from segue.audience.identifiers import settle_shared
from segue.audience.packing import ChunkLimits
from segue.audience.rows import RowCounts, RowReader
from segue.audience.snapshot import Snapshot
from segue.audience.workbench import Workbench
from segue.database import QueryLimits, open_engine
from segue.delivery.budget import Interrupted
from segue.delivery.progress import Progress
from segue.delivery.words import counted
from segue.destinations.contract import Account, Destination, TargetList
from segue.destinations.registry import find_plugin
from segue.errors import DataError
from segue.query import compile_query
from segue.services.orchestrations import Orchestration
from segue.services.queries import column_notes
from segue.services.shared_lists import SharedLists, release
from segue.services.snapshots import Held
from segue.services.strangers import add_strangers, wanted_keys
from segue.settings import Settings


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
    orchestration has them; notes: what the author of the query should know, a sentence each."""

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

    @property
    def unchanged(self) -> int:
        """Rows that are at the destination as the query has them."""
        counts = self.delta.counts
        return self.matched + counts.rebased + counts.quiet


def connect(destination: Destination, orchestration: Orchestration, held: Held) -> Connected:
    """Find account and list, and say whether the baseline is about them. A baseline of another account or list is
    not used: everybody would count as sent where nobody is."""
    account = destination.account()
    name, snapshot = orchestration.settings.list_name, held.snapshot
    may_be_same = account.may_be(snapshot.account_id)
    stored = snapshot.list_id if may_be_same and held.list_name == name else None
    known = orchestration.settings.list_id or stored
    target = destination.find_list(name, known)
    # An account that a key may not show is known by its list: ids of lists are unique.
    same_account = account.id == snapshot.account_id or (may_be_same and target.id == snapshot.list_id)
    warnings = [account.note] if account.note else []
    if snapshot.list_id and (target.id != snapshot.list_id or not same_account):
        warnings.append(_moved(same_account=same_account, renamed=held.list_name != name, rows=snapshot.rows))
        snapshot = Snapshot(version=snapshot.version)
    elif target.members is not None and target.members < snapshot.rows:
        gone = snapshot.rows - target.members
        were = counted(gone, "person who was sent is", "people who were sent are")
        warnings.append(f"{were} no longer on the list: they left, or Klaviyo merged them.")
    return Connected(account=account, target=target, snapshot=snapshot, warnings=tuple(warnings))


def _moved(*, same_account: bool, renamed: bool, rows: int) -> str:
    if not same_account:
        return "The credential opens another Klaviyo account than before: everything is sent there anew."
    if renamed:
        return f"The template names another list: everything is sent anew; the old list keeps its {counted(rows, 'member')}."
    return "The list of the last run is gone at Klaviyo: everything is sent anew."


@dataclass(frozen=True, slots=True, kw_only=True)
class Staging:
    """Stages one run in ``folder``. stop: set when the user asks to stop."""

    orchestration: Orchestration
    settings: Settings
    destination: Destination
    folder: Path
    progress: Progress
    shared_lists: SharedLists
    stop: threading.Event

    @property
    def _limits(self) -> ChunkLimits:
        limits = self.destination.chunk_limits
        return replace(limits, rows=min(limits.rows, self.settings.chunk_rows))

    def stage(self, connected: Connected) -> Staged:
        """Query, check, compare. Raises QueryError, DataError, ConfigError, BusyError, Interrupted."""
        memory, threads, template = self.settings.engine_memory, self.settings.threads, self.orchestration.settings
        with Workbench(self.folder, memory_bytes=memory, threads=threads) as bench:
            placed, rows, schema = self._read(bench, connected.snapshot)
            duplicates = settle_duplicates(
                bench, self.folder, latest_by=template.latest_by, has_latest=template.latest_by in schema.names
            )
            shared = settle_shared(
                bench,
                self.folder,
                identifiers=[f.column for f in placed if is_identifier(f, self.destination.fields)],
                snapshot=connected.snapshot,
            )
            # A field that is missing from a row that is not sent anyway is nobody's loss.
            problems = Counter(rows.problems) - Counter(duplicates.problems)
            rows = replace(rows, problems={**problems, **shared})
            comparison = Comparison(
                bench=bench,
                folder=self.folder,
                placed=placed,
                fields=self.destination.fields,
                settings=template,
                snapshot=connected.snapshot,
                limits=self._limits,
                rows=rows,
                dropped=duplicates.dropped,
                shared=sum(shared.values()),
            )
            self.shared_lists.show(bench, connected.target.id)
            delta, released = release(bench, self.folder, comparison.run())
            owned = connected.target.id if template.own_whole_list and not template.max_rows else None
            foreign = add_strangers(bench, self.folder, self.destination, owned)
        sound = rows.source - rows.refused
        return Staged(
            connected=connected,
            columns=tuple(f.column for f in placed if f.place is not Place.LEFT_OUT),
            left_out=tuple(f for f in placed if f.place is Place.LEFT_OUT),
            rows=rows,
            duplicates=duplicates,
            delta=delta,
            matched=sound - rows.candidates - (duplicates.dropped - delta.counts.losing_candidates),
            foreign=foreign.count,
            foreign_mark=foreign.mark,
            released=released,
            notes=self._notes(schema),
        )

    def _notes(self, schema: pa.Schema) -> tuple[str, ...]:
        if not self.orchestration.settings.use_full_profile:
            return ()
        return column_notes(schema, find_plugin(self.orchestration.destination.plugin))

    def _read(self, bench: Workbench, snapshot: Snapshot) -> tuple[tuple[Field, ...], RowCounts, pa.Schema]:
        orchestration, template = self.orchestration, self.orchestration.settings
        engine = open_engine(orchestration.database)
        compiled = compile_query(orchestration.query.sql, tables=engine.tables())
        limits = QueryLimits(
            memory_bytes=self.settings.query_memory,
            seconds=self.settings.query_seconds,
            threads=self.settings.threads,
        )
        self.progress.begin("query", total=None, unit="rows")
        with engine.run(compiled.engine_sql, limits=limits) as reader:
            schema, names = reader.schema, reader.schema.names
            refuse_repeated(names)
            placed = place_columns(names, self.destination.fields, full_profile=template.use_full_profile)
            rows = RowReader(
                bench=bench,
                folder=self.folder,
                placed=placed,
                fields=self.destination.fields,
                options=EncodeOptions(
                    latest_by=template.latest_by, unset_nulls=template.first_send_nulls in ("custom", "all")
                ),
                limits=self._limits,
                phone_region=template.phone_region,
                snapshot_sql=snapshot.sql(),
                clear_owed=template.nulls == "clear",
            ).read(reader, progress=self._advance)
        self.progress.end("query", counted(rows.source, "row"))
        return placed, rows, schema

    def _advance(self, done: int) -> None:
        # An interrupt that reaches DuckDB or Arrow while they read our rows may be lost there.
        if self.stop.is_set():
            raise Interrupted
        self.progress.advance("query", done)


def refuse_repeated(columns: Sequence[str]) -> None:
    """Raise DataError when two columns have one name: nobody could say which one is sent."""
    repeated = [name for name, times in Counter(columns).items() if times > 1]
    if repeated:
        raise DataError(
            f'The query has several columns named "{repeated[0]}".',
            code="column_repeated",
            steps=("Give each of them an alias of its own, or select it once.",),
        )


def still_wanted(
    folder: Path, settings: Settings, shared_lists: SharedLists, list_id: str
) -> Callable[[Sequence[str]], frozenset[str]]:
    """``wanted_keys`` for tasks that run after the staging."""

    def check(keys: Sequence[str]) -> frozenset[str]:
        with Workbench(folder, memory_bytes=settings.engine_memory, threads=1) as bench:
            shared_lists.show(bench, list_id)
            return wanted_keys(bench, folder, keys)

    return check


def with_list(staged: Staged, target: TargetList) -> Staged:
    """The same work for a list that was made in the meantime."""
    return replace(staged, connected=replace(staged.connected, target=target))
