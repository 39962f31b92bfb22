"""One run of the steps between a query's result and a baseline, without an engine and without Klaviyo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from segue.audience.compare import Comparison
from segue.audience.delta import Delta
from segue.audience.duplicates import DuplicateCounts, settle_duplicates
from segue.audience.encode import EncodeOptions, is_identifier
from segue.audience.fields import Place, place_columns
from segue.audience.identifiers import settle_shared
from segue.audience.packing import ChunkLimits
from segue.audience.rows import RowCounts, RowReader
from segue.audience.snapshot import Snapshot
from segue.audience.workbench import DeltaFile, Workbench
from segue.delivery.ledger import Ledger, Part, PartKind, PartState
from segue.destinations.contract import Account, TargetList
from segue.destinations.klaviyo.fields import FIELDS
from segue.services.staged import Connected, Staged
from segue.template import TemplateSettings
from segue.workflow.folding import delivered, fold
from tests.delivery.memory_ledger import MemoryLedger

LIMITS = ChunkLimits(rows=10_000, bytes=4_999_000)
MEMORY = 400_000_000


def settings(**values: Any) -> TemplateSettings:
    """A full-profile template with some settings of its own."""
    return TemplateSettings.model_validate({"list_name": "Loyalty", "use_full_profile": True, **values})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What one staging left behind."""

    folder: Path
    rows: RowCounts
    duplicates: DuplicateCounts
    delta: Delta
    columns: tuple[str, ...]

    def sent(self) -> list[dict[str, Any]]:
        """The rows of the delta in order, with lists of names and the parsed fragment as ``data``."""
        return [readable(row) for row in DeltaFile(self.folder / "delta.arrow").read().read_all().to_pylist()]

    def removes(self) -> set[str]:
        """Keys that are taken off the list."""
        return set(pq.read_table(self.folder / "removes.parquet").column("key").to_pylist())

    def rejects(self) -> list[dict[str, Any]]:
        """The rejects, as written."""
        rows: list[dict[str, Any]] = pq.read_table(self.folder / "rejects.parquet").to_pylist()
        return rows

    @property
    def unchanged(self) -> int:
        """Rows of the query that nothing is sent for, as the staging service counts them."""
        counts = self.delta.counts
        matched = (
            self.rows.source
            - self.rows.refused
            - self.rows.candidates
            - (self.duplicates.dropped - counts.losing_candidates)
        )
        return matched + counts.rebased + counts.quiet


def readable(row: dict[str, Any]) -> dict[str, Any]:
    """A row of a delta with its JSON columns parsed."""
    data = orjson.loads(row["fragment"][:-1])
    unset = data.get("meta", {}).get("patch_properties", {}).get("unset", [])
    names = {n: orjson.loads(row[n] or "[]") for n in ("changed", "cleared", "slow", "uncleared")}
    return {**row, **names, "data": data["attributes"], "unset": unset}


@dataclass(kw_only=True)
class Orchestration:
    """The same query again and again, with the baseline that its runs left."""

    folder: Path
    snapshot: Snapshot = field(default_factory=Snapshot)
    limits: ChunkLimits = LIMITS
    runs: int = 0

    def stage(self, table: pa.Table, template: TemplateSettings | None = None, *, batch_rows: int = 7) -> Stage:
        """Read a result in small batches, compare it with the baseline."""
        template = template or settings()
        self.runs += 1
        folder = self.folder / f"run-{self.runs:03d}"
        folder.mkdir(parents=True)
        placed = place_columns(table.schema.names, FIELDS, full_profile=template.use_full_profile)
        with Workbench(folder, memory_bytes=MEMORY, threads=2) as bench:
            rows = RowReader(
                bench=bench,
                folder=folder,
                placed=placed,
                fields=FIELDS,
                options=EncodeOptions(
                    latest_by=template.latest_by, unset_nulls=template.first_send_nulls in ("custom", "all")
                ),
                limits=self.limits,
                phone_region=template.phone_region,
                snapshot_sql=self.snapshot.sql(),
                clear_owed=template.nulls == "clear",
            ).read(table.to_reader(batch_rows))
            duplicates = settle_duplicates(
                bench, folder, latest_by=template.latest_by, has_latest=template.latest_by in table.schema.names
            )
            identifiers = [f.column for f in placed if is_identifier(f, FIELDS)]
            shared = settle_shared(bench, folder, identifiers=identifiers, snapshot=self.snapshot)
            delta = Comparison(
                bench=bench,
                folder=folder,
                placed=placed,
                fields=FIELDS,
                settings=template,
                snapshot=self.snapshot,
                limits=self.limits,
                rows=rows,
                dropped=duplicates.dropped,
                shared=sum(shared.values()),
            ).run()
        removes = pq.read_table(folder / "removes.parquet")
        pq.write_table(removes.append_column("id", pa.nulls(removes.num_rows, pa.string())), folder / "removes.parquet")
        columns = tuple(f.column for f in placed if f.place is not Place.LEFT_OUT)
        return Stage(folder=folder, rows=rows, duplicates=duplicates, delta=delta, columns=columns)

    def staged(self, stage: Stage) -> Staged:
        """A staging as the tasks of a run see it."""
        return Staged(
            connected=Connected(
                account=Account(id="acc", name="Shop"),
                target=TargetList(id="L1", name="Loyalty"),
                snapshot=self.snapshot,
            ),
            columns=stage.columns,
            left_out=(),
            rows=stage.rows,
            duplicates=stage.duplicates,
            delta=stage.delta,
            matched=0,
            foreign=0,
        )

    def record(self, stage: Stage, ledger: Ledger) -> None:
        """Make what the ledger acknowledges the next baseline."""
        with Workbench(stage.folder, memory_bytes=MEMORY, threads=2) as bench:
            bench.execute("CREATE TEMP TABLE others (key VARCHAR)")
            self.snapshot = fold(
                bench,
                stage.folder,
                self.staged(stage),
                ledger,
                delivered(stage.folder, ledger),
                segments=self.folder / "segments",
                run_id=stage.folder.name,
                list_id="L1",
                fields=FIELDS,
            )

    def run(
        self,
        table: pa.Table,
        template: TemplateSettings | None = None,
        *,
        deliver: Callable[[Stage], Ledger] | None = None,
    ) -> Stage:
        """Stage, deliver (everything, unless told otherwise), record."""
        stage = self.stage(table, template)
        self.record(stage, (deliver or everything)(stage))
        return stage

    def members(self) -> dict[str, dict[str, Any]]:
        """The baseline: key -> payload (parsed) and uncleared (list)."""
        sql = self.snapshot.sql()
        if sql is None:
            return {}
        with Workbench(self.folder, memory_bytes=MEMORY) as bench:
            found = bench.fetch(f"SELECT key, hash, payload, uncleared FROM ({sql})")
        assert len({row[0] for row in found}) == len(found), "a key is in the baseline twice"
        return {
            key: {"hash": mark, "payload": orjson.loads(payload), "uncleared": orjson.loads(uncleared or "[]")}
            for key, mark, payload, uncleared in found
        }


def everything(stage: Stage) -> MemoryLedger:
    """A ledger by which Klaviyo took all of it."""
    ledger = MemoryLedger()
    imports = [
        Part(kind=PartKind.IMPORT, chunk=c.number, start=0, stop=c.rows, state=PartState.COMPLETE)
        for c in stage.delta.chunks
    ]
    ledger.plan(imports)
    for number, batch in enumerate(DeltaFile(stage.folder / "delta.arrow").read()):
        slow = batch.num_rows - batch.column("slow").null_count
        if slow:
            ledger.plan([Part(kind=PartKind.CLEAR, chunk=number, start=0, stop=slow, state=PartState.COMPLETE)])
    leavers = len(stage.removes())
    if leavers:
        ledger.plan([Part(kind=PartKind.REMOVE, chunk=0, start=0, stop=leavers, state=PartState.COMPLETE)])
    return ledger
