"""The command line: it parses, calls a service, and shows the result."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the ``segue`` command with the process's arguments; returns its exit code."""
    from segue.cli.main import run  # noqa: PLC0415 -- importing the package alone stays free

    return run(sys.argv[1:])
