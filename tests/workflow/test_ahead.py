"""The baseline that is written while its rows are sent is the one that folding gives, and counts only if all of them arrived."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from segue.delivery.ledger import PartKind, RowReject
from segue.workflow.ahead import AHEAD_FILE, writing_ahead
from tests.audience.harness import MEMORY, Orchestration, Stage, everything

PEOPLE = pa.table(
    {
        "email": ["ada@shop.io", "bea@shop.io", "cleo@shop.io"],
        "phone_number": ["+15005550001", "+15005550001", None],
        "tier": ["gold", None, "zinc"],
    }
)


def sent(orchestration: Orchestration, stage: Stage) -> Path:
    with writing_ahead(stage.folder, orchestration.staged(stage), memory_bytes=MEMORY):
        pass
    return stage.folder / AHEAD_FILE


def test_a_run_whose_rows_all_arrive_takes_what_was_written_ahead(tmp_path: Path) -> None:
    usual, quick = (Orchestration(folder=tmp_path / name) for name in ("usual", "quick"))
    usual.run(PEOPLE)
    stage = quick.stage(PEOPLE)
    ahead = sent(quick, stage)
    rows = pq.read_table(ahead)
    quick.record(stage, everything(stage))
    assert not ahead.exists()
    [folded], [taken] = usual.snapshot.segments, quick.snapshot.segments
    assert rows.sort_by("key") == pq.read_table(folded).sort_by("key") == pq.read_table(taken).sort_by("key")
    assert quick.snapshot.rows == usual.snapshot.rows == PEOPLE.num_rows
    assert quick.members() == usual.members()


def test_a_row_that_was_refused_is_not_in_the_baseline(tmp_path: Path) -> None:
    orchestration = Orchestration(folder=tmp_path)
    stage = orchestration.stage(PEOPLE)
    assert sent(orchestration, stage).exists()
    ledger = everything(stage)
    refused = stage.sent()[0]["key"]
    ledger.reject(
        [
            RowReject(
                kind=PartKind.IMPORT, chunk=0, position=0, key=refused, field="", reason="no", detail="", at_submit=True
            )
        ]
    )
    orchestration.record(stage, ledger)
    assert set(orchestration.members()) == set(PEOPLE["email"].to_pylist()) - {refused}


def test_nothing_is_written_ahead_where_fields_are_cleared_or_people_leave(tmp_path: Path) -> None:
    orchestration = Orchestration(folder=tmp_path)
    orchestration.run(PEOPLE)
    assert not sent(orchestration, orchestration.stage(PEOPLE.slice(0, 2))).exists()


def test_a_send_that_breaks_off_leaves_nothing_half_written(tmp_path: Path) -> None:
    orchestration = Orchestration(folder=tmp_path)
    stage = orchestration.stage(PEOPLE)
    with (
        pytest.raises(KeyboardInterrupt),
        writing_ahead(stage.folder, orchestration.staged(stage), memory_bytes=MEMORY),
    ):
        raise KeyboardInterrupt
    # Small as it is, it may have been whole by then; what is under its name always is.
    ahead = stage.folder / AHEAD_FILE
    assert not ahead.exists() or pq.read_table(ahead).num_rows == PEOPLE.num_rows
    orchestration.record(stage, everything(stage))
    assert set(orchestration.members()) == set(PEOPLE["email"].to_pylist())
