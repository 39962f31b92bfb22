"""From an orchestration to a staged difference: connect, query, compare. Nothing is written at the destination."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from segue.audience.compare import Comparison
from segue.audience.duplicates import settle_duplicates
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
from segue.destinations.contract import Destination
from segue.destinations.registry import find_plugin
from segue.errors import DataError
from segue.query import compile_query
from segue.services.orchestrations import Orchestration
from segue.services.queries import column_notes
from segue.services.shared_lists import SharedLists, release
from segue.services.snapshots import Held
from segue.services.staged import Connected, Staged
from segue.services.strangers import add_strangers, wanted_keys
from segue.services.unchanged import Note, depends_on, find_note, stage_again, take_note
from segue.settings import Settings


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
    """Stages one run in ``folder``. stop: set when the user asks to stop; earlier: folders of earlier runs of the
    orchestration, the latest first; entered: told of ``validate`` and ``compare`` as they begin, with what came of the task
    before."""

    orchestration: Orchestration
    settings: Settings
    destination: Destination
    folder: Path
    progress: Progress
    shared_lists: SharedLists
    stop: threading.Event
    earlier: Sequence[Path] = ()
    entered: Callable[[str, Mapping[str, Any]], None] = lambda _task, _outcome: None

    @property
    def _limits(self) -> ChunkLimits:
        limits = self.destination.chunk_limits
        return replace(limits, rows=min(limits.rows, self.settings.chunk_rows))

    def stage(self, connected: Connected) -> Staged:
        """Query, check, compare; where everything is as a run before found it, only see that it is. Raises QueryError,
        DataError, ConfigError, BusyError, Interrupted."""
        engine = open_engine(self.orchestration.database)
        sql = compile_query(self.orchestration.query.sql, tables=engine.tables()).engine_sql
        mark = depends_on(self.orchestration, connected, sql=sql, stamp=engine.stamp())
        self.progress.begin("query", total=None, unit="rows")
        if mark is not None:
            note = find_note(self.earlier, mark)
            if note is not None and note[1].digest == engine.digest(sql, limits=self._query_limits):
                staged = stage_again(self.folder, note, connected)
                self.progress.end("query", f"{counted(staged.rows.source, 'row')}, the same as in run {staged.same_as}")
                return staged
        digests: list[str] = []
        with engine.run(sql, limits=self._query_limits, digest=digests.append if mark else None) as reader:
            staged = self._compare(reader, connected)
        if mark is not None:
            take_note(self.folder, Note(depends_on=mark, digest=digests[0], staged=staged))
        return staged

    @property
    def _query_limits(self) -> QueryLimits:
        return QueryLimits(
            memory_bytes=self.settings.query_memory,
            seconds=self.settings.query_seconds,
            threads=self.settings.threads,
        )

    def _compare(self, reader: pa.RecordBatchReader, connected: Connected) -> Staged:
        memory, threads, template = self.settings.engine_memory, self.settings.threads, self.orchestration.settings
        with Workbench(self.folder, memory_bytes=memory, threads=threads) as bench:
            schema = reader.schema
            placed, rows = self._read(bench, reader, connected.snapshot)
            self._enter("validate", {"source": rows.source})
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
            found = {"rejected": rows.refused, "problems": rows.problems, "duplicates": duplicates.dropped}
            self.progress.end("validate", _refusals(rows, duplicates.dropped))
            self._enter("compare", found)
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

    def _read(
        self, bench: Workbench, reader: pa.RecordBatchReader, snapshot: Snapshot
    ) -> tuple[tuple[Field, ...], RowCounts]:
        names, template = reader.schema.names, self.orchestration.settings
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
        return placed, rows

    def _enter(self, task: str, outcome: Mapping[str, Any]) -> None:
        if self.stop.is_set():
            raise Interrupted
        self.entered(task, outcome)
        self.progress.begin(task, total=None, unit="rows")

    def _advance(self, done: int) -> None:
        # An interrupt that reaches DuckDB or Arrow while they read our rows may be lost there.
        if self.stop.is_set():
            raise Interrupted
        self.progress.advance("query", done)


def _refusals(rows: RowCounts, dropped: int) -> str:
    return f"{rows.refused:,} rejected, {counted(dropped, 'duplicate')}"


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
