"""What libraries raise while a run works, as errors that say what to do. Their own texts may hold data and stay out."""

from __future__ import annotations

import errno

import duckdb
import pyarrow as pa

from segue.errors import SegueError, StateError

_DISK_FULL = StateError(
    "The disk of the workspace is full.",
    code="disk_full",
    steps=("Free space where SEGUE_HOME is, or move the workspace to a larger disk.", "Run again: nothing is lost."),
)

_SAYS_FULL = ("No space left", "max_temp_directory_size")
"""DuckDB takes what is free on the disk for its limit of temporary files, and calls it memory when that is used up."""


def explain(error: Exception) -> SegueError:
    """The error for the user. What nobody foresaw gets code ``unexpected`` and the type of the exception."""
    if isinstance(error, SegueError):
        return error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _DISK_FULL
    if isinstance(error, duckdb.Error) and any(said in str(error) for said in _SAYS_FULL):
        return _DISK_FULL
    if isinstance(error, (duckdb.OutOfMemoryException, MemoryError, pa.ArrowMemoryError)):
        return StateError(
            "Comparing the rows needs more memory than SEGUE_ENGINE_MEMORY gives it.",
            code="engine_memory",
            steps=("Set SEGUE_ENGINE_MEMORY to twice as much, for example 1200MB.", "Run again: nothing is lost."),
        )
    if isinstance(error, PermissionError):
        return StateError(
            "A file of the workspace cannot be read or written.",
            code="workspace_permissions",
            cause=error.strerror or type(error).__name__,
            steps=("Give the user that runs Segue the right to write everywhere under SEGUE_HOME.",),
        )
    return SegueError(
        "Segue failed unexpectedly.",
        code="unexpected",
        cause=type(error).__name__,
        steps=("Run again with SEGUE_DEBUG=1 to see where.", "Report it with that output."),
    )
