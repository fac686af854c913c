"""What the suites of other scanners share: files into verdicts of the controls that one of their ids maps to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from bulkhead.app import scan as scanning
from bulkhead.app.scan import Context, Scan, Selection
from bulkhead.core.control import Control
from bulkhead.core.finding import Finding
from bulkhead.core.outcome import Outcome
from bulkhead.core.resource import Ref, Snapshot
from bulkhead.formats import recognise
from bulkhead.sources import files
from tests.catalogue_check import catalogue

BAD = frozenset({Outcome.FAIL, Outcome.WARN})


def mapped(alias: str) -> tuple[Control, ...]:
    """The controls that a foreign id maps to; none when it is not ours to judge."""
    return tuple(
        control
        for control in catalogue().by_alias.get(alias.casefold(), ())
        if control.checks and control.status == "active"
    )


def judged(snapshot: Snapshot, controls: Iterable[Control]) -> Scan:
    """Every outcome, passes too, with exceptions applied."""
    context = Context(catalogue(), lambda: "2026-01-01T00:00:00+00:00")
    return scanning.judge(snapshot, "/", context, Selection(tuple(controls)), keep_passes=True)


def texts(named: Mapping[str, bytes]) -> Snapshot:
    snapshot = Snapshot()
    for path, data in named.items():
        snapshot = snapshot.merged(recognise.recognise(path, data))
    return snapshot


def folder(path: Path) -> Snapshot:
    return files.read(path, helm=files.Renderer.OFF, kustomize=files.Renderer.OFF)


def failing(scan: Scan) -> list[Finding]:
    """Failures that no exception covers."""
    return [finding for finding in scan.assessment.findings if finding.outcome in BAD and finding.waiver is None]


def names(ref: Ref) -> tuple[str, ...]:
    """What checkov may call a resource."""
    if ref.kind == "Dockerfile":
        return (f"/{ref.origin}",)
    if ref.kind == "Component":
        kind, namespace, name = [*ref.uid.partition("#")[0].split("/"), "", ""][:3]
        return (f"{kind}.{namespace if name else 'default'}.{name or namespace}",)
    if ref.kind.startswith("AWS::") or "_" in ref.kind:
        return (f"{ref.kind}.{ref.name}",)
    return (f"{ref.kind}.{ref.namespace or 'default'}.{ref.name}",)
