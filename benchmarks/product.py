"""What the product does, measured as a user meets it: ``segue run`` in a process of its own, default settings."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from benchmarks.data import arrow_file, customers_alone, database
from benchmarks.limits import churn_minimum, fewest_seconds
from benchmarks.process import Receiver, measured, python, receiving
from benchmarks.sample import Measure, Round, Sample, sample
from benchmarks.workspace import Home, make_home
from segue.database.churn import churn_sample

LARGE = 10
"""How many times the rows of the large run are those of the others."""


@contextmanager
def sink(*options: str) -> Iterator[Receiver]:
    """The receiver that only reads."""
    with receiving(python("benchmarks.sink", *options)) as receiver:
        yield receiver


def stats(receiver: Receiver) -> Mapping[str, Any]:
    """What the sink counted."""
    found: dict[str, Any] = httpx.get(f"{receiver.url}/stats").json()
    return found


def floor(this: Round) -> Sample:
    """DuckDB alone, writing JSON."""
    target = this.folder / "floor.json"
    finished = measured(python("benchmarks.jobs.floor", database(this.data, this.rows), target))
    size = target.stat().st_size
    target.unlink()
    return sample(finished, this.rows, **json.loads(finished.output), bytes=size)


def diff_floor(this: Round) -> Sample:
    """DuckDB alone, comparing."""
    snapshot = this.folder / "snapshot.parquet"
    command = python("benchmarks.jobs.diff_floor", database(this.data, this.rows), snapshot)
    if not snapshot.exists():
        measured([*command, "make"])
    finished = measured([*command, "compare"])
    return sample(finished, this.rows, **json.loads(finished.output))


def encode_submit(this: Round) -> Sample:
    """From an Arrow reader to the sink."""
    source = arrow_file(this.data, this.rows)
    with sink() as receiver:
        home = make_home(this.folder / "encode", database=database(this.data, this.rows), url=receiver.url)
        finished = measured(
            python("benchmarks.jobs.encode_submit", home.folder, source, receiver.url), receiver=receiver
        )
        received = stats(receiver)["bytes"]
    shutil.rmtree(home.folder)
    found = json.loads(finished.output)
    return sample(finished, this.rows, seconds=found["seconds"], cpu=found["cpu"], tasks=found["tasks"], bytes=received)


def first_run(this: Round) -> Sample:
    """Everybody is new. The round keeps the workspace for the runs that follow."""
    this.database = this.folder / "customers.duckdb"
    shutil.copyfile(database(this.data, this.rows), this.database)
    with sink() as receiver:
        this.home = make_home(this.folder / "home", database=this.database, url=receiver.url)
        return _run(this.home, receiver, this.rows)


def rerun(this: Round) -> Sample:
    """Nothing has changed."""
    return _again(this)


def churn(this: Round) -> Sample:
    """One customer in a hundred came, changed, lost fields or left; a quarter each."""
    if this.home is None:
        first_run(this)
    assert this.database is not None
    counts = churn_sample(this.database, share=0.01)
    found = _again(this)
    fewest = churn_minimum(counts)
    made = sum(found.facts["requests"].values())
    facts = {"minimum": fewest, "minimum_total": sum(fewest.values()), "requests_total": made}
    return replace(found, facts={**found.facts, **facts})


def emulated(this: Round) -> Sample:
    """A first run with the emulator as the receiver: it keeps every profile, and a sample is read back."""
    command = [str(Path(sys.executable).with_name("klaviyo-emulator")), "--port", "0", "--limit-scale", "0"]
    with receiving(command) as receiver:
        home = make_home(
            this.folder / "emulated", database=database(this.data, this.rows), url=receiver.url, read_back=100
        )
        return _run(home, receiver, this.rows)


def windows(this: Round) -> Sample:
    """Email only, at Klaviyo's real rate windows, which the sink keeps."""
    with sink("--windows") as receiver:
        home = make_home(this.folder / "windows", database=database(this.data, this.rows), url=receiver.url)
        finished, run = home.run("Emails", receiver, SEGUE_RATE_SCALE="1")
        counted = stats(receiver)
    fewest = fewest_seconds(counted["jobs"])
    facts = {"throttled": counted["throttled"], "jobs": counted["jobs"], "span": counted["span"], "fewest": fewest}
    return sample(
        finished, this.rows, share=fewest / counted["span"] if counted["span"] else 1.0, **facts, **_facts(run)
    )


def large(this: Round) -> Sample:
    """A first run of ten times as many rows."""
    rows = this.rows * LARGE
    with sink() as receiver:
        home = make_home(this.folder / "large", database=customers_alone(this.data, rows), url=receiver.url)
        try:
            return _run(home, receiver, rows)
        finally:
            shutil.rmtree(home.folder)


def _again(this: Round) -> Sample:
    if this.home is None:
        first_run(this)
    assert this.home is not None
    with sink() as receiver:
        this.home.point(receiver.url)
        return _run(this.home, receiver, this.rows)


def _run(home: Home, receiver: Receiver, rows: int) -> Sample:
    finished, run = home.run("Profiles", receiver)
    return sample(finished, rows, **_facts(run), tasks=home.tasks(run["run_id"]))


def _facts(run: Mapping[str, Any]) -> dict[str, Any]:
    """Raises RuntimeError for rows that were not acknowledged: then other work was measured than the title says."""
    if run["counts"]["warned"]:
        raise RuntimeError(f"{run['counts']['warned']} rows were not acknowledged: {run['warnings']}")
    return {"counts": run["counts"], "requests": run["requests"]}


def peer(name: str, rows: int) -> Measure:
    """A measurement of a peer; a slow one sends fewer rows, and its time for a million is extrapolated."""

    def measure(this: Round) -> Sample:
        few = min(rows, this.rows)
        with sink() as receiver:
            command = python("benchmarks.jobs.peer", name, database(this.data, this.rows), few, receiver.url)
            finished = measured(command, receiver=receiver)
        return sample(finished, **json.loads(finished.output))

    return measure
