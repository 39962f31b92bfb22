"""How much of each account of a destination may be used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from segue.catalog.base import UtcDateTime

revision = "0020_account_budgets"
down_revision = "0019_run_timelines"


def upgrade() -> None:
    """Make the table. An account that is not in it may be used as far as its destination lets."""
    op.create_table(
        "account_budgets",
        sa.Column("account_id", sa.String(64), nullable=False),
        sa.Column("share", sa.Integer(), nullable=False),
        sa.Column("lists_a_day", sa.Integer(), nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name="pk_account_budgets"),
    )
