"""Foreign exceptions become errors with a code and steps, and never show their own text."""

from __future__ import annotations

import errno

import duckdb
import pyarrow as pa
import pytest

from segue.errors import DataError
from segue.workflow.failures import explain

SECRET = "ana@mail.shop"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, SECRET), "disk_full"),
        (OSError(errno.EDQUOT, SECRET), "disk_full"),
        (duckdb.IOException(f"No space left on device {SECRET}"), "disk_full"),
        (duckdb.OutOfMemoryException(f"set by the 'max_temp_directory_size' setting {SECRET}"), "disk_full"),
        (duckdb.OutOfMemoryException(SECRET), "engine_memory"),
        (MemoryError(SECRET), "engine_memory"),
        (pa.ArrowMemoryError(SECRET), "engine_memory"),
        (PermissionError(errno.EACCES, "Permission denied", SECRET), "workspace_permissions"),
        (ValueError(SECRET), "unexpected"),
        (duckdb.ConversionException(SECRET), "unexpected"),
        (pa.ArrowInvalid(SECRET), "unexpected"),
    ],
)
def test_every_foreign_error_is_explained(error: Exception, code: str) -> None:
    explained = explain(error)
    assert explained.code == code
    assert explained.steps
    assert SECRET not in f"{explained.message} {explained.cause} {explained.steps}"


def test_our_own_errors_pass() -> None:
    error = DataError("x", code="y")
    assert explain(error) is error
