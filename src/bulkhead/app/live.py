"""Fix and undo in a live world: an engine, a cluster, an account.

1. Plan from the findings that consent covers; try the plan in memory: the resources with their changes are judged again. A
   repair that does not close its finding, or that raises one as grave, is taken out (as for files).
2. Rehearse: each channel asks the world what it thinks of the step, nothing being changed. A step that is refused is taken out.
3. Apply: the plan is in the journal before the first call. The canary goes first; it is verified by reading the world again
   and watched for as long as the plan says. Then the rest, one by one, each well before the next.
4. Verify: the world is read again and judged. Whatever goes wrong, everything that was begun is taken back, newest first.

What a way back needs is noted in the journal by the channels as they go, so that a crash in the middle can be taken back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import msgspec

from bulkhead.app import scan as scanning
from bulkhead.app.ports import Entry, EntryState, Journal, JournalStep, StepState
from bulkhead.app.scan import Context, Scan
from bulkhead.app.worlds import LiveHands, LiveWorld
from bulkhead.core.canonical import canonical
from bulkhead.core.errors import BulkheadError, Conflict, PlanRefused, SourceError, UsageError
from bulkhead.core.plan import Edit, Plan, Rollout, Step, Unfixed
from bulkhead.core.resource import Gap, Ref, Resource, Snapshot
from bulkhead.mitigation import live as planning
from bulkhead.mitigation import rollout as reach
from bulkhead.mitigation import verify
from bulkhead.mitigation.choosing import Consent
from bulkhead.mitigation.verify import Judgement
from bulkhead.posture.world import World

_ROUNDS = 6
_LOOK_SECONDS = 1.0
Hands = Mapping[str, LiveHands]


class Trial(msgspec.Struct, frozen=True):
    """A plan that was tried in memory and rehearsed in the world. ``warnings`` are the world's own, by step id."""

    plan: Plan
    judgement: Judgement
    warnings: Mapping[str, tuple[str, ...]] = {}


class Applied(msgspec.Struct, frozen=True):
    """What was done. ``reason`` says why it was taken back; empty when it holds."""

    entry: str
    judgement: Judgement | None
    after: Scan | None
    reason: str = ""


class Site(msgspec.Struct, frozen=True):
    """A live world with what changes it and where that is written down. ``sleep`` waits seconds, ``tell`` says what for."""

    world: LiveWorld
    hands: Hands
    journal: Journal
    sleep: Callable[[float], Awaitable[None]]
    tell: Callable[[str], None] = lambda _: None


class Noted:
    """A step's progress in the journal."""

    def __init__(
        self, journal: Journal, entry: str, step: str, tenant: str, known: bytes = b"",
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._journal, self._entry, self._step, self._tenant = journal, entry, step, tenant
        self.say = tell
        self._known: dict[str, Any] = msgspec.json.decode(known) if known else {}

    def known(self) -> Mapping[str, Any]:
        return self._known

    def note(self, **facts: Any) -> None:
        self._known = {**self._known, **facts}
        self._journal.note(self._entry, self._step, canonical(self._known), tenant=self._tenant)


def judged(
    snapshot: Snapshot, root: str, context: Context, selection: scanning.Selection, journal: Journal | None
) -> Scan:
    """The world's snapshot judged, without what is kept for a way back (told as a note)."""
    if journal is not None:
        snapshot = without_kept(snapshot, kept(journal, root, tenant=context.tenant))
    return scanning.judge(snapshot, root, context, selection)


def kept(journal: Journal, root: str, *, tenant: str) -> frozenset[str]:
    """Ids of resources that an applied entry keeps aside: stopped containers that an undo starts again."""
    found: set[str] = set()
    for summary in journal.entries(tenant=tenant, root=root):
        if summary.state not in (EntryState.APPLIED, EntryState.APPLYING):
            continue
        for step in journal.entry(summary.id, tenant=tenant).steps:
            if step.progress and step.state in (StepState.APPLIED, StepState.APPLYING):
                aside = msgspec.json.decode(step.progress).get("aside")
                found |= {aside} if isinstance(aside, str) and aside else set()
    return frozenset(found)


def without_kept(snapshot: Snapshot, ids: frozenset[str]) -> Snapshot:
    """Only what is stopped may be left out: a container that runs is judged whatever it is kept for."""
    if not ids:
        return snapshot
    resources = tuple(item for item in snapshot.resources if not _aside(item, ids))
    left_out = len(snapshot.resources) - len(resources)
    if not left_out:
        return snapshot
    note = f"{left_out} stopped containers are kept for an undo and not judged"
    return Snapshot(tuple(_counted(item, ids) for item in resources), snapshot.gaps, (*snapshot.notes, note))


def _aside(resource: Resource, ids: frozenset[str]) -> bool:
    data = resource.data
    return (
        resource.ref.kind == "DockerContainer"
        and isinstance(data, dict)
        and data.get("Id") in ids
        and isinstance(data.get("State"), dict)
        and data["State"].get("Running") is False
    )


def _counted(resource: Resource, ids: frozenset[str]) -> Resource:
    """The host's list of containers without those that are kept."""
    if resource.ref.kind != "DockerHost" or not isinstance(resource.data.get("containers"), list):
        return resource
    containers = [item for item in resource.data["containers"] if item.get("id") not in ids]
    return Resource(resource.ref, {**resource.data, "containers": containers})


def propose(scan: Scan, context: Context, consent: Consent, rollout: Rollout) -> Trial:
    """The plan that holds when tried in memory.

    Raises:
        PlanRefused: the rollout's limits cannot be understood.
    """
    world = World(scan.snapshot)
    for _ in range(_ROUNDS):
        plan = planning.make(world, scan.assessment, consent, rollout, tenant=scan.tenant, root=scan.root)
        after = scanning.judge(imagined(scan.snapshot, plan), scan.root, context, scan.selection)
        judgement = verify.judge(plan, scan.assessment, after.assessment)
        if judgement.holds or not plan.steps:
            return Trial(plan, judgement)
        consent = _refusing(consent, judgement.refused)
        if not judgement.refused:
            break
    everything = {
        repair.fingerprint: "the plan as a whole could not be proved" for step in plan.steps for repair in step.repairs
    }
    plan = planning.make(
        world, scan.assessment, _refusing(consent, everything), rollout, tenant=scan.tenant, root=scan.root
    )
    return Trial(plan, Judgement(frozenset()))


def _refusing(consent: Consent, refused: Mapping[str, str]) -> Consent:
    return msgspec.structs.replace(consent, refused={**consent.refused, **refused})


def imagined(snapshot: Snapshot, plan: Plan) -> Snapshot:
    """The world as it would be after the plan."""
    edits: dict[Ref, list[Edit]] = {}
    made: list[Resource] = []
    for step in plan.steps:
        if step.ref is None:
            continue
        if step.before is None:
            made.append(Resource(step.ref, msgspec.json.decode(step.change)))
        for repair in step.repairs:
            wanted = edits.setdefault(step.ref, [])
            wanted += [edit for edit in repair.edits if edit not in wanted]
    resources = [planning.changed(item, edits[item.ref]) if item.ref in edits else item for item in snapshot.resources]
    return Snapshot((*resources, *made), snapshot.gaps, snapshot.notes)


async def rehearse(trial: Trial, hands: Hands) -> Trial:
    """The trial without the steps that the world refuses; what it warns of is kept."""
    warnings = dict(trial.warnings)
    refused: dict[str, str] = {}
    for step in trial.plan.steps:
        try:
            said = await _hand(hands, step).rehearse(step)
        except BulkheadError as error:
            refused[step.id] = str(error)
            continue
        if said:
            warnings[step.id] = said
    kept, left = reach.whole(trial.plan.steps, refused)
    unfixed = [
        Unfixed(fingerprint=repair.fingerprint, control=repair.control, resource=step.target, reason=left[step.id])
        for step in trial.plan.steps
        if step.id in left
        for repair in step.repairs
    ]
    plan = msgspec.structs.replace(
        trial.plan, steps=reach.in_waves(kept, trial.plan.rollout), unfixed=(*trial.plan.unfixed, *unfixed)
    )
    return Trial(plan, trial.judgement, warnings)


def _hand(hands: Hands, step: Step) -> LiveHands:
    found = hands.get(step.channel)
    if found is None:
        raise PlanRefused(f"nothing here carries out steps of the channel {step.channel}", where=step.target)
    return found


async def apply(trial: Trial, scan: Scan, site: Site, context: Context, *, actor: str) -> Applied:
    """Carry the plan out.

    Raises:
        PlanRefused: now is outside the plan's maintenance windows; nothing was changed.
        Conflict: something could not be taken back, since somebody else changed it; the entry stays unfinished.
    """
    plan = trial.plan
    if not plan.steps:
        raise PlanRefused("the plan has no steps", hint="see why each finding is left")
    for step in plan.steps:
        _hand(site.hands, step)
        if shut := reach.closed(step, plan.rollout, context.clock()):
            raise PlanRefused(shut, where=step.target, hint="apply it then, or leave out what interrupts")
    journal = site.journal
    entry = journal.begin(plan, actor=actor, at=context.clock())
    change = _Change(entry, trial, scan, site, context)
    try:
        await change.carry_out()
    except BulkheadError as error:
        await recover(entry, site.hands, journal, tenant=plan.tenant)
        return Applied(entry, None, None, str(error))
    judgement, after = await change.look()
    if judgement.holds:
        journal.finish(entry, EntryState.APPLIED, tenant=plan.tenant)
        return Applied(entry, judgement, after)
    await recover(entry, site.hands, journal, tenant=plan.tenant)
    return Applied(entry, judgement, after, _unproved(judgement))


class _Change(msgspec.Struct):
    """One plan being carried out."""

    entry: str
    trial: Trial
    scan: Scan
    site: Site
    context: Context

    async def carry_out(self) -> None:
        plan = self.trial.plan
        canary = [step for step in plan.steps if step.wave == 0]
        rest = [step for step in plan.steps if step.wave != 0]
        for step in canary:
            await self._do(step)
        if rest:
            await self._watch(canary)
        for step in rest:
            await self._do(step)

    async def _do(self, step: Step) -> None:
        tenant = self.trial.plan.tenant
        self.site.journal.mark_step(self.entry, step.id, StepState.APPLYING, tenant=tenant)
        await _hand(self.site.hands, step).apply(step, self._progress(step))
        self.site.journal.mark_step(self.entry, step.id, StepState.APPLIED, tenant=tenant)

    async def _watch(self, canary: Iterable[Step]) -> None:
        """The canary is judged, and then looked at until its time is over.

        Raises:
            SourceError: it is not well, or the world does not agree that it is repaired.
        """
        steps = tuple(canary)
        for _ in range(max(self.trial.plan.rollout.watch_seconds, 0)):
            await self.site.sleep(_LOOK_SECONDS)
            for step in steps:
                if trouble := await _hand(self.site.hands, step).well(step, self._progress(step)):
                    raise SourceError(f"the canary is not well: {trouble}", where=step.target)
        part = msgspec.structs.replace(self.trial.plan, steps=steps)
        judgement, _ = await self.look(part)
        if not judgement.holds:
            raise SourceError(f"the canary did not prove the repair: {_unproved(judgement)}", where=steps[0].target)

    async def look(self, plan: Plan | None = None) -> tuple[Judgement, Scan | None]:
        """The world read anew and judged. What cannot be read proves nothing."""
        plan = plan or self.trial.plan
        try:
            snapshot = await self.site.world.read()
        except SourceError as error:
            wanted = {
                repair.fingerprint: f"the world cannot be read: {error}"
                for step in plan.steps
                for repair in step.repairs
            }
            return Judgement(frozenset(), wanted), None
        after = judged(snapshot, self.scan.root, self.context, self.scan.selection, self.site.journal)
        return _proof(plan, self.scan, after), after

    def _progress(self, step: Step) -> Noted:
        tenant = self.trial.plan.tenant
        found = next(item for item in self.site.journal.entry(self.entry, tenant=tenant).steps if item.id == step.id)
        return Noted(self.site.journal, self.entry, step.id, tenant, found.progress, self.site.tell)


def _proof(plan: Plan, before: Scan, after: Scan) -> Judgement:
    """What the plan set out to close must be gone, and its targets must have been seen again.

    A world goes on living while it is changed: new findings count only on what the plan touched.
    """
    judgement = verify.judge(plan, before.assessment, after.assessment)
    touched = {step.ref for step in plan.steps}
    introduced = tuple(item for item in judgement.introduced if item.resource in touched)
    wanted = {fingerprint for step in plan.steps for fingerprint in step.verify}
    kept_open = {
        key: reason for key, reason in judgement.refused.items() if key in wanted and not reason.startswith("it would")
    }
    unseen = {
        fingerprint: f"{step.target} could not be read again: {hidden.reason}"
        for step in plan.steps
        if (hidden := _unseen(step, after.snapshot)) is not None
        for fingerprint in step.verify
    }
    raised = {
        fingerprint: f"{item.resource.name}: it raised {item.control}: {item.message}"
        for item in introduced
        for step in plan.steps
        if step.ref == item.resource
        for fingerprint in step.verify
    }
    return Judgement(judgement.closed, {**kept_open, **unseen, **raised}, introduced, judgement.brought_up)


def _unseen(step: Step, snapshot: Snapshot) -> Gap | None:
    """The gap that a step's target may stand behind, where it is not in the snapshot."""
    if step.ref is None or any(item.ref == step.ref for item in snapshot.resources):
        return None
    return next(
        (gap for gap in snapshot.gaps if step.ref.kind in gap.hides or "*" in gap.hides),
        Gap(where=step.target, code="B200", reason="it is not there any more"),
    )


def _unproved(judgement: Judgement) -> str:
    reasons = list(dict.fromkeys(judgement.refused.values()))
    return "; ".join(reasons[:3]) + (f"; and {len(reasons) - 3} more" if len(reasons) > 3 else "")


async def undo(entry: str, hands: Hands, journal: Journal, *, tenant: str) -> tuple[str, ...]:
    """Put everything of an applied entry back, newest first; the targets.

    Raises:
        Conflict: the entry is not applied, or a target is not what we wrote; nothing is changed. ``versions`` shows the three.
        SourceError: a target could not be put back; the entry stays unfinished.
    """
    found = journal.entry(entry, tenant=tenant)
    if found.summary.state is not EntryState.APPLIED:
        raise Conflict(f"entry {found.summary.id} is {found.summary.state}, not applied", hint="see: bulkhead journal")
    plans = {step.id: step for step in found.plan.steps}
    for step in found.steps:
        if step.state is StepState.APPLIED:
            await _ours(found.summary.id, step, plans[step.id], hands, journal)
    return await _back(found, hands, journal, tenant, EntryState.UNDONE)


async def _ours(entry: str, step: JournalStep, planned: Step, hands: Hands, journal: Journal) -> None:
    """Raises Conflict where the target is neither what we wrote nor what was there before."""
    progress = Noted(journal, entry, step.id, "", step.progress)
    now = await _hand(hands, planned).current(planned, progress)
    written = progress.known().get("written")
    if now not in (str(written).encode() if written is not None else step.after, step.before):
        raise Conflict(
            "it is not what was written; undoing would lose somebody's work", where=step.target,
            hint=f"compare with: bulkhead journal {entry} --versions {step.target}",
        )  # fmt: skip


async def recover(entry: str, hands: Hands, journal: Journal, *, tenant: str) -> tuple[str, ...]:
    """After a crash or a failure in the middle: what was begun is taken back, what was not is left; the targets."""
    return await _back(journal.entry(entry, tenant=tenant), hands, journal, tenant, EntryState.FAILED)


async def _back(found: Entry, hands: Hands, journal: Journal, tenant: str, end: EntryState) -> tuple[str, ...]:
    plans = {step.id: step for step in found.plan.steps}
    name = found.summary.id
    back: list[str] = []
    troubles: list[BulkheadError] = []
    for step in reversed(found.steps):
        if step.state not in (StepState.APPLYING, StepState.APPLIED, StepState.UNDOING):
            continue
        planned = plans[step.id]
        try:
            await _one_back(name, step, planned, hands, journal, tenant)
        except BulkheadError as error:
            # The others are put back all the same.
            troubles.append(error)
            continue
        back.append(step.target)
    if troubles:
        raise troubles[0]
    journal.finish(name, end, tenant=tenant)
    return tuple(back)


async def _one_back(
    entry: str, step: JournalStep, planned: Step, hands: Hands, journal: Journal, tenant: str
) -> None:  # fmt: skip
    if step.state is StepState.APPLYING:
        journal.mark_step(entry, step.id, StepState.APPLIED, tenant=tenant)
    if step.state is not StepState.UNDOING:
        journal.mark_step(entry, step.id, StepState.UNDOING, tenant=tenant)
    await _hand(hands, planned).undo(planned, Noted(journal, entry, step.id, tenant, step.progress))
    journal.mark_step(entry, step.id, StepState.UNDONE, tenant=tenant)


async def settle(entry: str, hands: Hands, journal: Journal, *, tenant: str) -> tuple[str, ...]:
    """Remove what an applied entry keeps for its way back; the targets.

    Raises:
        Conflict: the entry is not applied.
        SourceError: the world cannot be asked.
    """
    found = journal.entry(entry, tenant=tenant)
    if found.summary.state is not EntryState.APPLIED:
        raise Conflict(f"entry {found.summary.id} is {found.summary.state}, not applied", hint="see: bulkhead journal")
    plans = {step.id: step for step in found.plan.steps}
    settled = []
    for step in found.steps:
        progress = Noted(journal, found.summary.id, step.id, tenant, step.progress)
        if step.state is StepState.APPLIED and await _hand(hands, plans[step.id]).settle(plans[step.id], progress):
            settled.append(step.target)
    return tuple(settled)


async def versions(entry: Entry, target: str, hands: Hands, journal: Journal) -> Mapping[str, bytes | None]:
    """What was there before, what was planned, and what is there now."""
    step = next((step for step in entry.steps if step.target == target), None)
    if step is None:
        raise UsageError("the change did not touch this", where=target, hint="see: bulkhead journal")
    planned = next(item for item in entry.plan.steps if item.id == step.id)
    progress = Noted(journal, entry.summary.id, step.id, entry.summary.tenant, step.progress)
    now = await _hand(hands, planned).current(planned, progress)
    return {"before": step.before, "written": step.after, "now": now}
