"""The ledger of one run in the metadata database: one small transaction a step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from sqlalchemy import ColumnElement, delete, insert, select, update

from segue.catalog.catalog import Catalog
from segue.catalog.inserting import insert_into
from segue.catalog.runs import DeliveryPart, DeliveryReject, ProfileId
from segue.delivery.ledger import Part, PartKind, PartState, RowReject
from segue.failpoints import reach

T = TypeVar("T")
_BATCH = 500
"""Rows a statement: SQLite takes at most 32,766 parameters."""


class CatalogLedger:
    """See ``segue.delivery.ledger.Ledger``. Sessions are short and their own, so that threads do not share one."""

    def __init__(self, catalog: Catalog, *, run_id: str, account_id: str) -> None:
        self._catalog = catalog
        self._run = run_id
        self._account = account_id

    def parts(self, kind: PartKind) -> Sequence[Part]:
        """All parts of a kind, by chunk and start."""
        query = (
            select(DeliveryPart)
            .where(DeliveryPart.run_id == self._run, DeliveryPart.kind == kind)
            .order_by(DeliveryPart.chunk, DeliveryPart.start)
        )
        with self._catalog.session(read_only=True) as session:
            return [_part(row) for row in session.scalars(query)]

    def plan(self, parts: Sequence[Part]) -> None:
        """Write parts down that are not there yet."""
        with self._catalog.session() as session:
            for some in _batches(parts):
                rows = [self._row(part) for part in some]
                session.execute(insert_into(session, DeliveryPart).values(rows).on_conflict_do_nothing())

    def mark(self, part: Part, state: PartState, *, job: str | None = None) -> Part:
        """Move a part on."""
        reach(f"{part.kind}-{state}-before")
        with self._catalog.session() as session:
            session.execute(update(DeliveryPart).where(*self._where(part)).values(state=state, job=job))
        reach(f"{part.kind}-{state}-after")
        return replace(part, state=state, job=job)

    def split(self, part: Part, at: int) -> tuple[Part, Part]:
        """Replace a part by two planned ones."""
        first = replace(part, stop=at, state=PartState.PLANNED, job=None)
        second = replace(part, start=at, state=PartState.PLANNED, job=None)
        with self._catalog.session() as session:
            session.execute(delete(DeliveryPart).where(*self._where(part)))
            session.execute(insert(DeliveryPart).values([self._row(first), self._row(second)]))
        return first, second

    def reject(self, rejects: Sequence[RowReject]) -> None:
        """Write refused rows down."""
        if not rejects:
            return
        with self._catalog.session() as session:
            for some in _batches(rejects):
                values = [
                    {
                        "run_id": self._run,
                        "kind": r.kind,
                        "chunk": r.chunk,
                        "position": r.position,
                        "at_submit": r.at_submit,
                        "key": r.key,
                        "field": r.field,
                        "reason": r.reason[:100],
                        "detail": r.detail,
                    }
                    for r in some
                ]
                session.execute(insert_into(session, DeliveryReject).values(values).on_conflict_do_nothing())

    def rejected(self, kind: PartKind, chunk: int, *, at_submit_only: bool = False) -> frozenset[int]:
        """Positions in a chunk that the destination refused."""
        query = select(DeliveryReject.position).where(
            DeliveryReject.run_id == self._run, DeliveryReject.kind == kind, DeliveryReject.chunk == chunk
        )
        if at_submit_only:
            query = query.where(DeliveryReject.at_submit)
        with self._catalog.session(read_only=True) as session:
            return frozenset(session.scalars(query))

    def remember_ids(self, ids: dict[str, str]) -> None:
        """Keep profile ids by key."""
        with self._catalog.session() as session:
            for some in _batches(list(ids.items())):
                rows = [{"account_id": self._account, "key": k, "profile_id": i} for k, i in some]
                statement = insert_into(session, ProfileId).values(rows)
                session.execute(
                    statement.on_conflict_do_update(
                        index_elements=["account_id", "key"], set_={"profile_id": statement.excluded.profile_id}
                    )
                )

    def known_ids(self, keys: Sequence[str]) -> dict[str, str]:
        """The kept profile ids of these keys."""
        found: dict[str, str] = {}
        with self._catalog.session(read_only=True) as session:
            for some in _batches(keys):
                query = select(ProfileId.key, ProfileId.profile_id).where(
                    ProfileId.account_id == self._account, ProfileId.key.in_(some)
                )
                found.update((key, profile_id) for key, profile_id in session.execute(query))
        return found

    def forget_ids(self, keys: Sequence[str]) -> None:
        """Drop ids that the destination no longer knows."""
        with self._catalog.session() as session:
            for some in _batches(keys):
                session.execute(delete(ProfileId).where(ProfileId.account_id == self._account, ProfileId.key.in_(some)))

    def _where(self, part: Part) -> tuple[ColumnElement[bool], ...]:
        return (
            DeliveryPart.run_id == self._run,
            DeliveryPart.kind == part.kind,
            DeliveryPart.chunk == part.chunk,
            DeliveryPart.start == part.start,
        )

    def _row(self, part: Part) -> dict[str, object]:
        return {
            "run_id": self._run,
            "kind": part.kind,
            "chunk": part.chunk,
            "start": part.start,
            "stop": part.stop,
            "state": part.state,
            "job": part.job,
        }


def _part(row: DeliveryPart) -> Part:
    return Part(
        kind=PartKind(row.kind),
        chunk=row.chunk,
        start=row.start,
        stop=row.stop,
        state=PartState(row.state),
        job=row.job,
    )


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]
