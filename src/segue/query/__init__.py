"""Query step: a SELECT in Trino's SQL becomes a checked SELECT for the engine, or a refusal with line and column."""

from __future__ import annotations

from segue.query.compile import compile_query
from segue.query.engine import DUCKDB_SETUP
from segue.query.functions import FUNCTIONS
from segue.query.values import Case, CompiledQuery, Function, Tables

__all__ = ["DUCKDB_SETUP", "FUNCTIONS", "Case", "CompiledQuery", "Function", "Tables", "compile_query"]
