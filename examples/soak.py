"""Many runs with random changes, faults and kills; after each settled run the list and its profiles must equal the query.

``python -m examples.soak`` (or ``make soak``). The same seed makes the same changes and the same faults; where a kill meets
a run depends on the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from examples.sandbox import Sandbox, SandboxError, sandbox
from segue.database.churn import churn_sample

_CONFIGURATION = Path(__file__).with_name("soak.yaml")
_ORCHESTRATION = "People to Klaviyo"
_LIST = "People"
_ATTEMPTS = 6
_PROFILES = 40
"""Profiles that are compared field by field after each round."""
# The query of soak.yaml, said a second time in DuckDB's own SQL.
_MODEL = """
SELECT lower(email), min(given_name), min(city), min(loyalty_tier), sum(loyalty_points)::BIGINT FROM Merged_Customers
WHERE regexp_full_match(email, '[A-Za-z]+[.][0-9]+@[A-Za-z.-]*[a-z]') GROUP BY lower(email)
"""
_FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("status", {"status": 503}),
    ("status", {"status": 500}),
    ("status", {"status": 429, "retry_after": 1}),
    ("non_json", {}),
    ("drop_before", {}),
    ("drop_after", {}),
    ("slow", {"seconds": 0.3}),
    ("cancel_job", {"rows": 20}),
)


@dataclass(kw_only=True)
class Soak:
    """One soak; what it met is counted in ``met``."""

    place: Sandbox
    chance: random.Random
    met: Counter[str] = field(default_factory=Counter)

    def round(self, number: int) -> None:
        """Change the data, make trouble, run until it is settled, compare. Raises SandboxError on a difference."""
        if number:
            churn_sample(self.place.database, share=self.chance.choice((0.002, 0.01, 0.05)), seed=number)
        self._make_trouble()
        if self.chance.random() < 0.3:
            self._kill_a_run()
        self._run_until_settled()
        self._compare()

    def _make_trouble(self) -> None:
        self.place.admin.clear_faults()
        for _ in range(self.chance.randrange(4)):
            kind, options = self.chance.choice(_FAULTS)
            rate, seed = self.chance.choice((0.02, 0.1, 1.0)), self.chance.randrange(10**6)
            self.place.admin.fault(kind, count=self.chance.randint(1, 3), rate=rate, seed=seed, **options)
            self.met[f"fault {kind}"] += 1

    def _kill_a_run(self) -> None:
        """A run that gets no chance to tidy up."""
        process = self.place.start("run", _ORCHESTRATION, "--yes", output=subprocess.PIPE)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=self.chance.uniform(0.5, 4.0))
        process.kill()
        process.communicate()
        self.met["kill" if process.returncode < 0 else "too late to kill"] += 1

    def _run_until_settled(self) -> None:
        """Run until one run has begun after the last change and left nothing for later; quiet from the third attempt on."""
        for attempt in range(_ATTEMPTS):
            if attempt == _ATTEMPTS // 2:
                self.place.admin.clear_faults()
            run = self._run()
            self.met[f"run {run['status']}"] += 1
            self.met["run resumed"] += run["resumed"]
            if run["status"].startswith("completed") and not run["resumed"] and not run["counts"]["warned"]:
                return
        raise SandboxError(f"not settled after {_ATTEMPTS} runs: {run['error'] or run['counts']}")

    def _run(self) -> dict[str, Any]:
        """What a run says of itself. One that cannot even begin ends in an error that says why."""
        printed, complaint = self.place.start("run", _ORCHESTRATION, "--json", output=subprocess.PIPE).communicate()
        if printed.strip():
            return dict(json.loads(printed))
        return {"status": "not begun", "resumed": False, "error": complaint.strip()}

    def _compare(self) -> None:
        with duckdb.connect(str(self.place.database), read_only=True) as con:
            model = {email: tuple(values) for email, *values in con.execute(_MODEL).fetchall()}
        members = set(self.place.admin.emails(_LIST))
        if members != model.keys():
            missing, strange = len(model.keys() - members), len(members - model.keys())
            raise SandboxError(f"the list lacks {missing} people and has {strange} whom the query does not have")
        for email in self.chance.sample(sorted(model), min(_PROFILES, len(model))):
            if self._fields(email) != model[email]:
                raise SandboxError(f"a profile is {self._fields(email)}, the query says {model[email]}")

    def _fields(self, email: str) -> tuple[Any, ...]:
        profile = self.place.admin.profile(email) or {}
        own = profile["properties"]
        return (profile["first_name"], profile["location"]["city"], own.get("loyalty_tier"), own.get("loyalty_points"))


def main() -> int:
    """Soak for a time. Returns 0 when every round ended with list and query equal."""
    options = _options()
    try:
        with sandbox(options.folder, rows=options.rows, configuration=_CONFIGURATION) as place:
            rounds = soak(place, seed=options.seed, rounds=options.rounds, seconds=options.minutes * 60)
    except SandboxError as error:
        print(f"seed {options.seed}: {error}", file=sys.stderr)
        return 1
    print(f"{rounds} rounds, list and query equal after each")
    return 0


def soak(place: Sandbox, *, seed: int, rounds: int, seconds: float) -> int:
    """At most so many rounds, none of which begins after the seconds; returns how many there were."""
    end, number = time.monotonic() + seconds, 0
    place.captured("apply", str(place.folder / "segue.yaml"))
    soaking = Soak(place=place, chance=random.Random(seed))
    try:
        while number < rounds and time.monotonic() < end:
            soaking.round(number)
            number += 1
            print(f"round {number}: equal", flush=True)
    finally:
        print("\n".join(f"{count:>6} x {name}" for name, count in sorted(soaking.met.items()) if count), flush=True)
    return number


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="no round begins after this time")
    parser.add_argument("--rounds", type=int, default=50, help="at most so many rounds")
    parser.add_argument("--rows", type=int, default=25_000, help="customers of the sample: three bulk jobs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path(".demo/soak"), help="workspace; whatever is there goes")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
