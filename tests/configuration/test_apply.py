from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from segue.errors import BusyError, StateError
from segue.security import Secret, SecretBox
from segue.services.configuration import ConfigurationError, apply_files
from segue.services.configuration.state import read_state
from segue.services.workspace import Workspace


def actions(report):
    return {(change.kind, change.name): change.action for change in report.changes}


def fields(report, name):
    change = next(change for change in report.changes if change.name == name)
    return {field.name: (field.old, field.new) for field in change.fields}


def state(site):
    with site.workspace.catalog.session(read_only=True) as session:
        return read_state(session, site.workspace.box)


def test_the_documented_form_is_saved_whole(site, example, key):
    report = site.apply(example)
    assert report.applied
    assert report.warnings == ()
    assert actions(report) == {
        ("databases", "customer360"): "create",
        ("databases", "lake"): "create",
        ("credentials", "klaviyo"): "create",
        ("queries", "Loyalty"): "create",
        ("destinations", "Klaviyo"): "create",
        ("data_templates", "Email only"): "create",
        ("data_templates", "Full profile"): "create",
        ("orchestrations", "Loyalty to Klaviyo"): "create",
    }
    saved = state(site)
    assert saved["databases"]["customer360"].path == str(site.folder / "customer360.duckdb")
    assert saved["databases"]["lake"].tables == {
        "Merged_Customers": f"{site.folder}/mc/*.parquet",
        "Orders": f"{site.folder}/orders.csv",
    }
    assert saved["credentials"]["klaviyo"].api_key == Secret(key)
    assert saved["credentials"]["klaviyo"].base_url == "http://127.0.0.1:9800"
    assert saved["queries"]["Loyalty"].sql == "SELECT email AS email FROM Customer360"
    assert saved["queries"]["Loyalty"].status == "active"
    assert saved["destinations"]["Klaviyo"].description == "Main account"
    assert saved["data_templates"]["Full profile"].settings() == {"list_name": "Loyalty", "use_full_profile": True}
    assert saved["orchestrations"]["Loyalty to Klaviyo"].data_template == "Full profile"


def test_a_second_apply_changes_nothing_and_writes_nothing(site, example):
    site.apply(example)
    before = (site.workspace.layout.database.read_bytes(), state(site))
    report = site.apply(example)
    assert set(actions(report).values()) == {"unchanged"}
    assert not report.changed
    assert (site.workspace.layout.database.read_bytes(), state(site)) == before


def test_a_dry_run_shows_the_changes_and_saves_none(site, example):
    report = site.apply(example, dry_run=True)
    assert report.changed
    assert not report.applied
    assert all(not entries for entries in state(site).values())


def test_an_update_names_the_fields_before_and_after_and_keeps_the_id(site, draft):
    site.apply(draft)
    with closing(sqlite3.connect(site.workspace.layout.database)) as connection:
        before = connection.execute("SELECT id FROM data_templates ORDER BY name").fetchall()
    changed = draft.replace("list_name: Loyalty}", "list_name: Fans, nulls: keep}")
    report = site.apply(changed)
    assert {name for (_, name), action in actions(report).items() if action == "update"} == {"Email only"}
    assert fields(report, "Email only") == {"list_name": ("Loyalty", "Fans"), "nulls": (None, "keep")}
    with closing(sqlite3.connect(site.workspace.layout.database)) as connection:
        assert connection.execute("SELECT id FROM data_templates ORDER BY name").fetchall() == before


def test_a_setting_that_leaves_the_file_leaves_the_workspace(site, draft):
    site.apply(draft.replace("list_name: Loyalty}", "list_name: Loyalty, nulls: keep}"))
    assert fields(site.apply(draft), "Email only") == {"nulls": ("keep", None)}
    assert state(site)["data_templates"]["Email only"].settings() == {"list_name": "Loyalty"}


def test_an_override_of_null_differs_from_none(site, draft):
    base = draft.replace("workflow: manual}", "workflow: manual, settings: {phone_region: null}}")
    site.apply(draft)
    report = site.apply(base)
    assert actions(report)["orchestrations", "Loyalty to Klaviyo"] == "update"
    assert state(site)["orchestrations"]["Loyalty to Klaviyo"].overrides() == {"phone_region": None}
    assert not site.apply(base).changed


def test_a_changed_secret_is_an_update_that_shows_neither(site, draft):
    site.apply(draft)
    report = site.apply(draft, environ={"KLAVIYO_API_KEY": "pk_another"})
    assert fields(report, "klaviyo") == {"api_key": (Secret("pk_0123456789abcdef"), Secret("pk_another"))}
    assert "pk_" not in repr(report)
    assert state(site)["credentials"]["klaviyo"].api_key == Secret("pk_another")


def test_an_unset_variable_keeps_the_stored_key(site, draft, key):
    site.apply(draft)
    assert not site.apply(draft, environ={}).changed
    assert state(site)["credentials"]["klaviyo"].api_key == Secret(key)


@pytest.mark.parametrize("address", ["http://127.0.0.1:9801", "https://elsewhere.example"])
def test_a_stored_key_does_not_go_to_another_address(site, draft, address):
    site.apply(draft)
    changed = draft.replace("http://127.0.0.1:9800", address)
    with pytest.raises(ConfigurationError, match=r":6:\d+: .*key must be given again: .*KLAVIYO_API_KEY is not set"):
        site.apply(changed, environ={})
    assert state(site)["credentials"]["klaviyo"].base_url == "http://127.0.0.1:9800"
    assert fields(site.apply(changed), "klaviyo") == {"base_url": ("http://127.0.0.1:9800", address)}


def test_a_stored_key_does_not_go_back_to_the_usual_address_either(site, draft):
    site.apply(draft)
    with pytest.raises(ConfigurationError, match="goes to another address"):
        site.apply(draft.replace(', base_url: "http://127.0.0.1:9800"', ""), environ={})


def test_an_unset_variable_of_a_new_credential_is_a_mistake(site, draft):
    with pytest.raises(ConfigurationError, match=r":6:45: the environment variable KLAVIYO_API_KEY is not set"):
        site.apply(draft, environ={})


def test_secrets_are_not_in_the_files_of_the_workspace(site, example, key):
    site.apply(example)
    for file in site.workspace.layout.home.rglob("*"):
        if file.is_file():
            assert key.encode() not in file.read_bytes()


def test_a_literal_key_works_with_a_warning_at_its_place(site, draft, key):
    report = site.apply(draft.replace("${KLAVIYO_API_KEY}", key))
    assert [str(warning).partition(": ")[0] for warning in report.warnings if "API key" in warning.message] == [
        f"{site.folder}/segue.yaml:6:45"
    ]
    assert key not in str(report.warnings)
    assert state(site)["credentials"]["klaviyo"].api_key == Secret(key)


def test_plain_http_to_another_machine_warns(site, draft):
    for host, expected in [("klaviyo.internal:80", 1), ("127.0.0.1:9800", 0), ("localhost", 0), ("[::1]:9800", 0)]:
        text = draft.replace("http://127.0.0.1:9800", f"http://{host}")
        report = site.apply(text, dry_run=True)
        assert len([warning for warning in report.warnings if "unencrypted" in warning.message]) == expected, host


def test_an_orchestration_of_a_draft_warns(site, draft):
    warnings = [str(warning) for warning in site.apply(draft).warnings]
    assert len(warnings) == 1
    assert ":18:39: " in warnings[0]
    assert "is a draft" in warnings[0]


def test_files_are_checked_together_in_any_order(site, draft):
    head, middle, tail = draft.partition("data_templates:")
    report = site.apply("version: 1\n" + middle + tail, head)
    assert len(report.changes) == 8
    assert not site.apply(draft).changed


def test_a_file_may_refer_to_what_the_workspace_holds(site, draft):
    site.apply(draft)
    more = "version: 1\ndata_templates:\n  - {name: Third, destination: Klaviyo, list_name: Third}\n"
    assert actions(site.apply(more)) == {("data_templates", "Third"): "create"}
    assert len(state(site)["data_templates"]) == 3


def test_nothing_is_deleted_without_prune(site, draft):
    site.apply(draft)
    small = draft.partition("data_templates:")[0]
    assert set(actions(site.apply(small)).values()) == {"unchanged"}
    report = site.apply(small, prune=True)
    assert [(change.kind, change.name) for change in report.changes if change.action == "delete"] == [
        ("orchestrations", "Loyalty to Klaviyo"),
        ("data_templates", "Email only"),
        ("data_templates", "Full profile"),
    ]
    assert not state(site)["orchestrations"]
    assert not site.apply(small, prune=True).changed


def test_prune_refuses_what_the_files_still_refer_to(site, draft):
    site.apply(draft)
    only = "version: 1\ndata_templates:\n  - {name: Third, destination: Klaviyo, list_name: Third}\n"
    with pytest.raises(ConfigurationError, match='no destination "Klaviyo"'):
        site.apply(only, prune=True)
    assert len(state(site)["data_templates"]) == 2


def test_one_mistake_saves_nothing_of_any_file(site, draft):
    with pytest.raises(ConfigurationError):
        site.apply(draft, "version: 1\nqueries:\n  - {name: Bad, database: nowhere, sql: SELECT 1}\n")
    assert all(not entries for entries in state(site).values())


def test_another_key_refuses_the_workspace_instead_of_mixing_keys(site, draft):
    site.apply(draft)
    other = Workspace(
        layout=site.workspace.layout,
        catalog=site.workspace.catalog,
        locks=site.workspace.locks,
        box=SecretBox(Secret("A" * 43 + "=")),
    )
    file = site.write("version: 1\ncredentials:\n  - {name: second, type: klaviyo, api_key: '${KLAVIYO_API_KEY}'}\n")
    with pytest.raises(StateError, match='credential "klaviyo"'):
        apply_files(other, [file], environ={"KLAVIYO_API_KEY": "pk_x"})
    assert list(state(site)["credentials"]) == ["klaviyo"]


def test_a_change_by_somebody_else_meanwhile_is_noticed(site, draft):
    file = site.write(draft)

    def meanwhile(workspace):
        session = workspace.catalog.session

        def write_first(*, read_only=False):
            if not read_only:
                with closing(sqlite3.connect(workspace.layout.database)) as other:
                    other.execute(
                        "INSERT INTO databases VALUES ('1', 'new', '2026-01-01', '2026-01-01', 'duckdb', '/x', '{}', '[]')"
                    )
                    other.commit()
            return session(read_only=read_only)

        return write_first

    site.workspace.catalog.session = meanwhile(site.workspace)
    with pytest.raises(BusyError) as caught:
        apply_files(site.workspace, [file], environ={"KLAVIYO_API_KEY": "pk_x"})
    del site.workspace.catalog.session
    assert caught.value.code == "configuration_changed"
    assert list(state(site)["databases"]) == ["new"]


def test_relative_paths_start_at_the_folder_of_the_file(site, monkeypatch, tmp_path_factory):
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    (site.folder / "sub").mkdir()
    file = site.write(
        "version: 1\ndatabases:\n  - {name: a, engine: duckdb, path: ../x.duckdb}\n"
        "  - {name: b, engine: duckdb, path: /abs/y.duckdb}\n  - {name: c, engine: duckdb, tables: {t: '*.csv', u: ~/u.csv}}\n",
        "sub/segue.yaml",
    )
    apply_files(site.workspace, [file], environ={})
    databases = state(site)["databases"]
    assert Path(databases["a"].path) == site.folder / "x.duckdb"
    assert databases["b"].path == "/abs/y.duckdb"
    assert databases["c"].tables == {"t": f"{site.folder}/sub/*.csv", "u": "/home/ada/u.csv"}
