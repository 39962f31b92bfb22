"""A place to try Segue in: an emulator of Klaviyo in a process of its own, and a workspace with the sample."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from klaviyo_emulator.admin_client import EmulatorAdmin

KEY = "pk_test"
"""The key that an emulator takes when it is not told another one."""
_PROGRAMS = Path(sys.executable).parent


class SandboxError(Exception):
    """A command ended in a way that was not expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """folder: the workspace; url: where the emulator is."""

    folder: Path
    url: str

    @property
    def admin(self) -> EmulatorAdmin:
        """The emulator's administration: what is truly at "Klaviyo"."""
        return EmulatorAdmin(self.url)

    @property
    def database(self) -> Path:
        """The sample Customer 360."""
        return self.folder / "customer360.duckdb"

    @property
    def variables(self) -> dict[str, str]:
        """What a shell must export to work on this workspace."""
        return {"SEGUE_HOME": str(self.folder.absolute()), "KLAVIYO_API_KEY": KEY, "KLAVIYO_URL": self.url}

    def shown(self, *arguments: str, expected: Collection[int] = (0, 3)) -> None:
        """Run ``segue`` with its output on the terminal, below the command itself. Raises SandboxError."""
        print(f"\n$ {shlex.join(['segue', *arguments])}", flush=True)
        code = self.start(*arguments).wait()
        if code not in expected:
            raise SandboxError(f"segue {arguments[0]} ended with exit code {code}")

    def captured(self, *arguments: str, expected: Collection[int] = (0, 3), **variables: str) -> str:
        """Run ``segue`` and return what it printed. Raises SandboxError with its last words."""
        process = self.start(*arguments, output=subprocess.PIPE, **variables)
        printed, complaint = process.communicate()
        if process.returncode not in expected:
            raise SandboxError(
                f"segue {arguments[0]} ended with exit code {process.returncode}: {complaint.strip() or printed.strip()}"
            )
        return printed

    def start(self, *arguments: str, output: int | None = None, **variables: str) -> subprocess.Popen[str]:
        """Begin a ``segue`` command and do not wait for it."""
        environment = {**os.environ, **self.variables, **variables}
        program = str(_PROGRAMS / "segue")
        return subprocess.Popen([program, *arguments], env=environment, stdout=output, stderr=output, text=True)


@contextmanager
def sandbox(folder: Path, *, rows: int, configuration: Path, **switches: object) -> Iterator[Sandbox]:
    """A fresh workspace at folder and a fresh emulator, which ends with the block.

    Whatever was in the folder goes. rows: customers of the sample; configuration: the YAML that a later ``segue apply``
    finds as ``segue.yaml`` in the folder; switches: the emulator's, such as ``job_delay=0.2``.
    """
    shutil.rmtree(folder, ignore_errors=True)
    with emulator(**switches) as url:
        place = Sandbox(folder=folder, url=url)
        place.captured("init", "--sample", "--rows", str(rows))
        shutil.copyfile(configuration, folder / "segue.yaml")
        yield place


@contextmanager
def emulator(**switches: object) -> Iterator[str]:
    """An emulator on a free port for the length of the block; gives its URL."""
    options = [f"--set={name}={str(value).lower()}" for name, value in switches.items()]
    program = str(_PROGRAMS / "klaviyo-emulator")
    process = subprocess.Popen([program, "--port", "0", *options], stdout=subprocess.PIPE, text=True)
    try:
        greeting = process.stdout.readline() if process.stdout else ""
        found = re.search(r"http://\S+", greeting)
        if found is None:
            raise SandboxError("the emulator did not start")
        yield found[0]
    finally:
        process.terminate()
        process.wait()
        if process.stdout:
            process.stdout.close()
