"""The tables of what is configured."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Boolean, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from segue.catalog.base import Base, Named


class Database(Named, Base):
    """Where the tables of a query live."""

    __tablename__ = "databases"

    engine: Mapped[str] = mapped_column(String(50))
    path: Mapped[str | None] = mapped_column(Text)
    """Absolute path of the database file; None when there are only ``tables``."""
    tables: Mapped[dict[str, str]] = mapped_column(JSON)
    """Table name to the absolute path or glob of its files."""
    personal: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Names of columns that hold what points to a person, besides those that everybody knows."""


class Credential(Named, Base):
    """A named secret. ``sealed`` is its ciphertext; see ``segue.security.SecretBox``."""

    __tablename__ = "credentials"

    type: Mapped[str] = mapped_column(String(50))
    base_url: Mapped[str | None] = mapped_column(Text)
    sealed: Mapped[str] = mapped_column(Text)


class Query(Named, Base):
    """A named SELECT over one database; status is ``draft`` or ``active``."""

    __tablename__ = "queries"

    folder: Mapped[str | None] = mapped_column(String(255))
    database_id: Mapped[str] = mapped_column(ForeignKey("databases.id"))
    sql: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(20))

    database: Mapped[Database] = relationship()


class Destination(Named, Base):
    """A place to send to: a plug-in with a credential."""

    __tablename__ = "destinations"

    plugin: Mapped[str] = mapped_column(String(50))
    credential_id: Mapped[str] = mapped_column(ForeignKey("credentials.id"))
    description: Mapped[str] = mapped_column(Text)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    admin_only: Mapped[bool] = mapped_column(Boolean, default=False)
    allow_restricted_pii: Mapped[bool] = mapped_column(Boolean, default=False)

    credential: Mapped[Credential] = relationship()


class DataTemplate(Named, Base):
    """How the rows of a query go to a destination. ``settings``: what is set of TemplateSettings."""

    __tablename__ = "data_templates"

    destination_id: Mapped[str] = mapped_column(ForeignKey("destinations.id"))
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)

    destination: Mapped[Destination] = relationship()


class Orchestration(Named, Base):
    """A query, a destination and a data template; ``settings`` override fields of the template."""

    __tablename__ = "orchestrations"

    query_id: Mapped[str] = mapped_column(ForeignKey("queries.id"))
    destination_id: Mapped[str] = mapped_column(ForeignKey("destinations.id"))
    data_template_id: Mapped[str] = mapped_column(ForeignKey("data_templates.id"))
    workflow: Mapped[str] = mapped_column(String(20))
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)

    query: Mapped[Query] = relationship()
    destination: Mapped[Destination] = relationship()
    data_template: Mapped[DataTemplate] = relationship()
