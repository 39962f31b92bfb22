"""Step 1 of the path: a database answers a query with a stream of Arrow record batches."""

from __future__ import annotations

from segue.database.duckdb_engine import DuckDBEngine, check
from segue.database.engine import DatabaseConfig, Engine, QueryLimits
from segue.errors import ConfigError

__all__ = ["DatabaseConfig", "Engine", "QueryLimits", "open_engine"]


def open_engine(config: DatabaseConfig) -> Engine:
    """The engine of a database. Opens nothing yet: that is for ``tables`` and ``run``.

    Raises ConfigError when the engine is unknown or the settings are not whole.
    """
    if config.engine != "duckdb":
        raise ConfigError(
            f"database {config.name} names the engine {config.engine!r}, which Segue does not have",
            steps=("use `engine: duckdb`",),
        )
    check(config)
    return DuckDBEngine(config)
