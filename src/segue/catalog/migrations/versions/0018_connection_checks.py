"""What came of the last check of each connection."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from segue.catalog.base import UtcDateTime

revision = "0018_connection_checks"
down_revision = "0017_run_search"


def upgrade() -> None:
    """Make the table; what was checked before was not kept."""
    op.create_table(
        "connection_checks",
        sa.Column("credential_id", sa.String(32), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(255), nullable=False),
        sa.Column("sound", sa.Boolean(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["credential_id"], ["credentials.id"], name="fk_connection_checks_credential_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("credential_id", name="pk_connection_checks"),
    )
