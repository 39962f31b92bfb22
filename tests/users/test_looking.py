"""Whoever looks at people's data leaves a line in the activity log, and nobody's data in it."""

from __future__ import annotations

import threading
from contextlib import closing

import duckdb
import pytest

from klaviyo_emulator import serve
from segue.delivery.progress import Quiet
from segue.services import editing
from segue.services.audit import audit_page, export_audit
from segue.services.exchanges import exchange_heads, exchanges, run_requests
from segue.services.history import history
from segue.services.permissions import NotPermittedError, Policy
from segue.services.previews import preview
from segue.services.queries import answering, find_query
from segue.services.rejects import rejects
from segue.settings import Settings
from segue.workflow.run import Runner
from segue.workflow.sync import plan

from .conftest import somebody

PERSON = "ana@mail.shop"


@pytest.fixture
def office(workspace, tmp_path):
    """A workspace that can run, with its settings."""
    with closing(duckdb.connect(str(tmp_path / "shop.duckdb"))) as connection:
        connection.execute(f"CREATE TABLE People AS SELECT '{PERSON}' AS email UNION ALL SELECT 'no address'")
    with serve(limit_scale=0) as emulator:
        for kind, entry in (
            ("databases", {"engine": "duckdb", "path": str(tmp_path / "shop.duckdb")}),
            ("credentials", {"type": "klaviyo", "api_key": "pk_test", "base_url": emulator.url}),
            ("queries", {"database": "x", "status": "active", "sql": f"SELECT email FROM People -- {PERSON}"}),
            ("destinations", {"plugin": "klaviyo", "credential": "x"}),
            ("data_templates", {"destination": "x", "list_name": "L"}),
            ("orchestrations", {"query": "x", "destination": "x", "data_template": "x"}),
        ):
            editing.create(workspace, kind, {"name": "x", **entry})
        yield workspace, Settings.from_env({"SEGUE_HOME": str(workspace.layout.home), "SEGUE_RATE_SCALE": "0"})


def test_looking_is_written_down_without_whom(office):
    workspace, settings = office
    acting = workspace.acting_as(somebody(Policy.OPERATOR))
    runner = Runner(workspace=acting, settings=settings, progress=Quiet(), stop=threading.Event())
    with workspace.catalog.session(read_only=True) as session:
        query = find_query(session, "x")
    plan(runner, "x")
    run = runner.run("x", allowed=("max_reject_share",)).run
    preview(query, settings, workspace=acting)
    with answering(query, settings, workspace=acting, download=True) as reader:
        reader.read_all()
    assert len(list(rejects(acting, run.id))) == 1
    assert len(exchanges(acting, run.id, number=1)) == 1
    assert exchange_heads(acting, run.id)
    assert run_requests(acting, run.id).lines
    assert len(history(acting, settings, PERSON)) == 1
    lines = {line.action: line for line in audit_page(workspace, actor="somebody")}
    told = {action: (line.subject, line.after) for action, line in lines.items()}
    assert told == {
        "run.plan": ("x", None),
        "run.start": ("x", {"allowed": ["max_reject_share"]}),
        "query.run": ("x", {"database": "x", "rows": 101}),
        "query.download": ("x", {"database": "x"}),
        "rejects.read": ("x", {"run": run.id}),
        # Times, paths and statuses name nobody: no line of them.
        "exchanges.read": ("x", {"run": run.id, "number": 1}),
        "history.read": (None, {"runs": 1}),
    }
    assert PERSON not in "".join(map(str, lines.values()))
    list(export_audit(workspace))
    assert audit_page(workspace, limit=1)[0].action == "audit.export"


def test_a_look_that_was_refused_is_no_look(office):
    workspace, settings = office
    acting = workspace.acting_as(somebody(Policy.VIEWER))
    with workspace.catalog.session(read_only=True) as session:
        query = find_query(session, "x")
    with pytest.raises(NotPermittedError):
        preview(query, settings, workspace=acting)
    assert audit_page(workspace, actor="somebody") == ()
