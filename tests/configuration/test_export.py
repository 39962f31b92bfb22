from __future__ import annotations

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.services.configuration import apply_files, export_yaml
from segue.services.configuration.export import key_variables

RICH = """\
version: 1
databases:
  - {name: customer360, engine: duckdb, path: ./customer360.duckdb}
  - {name: lake, engine: duckdb, tables: {t: './a/*.parquet', u: /elsewhere/u.csv}}
credentials:
  - {name: Main account, type: klaviyo, api_key: "${KLAVIYO_API_KEY}"}
queries:
  - name: Long
    folder: VIP
    database: customer360
    status: active
    sql: |
      SELECT email
        ,'$${not_a_variable}' AS "it's"
      FROM Customer360
destinations:
  - {name: Klaviyo, plugin: klaviyo, credential: Main account, description: "$${x}"}
data_templates:
  - {name: T, destination: Klaviyo, list_name: "yes", duplicates: {latest_by: seen}, max_remove_share: 0.25, phone_region: US}
orchestrations:
  - {name: O, query: Long, destination: Klaviyo, data_template: T, workflow: automatic, settings: {phone_region: null}}
"""


def test_an_export_applied_where_no_variable_is_set_changes_nothing(site):
    site.apply(RICH)
    text = export_yaml(site.workspace)
    report = site.apply(text, environ={})
    assert len(report.changes) == 7
    assert not report.changed
    assert not site.apply(text, environ={}, prune=True).changed


def test_an_export_makes_the_same_workspace_elsewhere(site, tmp_path_factory):
    from segue.services.workspace import init_workspace, open_workspace
    from segue.settings import Settings

    site.apply(RICH)
    text = export_yaml(site.workspace)
    other = Settings.from_env({"SEGUE_HOME": str(tmp_path_factory.mktemp("other") / "home")})
    init_workspace(other)
    workspace = open_workspace(other)
    apply_files(workspace, [site.write(text, "export.yaml")], environ={"MAIN_ACCOUNT_API_KEY": "pk_x"})
    assert export_yaml(workspace) == text
    workspace.close()


def test_an_export_holds_no_secret(site, key):
    site.apply(RICH)
    text = export_yaml(site.workspace)
    assert key not in text
    assert yaml.safe_load(text)["credentials"] == [
        {"name": "Main account", "type": "klaviyo", "api_key": "${MAIN_ACCOUNT_API_KEY}"}
    ]


def test_sql_is_exported_as_it_was_typed(site):
    site.apply(RICH)
    assert "    sql: |\n      SELECT email\n        ,'$${not_a_variable}' AS \"it's\"\n" in export_yaml(site.workspace)


def test_paths_below_the_folder_of_the_export_become_relative(site):
    site.apply(RICH)
    databases = yaml.safe_load(export_yaml(site.workspace, folder=site.folder))["databases"]
    assert databases[0]["path"] == "./customer360.duckdb"
    assert databases[1]["tables"] == {"t": "./a/*.parquet", "u": "/elsewhere/u.csv"}
    absolute = yaml.safe_load(export_yaml(site.workspace))["databases"]
    assert absolute[0]["path"] == str(site.folder / "customer360.duckdb")


def test_an_empty_workspace_exports_an_empty_configuration(site):
    text = export_yaml(site.workspace)
    assert yaml.safe_load(text) == {"version": 1}
    assert site.apply(text).changes == ()


def test_each_credential_gets_a_variable_of_its_own():
    assert key_variables(["Main account", "main-account", "2nd", "é", "klaviyo"]) == {
        "2nd": "_2ND_API_KEY",
        "Main account": "MAIN_ACCOUNT_API_KEY",
        "klaviyo": "KLAVIYO_API_KEY",
        "main-account": "MAIN_ACCOUNT_2_API_KEY",
        "é": "SEGUE_API_KEY",
    }


TEXT = st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=40)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sql=TEXT | st.text(alphabet="${}:-A \n\t'\"|#", min_size=1, max_size=12), description=TEXT)
def test_any_text_comes_back_from_an_export(site, sql, description):
    document = {
        "version": 1,
        "databases": [{"name": "d", "engine": "duckdb", "path": "x"}],
        "credentials": [{"name": "c", "type": "klaviyo", "api_key": "pk_1"}],
        "queries": [{"name": "q", "database": "d", "sql": sql.replace("${", "$${")}],
        "destinations": [
            {"name": "k", "plugin": "klaviyo", "credential": "c", "description": description.replace("${", "$${")}
        ],
    }
    site.apply(yaml.safe_dump(document))
    text = export_yaml(site.workspace)
    assert not site.apply(text, environ={}).changed
