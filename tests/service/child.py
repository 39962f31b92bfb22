"""What a process of ``segue`` does that is forked from one that has loaded everything: starting one anew takes seconds."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

LOADED = ["segue.app", "segue.cli.main", "segue.web", "segue.api", "psycopg", "tests.service.child"]


def segue(arguments: Sequence[str], environment: Mapping[str, str], stderr: str) -> None:
    """Run a command line in this process; it ends with it."""
    os.environ.clear()
    os.environ.update(environment)
    told = os.open(stderr, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(told, 2)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    from segue.cli.main import run

    sys.exit(run(arguments))
