"""Several workers on one metadata database: how to end one that is taken for dead, and since when it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from segue.catalog.base import UtcDateTime

revision = "0008_shared_workers"
down_revision = "0007_users"


def upgrade() -> None:
    """Add what a worker needs to be taken over."""
    # Workers of before are gone: the next one takes their runs over and forgets them.
    op.add_column("workers", sa.Column("process", sa.String(63), nullable=False, server_default=""))
    op.add_column("workers", sa.Column("gone_at", UtcDateTime(), nullable=True))
