"""Exceptions: agreed, dated, scoped waivers, and the suppressions that users of other scanners already wrote.

Nothing is dropped: a covered finding stays in the report with who agreed, why and until when. An expired exception
covers nothing. What each tool reads, as its own documentation has it:

checkov       comment ``checkov:skip=ID:reason`` in the text of the resource; annotation ``checkov.io/skipN: ID=reason``
trivy         comment ``trivy:ignore:ID[:exp:DATE]`` on the line or just above; file ``.trivyignore[.yaml]``
hadolint      comment ``hadolint ignore=ID,ID`` above an instruction; ``hadolint global ignore=ID`` for the file
kube-linter   annotation ``ignore-check.kube-linter.io/CHECK: reason``; ``kube-linter.io/ignore-all``
polaris       annotation ``polaris.fairwinds.com/CHECK-exempt: "true"``; ``polaris.fairwinds.com/exempt``
kube-score    annotation ``kube-score/ignore: check,check``
kubeaudit     label ``[container.]kubeaudit.io/[NAME.]allow-…: reason``
kubescape     exceptions file (JSON list of PostureExceptionPolicy); SecurityException objects
ours          comment ``bulkhead:ignore ID [until=DATE] [owner=NAME]: reason``; the exceptions file (docs/exceptions.md)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from bulkhead.catalogue.index import Catalogue
from bulkhead.core.finding import Finding
from bulkhead.core.outcome import Outcome
from bulkhead.core.resource import Ref, Snapshot
from bulkhead.posture.evaluate import Assessment
from bulkhead.posture.suppressions import comments, metadata, objects, ownfile
from bulkhead.posture.suppressions.model import Exemption, covers

_COVERABLE = frozenset({Outcome.FAIL, Outcome.WARN, Outcome.MANUAL})


def apply(
    assessment: Assessment, snapshot: Snapshot, catalogue: Catalogue, *, own: Mapping[str, bytes], today: str
) -> Assessment:
    """The assessment with waivers on the findings they cover. ``today`` is an ISO date.

    Raises:
        SettingsError: the user's own exceptions file is wrong: an exception that is silently lost, or one that covers
            more than was agreed, is worse than none.
    """
    given = [*metadata.read(snapshot), *comments.read(snapshot), *objects.read(snapshot), *ownfile.read(own)]
    if not given:
        return assessment
    by_control: dict[tuple[str, Ref | None], list[Exemption]] = {}
    for exemption in given:
        if not exemption.expires or exemption.expires >= today:
            for control in _controls(exemption, catalogue):
                by_control.setdefault((control, exemption.ref), []).append(exemption)
    findings = tuple(
        _covered(
            finding,
            [
                exemption
                for control in (finding.control, "*")
                for ref in (finding.resource, None)
                for exemption in by_control.get((control, ref), ())
            ],
        )
        for finding in assessment.findings
    )
    return msgspec.structs.replace(assessment, findings=findings)


def _controls(exemption: Exemption, catalogue: Catalogue) -> Iterable[str]:
    if exemption.control == "*":
        return ("*",)
    if exemption.control in catalogue.by_id:
        return (exemption.control,)
    return tuple(control.id for control in catalogue.by_alias.get(exemption.control.casefold(), ()))


def _covered(finding: Finding, exemptions: Iterable[Exemption]) -> Finding:
    if finding.outcome not in _COVERABLE:
        return finding
    for exemption in exemptions:
        if covers(exemption, finding):
            import msgspec

            return msgspec.structs.replace(finding, waiver=exemption.waiver())
    return finding
