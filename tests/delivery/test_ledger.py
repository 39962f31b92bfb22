"""The ledger in the metadata database and the one of the tests keep the same promises."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from segue.catalog import Catalog, upgrade
from segue.catalog.catalog import connect
from segue.catalog.ledger import CatalogLedger
from segue.catalog.runs import Run
from segue.delivery.ledger import Ledger, Part, PartKind, PartState, RowReject
from tests.delivery.memory_ledger import MemoryLedger


@pytest.fixture(params=["catalog", "memory"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    if request.param == "memory":
        yield MemoryLedger()
        return
    url = f"sqlite:///{tmp_path / 'segue.db'}"
    engine = connect(url, create=True)
    upgrade(engine)
    engine.dispose()
    catalog = Catalog(url)
    with catalog.session() as session:
        for name in ("r1", "r2"):
            run = Run(id=name, orchestration_id="o", orchestration="O", kind="sync", status="running")
            run.started_at, run.settings, run.list_created = datetime(2024, 1, 1, tzinfo=UTC), {}, False
            run.counts, run.requests, run.warnings = {}, {}, []
            session.add(run)
    other = CatalogLedger(catalog, run_id="r2", account_id="acc2")
    other.plan([part(0, 0, 9)])
    other.reject([reject(0, 3)])
    other.remember_ids({"a@b.io": "FOREIGN"})
    yield CatalogLedger(catalog, run_id="r1", account_id="acc1")
    catalog.close()


def part(chunk: int, start: int, stop: int, kind: PartKind = PartKind.IMPORT) -> Part:
    return Part(kind=kind, chunk=chunk, start=start, stop=stop)


def reject(chunk: int, position: int, *, at_submit: bool = False, kind: PartKind = PartKind.IMPORT) -> RowReject:
    return RowReject(
        kind=kind, at_submit=at_submit, chunk=chunk, position=position, key="a@b.io", field="", reason="x", detail=""
    )


def test_parts_come_back_by_chunk_and_start(ledger: Ledger) -> None:
    parts = [part(1, 0, 5), part(0, 5, 9), part(0, 0, 5), part(0, 0, 2, PartKind.CLEAR)]
    ledger.plan(parts)
    assert list(ledger.parts(PartKind.IMPORT)) == [part(0, 0, 5), part(0, 5, 9), part(1, 0, 5)]
    assert list(ledger.parts(PartKind.CLEAR)) == [part(0, 0, 2, PartKind.CLEAR)]
    assert list(ledger.parts(PartKind.REMOVE)) == []


def test_planning_again_leaves_what_is_known(ledger: Ledger) -> None:
    ledger.plan([part(0, 0, 5)])
    marked = ledger.mark(part(0, 0, 5), PartState.ACCEPTED, job="J1")
    ledger.plan([part(0, 0, 5), part(1, 0, 1)])
    assert list(ledger.parts(PartKind.IMPORT)) == [marked, part(1, 0, 1)]
    assert (marked.state, marked.job, marked.rows) == (PartState.ACCEPTED, "J1", 5)


def test_a_split_replaces_a_part_by_two_planned_ones(ledger: Ledger) -> None:
    ledger.plan([part(0, 0, 5)])
    halves = ledger.split(ledger.mark(part(0, 0, 5), PartState.SENDING), 2)
    assert halves == (part(0, 0, 2), part(0, 2, 5))
    assert list(ledger.parts(PartKind.IMPORT)) == list(halves)


def test_a_refused_row_counts_once_and_keeps_who_said_it_first(ledger: Ledger) -> None:
    ledger.reject([reject(0, 3, at_submit=True), reject(0, 4), reject(1, 0), reject(0, 7, kind=PartKind.CLEAR)])
    ledger.reject([reject(0, 3), reject(0, 4, at_submit=True)])
    ledger.reject([])
    assert ledger.rejected(PartKind.IMPORT, 0) == {3, 4}
    assert ledger.rejected(PartKind.IMPORT, 0, at_submit_only=True) == {3}
    assert ledger.rejected(PartKind.CLEAR, 0) == {7}
    assert ledger.rejected(PartKind.IMPORT, 2) == frozenset()


def test_ids_are_remembered_renewed_and_forgotten(ledger: Ledger) -> None:
    ledger.remember_ids({f"{i}@b.io": f"P{i}" for i in range(1200)})
    ledger.remember_ids({"1@b.io": "NEW"})
    ledger.forget_ids(["2@b.io", "nobody@b.io"])
    keys = [f"{i}@b.io" for i in range(1200)]
    known = ledger.known_ids([*keys, "a@b.io"])
    assert len(known) == 1199
    assert (known["0@b.io"], known["1@b.io"]) == ("P0", "NEW")
    ledger.remember_ids({})
    ledger.forget_ids([])
