"""What Segue promises of its speed, judged on one benchmark run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.sample import Sample

Results = Mapping[str, Sequence[Sample]]
"""Scenario -> its samples, one a round."""
GIGABYTE = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A goal, what was measured, and whether it is met. cpu: the same ratio in processor seconds, where it is one."""

    goal: str
    measured: str
    met: bool
    cpu: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ratio:
    """The time of a scenario over the time of another in the same round; the median of the rounds counts."""

    goal: str
    of: str
    over: str
    most: float

    def judge(self, results: Results) -> Judged:
        wall = ratio(results[self.of], results[self.over], lambda s: s.seconds)
        cpu = ratio(results[self.of], results[self.over], lambda s: s.cpu)
        return Judged(goal=self.goal, measured=f"{wall:.2f} x", met=wall <= self.most, cpu=f"{cpu:.2f} x")


_RATIOS = (
    _Ratio(goal="encode and submit <= 2 x the COPY floor", of="encode_submit", over="floor", most=2),
    _Ratio(goal="first run <= 4 x the COPY floor", of="first_run", over="floor", most=4),
    _Ratio(goal="first rerun without a change <= 1.5 x query and diff", of="rerun", over="diff_floor", most=1.5),
    _Ratio(
        goal="further reruns without a change <= 1.5 x query and diff", of="rerun_again", over="diff_floor", most=1.5
    ),
    _Ratio(goal="ten times the rows <= 11 x the time", of="large", over="first_run", most=11),
)


def ratio(of: Sequence[Sample], over: Sequence[Sample], value: Callable[[Sample], float]) -> float:
    """The median over the rounds that measured both; what is measured once is measured in the last round."""
    last = over[-1:] if len(of) == 1 else over
    return median(value(a) / value(b) for a, b in zip(of, last, strict=False))


def judge(results: Results) -> list[Judged]:
    """Every goal whose scenarios were measured."""
    ratios = [g.judge(results) for g in _RATIOS if g.of in results and g.over in results]
    return [*ratios, *_others(results)]


def _others(results: Results) -> Iterator[Judged]:
    if samples := results.get("encode_submit"):
        rate = median(s.rate for s in samples)
        yield Judged(goal="encode and submit >= 300,000 rows/s", measured=f"{rate:,.0f} rows/s", met=rate >= 300_000)
    if samples := results.get("rerun"):
        writes = max(_writes(s.facts["requests"]) for s in samples)
        yield Judged(goal="rerun without a change: 0 writes", measured=f"{writes}", met=writes == 0)
    if samples := results.get("churn"):
        over = [s.facts["requests_total"] - s.facts["minimum_total"] for s in samples]
        text = f"{samples[-1].facts['requests_total']:,}, the minimum is {samples[-1].facts['minimum_total']:,}"
        yield Judged(goal="1 % churn: the fewest requests + 2", measured=text, met=all(0 <= more <= 2 for more in over))
    if samples := results.get("windows"):
        share, throttled = median(s.facts["share"] for s in samples), max(s.facts["throttled"] for s in samples)
        yield Judged(
            goal="real windows: >= 95 % of the ceiling", measured=f"{share:.1%}, {throttled} x 429", met=share >= 0.95
        )
    if samples := results.get("large"):
        peak = max(s.peak for s in samples)
        yield Judged(
            goal="ten times the rows: <= 1.5 GB in all processes",
            measured=f"{peak / GIGABYTE:.2f} GB",
            met=peak <= 1.5 * GIGABYTE,
        )


def _writes(requests: Mapping[str, int]) -> int:
    return sum(calls for endpoint, calls in requests.items() if not endpoint.startswith("GET "))
