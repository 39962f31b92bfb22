"""The benchmark: ``python -m benchmarks.run [--rows N] [--repeat N] [--only NAME...] [--large] [--json FILE]``.

Each round does every scenario once, so that a ratio compares what ran side by side; the medians of the rounds count.
Everything measured is a process of its own.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.report import machine, show, write_json
from benchmarks.sample import Round, Sample, Scenario, new_round
from benchmarks.scenarios import LARGE, SCENARIOS

FOLDER = Path(".bench")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, show, write. 0 when it could measure: a goal that is missed is in the table."""
    options = _parser().parse_args(arguments)
    chosen = [s for s in (*SCENARIOS, LARGE) if s.name in options.only] if options.only else list(SCENARIOS)
    if options.large and LARGE not in chosen:
        chosen.append(LARGE)
    console, results, facts = Console(width=150), dict[str, list[Sample]](), machine()
    FOLDER.mkdir(exist_ok=True)
    for number in range(options.repeat):
        with new_round(options.rows, FOLDER) as this:
            for scenario in chosen:
                if scenario is not LARGE or number == options.repeat - 1:
                    results.setdefault(scenario.name, []).append(_measure(scenario, this, number, console))
                    write_json(options.json, results, facts)
    show(console, chosen, results, facts)
    console.print(f"Every sample is in {options.json}")
    return 0


def _measure(scenario: Scenario, this: Round, number: int, console: Console) -> Sample:
    measured = scenario.measure(this)
    console.print(f"[dim]round {number + 1}: {scenario.title}: {measured.seconds:.2f} s[/]")
    return measured


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.run", description="Measure Segue against floors and peers.")
    names = [s.name for s in (*SCENARIOS, LARGE)]
    parser.add_argument("--rows", type=int, default=1_000_000, help="customers (default 1,000,000)")
    parser.add_argument("--repeat", type=int, default=3, help="rounds (default 3)")
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--large", action="store_true", help="also a first run of ten times the rows, once")
    parser.add_argument("--json", type=Path, default=FOLDER / "results.json", help="where every sample goes")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
