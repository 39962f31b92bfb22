"""The whole API against its own description: made-up requests, no 5xx, no answer that is not described."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig

from segue.api import create_app
from segue.services.tokens import Scope, create_token
from segue.services.workspace import init_workspace, open_workspace
from segue.settings import Settings

from .conftest import serving

load_all_checks()
WANTED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
EXAMPLES = 15


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """The description, bound to a server with an empty workspace and its token."""
    home = tmp_path_factory.mktemp("schema")
    settings = Settings.from_env({"SEGUE_HOME": str(home / "home"), "SEGUE_QUERY_SECONDS": "10"})
    init_workspace(settings)
    workspace = open_workspace(settings)
    token = create_token(workspace, "schemathesis", [Scope.ADMIN], days=1)[1].reveal()
    config = SchemathesisConfig.from_dict(
        {
            "headers": {"Authorization": f"Bearer {token}"},
            "generation": {"max-examples": EXAMPLES, "deterministic": True},
        }
    )
    with serving(create_app(workspace, settings)) as url:
        yield schemathesis.openapi.from_url(f"{url}/api/openapi.json", config=config)
    workspace.close()


schema = schemathesis.pytest.from_fixture("api")


@schema.parametrize()
def test_every_answer_is_described(case):
    checks = [CHECKS.get_one(name) for name in WANTED]
    case.call_and_validate(checks=checks, timeout=30)
