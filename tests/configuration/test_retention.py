"""How long things are kept, as a setting of the workspace: in files, in the log, against the environment."""

from __future__ import annotations

import pytest
import yaml

from segue.errors import ConfigError
from segue.services.audit import audit_page
from segue.services.configuration import ConfigurationError, export_yaml
from segue.services.permissions import Actor, NotPermittedError, Policy
from segue.services.retention import Retention, retention, retention_entry, set_retention
from segue.settings import Settings

DAY = 86400


def test_what_the_workspace_sets_counts_before_the_environment_and_that_before_the_default(site):
    settings = Settings.from_env({"SEGUE_KEEP_PAYLOADS": "30d", "SEGUE_KEEP_RUNS": "100d", "SEGUE_MOST_RUNS": "50"})
    site.apply("version: 1\nretention: {keep_payloads: 7d, most_payloads: 3}\n")
    found = retention(site.workspace, settings)
    assert found == Retention(
        keep_payloads=7 * DAY, most_payloads=3, keep_runs=100 * DAY, most_runs=50, keep_last_runs=20
    )


def test_people_s_data_never_outlive_the_record_whoever_sets_what():
    short = Retention.of(Settings(), retention_entry({"keep_runs": "10d", "most_runs": 5}))
    assert (short.keep_payloads, short.most_payloads, short.keep_last_runs) == (10 * DAY, 5, 5)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"keep_payloads": "90d", "keep_runs": "30d"}, "outlive"),
        ({"most_payloads": 9, "most_runs": 8}, "outlive"),
        ({"most_runs": 5, "keep_last_runs": 6}, "keep_last_runs"),
        ({"keep_payloads": "soon"}, "duration"),
        ({"keep_payloads": "0"}, "more than 0"),
        ({"most_runs": 0}, "most_runs"),
        ({"keep_payload": "1d"}, "keep_payload"),
    ],
)
def test_times_that_make_no_sense_are_refused_with_what_is_wrong(values, told):
    with pytest.raises(ConfigError) as caught:
        retention_entry(values)
    assert told in " ".join(caught.value.steps)


def test_a_file_sets_it_and_an_export_writes_it_back(site):
    text = "version: 1\nretention: {keep_payloads: 720h, keep_last_runs: 5}\n"
    [change] = site.apply(text).changes
    assert [(field.name, field.old, field.new) for field in change.fields] == [
        ("keep_payloads", None, "30d"),
        ("keep_last_runs", None, 5),
    ]
    exported = export_yaml(site.workspace)
    assert yaml.safe_load(exported)["retention"] == {"keep_payloads": "30d", "keep_last_runs": 5}
    assert not site.apply(exported).changed
    line = audit_page(site.workspace, action="retention.")[0]
    assert (line.action, line.before, line.after) == (
        "retention.update",
        None,
        {"keep_payloads": "30d", "keep_last_runs": 5},
    )


def test_files_without_it_leave_it_alone_even_where_they_prune(site):
    site.apply("version: 1\nretention: {keep_payloads: 5d}\n")
    site.apply("version: 1\n", prune=True)
    assert retention(site.workspace, Settings()).keep_payloads == 5 * DAY
    site.apply("version: 1\nretention: {}\n")
    assert retention(site.workspace, Settings()).keep_payloads == 90 * DAY


def test_mistakes_in_a_file_are_told_at_their_line(site):
    with pytest.raises(ConfigurationError) as caught:
        site.apply("version: 1\nretention:\n  keep_payloads: 90d\n  most_runs: many\n", "version: 1\nretention: 5\n")
    assert "segue.yaml:4:" in caught.value.message
    assert '"retention" takes keys and values' in caught.value.message
    with pytest.raises(ConfigurationError, match="one file"):
        site.apply("version: 1\nretention: {}\n", "version: 1\nretention: {}\n")


@pytest.mark.parametrize("policy", [Policy.OPERATOR, Policy.ACTIVATOR, Policy.VIEWER])
def test_administrators_alone_set_it(site, policy):
    workspace = site.workspace.acting_as(Actor(name="ana", policy=policy))
    with pytest.raises(NotPermittedError):
        set_retention(workspace, retention_entry({"keep_payloads": "1d"}), tag=None)
    site.workspace = workspace
    with pytest.raises(NotPermittedError):
        site.apply("version: 1\nretention: {keep_payloads: 1d}\n")


def test_what_is_set_again_is_no_line_of_the_log(site):
    entry = retention_entry({"keep_runs": "400d"})
    assert set_retention(site.workspace, entry, tag=None)
    assert not set_retention(site.workspace, entry, tag=None)
    assert len(audit_page(site.workspace, action="retention.")) == 1
