"""Fix and undo.

1. Plan from the findings that consent covers.
2. Try the plan in memory: the changed texts are read and judged again. A repair that does not close its finding, or
   that raises one as grave, is taken out and the plan is made anew, a bounded number of times.
3. Apply, when asked: everything is in the journal before the first byte changes; every target must still be what the
   plan was made from.
4. Read the real files again and judge them. If the world does not agree with the trial, everything is taken back.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from bulkhead.app import charts as charting
from bulkhead.app import scan as scanning
from bulkhead.app.charts import Charts
from bulkhead.app.ports import Entry, EntryState, FileFacts, Journal, JournalStep, StepState
from bulkhead.app.scan import Context, Scan
from bulkhead.app.worlds import FileHands, FileWorld, overlaid
from bulkhead.core.errors import BulkheadError, Conflict, UsageError
from bulkhead.core.plan import Plan
from bulkhead.mitigation import plan as planning
from bulkhead.mitigation import verify
from bulkhead.mitigation.plan import Consent
from bulkhead.mitigation.verify import Judgement
from bulkhead.posture.world import World

_ROUNDS = 6


class Trial(msgspec.Struct, frozen=True):
    """A plan that was tried in memory. ``after`` is the scan of the changed texts."""

    plan: Plan
    judgement: Judgement
    after: Scan


class Applied(msgspec.Struct, frozen=True):
    """What was written. ``judgement`` is of the real files, read again."""

    entry: str
    judgement: Judgement
    after: Scan
    taken_back: bool = False


def propose(scan: Scan, world: FileWorld, context: Context, consent: Consent, charts: Charts | None = None) -> Trial:
    """The plan that holds when tried in memory."""
    indexed = World(scan.snapshot)
    for _ in range(_ROUNDS):
        repaired = charting.repair(scan, charts, context, consent) if charts is not None else []
        plan = _joined(planning.make(indexed, scan.assessment, consent, tenant=scan.tenant, root=scan.root), repaired)
        changes = {step.target: step.change for step in plan.steps}
        snapshot = charting.replaced(scan.snapshot, {item.origin: item.snapshot for item in repaired})
        after = scanning.judge(overlaid(world, snapshot, scan.root, changes), scan.root, context, scan.selection)
        judgement = verify.judge(plan, scan.assessment, after.assessment)
        if judgement.holds or not plan.steps:
            return Trial(plan, judgement, after)
        consent = msgspec.structs.replace(consent, refused={**consent.refused, **judgement.refused})
        if not judgement.refused:
            break
    everything = {
        repair.fingerprint: "the plan as a whole could not be proved" for step in plan.steps for repair in step.repairs
    }
    refused = msgspec.structs.replace(consent, refused={**consent.refused, **everything})
    plan = planning.make(indexed, scan.assessment, refused, tenant=scan.tenant, root=scan.root)
    after = scanning.judge(scan.snapshot, scan.root, context, scan.selection)
    return Trial(plan, verify.judge(plan, scan.assessment, after.assessment), after)


def _joined(plan: Plan, repaired: list[charting.Repaired]) -> Plan:
    """The plan with the charts' steps; what they close is no longer left."""
    closed = {fingerprint for item in repaired for fingerprint in item.step.verify}
    steps = (*plan.steps, *(item.step for item in repaired))
    return msgspec.structs.replace(
        plan, steps=steps, unfixed=tuple(item for item in plan.unfixed if item.fingerprint not in closed)
    )


def apply(
    trial: Trial, scan: Scan, world: FileWorld, hands: FileHands, journal: Journal, context: Context, *, actor: str
) -> Applied:
    """Write the plan.

    Raises:
        Conflict: a target is not what the plan was made from; nothing was written.
        SourceError: a target could not be written; what had been written was taken back.
    """
    plan = trial.plan
    facts: dict[str, FileFacts] = {}
    for step in plan.steps:
        if hands.current(plan.root, step.target) != step.before:
            raise Conflict("the file changed since it was scanned", where=step.target, hint="scan and fix again")
        found = hands.facts(plan.root, step.target)
        if found is not None:
            facts[step.id] = found
    entry = journal.begin(plan, actor=actor, at=context.clock(), facts=facts)
    try:
        for step in plan.steps:
            # Again, since writing the others took its time.
            if hands.current(plan.root, step.target) != step.before:
                raise Conflict("the file changed while it was being fixed", where=step.target, hint="fix again")
            journal.mark_step(entry, step.id, StepState.APPLYING, tenant=plan.tenant)
            hands.replace(plan.root, step.target, step.change, facts.get(step.id))
            journal.mark_step(entry, step.id, StepState.APPLIED, tenant=plan.tenant)
    except BulkheadError:
        recover(entry, hands, journal, tenant=plan.tenant)
        raise
    journal.finish(entry, EntryState.APPLIED, tenant=plan.tenant)
    return _verified(entry, trial, scan, world, hands, journal, context)


def _verified(
    entry: str, trial: Trial, scan: Scan, world: FileWorld, hands: FileHands, journal: Journal, context: Context
) -> Applied:  # fmt: skip
    after = scanning.judge(world.read(scan.root), scan.root, context, scan.selection)
    judgement = verify.judge(trial.plan, scan.assessment, after.assessment)
    if judgement.holds:
        return Applied(entry, judgement, after)
    undo(entry, hands, journal, tenant=scan.tenant)
    return Applied(entry, judgement, after, taken_back=True)


def undo(entry: str, hands: FileHands, journal: Journal, *, tenant: str) -> tuple[str, ...]:
    """Put back, in reverse order, exactly the bytes that were there; the targets.

    Raises:
        Conflict: what is there is not what we wrote; nothing is changed. ``versions`` shows the three.
    """
    found = journal.entry(entry, tenant=tenant)
    if found.summary.state is not EntryState.APPLIED:
        raise Conflict(f"entry {found.summary.id} is {found.summary.state}, not applied", hint="see: bulkhead journal")
    root = found.summary.root
    steps = [step for step in reversed(found.steps) if step.state is StepState.APPLIED]
    for step in steps:
        if hands.current(root, step.target) != step.after:
            raise Conflict(
                "the file is not what was written; undoing would lose somebody's work", where=step.target,
                hint=f"compare with: bulkhead journal {found.summary.id} --versions {step.target}",
            )  # fmt: skip
    for step in steps:
        journal.mark_step(found.summary.id, step.id, StepState.UNDOING, tenant=tenant)
        _put_back(root, step, hands)
        journal.mark_step(found.summary.id, step.id, StepState.UNDONE, tenant=tenant)
    journal.finish(found.summary.id, EntryState.UNDONE, tenant=tenant)
    return tuple(step.target for step in steps)


def recover(entry: str, hands: FileHands, journal: Journal, *, tenant: str) -> tuple[str, ...]:
    """After a crash or a failure in the middle: take back what was written, leave what was not; the targets.

    A target in doubt is looked at: it holds either the bytes before, or the bytes after, or somebody else's.

    Raises:
        Conflict: a target holds neither; it is left alone and the entry stays unfinished.
    """
    found = journal.entry(entry, tenant=tenant)
    back: list[str] = []
    for step in reversed(found.steps):
        if step.state not in (StepState.APPLYING, StepState.APPLIED, StepState.UNDOING):
            continue
        current = hands.current(found.summary.root, step.target)
        if current not in (step.after, step.before):
            raise Conflict("the file holds neither what was there nor what was written", where=step.target)
        if step.state is not StepState.UNDOING:
            if step.state is StepState.APPLYING:
                journal.mark_step(found.summary.id, step.id, StepState.APPLIED, tenant=tenant)
            journal.mark_step(found.summary.id, step.id, StepState.UNDOING, tenant=tenant)
        if current == step.after:
            _put_back(found.summary.root, step, hands)
            back.append(step.target)
        journal.mark_step(found.summary.id, step.id, StepState.UNDONE, tenant=tenant)
    journal.finish(found.summary.id, EntryState.FAILED, tenant=tenant)
    return tuple(back)


def _put_back(root: str, step: JournalStep, hands: FileHands) -> None:
    if step.before is None:
        hands.remove(root, step.target)
    else:
        hands.replace(root, step.target, step.before, FileFacts(mode=step.mode, uid=step.uid, gid=step.gid))


def versions(entry: Entry, target: str, hands: FileHands) -> Mapping[str, bytes | None]:
    """What was there before, what we wrote, and what is there now."""
    step = next((step for step in entry.steps if step.target == target), None)
    if step is None:
        raise UsageError("the change did not touch this file", where=target, hint="see: bulkhead journal")
    return {"before": step.before, "written": step.after, "now": hands.current(entry.summary.root, target)}
