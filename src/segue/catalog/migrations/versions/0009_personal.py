"""Columns that a database marks as personal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009_personal"
down_revision = "0008_shared_workers"


def upgrade() -> None:
    """Let databases have them."""
    op.add_column("databases", sa.Column("personal", sa.JSON(), nullable=False, server_default="[]"))
