"""Scan: read, judge, remember, tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from bulkhead.app.ports import FindingStore, RunDiff
from bulkhead.catalogue.index import Catalogue
from bulkhead.core.control import Control
from bulkhead.core.outcome import Outcome, Severity
from bulkhead.core.resource import Gap, Snapshot
from bulkhead.posture import overlays, waivers
from bulkhead.posture.evaluate import Assessment, Request, evaluate
from bulkhead.report.model import Fix, Report
from bulkhead.report.order import worst_first
from bulkhead.report.score import score

_NOW = "now"


class Selection(msgspec.Struct, frozen=True):
    """Which controls, and with which parameters. ``profile`` is its name in reports."""

    controls: Sequence[Control]
    profile: str = "all"
    parameters: Mapping[str, Mapping[str, Any]] = msgspec.field(default_factory=dict)


class Scan(msgspec.Struct, frozen=True):
    """What was read and what was found."""

    root: str
    tenant: str
    started: str
    finished: str
    snapshot: Snapshot
    assessment: Assessment
    selection: Selection


class Context(msgspec.Struct, frozen=True):
    """What every use case is given.

    Attributes:
        clock: the instant as ISO 8601 with offset.
        exceptions: the user's own exceptions file, as bytes by its path.
    """

    catalogue: Catalogue
    clock: Callable[[], str]
    tenant: str = "default"
    exceptions: Mapping[str, bytes] = msgspec.field(default_factory=dict)


def judge(
    snapshot: Snapshot,
    root: str,
    context: Context,
    selection: Selection,
    *,
    keep_passes: bool = False,
    keep_verdicts: bool = True,
) -> Scan:
    """Every selected control over the snapshot, exceptions applied. Only a scan with its verdicts can be planned from."""
    started = context.clock()
    parameters = _with_now(selection, started)
    request = Request(context.catalogue, selection.controls, context.tenant, parameters, keep_passes, keep_verdicts)
    assessment = overlays.told_once(evaluate(snapshot, request))
    assessment = waivers.apply(assessment, snapshot, context.catalogue, own=context.exceptions, today=started[:10])
    if assessment.dropped:
        reason = f"{assessment.dropped} more answers are counted but not listed"
        gap = Gap(where=root, code="B210", reason=reason, hint="scan a part of it, or fewer controls")
        snapshot = Snapshot(snapshot.resources, (*snapshot.gaps, gap), snapshot.notes)
    return Scan(root, context.tenant, started, context.clock(), snapshot, assessment, selection)


def _with_now(selection: Selection, now: str) -> Mapping[str, Mapping[str, Any]]:
    """Controls that reckon with ages get the instant of this scan, unless the user gave them another."""
    out = dict(selection.parameters)
    for control in selection.controls:
        if _NOW in control.parameters and _NOW not in out.get(control.id, {}):
            out[control.id] = {**out.get(control.id, {}), _NOW: now}
    return out


def tell(
    scan: Scan, *, version: str, store: FindingStore | None, fixes: Mapping[str, tuple[Fix, ...]] | None = None
) -> Report:
    """The scan as a report."""
    assessment = scan.assessment
    occurring = {finding.control for finding in assessment.findings}
    controls = {control.id: control for control in scan.selection.controls}
    tallies = {
        control: {str(outcome): count for outcome, count in counts.items()}
        for control, counts in assessment.tallies.items()
    }
    return Report(
        tool_version=version,
        tenant=scan.tenant,
        root=scan.root,
        started=scan.started,
        finished=scan.finished,
        profile=scan.selection.profile,
        findings=tuple(worst_first(assessment.findings)),
        gaps=scan.snapshot.gaps,
        notes=scan.snapshot.notes,
        tallies=tallies,
        resources=len(scan.snapshot.resources),
        controls={name: control for name, control in controls.items() if name in occurring or tallies.get(name)},
        fixes=fixes or {},
        trend=store.trend(scan.root, tenant=scan.tenant) if store is not None else (),
        score=score(
            tallies, {name: control.severity for name, control in controls.items()}, gaps=len(scan.snapshot.gaps)
        ),
    )


def remember(report: Report, store: FindingStore) -> RunDiff:
    return store.record_run(report)


def exit_code(report: Report, threshold: Severity | None, baseline: frozenset[str] = frozenset()) -> int:
    """0 clean, 1 findings at or above the threshold, 3 something could not be read (DESIGN section 7).

    A finding that was seen outranks a gap: the code says that there is something to repair.
    """
    if threshold is not None and any(
        finding.outcome is Outcome.FAIL
        and finding.severity.rank >= threshold.rank
        and finding.waiver is None
        and finding.fingerprint not in baseline
        for finding in report.findings
    ):
        return 1
    unread = any(finding.outcome is Outcome.ERROR and finding.waiver is None for finding in report.findings)
    return 3 if report.gaps or unread else 0
