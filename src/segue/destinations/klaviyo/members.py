"""Members of a list: read, and taken off it. Nobody is unsubscribed and no profile is deleted."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pyarrow.parquet as pq

from segue.delivery.decider import Decision
from segue.delivery.ledger import Part, PartKind, PartState
from segue.delivery.progress import Progress
from segue.delivery.words import counted
from segue.destinations.contract import Outcome, Work
from segue.destinations.klaviyo.client import Client
from segue.destinations.klaviyo.limits import FILTER_BYTES, GET_MEMBERS, GET_PROFILES, IDS_A_CALL, PAGE, REMOVE_MEMBERS
from segue.destinations.klaviyo.lists import list_gone
from segue.destinations.klaviyo.refusals import Json, Refusal

REMOVERS = 4


def all_members(client: Client, list_id: str) -> Iterator[tuple[str, str | None]]:
    """Id and normalised email of every member; a phone-only profile has no email. Raises ``list_gone``."""
    params = {"fields[profile]": "email", "page[size]": str(PAGE)}
    for item in _of_list(client, list_id, params):
        email = item["attributes"].get("email")
        yield item["id"], email.strip().lower() if email else None


def find_members(client: Client, list_id: str, keys: Sequence[str], *, full: bool = False) -> Iterator[Json]:
    """The profiles among the list's members that answer to these emails, a hundred a call. Raises ``list_gone``."""
    for condition in any_of("email", keys):
        params = {"filter": condition, "page[size]": str(PAGE)}
        if not full:
            params["fields[profile]"] = "email"
        yield from _of_list(client, list_id, params)


def find_profiles(client: Client, ids: Sequence[str]) -> Iterator[Json]:
    """The profiles with these ids that are still there, a hundred a call."""
    for condition in any_of("id", ids):
        params = {"filter": condition, "page[size]": str(PAGE), "fields[profile]": "email"}
        yield from client.pages(GET_PROFILES, params=params)


def _of_list(client: Client, list_id: str, params: Mapping[str, str]) -> Iterator[Json]:
    try:
        yield from client.pages(GET_MEMBERS, id=list_id, params=params)
    except Refusal as refusal:
        if refusal.decision is Decision.GONE:
            raise list_gone() from refusal
        raise


def any_of(field: str, values: Sequence[str]) -> Iterator[str]:
    """Conditions that any of these values meets, each with as many values as a page and an address hold."""
    waiting: list[str] = []
    room = FILTER_BYTES
    for value in values:
        text = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '",'
        size = len(quote(text, safe=""))
        if waiting and (len(waiting) == PAGE or size > room):
            yield f"any({field},[{''.join(waiting)[:-1]}])"
            waiting, room = [], FILTER_BYTES
        waiting.append(text)
        room -= size
    if waiting:
        yield f"any({field},[{''.join(waiting)[:-1]}])"


def primary_email(profile: Json) -> str:
    """The normalised address that a profile shows; empty where it has none."""
    return (profile["attributes"].get("email") or "").strip().lower()


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
        for future in [pool.submit(copy_context().run, remover.remove, part, span) for part, span in todo]:
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
        self._shared: set[str] = set()
        """Addresses of people who are wanted under another one than the one that left."""
        self._kept: set[str] = set()
        """Leavers whom somebody wants again."""

    def remove(self, part: Part, span: Sequence[Leaver]) -> None:
        """Remove one span."""
        keys = [leaver.key for leaver in span if leaver.id is None]
        strangers = self._strangers([leaver for leaver in span if leaver.id])
        members = self._look_up(keys)
        try:
            self._delete([*members, *self._moved(keys, members), *strangers])
        except Refusal as refusal:
            if refusal.decision not in (Decision.GONE, Decision.ROW_ERROR):
                raise
            self._again(keys, strangers, refusal)
        self._work.ledger.mark(part, PartState.COMPLETE)
        with self._lock:
            self.done += len(span)
            done = self.done
        self._progress.advance("remove", done)

    def _again(self, keys: Sequence[str], strangers: Sequence[str], refusal: Refusal) -> None:
        """An id was stale: ask for all of them anew, once."""
        self._work.ledger.forget_ids(keys)
        fresh = [*self._look_up(keys), *(item["id"] for item in find_profiles(self._client, strangers))]
        if not fresh and refusal.decision is Decision.ROW_ERROR:
            raise refusal.as_error() from refusal
        try:
            self._delete(fresh)
        except Refusal as again:
            if again.decision is Decision.GONE:
                raise list_gone() from again
            raise again.as_error(code="remove_refused") from again

    def _look_up(self, keys: Sequence[str]) -> dict[str, str]:
        """Id -> address of the members that answer to these keys and that the query does not want under another one."""
        return self._leaving(keys, find_members(self._client, self._work.list_id, keys))

    def _moved(self, keys: Sequence[str], members: dict[str, str]) -> dict[str, str]:
        """The same for people whose address is another one at Klaviyo now, by the ids that were kept of them."""
        answered = set(members.values())
        kept = self._work.ledger.known_ids([key for key in keys if key not in answered])
        profiles = list(find_profiles(self._client, list(kept.values())))
        there = {item["id"] for item in profiles}
        self._work.ledger.forget_ids([key for key, profile_id in kept.items() if profile_id not in there])
        return self._leaving(keys, profiles)

    def _leaving(self, keys: Sequence[str], profiles: Iterable[Json]) -> dict[str, str]:
        """A profile may answer to several addresses; it stays while somebody wants the one that it shows."""
        found = {item["id"]: primary_email(item) for item in profiles}
        wanted = self._wanted(set(found.values()), keys)
        return {profile_id: email for profile_id, email in found.items() if email not in wanted}

    def _wanted(self, shown: Collection[str], leaving: Collection[str]) -> frozenset[str]:
        """Who of the people that show these addresses stays. Leavers are asked about too: since they were staged another
        orchestration may have sent them to the list."""
        wanted = self._work.still_wanted(sorted(shown)) if shown else frozenset()
        with self._lock:
            self._kept |= wanted & set(leaving)
            self._shared |= wanted - set(leaving)
        return wanted

    def _strangers(self, span: Sequence[Leaver]) -> list[str]:
        """The ids of those whom nobody has sent in the meantime."""
        keys = {leaver.key for leaver in span if leaver.key}
        wanted = self._wanted(keys, keys)
        return [leaver.id for leaver in span if leaver.id and leaver.key not in wanted]

    def _delete(self, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), IDS_A_CALL):
            body = {"data": [{"type": "profile", "id": i} for i in ids[start : start + IDS_A_CALL]]}
            self._client.call(REMOVE_MEMBERS, id=self._work.list_id, body=body, rows=len(body["data"]))

    def warnings(self) -> tuple[str, ...]:
        """What the user should know; people who left by themselves are no reason to worry."""
        told = []
        if self._shared:
            stay = counted(len(self._shared), "person stays", "people stay")
            told.append(f"{stay}: one of their addresses left the query, another is still in it.")
        if self._kept:
            stay = counted(len(self._kept), "person who left stays", "people who left stay")
            told.append(f"{stay} on the list: another orchestration has sent them there since.")
        return tuple(told)
