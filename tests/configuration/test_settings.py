from __future__ import annotations

from pathlib import Path

import pytest

from segue.errors import ConfigError
from segue.settings import Settings, parse_duration, parse_size

KEY = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="


def test_an_empty_environment_gives_the_documented_defaults(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert Settings.from_env({}) == Settings(
        home=tmp_path / ".segue",
        secret_key=None,
        query_memory=1_000_000_000,
        query_seconds=1800.0,
        threads=None,
        engine_memory=600_000_000,
        debug=False,
    )


def test_every_variable_is_read():
    settings = Settings.from_env(
        {
            "SEGUE_HOME": "/srv/segue",
            "SEGUE_SECRET_KEY": KEY,
            "SEGUE_QUERY_MEMORY": "2GiB",
            "SEGUE_QUERY_SECONDS": "1h30m",
            "SEGUE_THREADS": "4",
            "SEGUE_ENGINE_MEMORY": "800 MB",
            "SEGUE_DEBUG": "1",
        }
    )
    assert settings.home == Path("/srv/segue")
    assert settings.secret_key is not None
    assert settings.secret_key.reveal() == KEY
    assert settings.query_memory == 2 * 1024**3
    assert settings.query_seconds == 5400.0
    assert settings.threads == 4
    assert settings.engine_memory == 800_000_000
    assert settings.debug


def test_empty_variables_count_as_not_set():
    names = ("HOME", "SECRET_KEY", "QUERY_MEMORY", "QUERY_SECONDS", "THREADS", "ENGINE_MEMORY", "DEBUG")
    assert Settings.from_env({f"SEGUE_{name}": " " for name in names}) == Settings.from_env({})


def test_a_home_with_a_tilde_is_the_users(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    assert Settings.from_env({"SEGUE_HOME": "~/work"}).home == Path("/home/ada/work")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SEGUE_QUERY_MEMORY", "lots"),
        ("SEGUE_QUERY_MEMORY", "-1GB"),
        ("SEGUE_QUERY_MEMORY", "1XB"),
        ("SEGUE_QUERY_MEMORY", "0"),
        ("SEGUE_ENGINE_MEMORY", "1..5GB"),
        ("SEGUE_QUERY_SECONDS", "soon"),
        ("SEGUE_QUERY_SECONDS", "0"),
        ("SEGUE_QUERY_SECONDS", "-5"),
        ("SEGUE_QUERY_SECONDS", "30s1h"),
        ("SEGUE_QUERY_SECONDS", "nan"),
        ("SEGUE_THREADS", "0"),
        ("SEGUE_THREADS", "1.5"),
        ("SEGUE_THREADS", "²"),
        ("SEGUE_DEBUG", "maybe"),
    ],
)
def test_a_bad_value_names_its_variable(variable, value):
    with pytest.raises(ConfigError, match=variable) as caught:
        Settings.from_env({variable: value})
    assert caught.value.exit_code == 2
    assert repr(value) in caught.value.message


@pytest.mark.parametrize("value", ["short", KEY[:-2], KEY + KEY, "ü" * 44])
def test_a_bad_key_is_told_without_the_key(value):
    with pytest.raises(ConfigError, match="SEGUE_SECRET_KEY") as caught:
        Settings.from_env({"SEGUE_SECRET_KEY": value})
    assert value not in str(caught.value)
    assert caught.value.__cause__ is None


def test_settings_do_not_show_the_key():
    assert KEY not in repr(Settings.from_env({"SEGUE_SECRET_KEY": KEY}))


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1", 1),
        ("512", 512),
        ("1kb", 1000),
        ("1KiB", 1024),
        ("1.5GB", 1_500_000_000),
        ("2TiB", 2 * 2**40),
        ("3m", 3_000_000),
    ],
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("0.5", 0.5), ("90s", 90), ("30m", 1800), ("1h30m", 5400), ("2d", 172_800), ("1H", 3600)],
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds
