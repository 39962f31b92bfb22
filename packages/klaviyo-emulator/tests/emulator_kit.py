"""What the tests of the emulator share: a bare client and the bodies that they send most."""

from __future__ import annotations

from typing import Any

import httpx

from klaviyo_emulator import EmulatorAdmin

START = 1_784_109_600.0
"""2026-07-15T10:00:00+00:00: where the clock of the tests stands still."""

HEADERS = {
    "authorization": "Klaviyo-API-Key pk_test",
    "revision": "2026-07-15",
    "content-type": "application/vnd.api+json",
}


class Api:
    """A bare client of the emulated API, with the bodies that the tests send most."""

    def __init__(self, client: httpx.Client, admin: EmulatorAdmin) -> None:
        self.client = client
        self.admin = admin

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.client.get(f"/api{path}", params=query)

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        if body is not None:
            options["json"] = body
        return self.client.request(method, f"/api{path}", **options)

    def create_list(self, name: str, **attributes: Any) -> str:
        body = {"data": {"type": "list", "attributes": {"name": name, **attributes}}}
        answer = self.send("POST", "/lists", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["data"]["id"])

    def submit(self, rows: list[dict[str, Any]], *list_ids: str) -> httpx.Response:
        body: dict[str, Any] = {"data": {"type": "profile-bulk-import-job", "attributes": {"profiles": {"data": rows}}}}
        if list_ids:
            lists = [{"type": "list", "id": key} for key in list_ids]
            body["data"]["relationships"] = {"lists": {"data": lists}}
        return self.send("POST", "/profile-bulk-import-jobs", body)

    def run_job(self, rows: list[dict[str, Any]], *list_ids: str) -> str:
        """Submit and process; the id of the job."""
        answer = self.submit(rows, *list_ids)
        assert answer.status_code == 202, answer.text
        self.admin.settle()
        return str(answer.json()["data"]["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        attributes: dict[str, Any] = self.get(f"/profile-bulk-import-jobs/{job_id}").json()["data"]["attributes"]
        return attributes

    def import_errors(self, job_id: str) -> list[dict[str, Any]]:
        data = self.get(f"/profile-bulk-import-jobs/{job_id}/import-errors").json()["data"]
        return [error["attributes"] for error in data]

    def import_profile(self, attributes: dict[str, Any], **data: Any) -> httpx.Response:
        return self.send("POST", "/profile-import", {"data": {"type": "profile", "attributes": attributes, **data}})

    def patch_profile(self, key: str, attributes: dict[str, Any], **data: Any) -> httpx.Response:
        body = {"data": {"type": "profile", "id": key, "attributes": attributes, **data}}
        return self.send("PATCH", f"/profiles/{key}", body)

    def change_members(self, method: str, list_id: str, ids: list[str]) -> httpx.Response:
        body = {"data": [{"type": "profile", "id": key} for key in ids]}
        return self.send(method, f"/lists/{list_id}/relationships/profiles", body)

    def pages(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """All resources of all pages, by following ``links.next``."""
        answer, found = self.get(path, **query).json(), []
        while True:
            found += answer["data"]
            if answer["links"]["next"] is None:
                return found
            answer = self.client.get(answer["links"]["next"]).json()


def row(email: str | None = None, /, meta: Any = None, **attributes: Any) -> dict[str, Any]:
    """A row of a bulk job."""
    if email is not None:
        attributes["email"] = email
    made: dict[str, Any] = {"type": "profile", "attributes": attributes}
    if meta is not None:
        made["meta"] = meta
    return made


def problem(answer: httpx.Response) -> dict[str, Any]:
    """The first error of a refusal."""
    error: dict[str, Any] = answer.json()["errors"][0]
    return error
