from __future__ import annotations

import duckdb
import pytest

from segue.services.configuration import apply_files
from segue.services.workspace import open_workspace
from segue.settings import Settings
from tests.workspaces import new_workspace

# The form of the documentation, word for word.
EXAMPLE = """\
version: 1
databases:
  - {name: customer360, engine: duckdb, path: ./customer360.duckdb}
  - {name: lake, engine: duckdb, tables: {Merged_Customers: ./mc/*.parquet, Orders: ./orders.csv}}
credentials:
  - {name: klaviyo, type: klaviyo, api_key: "${KLAVIYO_API_KEY}", base_url: "http://127.0.0.1:9800"}   # base_url optional
queries:
  - name: Loyalty
    database: customer360
    status: active          # or draft
    sql: SELECT email AS email FROM Customer360
destinations:
  - {name: Klaviyo, plugin: klaviyo, credential: klaviyo, description: "Main account"}
data_templates:
  - {name: Email only, destination: Klaviyo, list_name: Loyalty}
  - {name: Full profile, destination: Klaviyo, list_name: Loyalty, use_full_profile: true}
orchestrations:
  - {name: Loyalty to Klaviyo, query: Loyalty, destination: Klaviyo, data_template: Full profile, workflow: manual}
"""
KEY = "pk_0123456789abcdef"
ENVIRON = {"KLAVIYO_API_KEY": KEY}


class Site:
    """A folder with a small database, a workspace, and a way to apply text to it."""

    def __init__(self, folder, workspace):
        self.folder = folder
        self.workspace = workspace

    def write(self, text, name="segue.yaml"):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def apply(self, *texts, environ=ENVIRON, **options):
        files = [self.write(text, f"segue{number or ''}.yaml") for number, text in enumerate(texts)]
        return apply_files(self.workspace, files, environ=environ, **options)


@pytest.fixture(scope="session")
def customer360(tmp_path_factory):
    path = tmp_path_factory.mktemp("c360") / "customer360.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE Customer360 AS SELECT 'ada@shop-mail.test' AS email, 'Ada' AS given_name")
    return path


@pytest.fixture
def site(tmp_path, customer360):
    (tmp_path / "customer360.duckdb").symlink_to(customer360)
    settings = Settings.from_env({"SEGUE_HOME": str(tmp_path / "home")})
    new_workspace(settings)
    workspace = open_workspace(settings)
    yield Site(tmp_path, workspace)
    workspace.close()


@pytest.fixture
def example():
    return EXAMPLE


@pytest.fixture
def draft():
    return EXAMPLE.replace("status: active", "status: draft")


@pytest.fixture
def key():
    return KEY
