"""The permission table, from itself: ``python -m docs.make_permissions > docs/reference/permissions.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from segue.api.access import PUBLIC, ROUTES
from segue.cli.access import COMMANDS
from segue.services.permissions import EDITS, PERMISSIONS, Option, Policy
from segue.web.access import FILES
from segue.web.pages import PAGES

_HEAD = """\
# Permissions

<!-- Made by `python -m docs.make_permissions`; a test compares the two. -->

A user has one policy, and may have options that allow more or less. What each permission allows, who holds it, and the least
scope of an API token that uses it:

"""
_OPTIONS = {
    Option.RESTRICT_PII: "sees no value of a personal column, anywhere; uses only destinations with `allow_restricted_pii`",
    Option.USER_ADMIN: "also holds `users.manage`, for users who may no more than this one",
    Option.RUN_ONLY: "keeps only the permissions marked *run only*",
}
_REST = """
A token belongs to a user and can never do more than that user can at this moment; its scopes take away, they never add. A token
that the command line made without `--user` is the workspace's own: its scopes alone count.

A destination with `admin_only` is used, in configuration and in runs, by those alone who hold `destinations.admin_only`.

The command line acts as the *local operator*, who holds every permission: who can read the workspace folder holds its key.
Segue itself (schedules, workers) does what somebody with the permission asked for or configured before.
"""


def reference() -> str:
    """The page in Markdown."""
    return "".join([_HEAD, *_table(), *_options(), _REST, *_kinds(), *_pages(), *_routes(), *_commands()])


def _table() -> Iterator[str]:
    yield f"| Permission | Allows to | {' | '.join(policy.title() for policy in Policy)} | Run only | Scope |\n"
    yield "| --- | --- |" + " --- |" * (len(Policy) + 2) + "\n"
    for line in PERMISSIONS.values():
        held = " | ".join("yes" if policy in line.policies else "" for policy in Policy)
        run_only = "yes" if line.run_only else ""
        yield f"| `{line.name}` | {line.allows} | {held} | {run_only} | `{line.scope}` |\n"


def _options() -> Iterator[str]:
    yield "\n| Option | A user with it |\n| --- | --- |\n"
    for option in Option:
        yield f"| `{option}` | {_OPTIONS[option]} |\n"


def _kinds() -> Iterator[str]:
    yield "\n## Configuration\n\n| Kind | Changing it takes |\n| --- | --- |\n"
    for kind, permission in EDITS.items():
        yield f"| `{kind}` | `{permission}` |\n"


def _pages() -> Iterator[str]:
    yield "\n## Pages and files of the web app\n\n| Address | Takes |\n| --- | --- |\n"
    for page in PAGES:
        yield f"| `{page.path}` | `{page.permission}` |\n"
    for path, permission in FILES.items():
        yield f"| `{path}` | `{permission}` |\n"


def _routes() -> Iterator[str]:
    yield "\n## Routes of the API\n\n| Route | Takes |\n| --- | --- |\n"
    for method, path in sorted(PUBLIC):
        yield f"| `{method} {path}` | nothing |\n"
    for (method, path), permission in ROUTES.items():
        yield f"| `{method} {path}` | `{permission}` |\n"


def _commands() -> Iterator[str]:
    yield "\n## Commands\n\n| Command | What it does takes |\n| --- | --- |\n"
    for command, needed in COMMANDS.items():
        yield f"| `segue {command}` | {f'`{needed}`' if needed else 'the workspace folder'} |\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
