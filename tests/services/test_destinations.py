"""Destinations are saved when their connection is good."""

from __future__ import annotations

from dataclasses import replace

import pytest

from klaviyo_emulator import serve
from segue.destinations.registry import find_plugin
from segue.errors import CredentialError, DestinationError, UsageError
from segue.security import Secret
from segue.services.audit import audit_page
from segue.services.configuration import ConfigurationError
from segue.services.connections import check_connection, opened
from segue.services.credentials import credential_lines, replace_key
from segue.services.destinations import NewCredential, destination_lines, list_names, save_destination
from segue.services.editing import get_configured, list_configured
from segue.services.editing import replace as replace_thing
from segue.services.orchestrations import Credential
from segue.services.permissions import Actor, NotPermittedError, Policy

ENTRY = {"name": "Klaviyo", "plugin": "klaviyo", "credential": "key"}


@pytest.fixture
def emulator():
    with serve(limit_scale=0) as running:
        yield running


def credential(url, key="pk_test"):
    return NewCredential(name="key", secret=Secret(key), base_url=url)


def saved(workspace):
    return [t.name for kind in ("credentials", "destinations") for t in list_configured(workspace, kind)]


def test_a_destination_and_its_new_credential_are_saved_together(workspace, settings, emulator):
    tested = save_destination(workspace, settings, ENTRY, credential=credential(emulator.url))
    assert tested.account.name == "Emulated Shop"
    assert saved(workspace) == ["key", "Klaviyo"]
    assert emulator.admin.lists() == []
    assert "pk_test" not in repr(audit_page(workspace))


def test_a_refused_key_saves_neither(workspace, settings, emulator):
    with pytest.raises(CredentialError) as refused:
        save_destination(workspace, settings, ENTRY, credential=credential(emulator.url, "pk_wrong"))
    assert refused.value.steps
    assert saved(workspace) == []


def test_a_key_without_a_right_saves_neither_and_the_right_is_named(workspace, settings, emulator):
    emulator.admin.add_key("pk_part", scopes=["accounts:read", "lists:read", "lists:write", "profiles:read"])
    with pytest.raises(CredentialError) as refused:
        save_destination(workspace, settings, ENTRY, credential=credential(emulator.url, "pk_part"))
    assert refused.value.code == "rights_missing"
    assert any("profiles:write" in step for step in refused.value.steps)
    assert saved(workspace) == []


def test_an_address_where_nobody_answers_saves_neither(workspace, settings):
    with pytest.raises(DestinationError) as failed:
        save_destination(workspace, settings, ENTRY, credential=credential("http://127.0.0.1:9"))
    assert failed.value.steps
    assert saved(workspace) == []


def test_mistakes_are_told_before_anybody_is_asked(workspace, settings, emulator):
    with pytest.raises(ConfigurationError, match="no setting"):
        save_destination(
            workspace, settings, {**ENTRY, "settings": {"revision": "1"}}, credential=credential(emulator.url)
        )
    assert emulator.admin.requests()["endpoints"] == {}
    assert saved(workspace) == []


def test_a_taken_name_is_refused_and_the_key_of_another_stays(workspace, settings, emulator):
    save_destination(workspace, settings, ENTRY, credential=credential(emulator.url))
    with pytest.raises(UsageError) as refused:
        save_destination(
            workspace, settings, {**ENTRY, "name": "Other"}, credential=credential(emulator.url, "pk_other")
        )
    assert refused.value.code == "exists"
    assert saved(workspace) == ["key", "Klaviyo"]


def test_a_change_is_checked_too(workspace, settings, emulator):
    save_destination(workspace, settings, ENTRY, credential=credential(emulator.url))
    thing = get_configured(workspace, "destinations", "Klaviyo")
    save_destination(workspace, settings, {**ENTRY, "description": "Main", "admin_only": True}, seen=thing)
    [line] = destination_lines(workspace)
    assert (line.description, line.admin_only) == ("Main", True)
    with pytest.raises(UsageError) as late:
        save_destination(workspace, settings, ENTRY, seen=thing)
    assert late.value.code == "changed_meanwhile"


def test_who_may_not_edit_saves_nothing(workspace, settings, emulator):
    for policy in (Policy.VIEWER, Policy.ACTIVATOR):
        acting = workspace.acting_as(Actor(name="somebody", policy=policy))
        with pytest.raises(NotPermittedError):
            save_destination(acting, settings, ENTRY, credential=credential(emulator.url))
    assert saved(workspace) == []


def test_the_lists_of_the_account_are_named(workspace, settings, emulator):
    save_destination(workspace, settings, ENTRY, credential=credential(emulator.url))
    found = Credential(id="", name="key", type="klaviyo", secret=Secret("pk_test"), base_url=emulator.url)
    with opened(workspace, find_plugin("klaviyo"), found, settings) as account:
        for name in ("VIP", "Autumn"):
            account.make_list(name)
    assert list_names(workspace, settings, "Klaviyo") == ("Autumn", "VIP")
    with pytest.raises(UsageError, match="there is no destination"):
        list_names(workspace, settings, "Klavio")


def test_settings_of_a_destination_come_with_its_connection(workspace, settings):
    connections = []

    def keep(connection):
        connections.append(connection)
        return find_plugin("klaviyo").open(connection)

    plugin = replace(find_plugin("klaviyo"), open=keep, settings={"region": "Where its machines are."})
    found = Credential(id="", name="key", type="klaviyo", secret=Secret("pk_test"), base_url="http://127.0.0.1:9")
    with opened(workspace, plugin, found, settings, given={"region": "eu"}):
        pass
    assert [connection.settings for connection in connections] == [{"region": "eu"}]


def test_another_key_is_taken_when_it_is_good(workspace, settings, emulator):
    save_destination(workspace, settings, ENTRY, credential=credential(emulator.url))
    emulator.admin.add_key("pk_second")
    emulator.admin.add_key("pk_part", scopes=["accounts:read", "lists:read"])
    emulator.admin.revoke_key("pk_test")
    for wrong in ("pk_wrong", "pk_part", "not a key"):
        with pytest.raises((CredentialError, ConfigurationError)) as refused:
            replace_key(workspace, settings, "key", Secret(wrong))
        assert wrong not in repr(refused.value)
    with pytest.raises(CredentialError):
        check_connection(workspace, settings, "key")
    assert replace_key(workspace, settings, "key", Secret("pk_second")).account.name == "Emulated Shop"
    assert check_connection(workspace, settings, "key").sound
    [line] = credential_lines(workspace)
    assert (line.name, line.used_by, line.base_url) == ("key", ("Klaviyo",), emulator.url)


def test_the_last_check_is_kept_whatever_it_said(workspace, settings, emulator):
    def check():
        return destination_lines(workspace)[0].check

    save_destination(workspace, settings, ENTRY, credential=credential(emulator.url))
    assert (check().sound, check().said) == (True, "It opens the account Emulated Shop.")
    assert check().by == workspace.actor.name
    ana = workspace.acting_as(Actor(name="ana", policy=Policy.OPERATOR))
    emulator.admin.revoke_key("pk_test")
    with pytest.raises(CredentialError) as refused:
        check_connection(ana, settings, "key")
    assert (check().sound, check().by, check().said) == (False, "ana", refused.value.message)
    assert "pk_test" not in check().said
    emulator.admin.add_key("pk_new")
    with pytest.raises(CredentialError):
        replace_key(ana, settings, "key", Secret("pk_wrong"))
    assert not check().sound  # another key says nothing of the one that is kept
    replace_key(ana, settings, "key", Secret("pk_new"))
    assert (check().sound, check().outdated) == (True, False)
    thing = get_configured(workspace, "credentials", "key")
    replace_thing(workspace, "credentials", "key", {**thing.entry, "api_key": "pk_other"}, tag=thing.tag)
    assert check().outdated


def test_who_may_not_change_credentials_replaces_no_key(workspace, settings, emulator):
    save_destination(workspace, settings, ENTRY, credential=credential(emulator.url))
    acting = workspace.acting_as(Actor(name="somebody", policy=Policy.ACTIVATOR))
    with pytest.raises(NotPermittedError):
        replace_key(acting, settings, "key", Secret("pk_test"))
