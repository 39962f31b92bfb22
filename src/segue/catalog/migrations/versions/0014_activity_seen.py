"""What each user has seen of the recent activity."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014_activity_seen"
down_revision = "0013_query_versions"


def upgrade() -> None:
    """Make the table; what somebody had looked at so far counts as seen by everybody, as it did."""
    seen = op.create_table(
        "activity_seen",
        sa.Column("activity_id", sa.Integer(), nullable=False),
        sa.Column("reader", sa.String(255), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activity.id"], name="fk_activity_seen_activity_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("activity_id", "reader", name="pk_activity_seen"),
    )
    lines = sa.table("activity", sa.column("id"), sa.column("seen_at"))
    users = sa.table("users", sa.column("id"))
    readers = sa.union_all(sa.select(users.c.id.label("reader")), sa.select(sa.literal("local operator"))).subquery()
    everybody = sa.join(lines, readers, sa.true())
    looked_at = sa.select(lines.c.id, readers.c.reader).select_from(everybody).where(lines.c.seen_at.is_not(None))
    op.execute(seen.insert().from_select(["activity_id", "reader"], looked_at))
    op.drop_index("ix_activity_seen_at_at", "activity")
    op.drop_column("activity", "seen_at")
