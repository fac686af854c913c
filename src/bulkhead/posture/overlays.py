"""What an overlay repeats of its base is told once.

A rendered Kustomize overlay holds its base's objects again. A finding on a rendered object that a plain file has too, by
control, kind, name and element, adds nothing; one that only the rendering has (a patch made it) stays.
"""

from __future__ import annotations

import msgspec

from bulkhead.core.finding import Finding
from bulkhead.core.outcome import Outcome
from bulkhead.posture.evaluate import Assessment

_RENDERED = "kustomize:"


def told_once(assessment: Assessment) -> Assessment:
    """The assessment without what renderings repeat; its counts agree."""
    if not any(finding.resource.origin.startswith(_RENDERED) for finding in assessment.findings):
        return assessment
    plain = {_key(finding) for finding in assessment.findings if not finding.resource.origin.startswith(_RENDERED)}
    kept: list[Finding] = []
    repeated: set[str] = set()
    tallies: dict[str, dict[Outcome, int]] = {control: dict(counts) for control, counts in assessment.tallies.items()}
    for finding in assessment.findings:
        if finding.resource.origin.startswith(_RENDERED) and _key(finding) in plain:
            repeated.add(finding.fingerprint)
            _taken(tallies[finding.control], finding.outcome)
        else:
            kept.append(finding)
    return msgspec.structs.replace(assessment, findings=tuple(kept), tallies=tallies, repeated=frozenset(repeated))


def _key(finding: Finding) -> tuple[str, str, str, str, str]:
    return finding.control, finding.resource.kind, finding.resource.name, finding.element, finding.outcome


def _taken(counts: dict[Outcome, int], outcome: Outcome) -> None:
    counts[outcome] -= 1
    if not counts[outcome]:
        del counts[outcome]
