"""Members of a list: read, and taken off it. Nobody is unsubscribed and no profile is deleted."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from segue.delivery.decider import Decision
from segue.delivery.ledger import Part, PartKind, PartState
from segue.delivery.progress import Progress
from segue.destinations.contract import Outcome, Work
from segue.destinations.klaviyo.client import Client, Json, Refusal
from segue.destinations.klaviyo.limits import GET_MEMBERS, IDS_A_CALL, PAGE, REMOVE_MEMBERS

REMOVERS = 4


def all_members(client: Client, list_id: str) -> Iterator[tuple[str, str | None]]:
    """Id and normalised email of every member; a phone-only profile has no email."""
    params = {"fields[profile]": "email", "page[size]": str(PAGE)}
    for item in client.pages(GET_MEMBERS, id=list_id, params=params):
        email = item["attributes"].get("email")
        yield item["id"], email.strip().lower() if email else None


def find_members(client: Client, list_id: str, keys: Sequence[str], *, full: bool = False) -> Iterator[Json]:
    """The profiles among the list's members that answer to these emails, a hundred a call."""
    for start in range(0, len(keys), PAGE):
        quoted = ",".join(
            '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"' for key in keys[start : start + PAGE]
        )
        params = {"filter": f"any(email,[{quoted}])", "page[size]": str(PAGE)}
        if not full:
            params["fields[profile]"] = "email"
        yield from client.pages(GET_MEMBERS, id=list_id, params=params)


def remove(client: Client, work: Work, progress: Progress) -> Outcome:
    """Take the keys of removes.parquet off the list, a thousand ids a call."""
    everybody = leavers(work.folder)
    if not everybody:
        return Outcome()
    starts = range(0, len(everybody), IDS_A_CALL)
    stops = [min(start + IDS_A_CALL, len(everybody)) for start in starts]
    spans = enumerate(zip(starts, stops, strict=True))
    work.ledger.plan([Part(kind=PartKind.REMOVE, chunk=i, start=start, stop=stop) for i, (start, stop) in spans])
    parts = work.ledger.parts(PartKind.REMOVE)
    remover = _Remover(client, work, progress, done=sum(p.rows for p in parts if p.state is PartState.COMPLETE))
    progress.begin("remove", total=len(everybody), unit="members")
    todo = [(p, everybody[p.start : p.stop]) for p in parts if p.state is not PartState.COMPLETE]
    with ThreadPoolExecutor(REMOVERS, thread_name_prefix="remove") as pool:
        for future in [pool.submit(remover.remove, part, span) for part, span in todo]:
            try:
                future.result()
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
    return Outcome(done=remover.done, warnings=remover.warnings())


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaver:
    """Somebody to take off the list: by key, or by id where Segue never sent them."""

    key: str
    id: str | None


def leavers(folder: Path) -> list[Leaver]:
    """The rows of removes.parquet, in one order every time they are read."""
    table = pq.read_table(folder / "removes.parquet", columns=["key", "id"])
    ordered = table.sort_by([("key", "ascending"), ("id", "ascending")])
    return [Leaver(key=row["key"], id=row["id"]) for row in ordered.to_pylist()]


class _Remover:
    def __init__(self, client: Client, work: Work, progress: Progress, *, done: int) -> None:
        self._client = client
        self._work = work
        self._progress = progress
        self._lock = threading.Lock()
        self.done = done
        self._shared = 0

    def remove(self, part: Part, span: Sequence[Leaver]) -> None:
        """Remove one span. An id from the cache is checked afterwards, since a merged profile has another."""
        keys = [leaver.key for leaver in span if leaver.id is None]
        strangers = [leaver.id for leaver in span if leaver.id]
        cached = self._work.ledger.known_ids(keys)
        found = self._look_up([key for key in keys if key not in cached])
        try:
            self._delete([*found, *cached.values(), *strangers])
        except Refusal as refusal:
            if refusal.decision not in (Decision.GONE, Decision.ROW_ERROR):
                raise refusal.as_error() from refusal
            self._again(keys, refusal)
        if cached and (left := self._look_up(list(cached))):
            self._work.ledger.forget_ids(list(cached))
            self._delete_or_fail(left)
        self._work.ledger.mark(part, PartState.COMPLETE)
        with self._lock:
            self.done += len(span)
            done = self.done
        self._progress.advance("remove", done)

    def _again(self, keys: Sequence[str], refusal: Refusal) -> None:
        """An id was stale: look all of them up anew, once."""
        self._work.ledger.forget_ids(keys)
        fresh = self._look_up(keys)
        if not fresh and refusal.decision is Decision.ROW_ERROR:
            raise refusal.as_error() from refusal
        self._delete_or_fail(fresh)

    def _delete_or_fail(self, ids: Iterable[str]) -> None:
        try:
            self._delete(list(ids))
        except Refusal as refusal:
            raise refusal.as_error(code="remove_refused") from refusal

    def _look_up(self, keys: Sequence[str]) -> list[str]:
        """Ids of the members that answer to these keys and that the query does not want under another address."""
        found = {item["id"]: (item["attributes"].get("email") or "").strip().lower() for item in self._find(keys)}
        asked = set(keys)
        others = [email for email in found.values() if email not in asked]
        wanted = self._work.still_wanted(others) if others else frozenset()
        if wanted:
            with self._lock:
                self._shared += len(wanted)
        return [profile_id for profile_id, email in found.items() if email in asked or email not in wanted]

    def _find(self, keys: Sequence[str]) -> Iterator[Json]:
        return find_members(self._client, self._work.list_id, keys) if keys else iter(())

    def _delete(self, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), IDS_A_CALL):
            body = {"data": [{"type": "profile", "id": i} for i in ids[start : start + IDS_A_CALL]]}
            self._client.call(REMOVE_MEMBERS, id=self._work.list_id, body=body)

    def warnings(self) -> tuple[str, ...]:
        """What the user should know; people who left by themselves are no reason to worry."""
        if not self._shared:
            return ()
        return (f"{self._shared} people stay: one of their addresses left the query, another is still in it.",)
