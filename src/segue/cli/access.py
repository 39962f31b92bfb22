"""Which permission each command takes. The command line acts as the local operator, who has all of them."""

from __future__ import annotations

from collections.abc import Mapping

COMMANDS: Mapping[str, str | None] = {
    "init": None,
    "upgrade": None,
    "gc": None,
    "forget": "settings.edit",
    "retention show": "configuration.read",
    "retention set": "settings.edit",
    "apply": "configuration.read",
    "export": "configuration.read",
    "list": "configuration.read",
    "query run": "queries.run",
    "query preview": "queries.run",
    "query explain": "configuration.read",
    "query functions": "configuration.read",
    "plan": "runs.start",
    "run": "runs.start",
    "undo": "runs.start",
    "resolve": "runs.start",
    "stop": "runs.stop",
    "groups": "runs.read",
    "group run": "runs.start",
    "signal": "signals.send",
    "serve": None,
    "worker": None,
    "token create": "tokens.own",
    "token list": "tokens.own",
    "token revoke": "tokens.own",
    "user add": "users.manage",
    "user list": "users.manage",
    "user set": "users.manage",
    "user disable": "users.manage",
    "user enable": "users.manage",
    "user unlock": "users.manage",
    "user reset-password": "users.manage",
    "runs": "runs.read",
    "show": "runs.read",
    "rejects": "people.read",
    "requests": "people.read",
    "history": "people.read",
    "test-connection": "connections.check",
    "activity": "runs.read",
    "alert test": "alerts.edit",
    "audit list": "audit.read",
    "audit export": "audit.read",
}
"""Command -> permission of what it does; None: it looks after the workspace itself and takes its folder. ``apply`` also takes
the permission of each kind that it changes."""
ANYWHERE = frozenset({
    "plan", "run", "undo", "resolve", "stop", "runs", "show", "rejects", "requests", "history", "test-connection",
    "query run", "query preview", "query functions", "groups", "group run", "signal", "activity", "alert test",
})  # fmt: skip
"""Commands that a server can be asked for; the others need the workspace itself."""
