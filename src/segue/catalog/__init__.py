"""The metadata database: what is configured, and what has run."""

from __future__ import annotations

from segue.catalog.base import Base
from segue.catalog.catalog import Catalog
from segue.catalog.schema import upgrade

__all__ = ["Base", "Catalog", "upgrade"]
