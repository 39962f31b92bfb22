from __future__ import annotations

from typing import Any

import duckdb
import pytest
import typer

from docs.make_permissions import reference
from segue.cli.access import COMMANDS
from segue.cli.main import build
from segue.services import editing
from segue.services.audit import audit_page
from segue.services.configuration import KINDS
from segue.services.history import history
from segue.services.permissions import (
    EDITS,
    LOCAL,
    NOBODY,
    PERMISSIONS,
    SYSTEM,
    Actor,
    NotPermittedError,
    Option,
    Policy,
    Scope,
)
from segue.services.queries import SavedQuery, answering, find_database
from segue.services.rejects import rejects
from segue.settings import Settings
from segue.workflow.requests import request_run, request_stop
from tests.docs.pages import ROOT

from .conftest import somebody

# What the policies are for, written down once more by hand.
VIEWER = {"configuration.read", "runs.read", "people.read", "tokens.own"}
ACTIVATOR = VIEWER | {
    "queries.run",
    "queries.edit",
    "orchestrations.edit",
    "runs.start",
    "runs.stop",
    "signals.send",
    "connections.check",
}
OPERATOR = ACTIVATOR | {
    "runs.allow_fuses",
    "destinations.edit",
    "destinations.admin_only",
    "alerts.edit",
    "databases.edit",
    "credentials.edit",
}
ADMINISTRATOR = OPERATOR | {"tokens.manage", "users.manage", "settings.edit", "audit.read"}


@pytest.mark.parametrize(
    ("policy", "held"),
    [
        (Policy.VIEWER, VIEWER),
        (Policy.ACTIVATOR, ACTIVATOR),
        (Policy.OPERATOR, OPERATOR),
        (Policy.ADMINISTRATOR, ADMINISTRATOR),
    ],
)
def test_each_policy_holds_what_it_is_for(policy, held):
    assert somebody(policy).permissions == held


def test_nobody_may_nothing_and_the_local_operator_everything():
    assert NOBODY.permissions == frozenset()
    assert LOCAL.permissions == SYSTEM.permissions == frozenset(PERMISSIONS)


def test_run_only_takes_everything_away_that_configures():
    held = somebody(Policy.ADMINISTRATOR, Option.RUN_ONLY).permissions
    assert {"runs.start", "runs.stop", "configuration.read", "people.read"} <= held
    assert not [name for name in held if name.endswith(".edit") or "manage" in name]
    assert "queries.run" not in held


def test_user_administration_can_be_added_to_any_policy():
    for policy in Policy:
        assert somebody(policy, Option.USER_ADMIN).may("users.manage")
    assert not Actor(name="x", policy=None, options=frozenset({Option.USER_ADMIN})).may("users.manage")


def test_a_token_takes_away_and_never_adds():
    def speaking(policy: Policy, *scopes: Scope) -> Actor:
        return Actor(name="ana", policy=policy, token="ci", scopes=frozenset(scopes))

    assert not speaking(Policy.VIEWER, Scope.ADMIN).may("queries.edit")
    assert speaking(Policy.VIEWER, Scope.ADMIN).permissions == VIEWER
    assert not speaking(Policy.ADMINISTRATOR, Scope.READ).may("queries.edit")
    with pytest.raises(NotPermittedError, match='scope "configure"') as refused:
        speaking(Policy.ADMINISTRATOR, Scope.RUN).require("queries.edit")
    assert refused.value.code == "not_permitted"


def test_every_kind_of_configuration_has_its_permission():
    assert set(EDITS) == set(KINDS)
    assert set(EDITS.values()) <= set(PERMISSIONS)


def commands(group: Any, prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, command in group.commands.items():
        path = f"{prefix} {name}".strip()
        found |= commands(command, path) if hasattr(command, "commands") else {path}
    return found


def test_every_command_has_an_entry_and_the_table_names_no_other():
    assert commands(typer.main.get_command(build())) == set(COMMANDS)
    assert {name for name in COMMANDS.values() if name} <= set(PERMISSIONS)


def test_the_page_is_current():
    assert (ROOT / "docs/reference/permissions.md").read_text(encoding="utf-8") == reference()


ENTRIES: dict[str, dict[str, Any]] = {
    "databases": {"name": "d2", "engine": "duckdb", "tables": {"T": "t.csv"}},
    "credentials": {"name": "c2", "type": "klaviyo", "api_key": "pk_x"},
    "queries": {"name": "q2", "database": "shop", "sql": "SELECT 1"},
    "destinations": {"name": "p2", "plugin": "klaviyo", "credential": "klaviyo"},
    "data_templates": {"name": "t2", "destination": "Open", "list_name": "L"},
    "orchestrations": {"name": "o2", "query": "People", "destination": "Open", "data_template": "Open"},
    "orchestration_groups": {"name": "g2", "members": [{"orchestration": "Open"}]},
    "alerts": {"name": "a2", "url": "json://localhost", "when": ["failed"]},
}
OF = {
    Policy.VIEWER: VIEWER,
    Policy.ACTIVATOR: ACTIVATOR,
    Policy.OPERATOR: OPERATOR,
    Policy.ADMINISTRATOR: ADMINISTRATOR,
}


@pytest.fixture
def shop(workspace, tmp_path):
    """Configured with an open destination and one for operators only."""
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.execute("CREATE TABLE People AS SELECT 'ana@mail.shop' AS email")
    editing.create(workspace, "databases", {"name": "shop", "engine": "duckdb", "path": str(tmp_path / "shop.duckdb")})
    editing.create(workspace, "credentials", {"name": "klaviyo", "type": "klaviyo", "api_key": "pk_x"})
    editing.create(
        workspace,
        "queries",
        {"name": "People", "database": "shop", "status": "active", "sql": "SELECT email FROM People"},
    )
    for name, access in (("Open", {}), ("Closed", {"admin_only": True})):
        where = {"name": name, "plugin": "klaviyo", "credential": "klaviyo"}
        editing.create(workspace, "destinations", {**where, **access})
        editing.create(workspace, "data_templates", {"name": name, "destination": name, "list_name": name})
        editing.create(
            workspace,
            "orchestrations",
            {"name": name, "query": "People", "destination": name, "data_template": name},
        )
    return workspace


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("policy", Policy)
def test_a_kind_is_changed_by_those_who_may(shop, kind, policy):
    acting = shop.acting_as(somebody(policy))
    entry = ENTRIES[kind]
    if EDITS[kind] in OF[policy]:
        made = editing.create(acting, kind, entry)
        editing.delete(acting, kind, made.name, tag=made.tag)
        return
    with pytest.raises(NotPermittedError):
        editing.create(acting, kind, entry)
    thing = editing.list_configured(shop, kind)
    if thing:
        with pytest.raises(NotPermittedError):
            editing.delete(acting, kind, thing[-1].name, tag=None)
    assert [t.name for t in editing.list_configured(acting, kind)] == [t.name for t in thing]


@pytest.mark.parametrize("policy", Policy)
def test_whoever_may_not_is_refused_by_the_use_case_itself(shop, policy, tmp_path):
    acting, settings = shop.acting_as(somebody(policy)), Settings.from_env({"SEGUE_HOME": str(shop.layout.home)})
    with shop.catalog.session(read_only=True) as session:
        query = SavedQuery(name=None, sql="SELECT email FROM People", database=find_database(session, None))

    def rows() -> None:
        with answering(query, settings, workspace=acting) as reader:
            reader.read_all()

    for permission, act in {
        "queries.run": rows,
        "people.read": lambda: history(acting, settings, "ana@mail.shop"),
        "runs.start": lambda: request_run(acting, "Open"),
        "runs.stop": lambda: request_stop(acting, request_run(shop, "Open", when_busy="wait").run.id),
        "audit.read": lambda: audit_page(acting),
    }.items():
        if permission in OF[policy]:
            act()
        else:
            with pytest.raises(NotPermittedError):
                act()


def test_people_are_kept_from_nobody_at_all(shop):
    with pytest.raises(NotPermittedError):
        next(rejects(shop.acting_as(NOBODY), "x"))
    with pytest.raises(NotPermittedError):
        editing.list_configured(shop.acting_as(NOBODY), "queries")


def test_an_admin_only_destination_is_used_by_operators_and_administrators_alone(shop):
    activator = shop.acting_as(somebody(Policy.ACTIVATOR))
    with pytest.raises(NotPermittedError, match='"Closed" is for administrators'):
        request_run(activator, "Closed")
    with pytest.raises(NotPermittedError, match='"Closed" is for administrators'):
        editing.create(
            activator,
            "orchestrations",
            {"name": "mine", "query": "People", "destination": "Closed", "data_template": "Closed"},
        )
    with pytest.raises(NotPermittedError):
        editing.create(activator, "orchestration_groups", {"name": "g", "members": [{"orchestration": "Closed"}]})
    closed = editing.get_configured(activator, "orchestrations", "Closed")
    moved = {**closed.entry, "destination": "Open", "data_template": "Open"}
    with pytest.raises(NotPermittedError):
        editing.replace(activator, "orchestrations", "Closed", moved, tag=closed.tag)
    run = request_run(shop.acting_as(somebody(Policy.OPERATOR)), "Closed").run
    with pytest.raises(NotPermittedError):
        request_stop(activator, run.id)


def test_users_without_personal_data_use_only_destinations_that_allow_it(shop):
    restricted = shop.acting_as(somebody(Policy.OPERATOR, Option.RESTRICT_PII))
    with pytest.raises(NotPermittedError, match="personal data"):
        request_run(restricted, "Open")
    place = editing.get_configured(shop, "destinations", "Open")
    editing.replace(shop, "destinations", "Open", {**place.entry, "allow_restricted_pii": True}, tag=place.tag)
    request_run(restricted, "Open")


def test_allowing_a_fuse_takes_more_than_running(shop):
    from segue.workflow.requests import Options

    options = Options(allowed=("empty",))
    with pytest.raises(NotPermittedError, match="although a fuse blows"):
        request_run(shop.acting_as(somebody(Policy.ACTIVATOR)), "Open", options=options)
    request_run(shop.acting_as(somebody(Policy.OPERATOR)), "Open", options=options)
