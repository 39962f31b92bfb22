"""Drafts of active queries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from segue.catalog.base import UtcDateTime

revision = "0010_query_drafts"
down_revision = "0009_personal"


def upgrade() -> None:
    """Make the table of drafts."""
    op.create_table(
        "query_drafts",
        sa.Column("query_id", sa.String(32), nullable=False),
        sa.Column("sql", sa.Text(), nullable=False),
        sa.Column("by", sa.String(255), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["query_id"], ["queries.id"], name="fk_query_drafts_query_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("query_id", name="pk_query_drafts"),
    )
