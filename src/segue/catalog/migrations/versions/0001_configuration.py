"""Databases, credentials, queries, destinations, data templates and orchestrations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001_configuration"
down_revision = None


def upgrade() -> None:
    """Make the six tables of the configuration."""
    _create("databases", _text("engine", 50), _text("path", nullable=True), _json("tables"))
    _create("credentials", _text("type", 50), _text("base_url", nullable=True), _text("sealed"))
    _create(
        "queries",
        _text("folder", 255, nullable=True),
        _reference("database_id", "databases"),
        _text("sql"),
        _text("status", 20),
    )
    _create(
        "destinations",
        _text("plugin", 50),
        _reference("credential_id", "credentials"),
        _text("description"),
        _json("settings"),
    )
    _create("data_templates", _reference("destination_id", "destinations"), _json("settings"))
    _create(
        "orchestrations",
        _reference("query_id", "queries"),
        _reference("destination_id", "destinations"),
        _reference("data_template_id", "data_templates"),
        _text("workflow", 20),
        _json("settings"),
    )


def _create(table: str, *columns: sa.Column) -> None:  # type: ignore[type-arg]
    op.create_table(
        table,
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(255), nullable=False, unique=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        *columns,
    )


def _text(name: str, length: int | None = None, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length) if length else sa.Text(), nullable=nullable)


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), nullable=False)


def _reference(name: str, table: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(32), sa.ForeignKey(f"{table}.id"), nullable=False)
