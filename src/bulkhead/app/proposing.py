"""What a plan holds for one finding: the change that would close it, or why there is none."""

from __future__ import annotations

import msgspec

from bulkhead.core.plan import Plan
from bulkhead.mitigation import diff


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """A repair as it is shown.

    Attributes:
        description: what it does, and in a live world how and at which risk.
        diff: of each target that it changes, as it stands in the plan; may hold what is secret.
        left: why there is no repair; empty when there is one.
        proposal: what a person can do instead.
    """

    description: str = ""
    diff: str = ""
    left: str = ""
    proposal: str = ""


def of(plan: Plan, fingerprint: str) -> Proposed:
    """The plan's part for one finding."""
    steps = [step for step in plan.steps if any(repair.fingerprint == fingerprint for repair in step.repairs)]
    if not steps:
        for item in plan.unfixed:
            if item.fingerprint == fingerprint:
                return Proposed(left=item.reason, proposal=item.proposal)
        return Proposed(left="it was not found when the world was read again just now: scan it again")
    told = []
    for step in steps:
        repair = next(item for item in step.repairs if item.fingerprint == fingerprint)
        how = "" if step.channel == "file" else f" ({step.target}: {step.method}, risk: {step.risk}; undo: {step.undo})"
        told.append(f"{repair.mitigation} ({repair.mode}): {' '.join(repair.note.split())}{how}")
    return Proposed(description="\n".join(dict.fromkeys(told)), diff="".join(diff.unified(step) for step in steps))
