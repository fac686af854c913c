"""Counters for Prometheus. Labels are of a few known words; none is a name from outside."""

from __future__ import annotations

from typing import Any


class Metrics:
    """A registry of its own: nothing that another library counts comes out of it."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self.registry = CollectorRegistry()
        given: dict[str, Any] = {"registry": self.registry}
        self.requests = Counter(
            "bulkhead_http_requests_total",
            "Requests answered, by face and class of status",
            ("face", "status"),
            **given,
        )
        self.scans = Counter("bulkhead_scans_total", "Scans of worlds, by how they ended", ("outcome",), **given)
        self.seconds = Histogram(
            "bulkhead_scan_seconds", "Time that a scan took", buckets=(0.1, 0.3, 1, 3, 10, 30, 100, 300), **given
        )
        self.findings = Gauge(
            "bulkhead_findings", "Open findings after the last scans, by severity", ("severity",), **given
        )
        self.gaps = Gauge("bulkhead_gaps", "Places that the last scans could not read", **given)
        self.lost = Gauge("bulkhead_bus_messages_lost", "Messages that readers of the bus were too slow for", **given)

    def render(self) -> bytes:
        from prometheus_client import generate_latest

        return generate_latest(self.registry)
