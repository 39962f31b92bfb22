from __future__ import annotations

import pytest

from segue.database import DatabaseConfig
from segue.errors import StateError, UsageError
from segue.security import Secret, SecretBox
from segue.services.orchestrations import load_credential, load_orchestration


def load(site, name, box=None):
    with site.workspace.catalog.session(read_only=True) as session:
        return load_orchestration(session, box or site.workspace.box, name)


def test_everything_a_run_needs_is_in_one_value(site, example, key):
    site.apply(
        example.replace("workflow: manual}", "workflow: manual, settings: {max_rows: 10, use_full_profile: false}}")
    )
    found = load(site, "Loyalty to Klaviyo")
    assert (found.name, found.workflow, found.data_template) == ("Loyalty to Klaviyo", "manual", "Full profile")
    assert (found.query.name, found.query.sql) == ("Loyalty", "SELECT email AS email FROM Customer360")
    assert found.database == DatabaseConfig(
        name="customer360", engine="duckdb", path=site.folder / "customer360.duckdb", tables={}
    )
    assert (found.destination.name, found.destination.plugin) == ("Klaviyo", "klaviyo")
    assert found.destination.description == "Main account"
    assert (found.credential.name, found.credential.type) == ("klaviyo", "klaviyo")
    assert found.credential.secret == Secret(key)
    assert found.credential.base_url == "http://127.0.0.1:9800"
    assert found.settings.list_name == "Loyalty"
    assert found.settings.max_rows == 10
    # An override of the default value still wins over the template.
    assert found.settings.use_full_profile is False
    assert key not in repr(found)


def test_ids_stay_when_the_configuration_changes(site, example):
    site.apply(example)
    before = load(site, "Loyalty to Klaviyo")
    site.apply(example.replace("email AS email", "email").replace("list_name: Loyalty", "list_name: Fans"))
    after = load(site, "Loyalty to Klaviyo")
    assert after.settings.list_name == "Fans"
    assert (after.id, after.query.id, after.destination.id, after.credential.id) == (
        before.id,
        before.query.id,
        before.destination.id,
        before.credential.id,
    )


def test_an_unknown_name_is_told_with_the_nearest(site, example):
    site.apply(example)
    with pytest.raises(
        UsageError, match=r'no orchestration "loyalty to klavio"; did you mean "Loyalty to Klaviyo"\?'
    ) as caught:
        load(site, "loyalty to klavio")
    assert caught.value.exit_code == 2
    assert caught.value.code == "unknown_orchestration"
    with pytest.raises(UsageError) as caught:
        load(site, "something else")
    assert "did you mean" not in caught.value.message
    assert "Loyalty to Klaviyo" in caught.value.steps[0]


def test_without_any_orchestration_the_step_is_to_add_one(site):
    with pytest.raises(UsageError) as caught:
        load(site, "x")
    assert "segue apply" in caught.value.steps[0]


def test_a_draft_is_refused_with_the_way_out(site, draft):
    site.apply(draft)
    with pytest.raises(UsageError, match="is a draft") as caught:
        load(site, "Loyalty to Klaviyo")
    assert caught.value.code == "draft_query"
    assert "status: active" in caught.value.steps[0]


def test_another_key_does_not_open_the_credential(site, example):
    site.apply(example)
    with pytest.raises(StateError, match='credential "klaviyo"'):
        load(site, "Loyalty to Klaviyo", SecretBox(Secret("A" * 43 + "=")))


def test_a_credential_by_its_name(site, example, key):
    site.apply(example)
    with site.workspace.catalog.session(read_only=True) as session:
        assert load_credential(session, site.workspace.box, "klaviyo").secret == Secret(key)
        with pytest.raises(UsageError, match=r'no credential "klavio"; did you mean "klaviyo"\?'):
            load_credential(session, site.workspace.box, "klavio")
