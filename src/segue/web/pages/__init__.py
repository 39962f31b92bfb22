"""The pages, one noun a module. A page that is not named here has no address and no entry in the navigation."""

from __future__ import annotations

from segue.web.pages import (
    customer_history,
    database_explorer,
    databases,
    destinations,
    groups,
    home,
    orchestrations,
    plan,
    queries,
    query_editor,
    run,
    settings_about,
    settings_account,
    settings_activity,
    settings_alerts,
    settings_limits,
    settings_policies,
    settings_retention,
    settings_tokens,
    settings_users,
    workflows,
    workflows_configured,
)
from segue.web.registry import Page, check

PAGES: tuple[Page, ...] = check(
    (
        home.PAGE,
        databases.PAGE,
        database_explorer.PAGE,
        queries.PAGE,
        query_editor.PAGE,
        destinations.PAGE,
        orchestrations.PAGE,
        groups.PAGE,
        plan.PAGE,
        workflows.PAGE,
        workflows_configured.PAGE,
        customer_history.PAGE,
        run.PAGE,
        settings_users.PAGE,
        settings_policies.PAGE,
        settings_account.PAGE,
        settings_tokens.PAGE,
        settings_alerts.PAGE,
        settings_limits.PAGE,
        settings_retention.PAGE,
        settings_activity.PAGE,
        settings_about.PAGE,
    )
)
