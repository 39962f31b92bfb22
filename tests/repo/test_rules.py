"""Rules that hold for every file of the repository."""

from __future__ import annotations

import ast
import hashlib
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*ROOT.glob("src/**/*.py"), *ROOT.glob("packages/*/src/**/*.py")])
LONGEST = 300
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
# Spelled in pieces, so that this file does not break its own rule.
FOREIGN = re.compile(
    r"\b(?:A" + r"I|L" + r"LM|cla" + r"ude|chat" + r"gpt|open" + r"ai|cop" + r"ilot)\b"
    r"|\bissue #?\d|\bpart \d of\b|/wo" + r"rk/|\bTO" + r"DO\b|\bFIX" + r"ME\b",
    re.IGNORECASE,
)


def _tracked() -> list[Path]:
    """The text files of the project: what git knows, or everything outside hidden folders where there is no git."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = [name for name in listed.stdout.split("\0") if name]
    return [ROOT / name for name in names if (ROOT / name).is_file() and not name.endswith((".lock", ".svg", ".png"))]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _trees() -> list[tuple[Path, ast.Module]]:
    return [(source, ast.parse(source.read_text(encoding="utf-8"))) for source in SOURCES]


def test_modules_are_short():
    lengths = {_name(source): len(source.read_text(encoding="utf-8").splitlines()) for source in SOURCES}
    assert {name: length for name, length in lengths.items() if length >= LONGEST} == {}


def test_modules_and_their_public_names_say_what_they_are():
    silent = []
    for source, tree in _trees():
        silent += [] if ast.get_docstring(tree) else [_name(source)]
        public = [node for node in tree.body if isinstance(node, _DEFINITIONS) and not node.name.startswith("_")]
        silent += [f"{_name(source)}:{node.lineno} {node.name}" for node in public if not ast.get_docstring(node)]
    assert silent == []


def test_annotations_are_postponed():
    missing = []
    for source, tree in _trees():
        imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
        if any(isinstance(node, _DEFINITIONS) for node in tree.body) and not imports:
            missing.append(_name(source))
    assert missing == []


def test_files_speak_of_segue_alone():
    found = {}
    for path in (path for path in _tracked() if path.suffix != ".zip"):
        lines = path.read_text(encoding="utf-8").splitlines()
        # "todo" as a Python name is a word like any other.
        hits = [n for n, line in enumerate(lines, 1) if (m := FOREIGN.search(line)) and not m[0].islower()]
        if hits:
            found[_name(path)] = hits
    assert found == {}


def test_the_licence_is_apache_2_as_published():
    # sha256 of https://www.apache.org/licenses/LICENSE-2.0.txt
    published = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
    assert hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest() == published


def test_continuous_integration_runs_what_everybody_can_run():
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    text = script.read_text(encoding="utf-8")
    assert "set -euo pipefail" in text
    assert "make test" in text


@pytest.mark.parametrize("target", ["setup", "demo", "check", "test", "bench", "soak", "images"])
def test_make_has_the_target(target):
    dry = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert dry.returncode == 0, dry.stderr


def test_ci_keeps_the_exit_code_and_ends_with_the_summary(tmp_path):
    folder = tmp_path / "repo"
    (folder / ".ci").mkdir(parents=True)
    (folder / ".ci" / "run").write_bytes((ROOT / ".ci" / "run").read_bytes())
    summary = "==== 1 failed, 2 passed in 0.10s ===="
    (folder / "Makefile").write_text(f"test:\n\t@echo '{summary}'; exit 1\n", encoding="utf-8")
    done = subprocess.run(["bash", str(folder / ".ci/run")], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert done.stdout.splitlines()[-1] == summary
