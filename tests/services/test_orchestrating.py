"""An orchestration and the group that runs it are saved together."""

from __future__ import annotations

import duckdb
import pytest

from segue.errors import UsageError
from segue.services.configuration import ConfigurationError
from segue.services.editing import create, get_configured, list_configured
from segue.services.orchestrating import groups_of, save_orchestration, table_query

GROUPS = "orchestration_groups"
ENTRY = {"name": "O", "query": "Q", "destination": "K", "data_template": "T"}
NIGHTLY = {"name": "Nightly", "schedule": {"cron": "0 6 * * *", "timezone": "Europe/Vienna"}}


@pytest.fixture
def shop(workspace, tmp_path):
    """A workspace with everything that an orchestration needs."""
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("""CREATE TABLE "Odd ""name" AS SELECT 'ada@shop.test' AS email""")
        connection.execute("CREATE TABLE People AS SELECT 'ada@shop.test' AS email")
    create(workspace, "databases", {"name": "shop", "engine": "duckdb", "path": str(path)})
    create(workspace, "credentials", {"name": "c", "type": "klaviyo", "api_key": "pk_1"})
    create(
        workspace, "queries", {"name": "Q", "database": "shop", "status": "active", "sql": "SELECT email FROM People"}
    )
    create(workspace, "destinations", {"name": "K", "plugin": "klaviyo", "credential": "c"})
    create(workspace, "data_templates", {"name": "T", "destination": "K", "list_name": "L"})
    return workspace


def saved(workspace, name="O"):
    return get_configured(workspace, "orchestrations", name)


def members(workspace, group="Nightly"):
    return get_configured(workspace, GROUPS, group).entry["members"]


def test_one_is_saved_with_a_new_group(shop):
    save_orchestration(shop, ENTRY, groups=[NIGHTLY])
    assert saved(shop).entry["workflow"] == "automatic"
    assert members(shop) == [{"orchestration": "O"}]
    assert get_configured(shop, GROUPS, "Nightly").entry["schedule"]["cron"] == "0 6 * * *"


def test_one_joins_a_group_that_is_there_at_its_end(shop):
    save_orchestration(shop, ENTRY, groups=[NIGHTLY])
    save_orchestration(shop, {**ENTRY, "name": "P"}, groups=["Nightly"])
    assert members(shop) == [{"orchestration": "O"}, {"orchestration": "P"}]
    assert groups_of(shop, "P") == ("Nightly",)


def test_one_that_becomes_manual_leaves_and_nobody_waits_for_it(shop):
    save_orchestration(shop, ENTRY)
    save_orchestration(shop, {**ENTRY, "name": "P"})
    create(shop, GROUPS, {**NIGHTLY, "members": [{"orchestration": "O"}, {"orchestration": "P", "after": ["O"]}]})
    save_orchestration(shop, ENTRY, seen=saved(shop))
    assert members(shop) == [{"orchestration": "P"}]
    assert saved(shop).entry["workflow"] == "manual"


def test_the_last_member_does_not_leave(shop):
    save_orchestration(shop, ENTRY, groups=[NIGHTLY])
    with pytest.raises(UsageError) as refused:
        save_orchestration(shop, ENTRY, seen=saved(shop))
    assert refused.value.code == "last_member"
    assert saved(shop).entry["workflow"] == "automatic"


def test_a_mistake_saves_neither(shop):
    wrong = {**NIGHTLY, "schedule": {"cron": "0 6 * *", "timezone": "Europe/Vienna"}}
    with pytest.raises(ConfigurationError, match="five fields"):
        save_orchestration(shop, ENTRY, groups=[wrong])
    save_orchestration(shop, {**ENTRY, "name": "P"}, groups=[NIGHTLY])
    with pytest.raises(UsageError) as taken:
        save_orchestration(shop, ENTRY, groups=[NIGHTLY])
    assert taken.value.code == "exists"
    assert [thing.name for thing in list_configured(shop, "orchestrations")] == ["P"]


def test_a_change_that_somebody_else_made_meanwhile_is_kept(shop):
    save_orchestration(shop, ENTRY)
    seen = saved(shop)
    save_orchestration(shop, {**ENTRY, "settings": {"max_rows": 5}}, seen=seen)
    with pytest.raises(UsageError) as late:
        save_orchestration(shop, ENTRY, groups=[NIGHTLY], seen=seen)
    assert late.value.code == "changed_meanwhile"
    assert list_configured(shop, GROUPS) == ()
    assert saved(shop).entry["settings"] == {"max_rows": 5}


def test_a_table_is_sent_by_a_query_of_all_of_it(shop):
    name, query = table_query(shop, "shop", 'Odd "name')
    save_orchestration(shop, {**ENTRY, "query": name}, query=query)
    assert get_configured(shop, "queries", name).entry["sql"] == 'SELECT * FROM "Odd ""name"'
    assert table_query(shop, "shop", 'Odd "name') == (name, None)
