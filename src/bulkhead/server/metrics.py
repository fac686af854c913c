"""Counters for Prometheus. Labels are of a few known words; none is a name from outside, and none is secret."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable
from typing import Any, Final

from bulkhead import __version__
from bulkhead.app.ports import LastRun
from bulkhead.core.outcome import Severity

_METHODS: Final = frozenset({"GET", "HEAD", "POST"})


class Metrics:
    """A registry of its own: nothing that another library counts comes out of it."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

        self._registry = CollectorRegistry()
        given: dict[str, Any] = {"registry": self._registry}
        Info("bulkhead_build", "The program", **given).info({"version": __version__})
        self._requests = Counter(
            "bulkhead_http_requests", "Requests answered, by method and class of status", ("method", "status"), **given
        )
        self._seconds = Histogram(
            "bulkhead_http_request_seconds", "Time until a request was answered",
            buckets=(0.005, 0.02, 0.1, 0.5, 2, 10, 60), **given,
        )  # fmt: skip
        self._refused = Counter("bulkhead_sign_in_refused", "Wrong tokens and tickets", **given)
        self._scans = Counter(
            "bulkhead_scans", "Scans of worlds: complete, incomplete (something could not be read) or failed",
            ("outcome",), **given,
        )  # fmt: skip
        self._scan_seconds = Histogram(
            "bulkhead_scan_seconds", "Time that a scan took", buckets=(0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000), **given
        )
        self._findings = Gauge(
            "bulkhead_findings", "Open findings after the last run of every world, by severity", ("severity",), **given
        )
        self._gaps = Gauge("bulkhead_gaps", "Places that the last runs could not read", **given)
        self._unfinished = Gauge("bulkhead_journal_unfinished", "Changes that were begun and not finished", **given)
        self._job_well = Gauge("bulkhead_job_well", "1 for a job that is well", ("job",), **given)
        self._restarts = Gauge("bulkhead_job_restarts", "How often a job was started again", ("job",), **given)
        self._lost = Gauge(
            "bulkhead_lost", "What was dropped because a reader was too slow: messages of the bus, lines of the log",
            ("what",), **given,
        )  # fmt: skip
        for outcome in ("complete", "incomplete", "failed"):
            self._scans.labels(outcome)
        self.worlds((), 0)

    def answered(self, method: str, status: int, seconds: float) -> None:
        self._requests.labels(method if method in _METHODS else "other", f"{status // 100}xx").inc()
        self._seconds.observe(seconds)

    def refused(self) -> None:
        self._refused.inc()

    def scanned(self, outcome: str, seconds: float) -> None:
        self._scans.labels(outcome).inc()
        self._scan_seconds.observe(seconds)

    def worlds(self, runs: Iterable[LastRun], unfinished: int) -> None:
        """What the store says, looked up when metrics are asked for."""
        counts: Tally[str] = Tally()
        gaps = 0
        for run in runs:
            counts.update(run.open)
            gaps += run.gaps
        for severity in Severity:
            self._findings.labels(str(severity)).set(counts[severity])
        self._gaps.set(gaps)
        self._unfinished.set(unfinished)

    def job(self, name: str, *, well: bool, restarts: int) -> None:
        self._job_well.labels(name).set(well)
        self._restarts.labels(name).set(restarts)

    def lost(self, what: str, count: int) -> None:
        self._lost.labels(what).set(count)

    def render(self) -> bytes:
        """The text format, version 0.0.4."""
        from prometheus_client import generate_latest

        return generate_latest(self._registry)
