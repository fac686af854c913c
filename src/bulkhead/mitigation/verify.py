"""Did the change do what the plan says, and nothing worse?

Judged on an assessment of the changed texts, by the same controls, never by the code that made the change.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bulkhead.core.finding import Finding
from bulkhead.core.outcome import Outcome
from bulkhead.core.plan import Plan
from bulkhead.posture.evaluate import GAP, Assessment

_BAD = (Outcome.FAIL, Outcome.WARN, Outcome.ERROR)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The findings that the change closed, those it should have closed and did not, and those it made."""

    closed: frozenset[str]
    refused: dict[str, str] = field(default_factory=dict)
    introduced: tuple[Finding, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.refused and not self.introduced


def judge(plan: Plan, before: Assessment, after: Assessment) -> Judgement:
    """Compare by fingerprint. A repair whose finding stays, or whose target has a new finding, is refused."""
    was = {finding.fingerprint for finding in before.findings if finding.outcome in _BAD}
    now = {finding.fingerprint: finding for finding in after.findings if finding.outcome in _BAD}
    wanted = {fingerprint for step in plan.steps for fingerprint in step.verify}
    refused = {
        fingerprint: f"the change did not close it: {now[fingerprint].message}"
        for fingerprint in wanted
        if fingerprint in now
    }
    introduced = tuple(
        finding for fingerprint, finding in now.items() if fingerprint not in was and not _of_a_gap(finding)
    )
    for finding in introduced:
        refused.update(_culprits(plan, before, finding))
    return Judgement(frozenset(wanted - set(now)), refused, introduced)


def _of_a_gap(finding: Finding) -> bool:
    """An error about what stands unread elsewhere: the change brought the question up, not the answer."""
    return finding.outcome is Outcome.ERROR and finding.evidence.startswith(GAP)


def _culprits(plan: Plan, before: Assessment, finding: Finding) -> dict[str, str]:
    """The repairs of the resource that a new finding is about; else of its text; else of the whole plan."""
    reason = f"it would raise {finding.control}: {finding.message}"
    repairs = [(step, repair) for step in plan.steps for repair in step.repairs]
    same = [
        repair for _, repair in repairs if before.verdicts[repair.fingerprint].element.resource.ref == finding.resource
    ]
    near = [repair for step, repair in repairs if step.target == finding.where.file]
    return {repair.fingerprint: reason for repair in same or near or [repair for _, repair in repairs]}
