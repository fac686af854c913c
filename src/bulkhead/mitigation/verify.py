"""Did the change do what the plan says, and nothing worse?

Judged on an assessment of the changed texts, by the same controls, never by the code that made the change.
"""

from __future__ import annotations

import re

import msgspec

from bulkhead.core.control import MitigationClass
from bulkhead.core.finding import Finding
from bulkhead.core.outcome import Outcome
from bulkhead.core.plan import Plan, Repair
from bulkhead.posture.evaluate import GAP, Assessment

_MODES = tuple(str(mode) for mode in MitigationClass)
_BAD = (Outcome.FAIL, Outcome.WARN, Outcome.ERROR)


class Judgement(msgspec.Struct, frozen=True):
    """What a change did.

    Attributes:
        closed: findings that are gone.
        refused: repairs that must go, with the reason: their finding stays, or they raised a new one.
        introduced: new findings that nothing excuses.
        brought_up: new findings that a graver repair made visible: a pod that leaves the node's network is judged by
            the network's controls for the first time.
    """

    closed: frozenset[str]
    refused: dict[str, str] = msgspec.field(default_factory=dict)
    introduced: tuple[Finding, ...] = ()
    brought_up: tuple[Finding, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.refused and not self.introduced


def judge(plan: Plan, before: Assessment, after: Assessment) -> Judgement:
    """Compare by fingerprint. A repair whose finding stays, or that raised a new finding, is refused."""
    was = {finding.fingerprint for finding in before.findings if finding.outcome in _BAD} | before.repeated
    now = {finding.fingerprint: finding for finding in after.findings if finding.outcome in _BAD}
    wanted = {fingerprint for step in plan.steps for fingerprint in step.verify}
    refused = {
        fingerprint: f"the change did not close it: {now[fingerprint].message}"
        for fingerprint in wanted
        if fingerprint in now
    }
    introduced: list[Finding] = []
    brought_up: list[Finding] = []
    for fingerprint, finding in now.items():
        if fingerprint in was or _of_a_gap(finding):
            continue
        repairs = _near(plan, before, finding)
        causes = [repair for repair in repairs if _touches(repair, finding, after)]
        if causes and all(_severity(before, repair) > finding.severity.rank for repair in causes):
            brought_up.append(finding)
            continue
        introduced.append(finding)
        reason = f"it would raise {finding.control}: {finding.message}"
        refused.update({repair.fingerprint: reason for repair in causes or _least_agreed(repairs)})
    return Judgement(frozenset(wanted - set(now)), refused, tuple(introduced), tuple(brought_up))


def _least_agreed(repairs: list[Repair]) -> list[Repair]:
    """Where nothing says which repair raised it, those that take the most consent go first; the next round tries the rest."""
    most = max((_MODES.index(repair.mode) for repair in repairs if repair.mode in _MODES), default=-1)
    return [repair for repair in repairs if repair.mode not in _MODES or _MODES.index(repair.mode) == most]


def _of_a_gap(finding: Finding) -> bool:
    """An error about what stands unread elsewhere: the change brought the question up, not the answer."""
    return finding.outcome is Outcome.ERROR and finding.evidence.startswith(GAP)


def _severity(before: Assessment, repair: Repair) -> int:
    return before.verdicts[repair.fingerprint].runnable.control.severity.rank


def _touches(repair: Repair, finding: Finding, after: Assessment) -> bool:
    """Whether the repair changes a field that the new finding's check reads by name."""
    verdict = after.verdicts.get(finding.fingerprint)
    if verdict is None:
        return False
    text = f"{verdict.runnable.check.when} {verdict.runnable.check.expression}"
    names = {str(edit.path[-1]) for edit in repair.edits if edit.path}
    return any(re.search(rf"\b{re.escape(name)}\b", text) for name in names)


def _near(plan: Plan, before: Assessment, finding: Finding) -> list[Repair]:
    """The repairs of the resource that a new finding is about; else of its text, or that made it; else of the whole plan."""
    repairs = [(step, repair) for step in plan.steps for repair in step.repairs]
    same = [
        repair for _, repair in repairs if before.verdicts[repair.fingerprint].element.resource.ref == finding.resource
    ]
    near = [repair for step, repair in repairs if step.target == finding.where.file or step.ref == finding.resource]
    return same or near or [repair for _, repair in repairs]
