"""Our own JSON: one object with everything a program may want to know of a run. Described in docs/report-json.md.

Additions keep ``version``; a change of meaning or a removal raises it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from bulkhead.core.control import Control
from bulkhead.core.finding import Finding, Waiver, Where
from bulkhead.core.resource import Gap, Ref
from bulkhead.report.mask import mask_source
from bulkhead.report.model import Fix, Report
from bulkhead.report.order import active, by_outcome, by_severity, waived
from bulkhead.report.text import clean, is_clean, is_said, said

FORMAT = "bulkhead-report"
VERSION = 1

_encoder = msgspec.json.Encoder(order="sorted")
# Field by field in this order, because a person reads it too.
_plain = msgspec.json.Encoder()
_encode, _encode_lines = _plain.encode, _plain.encode_lines
_CHUNK = 500
"""Findings in one piece of output."""


def render(report: Report) -> bytes:
    """The report as UTF-8 JSON, one finding per line, ending with a line end."""
    return b"".join(chunks(report))


def chunks(report: Report) -> Iterator[bytes]:
    """The same piece by piece: a run of thirty thousand findings need not stand in memory as text."""
    yield msgspec.json.encode(_summary(report))[:-1]
    yield b',\n"findings":['
    parts = _Parts()
    for start in range(0, len(report.findings), _CHUNK):
        lines = parts.lines(report.findings[start : start + _CHUNK], report.fixes)
        # JSON has no line end inside a line: what is replaced stands between two.
        yield (b",\n" if start else b"\n") + _encode_lines(lines)[:-1].replace(b"\n", b",\n")
    yield b'],\n"gaps":['
    yield b",\n".join(_encode(_gap(gap)) for gap in report.gaps)
    yield b'],\n"controls":'
    yield _encoder.encode({name: _control(control) for name, control in sorted(report.controls.items())})
    yield b"}\n"


def _summary(report: Report) -> dict[str, Any]:
    open_findings = active(report.findings)
    return {
        "format": FORMAT,
        "version": VERSION,
        "tool": {"name": "bulkhead", "version": report.tool_version},
        "tenant": clean(report.tenant),
        "root": clean(report.root),
        "profile": clean(report.profile),
        "started": report.started,
        "finished": report.finished,
        "score": report.score,
        "resources": report.resources,
        "complete": not report.gaps,
        "summary": {
            "severity": by_severity(open_findings),
            "outcome": by_outcome(open_findings),
            "waived": len(waived(report.findings)),
            "gaps": len(report.gaps),
        },
        "tallies": {name: dict(sorted(counts.items())) for name, counts in sorted(report.tallies.items())},
        "trend": report.trend,
        "notes": [said(note) for note in report.notes],
    }


class _Line(Finding, frozen=True, kw_only=True):
    """A finding as it stands in the file, with its repairs."""

    fixes: list[dict[str, Any]] | msgspec.UnsetType = msgspec.UNSET


class _Parts:
    """Findings as they are told. What many share is cleaned once: the resource, names, files and paths.

    Resources are keyed by identity: the report holds every one of them for as long as this lives.
    """

    def __init__(self) -> None:
        self._refs: dict[int, Ref] = {}
        self._clean = _Clean()

    def lines(self, findings: Sequence[Finding], fixes: Mapping[str, tuple[Fix, ...]]) -> Sequence[Finding]:
        """Nearly always the findings themselves: nothing in them needs cleaning or masking, and nothing is to be added."""
        if not fixes and self._innocent(findings):
            return findings
        return [self._line(finding, fixes) for finding in findings]

    def _innocent(self, findings: Sequence[Finding]) -> bool:
        refs = {id(finding.resource): finding.resource for finding in findings}
        if any(self._resource(ref) is not ref for ref in refs.values()):
            return False
        if any(finding.waiver is not None for finding in findings):
            return False
        prose = {finding.message for finding in findings}
        prose.update([finding.title for finding in findings], [finding.evidence for finding in findings])
        names = {finding.element for finding in findings}
        names.update([finding.tenant for finding in findings], [finding.control for finding in findings])
        places = [finding.where for finding in findings]
        names.update([where.file for where in places], [where.path for where in places])
        return is_said(prose) and is_clean(" ".join(names))

    def _resource(self, ref: Ref) -> Ref:
        known = self._refs.get(id(ref))
        if known is None:
            known = self._refs[id(ref)] = _resource(ref)
        return known

    def _line(self, finding: Finding, fixes: Mapping[str, tuple[Fix, ...]]) -> _Line:
        where, cleaned = finding.where, self._clean
        repairs = fixes.get(finding.fingerprint)
        return _Line(
            fingerprint=finding.fingerprint,
            tenant=cleaned[finding.tenant],
            control=cleaned[finding.control],
            revision=finding.revision,
            outcome=finding.outcome,
            severity=finding.severity,
            title=said(finding.title),
            message=said(finding.message),
            resource=self._resource(finding.resource),
            element=cleaned[finding.element],
            where=Where(
                file=cleaned[where.file],
                line=where.line,
                column=where.column,
                end_line=where.end_line,
                path=cleaned[where.path],
            ),
            evidence=said(finding.evidence),
            waiver=_waiver(finding.waiver) if finding.waiver else None,
            fixes=[_fix(fix) for fix in repairs] if repairs else msgspec.UNSET,
        )


class _Clean(dict[str, str]):
    """Text to its clean form, found once."""

    def __missing__(self, text: str) -> str:
        made = self[text] = clean(text)
        return made


def _resource(ref: Ref) -> Ref:
    joined = f"{ref.source}{ref.kind}{ref.group}{ref.namespace}{ref.name}{ref.origin}{ref.uid}"
    if is_clean(joined):
        return ref
    return Ref(**{name: clean(value) for name, value in msgspec.structs.asdict(ref).items()})


def _waiver(waiver: Waiver) -> Waiver:
    return Waiver(
        reason=said(waiver.reason),
        owner=said(waiver.owner),
        expires=clean(waiver.expires),
        origin=clean(waiver.origin),
    )


def _fix(fix: Fix) -> dict[str, Any]:
    # The exact text of a change may hold a secret; the masked diff shows what it does, SARIF carries what is safe.
    return {"description": said(fix.description), "diff": mask_source(clean(fix.diff))}


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "where": clean(gap.where),
        "line": gap.line,
        "code": gap.code,
        "reason": said(gap.reason),
        "hint": said(gap.hint),
        "hides": [clean(kind) for kind in gap.hides],
    }


def _control(control: Control) -> dict[str, Any]:
    return {
        "revision": control.revision,
        "title": control.title,
        "severity": control.severity,
        "class": control.mode,
        "rationale": control.rationale,
        "attack": control.attack,
        "fix": control.fix,
        "practices": control.practices,
        "aliases": control.aliases,
        "maps_to": control.maps_to,
        "references": control.references,
    }
