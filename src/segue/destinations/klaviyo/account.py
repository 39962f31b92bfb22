"""Whose account a key opens, and what it may do there."""

from __future__ import annotations

from segue.delivery.decider import Decision
from segue.destinations.contract import Account
from segue.destinations.klaviyo.client import Client
from segue.destinations.klaviyo.limits import CREATE_JOB, GET_ACCOUNTS, GET_JOBS, GET_LISTS, GET_PROFILES
from segue.destinations.klaviyo.refusals import Refusal
from segue.errors import CredentialError


def find_account(client: Client) -> Account:
    """The account's id and the name of its organisation. A key without accounts:read still works: it is then known by
    what it opens, and a note says so. Raises CredentialError for a refused key."""
    try:
        answer = client.call(GET_ACCOUNTS)
    except CredentialError as error:
        if error.code != "scope_missing":
            raise
        return Account(
            id=f"key-{client.fingerprint}", name="", note="The key lacks accounts:read, so its account cannot be shown."
        )
    [account] = answer.body["data"]
    contact = account["attributes"].get("contact_information") or {}
    return Account(id=account["id"], name=contact.get("organization_name") or "")


def missing_rights(client: Client) -> tuple[str, ...]:
    """Try every scope that a run needs. Nothing is written: the writing scopes are shown by an empty job, which Klaviyo
    refuses as invalid when the scope is there."""
    missing = []
    probes = [(GET_LISTS, None), (GET_PROFILES, None), (GET_JOBS, None), (CREATE_JOB, _EMPTY_JOB)]
    for endpoint, body in probes:
        params = {"page[size]": "1"} if body is None else None
        try:
            client.call(endpoint, params=params, body=body)
        except CredentialError as error:
            if error.code != "scope_missing":
                raise
            missing.append(error.message)
        except Refusal as refusal:
            if refusal.decision is not Decision.ROW_ERROR:
                raise refusal.as_error() from refusal
    return tuple(missing)


_EMPTY_JOB = {"data": {"type": "profile-bulk-import-job", "attributes": {"profiles": {"data": []}}}}
