from __future__ import annotations

import os
import stat

import pytest

from segue.errors import StateError
from segue.security import Secret, SecretBox, create_key, read_key

# The first vector of verify.json in the Fernet specification.
SPEC_KEY = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
SPEC_TOKEN = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=="
OTHER_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


def test_the_box_opens_the_token_of_the_fernet_specification():
    assert SecretBox(Secret(SPEC_KEY)).open(SPEC_TOKEN, owner="the spec").reveal() == "hello"


def test_what_is_sealed_opens_again_and_does_not_hold_the_text():
    box = SecretBox(Secret(SPEC_KEY))
    token = box.seal(Secret("pk_ünïcode"))
    assert "pk_" not in token
    assert box.open(token, owner="x") == Secret("pk_ünïcode")
    assert box.seal(Secret("pk_ünïcode")) != token


@pytest.mark.parametrize("token", [SPEC_TOKEN, SPEC_TOKEN[:-4], "", "nonsense", "ünïcode"])
def test_a_wrong_key_or_a_damaged_token_is_told_with_steps(token):
    with pytest.raises(StateError) as caught:
        SecretBox(Secret(OTHER_KEY)).open(token, owner='credential "klaviyo"')
    assert caught.value.code == "wrong_key"
    assert 'credential "klaviyo"' in caught.value.message
    assert any("SEGUE_SECRET_KEY" in step for step in caught.value.steps)
    assert caught.value.__cause__ is None
    assert SPEC_KEY not in str(caught.value)


def test_a_new_key_is_private_whatever_the_umask_and_is_never_replaced(tmp_path):
    path = tmp_path / "secret.key"
    before = os.umask(0)
    try:
        assert create_key(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first = path.read_bytes()
    assert not create_key(path)
    assert path.read_bytes() == first
    SecretBox(read_key(path)).seal(Secret("works"))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o601])
def test_a_key_file_that_others_may_use_is_refused(tmp_path, mode):
    path = tmp_path / "secret.key"
    create_key(path)
    path.chmod(mode)
    with pytest.raises(StateError, match="other users") as caught:
        read_key(path)
    assert caught.value.code == "key_exposed"
    assert f"chmod 600 {path}" in caught.value.steps[0]


def test_a_missing_key_file_is_told(tmp_path):
    with pytest.raises(StateError, match="cannot be read") as caught:
        read_key(tmp_path / "secret.key")
    assert caught.value.code == "key_missing"


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff\xfe" * 22])
def test_a_damaged_key_file_is_told_without_its_content(tmp_path, content):
    path = tmp_path / "secret.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(StateError, match="holds no key") as caught:
        read_key(path)
    assert "short" not in str(caught.value)
