"""`segue test-connection`: whose account, and which rights are missing."""

from __future__ import annotations

import pytest

ALL = ["accounts:read", "lists:read", "lists:write", "profiles:read", "profiles:write"]


def test_a_sound_key(shop):
    result = shop.segue("test-connection", "klaviyo")
    assert (result.code, result.err) == (0, "")
    assert "Emulated Shop (EMULAT)" in result.out
    answer = shop.segue("test-connection", "klaviyo", "--json").json
    assert answer == {
        "credential": "klaviyo",
        "plugin": "klaviyo",
        "account": {"id": "EMULAT", "name": "Emulated Shop", "note": ""},
        "missing": [],
        "sound": True,
    }
    assert shop.admin.lists() == []
    assert shop.admin.jobs() == []


@pytest.mark.parametrize("scope", ["lists:read", "lists:write", "profiles:read", "profiles:write"])
def test_each_missing_right_is_told(site, scope):
    site.admin.add_key("pk_part", scopes=[s for s in ALL if s != scope])
    site.apply(key="pk_part")
    result = site.segue("test-connection", "klaviyo")
    assert result.code == 1
    assert "Emulated Shop" in result.out
    assert any(line.startswith("missing: ") and scope in line for line in result.out.splitlines())
    answer = site.segue("test-connection", "klaviyo", "--json").json
    assert answer["sound"] is False
    assert any(scope in sentence for sentence in answer["missing"])


def test_a_key_that_may_not_see_its_account(site):
    site.admin.add_key("pk_part", scopes=[s for s in ALL if s != "accounts:read"])
    site.apply(key="pk_part")
    result = site.segue("test-connection", "klaviyo")
    assert result.code == 0
    assert "note: " in result.out
    assert "accounts:read" in result.out


def test_a_wrong_key(site):
    site.apply(key="pk_wrong_0123456789")
    for options in ((), ("--json",)):
        result = site.segue("test-connection", "klaviyo", *options)
        assert (result.code, result.out) == (1, "")
        assert result.err.startswith(
            'error: Klaviyo does not accept the key of the credential "klaviyo". [key_refused]\n'
        )
        assert "pk_wrong" not in result.err


def test_an_unknown_credential(shop):
    result = shop.segue("test-connection", "klavyio")
    assert (result.code, result.out) == (2, "")
    assert 'there is no credential "klavyio"; did you mean "klaviyo"?' in result.err
