"""Segue from an Arrow reader to the receiver. ``encode_submit HOME ARROW_FILE URL``; prints JSON: seconds, cpu, rows, tasks.

In it: reading the file, checking, repairing and encoding every row, hashing, duplicates, the comparison with an empty
baseline, the staged files with their fsyncs, the delivery ledger, and the submission of every bulk job. Not in it: the
query, the account and list, confirming, the next baseline, and the start of Python.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.clock import Clock
from segue.audience.compare import Comparison
from segue.audience.duplicates import settle_duplicates
from segue.audience.encode import EncodeOptions, is_identifier
from segue.audience.fields import place_columns
from segue.audience.identifiers import settle_shared
from segue.audience.rows import RowReader
from segue.audience.snapshot import Snapshot
from segue.audience.workbench import Workbench, open_rows
from segue.catalog.ledger import CatalogLedger
from segue.delivery.progress import Quiet
from segue.destinations.contract import Connection, Destination, Work
from segue.destinations.registry import find_plugin
from segue.services.workspace import open_workspace
from segue.settings import Settings
from segue.template import TemplateSettings
from segue.workflow.records import RunRecords

TEMPLATE = TemplateSettings(list_name="Bench", use_full_profile=True, duplicates="latest_by: customer_since")


def stage(bench: Workbench, folder: Path, source: Path, destination: Destination) -> int:
    """As ``segue.services.staging`` does it; the number of rows to send."""
    reader = open_rows(source)
    placed = place_columns(reader.schema.names, destination.fields, full_profile=True)
    snapshot, limits = Snapshot(), destination.chunk_limits
    rows = RowReader(
        bench=bench,
        folder=folder,
        placed=placed,
        fields=destination.fields,
        options=EncodeOptions(latest_by=TEMPLATE.latest_by, unset_nulls=True),
        limits=limits,
        phone_region=None,
        snapshot_sql=snapshot.sql(),
        clear_owed=True,
    ).read(reader)
    dropped = settle_duplicates(bench, folder, latest_by=TEMPLATE.latest_by, has_latest=True).dropped
    identifiers = [f.column for f in placed if is_identifier(f, destination.fields)]
    shared = settle_shared(bench, folder, identifiers=identifiers, snapshot=snapshot)
    comparison = Comparison(
        bench=bench,
        folder=folder,
        placed=placed,
        fields=destination.fields,
        settings=TEMPLATE,
        snapshot=snapshot,
        limits=limits,
        rows=rows,
        dropped=dropped,
        shared=sum(shared.values()),
    )
    return comparison.run().counts.added


def main(home: str, source: str, url: str) -> None:
    """Stage and send."""
    settings = Settings(home=Path(home))
    workspace = open_workspace(settings)
    run = RunRecords(workspace.catalog).begin(
        orchestration_id="bench", orchestration="bench", kind="sync", settings={}, credential_id="bench"
    )
    folder = workspace.layout.runs / run.id
    folder.mkdir(parents=True)
    connection = Connection(base_url=url, secret="pk_bench", rate_scale=0, progress=Quiet(), pause=lambda _: True)
    destination = find_plugin("klaviyo").open(connection)
    clock = Clock()
    with Workbench(folder, memory_bytes=settings.engine_memory, threads=settings.threads) as bench:
        rows = stage(bench, folder, Path(source), destination)
    staged = clock.read()["seconds"]
    ledger = CatalogLedger(workspace.catalog, run_id=run.id, account_id="SINK1")
    sent = destination.send(
        Work(folder=folder, list_id="SINK1", ledger=ledger, still_wanted=lambda _: frozenset())
    ).done
    whole = clock.read()
    assert rows == sent
    tasks = {"stage": staged, "send": whole["seconds"] - staged}
    print(json.dumps({**whole, "rows": sent, "tasks": tasks}))
    destination.close()
    workspace.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
