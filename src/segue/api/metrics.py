"""Numbers for Prometheus: runs from the metadata database, answers of the API from this process."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from segue.catalog.base import now
from segue.delivery.answers import answers
from segue.destinations.klaviyo import windows
from segue.scheduling import lags
from segue.services.statistics import statistics
from segue.services.workspace import Workspace
from segue.workflow.queue import RunQueue


class Metrics:
    """The numbers of one application; several in one process do not share them."""

    def __init__(self, workspace: Workspace) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Runs(workspace))
        self._registry.register(_Waits(workspace))
        self._answers = Counter(
            "segue_http_requests", "Answers of the API.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "segue_http_request_seconds",
            "Seconds until an answer began.",
            ("method", "route"),
            registry=self._registry,
            buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100),
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        # Anybody may invent a method: a series each would fill the memory.
        method = method if route != "none" else "any"
        self._answers.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def text(self) -> bytes:
        """Everything, in Prometheus's text format."""
        return generate_latest(self._registry)


class _Runs(Collector):
    """Gauges, not counters: runs that are no longer kept are not counted either."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def describe(self) -> list[Metric]:
        """Nothing: the metadata database is read at a scrape only."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The numbers as they stand."""
        found = statistics(self._workspace)
        yield _by("segue_runs", "Runs that are kept, by status.", "status", found.runs)
        yield _by("segue_rows", "Rows of these runs, by outcome.", "outcome", found.rows)
        yield _by("segue_destination_requests", "Calls of these runs, by endpoint.", "endpoint", found.requests)
        yield GaugeMetricFamily("segue_run_seconds", "Seconds of the runs that ended, together.", value=found.seconds)
        yield GaugeMetricFamily("segue_runs_ended", "How many these are.", value=found.ended)
        of = ("orchestration",)
        ended = GaugeMetricFamily("segue_last_run_timestamp_seconds", "When the last run ended.", labels=of)
        well = GaugeMetricFamily("segue_last_success_timestamp_seconds", "When the last good run ended.", labels=of)
        seconds = GaugeMetricFamily("segue_last_run_seconds", "How long the last run took.", labels=of)
        rows = GaugeMetricFamily("segue_last_run_rows", "Rows of the last run.", labels=(*of, "outcome"))
        for run in found.latest:
            ended.add_metric((run.orchestration,), run.ended_at.timestamp())
            seconds.add_metric((run.orchestration,), run.seconds)
            if run.well is not None:
                well.add_metric((run.orchestration,), run.well.timestamp())
            for outcome, count in run.rows.items():
                rows.add_metric((run.orchestration, outcome), count)
        yield from (ended, well, seconds, rows)


class _Waits(Collector):
    """What runs wait for: their turn, their time, and the destination's windows as far as this process uses them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def describe(self) -> list[Metric]:
        """Nothing, as for the runs."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The numbers as they stand."""
        waiting = Tally(run.account for run in RunQueue(self._workspace.catalog).waiting())
        yield _by("segue_runs_waiting", "Runs that wait for a worker, by account.", "account", waiting)
        late = lags(self._workspace.catalog, now=now())
        yield _by("segue_group_start_lag_seconds", "How late the last run of a group started.", "group", late)
        of = ("account", "endpoint")
        left = GaugeMetricFamily(
            "segue_budget_left", "Calls that the minute still admits, as this process knows.", None, of
        )
        waited = CounterMetricFamily("segue_budget_wait_seconds", "Seconds that calls were held back here.", None, of)
        for account, endpoints in windows.standings().items():
            for endpoint, standing in endpoints.items():
                left.add_metric((account, endpoint), standing.left)
                waited.add_metric((account, endpoint), standing.waited)
        yield from (left, waited)
        told = CounterMetricFamily(
            "segue_destination_answers", "Calls of this process, by endpoint and status.", None, ("endpoint", "status")
        )
        for (endpoint, status), count in sorted(answers().items()):
            told.add_metric((endpoint, status), count)
        yield told


def _by(name: str, text: str, label: str, numbers: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=(label,))
    for value, count in sorted(numbers.items()):
        family.add_metric((value,), count)
    return family
