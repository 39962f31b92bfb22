from __future__ import annotations

import pytest

OLD = "Loyalty to Klaviyo"
SECOND = "  - {name: Second, query: Loyalty, destination: Klaviyo, data_template: Email only}\n"


def renamed(report):
    return {change.name: change.renamed_from for change in report.changes if change.action == "rename"}


def actions(report):
    return {change.name: change.action for change in report.changes if change.kind == "orchestrations"}


def about_lists(report):
    return [str(warning) for warning in report.warnings if "send to one list" in warning.message]


def test_an_orchestration_that_only_has_another_name_is_renamed(site, draft):
    site.apply(draft)
    report = site.apply(draft.replace(OLD, "Fans"), prune=True)
    assert renamed(report) == {"Fans": OLD}
    assert actions(report) == {"Fans": "rename"}
    assert not site.apply(draft.replace(OLD, "Fans"), prune=True).changed


def test_a_rename_may_change_settings_too(site, draft):
    site.apply(draft)
    report = site.apply(draft.replace(OLD, "Fans").replace("workflow: manual", "workflow: automatic"), prune=True)
    assert renamed(report) == {"Fans": OLD}
    assert [(f.name, f.old, f.new) for c in report.changes for f in c.fields] == [("workflow", "manual", "automatic")]


def test_another_template_or_two_candidates_are_no_rename(site, draft):
    site.apply(draft)
    other = draft.replace(OLD, "Fans").replace("data_template: Full profile", "data_template: Email only")
    assert actions(site.apply(other, prune=True, dry_run=True)) == {"Fans": "create", OLD: "delete"}
    two = draft.replace(OLD, "Fans") + SECOND.replace("Email only", "Full profile")
    assert actions(site.apply(two, prune=True)) == {"Fans": "create", "Second": "create", OLD: "delete"}


def test_without_prune_nothing_is_renamed_and_a_warning_names_both(site, draft):
    site.apply(draft)
    report = site.apply(draft.replace(OLD, "Fans"))
    assert actions(report) == {"Fans": "create"}
    [warning] = about_lists(report)
    assert ":18:" in warning
    assert '"Fans"' in warning
    assert f'"{OLD}"' in warning
    assert "--prune" in warning


@pytest.mark.parametrize(("settings", "warned"), [("", 1), (", settings: {list_name: Another}", 0)])
def test_two_orchestrations_on_one_list_warn(site, draft, settings, warned):
    report = site.apply(draft + SECOND.replace("only}", f"only{settings}}}"))
    assert len(about_lists(report)) == warned
