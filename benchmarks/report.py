"""The table and the JSON of a benchmark run."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.goals import Judged, Results, judge, ratio
from benchmarks.sample import Sample, Scenario

_PACKAGES = ("segue", "duckdb", "pyarrow", "httpx", "orjson", "sqlglot", "klaviyo-api")
_COLUMNS = (
    *("", "rows", "seconds", "spread", "rows/s", "x floor"),
    *("CPU s/1M rows", "CPU x floor", "peak MB", "receiver MB"),
)
"""A ``~`` before the processor seconds of a million rows: extrapolated from another number of rows."""
_FLOORS = {"rerun": "diff_floor", "churn": "diff_floor"}


def machine() -> dict[str, Any]:
    """What the numbers were measured on. load: runnable processes of the last minute, others' included."""
    return {
        "cores": os.cpu_count(),
        "memory": psutil.virtual_memory().total,
        "load": os.getloadavg()[0],
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in _PACKAGES},
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def write_json(path: Path, results: Results, facts: dict[str, Any]) -> None:
    """Every sample, the goals and the machine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "machine": facts,
        "goals": [asdict(g) for g in judge(results)],
        "samples": {name: [{**asdict(s), "rate": s.rate} for s in samples] for name, samples in results.items()},
    }
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")


def show(console: Console, scenarios: Sequence[Scenario], results: Results, facts: dict[str, Any]) -> None:
    """The tables for people."""
    console.print(_measurements(scenarios, results))
    if judged := judge(results):
        console.print(_goals(judged))
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    console.print(
        f"{facts['cores']} cores, load {facts['load']:.1f} at the start, Python {facts['python']}, {versions}"
    )


def _measurements(scenarios: Sequence[Scenario], results: Results) -> Table:
    table = Table(title="Medians", title_justify="left")
    for name in _COLUMNS:
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for scenario in scenarios:
        if samples := results.get(scenario.name):
            table.add_row(scenario.title, *_cells(samples, results, _FLOORS.get(scenario.name, "floor")))
    return table


def _cells(samples: Sequence[Sample], results: Results, floor_name: str) -> list[str]:
    same = samples[0].rows == _floor_rows(results)
    floor = results.get(floor_name) if same else None
    times = [s.seconds for s in samples]
    return [
        f"{samples[0].rows:,}",
        f"{median(times):.2f}",
        f"{min(times):.2f}-{max(times):.2f}",
        f"{median(s.rate for s in samples):,.0f}",
        f"{ratio(samples, floor, lambda s: s.seconds):.2f}" if floor else "",
        f"{'' if same else '~'}{median(s.cpu * 1e6 / s.rows for s in samples):.1f}",
        f"{ratio(samples, floor, lambda s: s.cpu):.2f}" if floor else "",
        f"{max(s.peak for s in samples) / 1e6:,.0f}",
        f"{max(s.receiver_peak for s in samples) / 1e6:,.0f}" if samples[0].receiver_peak else "",
    ]


def _floor_rows(results: Results) -> int:
    return results["floor"][0].rows if "floor" in results else 0


def _goals(judged: Sequence[Judged]) -> Table:
    table = Table(title="Goals", title_justify="left")
    for name in ("goal", "measured", "in CPU", ""):
        table.add_column(name, no_wrap=True)
    for one in judged:
        table.add_row(one.goal, one.measured, one.cpu, "[green]met[/]" if one.met else "[red]missed[/]")
    return table
