"""Recovery codes of the second factor, and when a token was used last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from segue.catalog.base import UtcDateTime

revision = "0011_recovery"
down_revision = "0010_query_drafts"


def upgrade() -> None:
    """Make the table of recovery codes; note the last use of tokens."""
    op.create_table(
        "recovery_codes",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_recovery_codes_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest", name="pk_recovery_codes"),
    )
    op.create_index("ix_recovery_codes_user_id", "recovery_codes", ["user_id"])
    op.add_column("api_tokens", sa.Column("last_used_at", UtcDateTime(), nullable=True))
