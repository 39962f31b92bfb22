"""Runs the migrations on the connection that ``segue.catalog.schema`` hands over."""

from __future__ import annotations

from alembic import context

from segue.catalog.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata(),
    # SQLite cannot alter most of a table: alembic copies it instead.
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
