"""A client of the administration, for tests and demos. Standard library only."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

TIMEOUT_SECONDS = 60.0

Json = dict[str, Any]


class AdminError(Exception):
    """The emulator refused; the text is its reason."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail


class EmulatorAdmin:
    """One emulator by its URL. Every call raises AdminError when it is refused, OSError when nobody listens.

    account: whose lists and profiles the calls mean; None: the first account.
    """

    def __init__(self, url: str, *, account: str | None = None) -> None:
        self.url = url.rstrip("/")
        self._netloc = urlsplit(url).netloc
        self._account = account

    def for_account(self, account: str) -> EmulatorAdmin:
        """The same emulator, another account."""
        return EmulatorAdmin(self.url, account=account)

    def settings(self, **changes: Any) -> Json:
        """Change the named switches and return all of them."""
        return self._call("PATCH", "/settings", changes) if changes else self._call("GET", "/settings")

    def fault(self, kind: str, endpoint: str = "* *", **options: Any) -> int:
        """Set a fault and return its id.

        kind: status, drop_before, drop_after, slow, cancel_job or non_json; endpoint: ``"POST /api/lists/{id}"``;
        options: status, body, retry_after, seconds, rows, count (1; None: without end), rate, seed, after.
        """
        method, _, template = endpoint.partition(" ")
        made = self._call("POST", "/faults", {"kind": kind, "method": method, "template": template, **options})
        return int(made["id"])

    def faults(self) -> list[Json]:
        """The faults that are set, with how often each has struck."""
        faults: list[Json] = self._call("GET", "/faults")["faults"]
        return faults

    def clear_faults(self) -> None:
        """Remove every fault."""
        self._call("DELETE", "/faults")

    def lists(self) -> list[Json]:
        """All lists as ``{id, name, count}``."""
        lists: list[Json] = self._call("GET", "/lists")["lists"]
        return lists

    def emails(self, name_or_id: str) -> list[str]:
        """The e-mails of a list's members as they truly are now, in the order of joining (None: without e-mail)."""
        emails: list[str] = self._call("GET", f"/lists/{quote(name_or_id, safe='')}/emails")["emails"]
        return emails

    def add_members(self, name_or_id: str, emails: list[str]) -> int:
        """Let people join a list, both made when they are not there; returns how many joined."""
        return int(self._call("POST", f"/lists/{quote(name_or_id, safe='')}/members", {"emails": emails})["changed"])

    def remove_members(self, name_or_id: str, emails: list[str]) -> int:
        """Let people leave a list; returns how many were in it."""
        return int(self._call("DELETE", f"/lists/{quote(name_or_id, safe='')}/members", {"emails": emails})["changed"])

    def profile(self, email: str) -> Json | None:
        """Everything about the person with this address or id; None when there is nobody."""
        try:
            found = self._call("GET", "/profiles", query={"email": email})["profiles"]
        except AdminError as error:
            if error.status == 404:  # noqa: PLR2004 -- the HTTP status
                return None
            raise
        return dict(found[0])

    def search(self, text: str = "", *, limit: int = 100) -> list[Json]:
        """The first profiles whose identifiers contain the text."""
        found: list[Json] = self._call("GET", "/profiles", query={"search": text, "limit": str(limit)})["profiles"]
        return found

    def change_profile(self, email: str, attributes: Json) -> Json:
        """Change a profile as somebody else would: absent leaves alone, null clears."""
        return self._call("PATCH", "/profiles", attributes, query={"email": email})

    def delete_profile(self, email: str) -> None:
        """Remove a person for good."""
        self._call("DELETE", "/profiles", query={"email": email})

    def merge(self, source: str, into: str) -> Json:
        """Merge one person (address or id) into another; returns the one that stays."""
        return self._call("POST", "/profiles/merge", {"source": source, "into": into})

    def seed(
        self,
        *,
        profiles: list[Json] | None = None,
        lists: dict[str, list[str]] | None = None,
        segments: dict[str, list[str]] | None = None,
    ) -> Json:
        """Profiles (attributes) and lists and segments (name to e-mails) in bulk."""
        body = {
            "profiles": profiles or [],
            "lists": [{"name": name, "emails": emails} for name, emails in (lists or {}).items()],
            "segments": [{"name": name, "emails": emails} for name, emails in (segments or {}).items()],
        }
        return self._call("POST", "/seed", body)

    def requests(self, *, limit: int = 100) -> Json:
        """Counters by endpoint and status, peaks, and the latest requests, newest first."""
        return self._call("GET", "/requests", query={"limit": str(limit)})

    def jobs(self) -> list[Json]:
        """The bulk import jobs, oldest first."""
        jobs: list[Json] = self._call("GET", "/jobs")["jobs"]
        return jobs

    def cancel_job(self, job_id: str) -> str:
        """Cancel a job that has not ended; returns its status."""
        return str(self._call("POST", f"/jobs/{quote(job_id, safe='')}/cancel")["status"])

    def events(self) -> list[Json]:
        """The events that were accepted."""
        events: list[Json] = self._call("GET", "/events")["events"]
        return events

    def state(self) -> Json:
        """Counts of everything in every account."""
        return self._call("GET", "/state")

    def add_account(self, account_id: str, *, name: str = "", timezone: str = "UTC") -> EmulatorAdmin:
        """A new empty account; returns the client for it."""
        self._call("POST", "/accounts", {"id": account_id, "name": name, "timezone": timezone})
        return self.for_account(account_id)

    def add_key(self, key: str, *, scopes: list[str] | None = None, kind: str = "private", app: str = "app") -> None:
        """A key of this account; scopes None: all; kind ``oauth``: a Bearer token of an app."""
        self._call("POST", "/keys", {"key": key, "scopes": scopes, "kind": kind, "app": app})

    def revoke_key(self, key: str) -> None:
        """Make a key unknown."""
        self._call("DELETE", "/keys", {"key": key})

    def advance(self, seconds: float) -> float:
        """Move the clock and process the jobs that became due; returns the new time in seconds."""
        return float(self._call("POST", "/clock", {"advance": seconds})["now"])

    def now(self) -> float:
        """The emulator's time in seconds since 1970."""
        return float(self._call("GET", "/clock")["now"])

    def settle(self) -> None:
        """Process every job that is due by now before returning."""
        self._call("POST", "/settle")

    def reset(self) -> None:
        """Back to the state of the start: empty account, switches of the start, no faults, no history."""
        self._call("POST", "/reset")

    def _call(self, method: str, path: str, body: Any = None, *, query: dict[str, str] | None = None) -> Json:
        parameters = dict(query or {})
        if self._account is not None:
            parameters["account"] = self._account
        target = f"/admin{path}" + (f"?{urlencode(parameters)}" if parameters else "")
        connection = HTTPConnection(self._netloc, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, target, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        try:
            value = json.loads(text)
        except ValueError:
            value = {"error": text.decode("utf-8", "replace")[:200]}
        if answer.status >= 400:  # noqa: PLR2004 -- where refusals begin
            raise AdminError(answer.status, str(value.get("error", "")))
        return dict(value)
