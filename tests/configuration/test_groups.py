"""The key ``orchestration_groups``: saved, exported, refused with the place of each mistake."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from segue.catalog.groups import GroupMember, OrchestrationGroup
from segue.services.configuration import ConfigurationError, export_yaml

GROUPS = """\
orchestration_groups:
  - name: Every morning
    enabled: true
    schedule: {cron: "0 6 * * *", timezone: Europe/Vienna, missed: skip}
    after_signal: warehouse loaded
    after_group: First
    offset: 10m
    only_if_changed: true
    members:
      - {orchestration: Loyalty to Klaviyo}
      - {orchestration: Second, after: [Loyalty to Klaviyo]}
  - {name: First, members: [{orchestration: Second}]}
"""
SECOND = "  - {name: Second, query: Loyalty, destination: Klaviyo, data_template: Email only}\n"


@pytest.fixture
def text(draft):
    return draft + SECOND + GROUPS


def problems(site, text):
    with pytest.raises(ConfigurationError) as caught:
        site.apply(text)
    return [(problem.place.line, problem.place.column, problem.message) for problem in caught.value.problems]


def place_of(text, part):
    """Line and column of the only occurrence of part."""
    assert text.count(part) == 1
    before = text[: text.index(part)]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def test_applying_it_twice_changes_nothing_and_the_export_applies_too(site, text):
    assert site.apply(text).changed
    assert not site.apply(text).changed
    exported = export_yaml(site.workspace)
    assert "cron: 0 6 * * *" in exported
    assert "offset: 10m" in exported
    assert not site.apply(exported).changed


def test_what_is_saved_is_what_is_written(site, text):
    site.apply(text)
    with site.workspace.catalog.session(read_only=True) as session:
        row = session.scalars(select(OrchestrationGroup).where(OrchestrationGroup.name == "Every morning")).one()
        assert (row.cron, row.timezone, row.missed) == ("0 6 * * *", "Europe/Vienna", "skip")
        assert (row.after_signal, row.after_group, row.offset) == ("warehouse loaded", "First", 600)
        first, second = row.members
        assert (second.orchestration.name, second.after) == ("Second", [first.orchestration_id])


def test_members_can_change_places_and_go(site, text):
    site.apply(text)
    swapped = text.replace(
        """\
      - {orchestration: Loyalty to Klaviyo}
      - {orchestration: Second, after: [Loyalty to Klaviyo]}
""",
        """\
      - {orchestration: Second}
      - {orchestration: Loyalty to Klaviyo}
""",
    )
    report = site.apply(swapped)
    assert [(c.name, [f.name for f in c.fields]) for c in report.changes if c.action == "update"] == [
        ("Every morning", ["members"])
    ]
    assert not site.apply(swapped).changed
    site.apply(swapped.replace("      - {orchestration: Second}\n", ""))
    with site.workspace.catalog.session(read_only=True) as session:
        assert len(session.scalars(select(GroupMember)).all()) == 2


def test_groups_that_no_file_names_are_deleted_by_prune(site, text, draft):
    site.apply(text)
    report = site.apply(draft, prune=True)
    deleted = [(change.kind, change.name) for change in report.changes if change.action == "delete"]
    # Groups go before what they refer to.
    assert deleted == [
        ("orchestration_groups", "Every morning"),
        ("orchestration_groups", "First"),
        ("orchestrations", "Second"),
    ]


@pytest.mark.parametrize(("written", "kept"), [("90", "1m30s"), ("90m", "1h30m"), ("0", None), ("1d2h", "1d2h")])
def test_an_offset_has_one_spelling(site, text, written, kept):
    site.apply(text.replace("offset: 10m", f"offset: {written}"))
    exported = export_yaml(site.workspace)
    assert f"offset: {kept}" in exported if kept else "offset:" not in exported


@pytest.mark.parametrize(
    "case",
    [
        (
            'cron: "0 6 * * *"',
            'cron: "0 25 * * *"',
            '"0 25 * * *"',
            '"cron" is not a cron expression: bad hour',
        ),
        (
            'cron: "0 6 * * *"',
            "cron: daily",
            "daily",
            '"cron" takes five fields (minute, hour, day, month, weekday) such as 0 6 * * *, not 1',
        ),
        (
            "Europe/Vienna",
            "Europe/Viena",
            "Europe/Viena",
            '"timezone" takes an IANA time zone such as Europe/Vienna, not "Europe/Viena"; did you mean "Europe/Vienna"?',
        ),
        (", timezone: Europe/Vienna", "", '{cron: "0', '"timezone" is missing'),
        ("missed: skip", "missed: never", "never", "\"missed\" takes 'run_once' or 'skip'"),
        ("missed: skip", "mised: skip", "mised", 'there is no key "mised" here; did you mean "missed"?'),
        ("offset: 10m", "offset: soon", "soon", "\"offset\" takes a duration such as 90s, 30m or 1h30m, not 'soon'"),
        ("offset: 10m", "offset: 0.5", "0.5", '"offset" takes whole seconds'),
        ("offset: 10m", "offset: true", "true\n    only", '"offset" takes text; put it in quotes'),
        ("after: [Loyalty to Klaviyo]", "aftr: []", "aftr", 'there is no key "aftr" here; did you mean "after"?'),
        (
            "{orchestration: Loyalty to Klaviyo}",
            "{orchestration: Loyalty to Klavio}",
            "Loyalty to Klavio}",
            'there is no orchestration "Loyalty to Klavio"; did you mean "Loyalty to Klaviyo"?',
        ),
        (
            "after: [Loyalty to Klaviyo]",
            "after: [Email only]",
            "Email only]",
            '"Email only" is no member of this group',
        ),
        (
            "after_group: First",
            "after_group: Frist",
            "Frist",
            'there is no orchestration group "Frist"; did you mean "First"?',
        ),
        (
            "{name: First, members: [{orchestration: Second}]}",
            "{name: First, members: []}",
            "[]}",
            '"members" takes at least 1',
        ),
        (
            "members: [{orchestration: Second}]",
            "members: [{orchestration: Second}, {orchestration: Second, after: []}]",
            "Second, after: []}",
            '"Second" is a member twice',
        ),
        (
            "      - {orchestration: Loyalty to Klaviyo}\n",
            "      - {orchestration: Loyalty to Klaviyo, after: [Second]}\n",
            "[Second]",
            "these members wait for each other: Loyalty to Klaviyo > Second > Loyalty to Klaviyo",
        ),
    ],
)
def test_a_mistake_is_named_at_its_place(site, text, case):
    old, new, at, message = case
    assert text.count(old) == 1
    wrong = text.replace(old, new)
    found = problems(site, wrong)
    assert (*place_of(wrong, at), message) in found


def test_groups_that_wait_for_each_other_are_refused(site, text):
    wrong = text.replace("{name: First, members", "{name: First, after_group: Every morning, members")
    (found,) = problems(site, wrong)
    assert found[2] in (
        "these groups wait for each other: First > Every morning > First",
        "these groups wait for each other: Every morning > First > Every morning",
    )
    alone = text.replace("after_group: First", "after_group: Every morning")
    assert problems(site, alone)[0][2] == "these groups wait for each other: Every morning > Every morning"


def test_a_circle_with_a_group_of_the_workspace_is_refused(site, text):
    site.apply(text)
    first = "  - {name: First, after_group: Every morning, members: [{orchestration: Second}]}\n"
    more = f"version: 1\norchestration_groups:\n{first}"
    assert [(line, message.partition(":")[0]) for line, _, message in problems(site, more)] == [
        (3, "these groups wait for each other")
    ]


def test_with_a_broken_orchestration_the_group_that_names_it_is_not_blamed(site, text):
    wrong = text.replace("name: Second, query: Loyalty", "name: Second, query: 5")
    assert [message for _, _, message in problems(site, wrong)] == ['"query" takes text; put it in quotes']
