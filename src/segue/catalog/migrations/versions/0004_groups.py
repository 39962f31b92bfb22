"""Orchestration groups, signals, and the runs of groups."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from segue.catalog.base import UtcDateTime

revision = "0004_groups"
down_revision = "0003_durable_runs"


def upgrade() -> None:
    """Make the tables of groups."""
    op.create_table(
        "orchestration_groups",
        _text("id", 32),
        _text("name", 255),
        _moment("created_at"),
        _moment("updated_at"),
        _flag("enabled"),
        _text("cron", 255, nullable=True),
        _text("timezone", 64, nullable=True),
        _text("missed", 10, nullable=True),
        _text("after_signal", 255, nullable=True),
        _text("after_group", 255, nullable=True),
        sa.Column("offset", sa.Float(), nullable=False),
        _flag("only_if_changed"),
        sa.PrimaryKeyConstraint("id", name="pk_orchestration_groups"),
        sa.UniqueConstraint("name", name="uq_orchestration_groups_name"),
    )
    op.create_table(
        "group_members",
        _text("group_id", 32),
        _text("orchestration_id", 32),
        _number("position"),
        _json("after"),
        sa.PrimaryKeyConstraint("group_id", "orchestration_id", name="pk_group_members"),
        sa.ForeignKeyConstraint(
            ["group_id"], ["orchestration_groups.id"], name="fk_group_members_group_id_orchestration_groups"
        ),
        sa.ForeignKeyConstraint(
            ["orchestration_id"], ["orchestrations.id"], name="fk_group_members_orchestration_id_orchestrations"
        ),
    )
    _runs()
    op.create_table(
        "signals",
        _text("id", 32),
        _text("name", 255),
        _moment("received_at"),
        sa.PrimaryKeyConstraint("id", name="pk_signals"),
    )
    op.create_index("ix_signals_name_received_at", "signals", ["name", "received_at"])
    op.create_table(
        "group_cursors",
        _text("group_id", 32),
        _json("triggers"),
        _moment("since"),
        _moment("looked_until"),
        sa.PrimaryKeyConstraint("group_id", name="pk_group_cursors"),
    )
    op.create_table(
        "scheduler_heartbeats",
        _text("name", 32),
        _moment("beat_at"),
        sa.PrimaryKeyConstraint("name", name="pk_scheduler_heartbeats"),
    )


def _runs() -> None:
    op.create_table(
        "group_runs",
        _text("id", 32),
        _text("group_id", 32),
        _text("group", 255),
        _text("cause", 10),
        _text("trigger", 64),
        _text("status", 30),
        _moment("due_at"),
        _moment("started_at", nullable=True),
        _moment("ended_at", nullable=True),
        _text("fingerprint", 64, nullable=True),
        _json("warnings"),
        sa.PrimaryKeyConstraint("id", name="pk_group_runs"),
        sa.UniqueConstraint("group_id", "cause", "trigger", name="uq_group_runs_group_id_cause_trigger"),
    )
    op.create_index("ix_group_runs_group_id_due_at", "group_runs", ["group_id", "due_at"])
    op.create_index("ix_group_runs_status", "group_runs", ["status"])
    op.create_table(
        "group_run_members",
        _text("group_run_id", 32),
        _text("orchestration", 255),
        _number("position"),
        _json("after"),
        _text("status", 30),
        _text("run_id", 32, nullable=True),
        _text("message"),
        sa.PrimaryKeyConstraint("group_run_id", "orchestration", name="pk_group_run_members"),
        sa.ForeignKeyConstraint(
            ["group_run_id"], ["group_runs.id"], name="fk_group_run_members_group_run_id_group_runs"
        ),
    )


def _text(name: str, length: int | None = None, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length) if length else sa.Text(), nullable=nullable)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _json(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(), nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, UtcDateTime(), nullable=nullable)
