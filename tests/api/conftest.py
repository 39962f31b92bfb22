from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from klaviyo_emulator import serve
from klaviyo_emulator.server import Running
from segue.api import create_app
from segue.services.permissions import Scope
from segue.services.tokens import create_token
from segue.services.workspace import Workspace, open_workspace
from segue.settings import Settings
from tests.api.hands import Hands
from tests.workspaces import new_workspace

NAME = "People to Klaviyo"
KEY = "pk_test"
SQL = "SELECT email, first_name FROM People"


@dataclass
class Office:
    """A workspace behind the API, with a token for each scope."""

    folder: Path
    workspace: Workspace
    settings: Settings
    app: FastAPI
    http: httpx.Client
    url: str
    tokens: dict[Scope, str] = field(default_factory=dict)

    def token(self, scope: Scope) -> str:
        if scope not in self.tokens:
            self.tokens[scope] = create_token(self.workspace, f"of {scope}", [scope], days=1)[1].reveal()
        return self.tokens[scope]

    def bearer(self, scope: Scope = Scope.ADMIN) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(scope)}"}

    def call(self, method: str, path: str, *, scope: Scope = Scope.ADMIN, **options: Any) -> Any:
        headers = {**self.bearer(scope), **options.pop("headers", {})}
        return self.http.request(method, path, headers=headers, **options)

    def make(self, kind: str, **entry: Any) -> Any:
        answer = self.call("POST", f"/api/v1/{kind}", json=entry)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def configure(self, *, url: str = "http://127.0.0.1:9", sql: str = SQL, **template: Any) -> None:
        """Everything that a run needs, through the API."""
        self.make("databases", name="shop", engine="duckdb", path=str(self.folder / "shop.duckdb"))
        self.make("credentials", name="klaviyo", type="klaviyo", api_key=KEY, base_url=url)
        self.make("queries", name="People", database="shop", status="active", sql=sql)
        self.make("destinations", name="Klaviyo", plugin="klaviyo", credential="klaviyo")
        self.make(
            "data-templates", name="Full", destination="Klaviyo", list_name="People", use_full_profile=True, **template
        )
        self.make("orchestrations", name=NAME, query="People", destination="Klaviyo", data_template="Full")

    def people(self, *emails: str) -> None:
        with duckdb.connect(str(self.folder / "shop.duckdb")) as connection:
            connection.execute("CREATE OR REPLACE TABLE People (email VARCHAR, first_name VARCHAR)")
            for email in emails:
                connection.execute("INSERT INTO People VALUES (?, 'Ana')", [email])

    def ended(self, run_id: str) -> Any:
        """The run once it has ended: its event stream ends with it."""
        self.call("GET", f"/api/v1/runs/{run_id}/events")
        return self.call("GET", f"/api/v1/runs/{run_id}").json()

    def run(self, **order: Any) -> Any:
        answer = self.call("POST", f"/api/v1/orchestrations/{NAME}/runs", json=order)
        assert answer.status_code == 202, answer.text
        return self.ended(answer.json()["run_id"])


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The application behind a real server; its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # who connects before the server has started waits here
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    settings = Settings.from_env({"SEGUE_HOME": str(tmp_path / "home"), "SEGUE_RATE_SCALE": "0"})
    new_workspace(settings)
    workspace = open_workspace(settings)
    app = create_app(workspace, settings, starter=Hands(workspace, settings))
    with serving(app) as url, httpx.Client(base_url=url, timeout=60) as http:
        made = Office(folder=tmp_path, workspace=workspace, settings=settings, app=app, http=http, url=url)
        made.people()
        yield made
    workspace.close()


@pytest.fixture
def emulator() -> Iterator[Running]:
    with serve(limit_scale=0) as running:
        yield running


@pytest.fixture
def shop(office: Office, emulator: Running) -> Office:
    """Configured, with two people."""
    office.people("ana@mail.shop", "bo@mail.shop")
    office.configure(url=emulator.url)
    return office
