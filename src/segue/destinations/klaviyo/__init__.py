"""The Klaviyo plug-in: lists and profiles over the API with a private key."""

from __future__ import annotations

from collections.abc import Sequence

from segue.audience.delta import Delta
from segue.delivery.budget import RateBudget
from segue.destinations.contract import Account, Connection, Destination, Estimate, Outcome, Plugin, TargetList, Work
from segue.destinations.klaviyo import account as accounts
from segue.destinations.klaviyo import clears, confirm, estimate, lists, members, readback, submit, windows
from segue.destinations.klaviyo.client import Client, fingerprint
from segue.destinations.klaviyo.fields import FIELDS, WELL_KNOWN
from segue.destinations.klaviyo.limits import BASE_URL, CHUNK_LIMITS

__all__ = ["Klaviyo", "plugin"]


class Klaviyo:
    """An open Klaviyo account. See ``contract.Destination`` for what each method promises."""

    fields = FIELDS
    chunk_limits = CHUNK_LIMITS

    def __init__(self, connection: Connection) -> None:
        self._progress = connection.progress
        self._base_url = connection.base_url or BASE_URL
        self._scale = connection.rate_scale
        self._share_of = connection.share_of
        ours = windows.of_key(fingerprint(self._base_url, connection.secret), scale=self._scale)
        if connection.account_id is not None:
            # What goes on in the middle of a run need not ask whose the key is before it calls.
            ours.allow(self._share_of(connection.account_id))
        self._budget = RateBudget(ours, pause=connection.pause, on_wait=connection.progress.waiting)
        self._client = Client(
            base_url=self._base_url,
            secret=connection.secret,
            credential=connection.credential,
            budget=self._budget,
            recorder=connection.recorder,
        )

    def account(self) -> Account:
        """Who the key belongs to."""
        account = accounts.find_account(self._client)
        mark = f"{self._base_url} {account.id}"
        shared = windows.joined(self._client.fingerprint, mark, scale=self._scale)
        shared.allow(self._share_of(account.id))
        self._budget.share(shared)
        return account

    def check(self) -> tuple[str, ...]:
        """Which rights the key lacks."""
        return accounts.missing_rights(self._client)

    def find_list(self, name: str, known_id: str | None) -> TargetList:
        """By stored id, else by name."""
        return lists.find_list(self._client, name, known_id)

    def list_names(self) -> tuple[str, ...]:
        """Of the lists that were changed last."""
        return lists.list_names(self._client)

    def make_list(self, name: str) -> TargetList:
        """Make the list."""
        return lists.make_list(self._client, name)

    def estimate(self, delta: Delta, *, removes: int, strangers: int, read_back: int, new_list: bool) -> Estimate:
        """Requests, bytes, minutes."""
        return estimate.estimate(
            delta,
            removes=removes,
            strangers=strangers,
            read_back=read_back,
            new_list=new_list,
            made=self.requests(),
            share=self._budget.allowed,
        )

    def members(self, list_id: str) -> Sequence[tuple[str, str | None]]:
        """Every member."""
        return list(members.all_members(self._client, list_id))

    def member_ids(self, list_id: str, keys: Sequence[str]) -> frozenset[str]:
        """Ids of the members that answer to these emails."""
        return frozenset(item["id"] for item in members.find_members(self._client, list_id, keys))

    def send(self, work: Work) -> Outcome:
        """Submit bulk import jobs."""
        return submit.send(self._client, work, self._progress)

    def confirm(self, work: Work) -> Outcome:
        """Wait for the jobs and read their errors."""
        return confirm.confirm(self._client, work, self._progress)

    def clear(self, work: Work) -> Outcome:
        """Clear standard fields one by one."""
        return clears.clear(self._client, work, self._progress)

    def remove(self, work: Work) -> Outcome:
        """Take members off the list."""
        return members.remove(self._client, work, self._progress)

    def count_members(self, list_id: str, *, at_least: int) -> int | None:
        """How many the list has."""
        return readback.count_members(self._client, list_id, at_least=at_least)

    def read_back(self, work: Work, sample: int) -> Outcome:
        """Compare a sample."""
        return readback.read_back(self._client, work, sample, self._progress)

    def requests(self) -> dict[str, int]:
        """Requests made so far."""
        return dict(self._budget.calls)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _open(connection: Connection) -> Destination:
    return Klaviyo(connection)


plugin = Plugin(
    name="klaviyo",
    credential="klaviyo",
    fields=FIELDS,
    well_known=WELL_KNOWN,
    open=_open,
    title="Klaviyo",
    summary="Lists and profiles, with a private API key.",
)
