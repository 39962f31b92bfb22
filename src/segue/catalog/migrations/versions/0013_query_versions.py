"""Versions of queries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from segue.catalog.base import UtcDateTime

revision = "0013_query_versions"
down_revision = "0012_run_list"


def upgrade() -> None:
    """Make the table of versions; what queries say today is the first one of each."""
    versions = op.create_table(
        "query_versions",
        sa.Column("query_id", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sql", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(255), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["query_id"], ["queries.id"], name="fk_query_versions_query_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("query_id", "number", name="pk_query_versions"),
    )
    queries = sa.table(
        "queries", sa.column("id"), sa.column("sql"), sa.column("status"), sa.column("updated_at", UtcDateTime())
    )
    today = sa.select(
        queries.c.id,
        sa.literal(1),
        queries.c.sql,
        queries.c.status == "active",
        sa.literal(""),
        queries.c.updated_at,
    )
    op.execute(versions.insert().from_select(["query_id", "number", "sql", "active", "by", "at"], today))
