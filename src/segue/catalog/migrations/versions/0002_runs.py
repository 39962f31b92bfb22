"""Runs, tasks, deliveries, audience snapshots and profile ids."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from segue.catalog.base import UtcDateTime

revision = "0002_runs"
down_revision = "0001_configuration"


def upgrade() -> None:
    """Make the tables of what was run."""
    op.create_table(
        "runs",
        _text("id", 32),
        _text("orchestration_id", 32),
        _text("orchestration", 255),
        _text("kind", 10),
        _text("undoes", 32, nullable=True),
        _text("status", 30),
        _moment("started_at"),
        _moment("ended_at", nullable=True),
        _text("plan_id", 64, nullable=True),
        _json("settings"),
        _text("account_id", 64, nullable=True),
        _text("list_id", 64, nullable=True),
        _text("list_name", 255, nullable=True),
        sa.Column("list_created", sa.Boolean(), nullable=False),
        _json("counts"),
        _json("requests"),
        _json("warnings"),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index("ix_runs_status", "runs", ["status"])
    op.create_index("ix_runs_started_at", "runs", ["started_at"])
    op.create_index("ix_runs_orchestration_id_started_at", "runs", ["orchestration_id", "started_at"])
    _of_run(
        "tasks",
        ["name"],
        _text("name", 30),
        _number("position"),
        _text("status", 20),
        _moment("started_at", nullable=True),
        _moment("ended_at", nullable=True),
        _number("attempts"),
        _json("outcome"),
    )
    _of_run(
        "delivery_parts",
        ["kind", "chunk", "start"],
        _text("kind", 10),
        _number("chunk"),
        _number("start"),
        _number("stop"),
        _text("state", 10),
        _text("job", 64, nullable=True),
    )
    _of_run(
        "delivery_rejects",
        ["kind", "chunk", "position"],
        _text("kind", 10),
        _number("chunk"),
        _number("position"),
        sa.Column("at_submit", sa.Boolean(), nullable=False),
        _text("key"),
        _text("field"),
        _text("reason", 100),
        _text("detail"),
    )
    op.create_index("ix_delivery_rejects_key", "delivery_rejects", ["key"])
    op.create_table(
        "audience_snapshots",
        _text("orchestration_id", 32),
        _number("version"),
        _text("account_id", 64),
        _text("list_id", 64),
        _text("list_name", 255),
        _json("columns"),
        _number("rows"),
        _json("segments"),
        _text("run_id", 32),
        _moment("updated_at"),
        sa.PrimaryKeyConstraint("orchestration_id", name="pk_audience_snapshots"),
    )
    op.create_table(
        "profile_ids",
        _text("account_id", 64),
        _text("key", 254),
        _text("profile_id", 64),
        sa.PrimaryKeyConstraint("account_id", "key", name="pk_profile_ids"),
    )


def _of_run(table: str, key: list[str], *columns: sa.Column[Any]) -> None:
    op.create_table(
        table,
        _text("run_id", 32),
        *columns,
        sa.PrimaryKeyConstraint("run_id", *key, name=f"pk_{table}"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=f"fk_{table}_run_id_runs"),
    )


def _text(name: str, length: int | None = None, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length) if length else sa.Text(), nullable=nullable)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _json(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(), nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, UtcDateTime(), nullable=nullable)
