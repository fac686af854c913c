"""Verdicts on a live world into one plan, by the same mitigations as for files.

1. The repair of every finding is chosen as for files; what no channel changes, what somebody else would put back and what a
   controller would make again is left, with the patch for the place where it belongs.
2. Repairs of one resource are put together on its record, gravest first; the channel's rules say by which method. A repair
   that no method makes true is left, without taking the others with it.
3. Limits come last: of each mitigation, then of the plan. The canary is put first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from bulkhead.core.canonical import canonical, digest
from bulkhead.core.control import MitigationClass
from bulkhead.core.errors import CannotEdit, PlanRefused
from bulkhead.core.outcome import Outcome
from bulkhead.core.plan import Edit, Plan, Repair, Risk, Rollout, Step, Unfixed
from bulkhead.core.resource import DocumentPath, Ref, Resource
from bulkhead.core.shapes import WRONG_SHAPE
from bulkhead.formats import changes
from bulkhead.mitigation import channels, choosing, generate, operations, patches, records
from bulkhead.mitigation import rollout as reach
from bulkhead.mitigation.admissible import admissible
from bulkhead.mitigation.channels import kubernetes
from bulkhead.mitigation.choosing import Chosen, Consent, left
from bulkhead.mitigation.operations import DoesNotApply
from bulkhead.mitigation.records import Kind, Method
from bulkhead.posture.evaluate import Assessment
from bulkhead.posture.world import World

_RISKS: tuple[Risk, ...] = ("none", "restart", "outage", "data")
_CLASSES = tuple(MitigationClass)


class _Target(msgspec.Struct):
    """A live resource with the repairs that it may get."""

    resource: Resource
    kind: Kind
    items: list[Chosen]


def make(
    world: World, assessment: Assessment, consent: Consent, limits: Rollout, *, tenant: str, root: str
) -> Plan:  # fmt: skip
    """The plan for every failing finding on a resource that no file holds.

    Raises:
        PlanRefused: the limits cannot be understood.
    """
    reach.check(limits.windows)
    unfixed: list[Unfixed] = []
    chosen = choosing.limited(admissible(_chosen(assessment, consent, unfixed), unfixed), unfixed)
    steps = [step for target in _targets(chosen) if (step := _step(target, consent, unfixed)) is not None]
    steps += _creations(world, chosen, unfixed, root)
    steps.sort(key=lambda step: (-_urgency(step, assessment), step.target))
    kept, refused = reach.within(steps, limits, _living(world))
    for step in steps:
        if step.id in refused:
            unfixed += [_beyond(repair, step, refused[step.id]) for repair in step.repairs]
    ordered = reach.in_waves(kept, limits)
    identity = digest([(step.target, step.change.hex()) for step in ordered])[:12]
    return Plan(id=identity, tenant=tenant, root=root, steps=ordered, unfixed=tuple(unfixed), rollout=limits)


def changed(resource: Resource, edits: Sequence[Edit]) -> Resource:
    """The resource as it would be.

    Raises:
        PlanRefused: the edits contradict each other.
        CannotEdit: a path leads through something that is not a collection.
    """
    data = changes.patched(resource.data, changes.decide(resource.data, edits))
    kind = channels.kind_of(resource.ref)
    if kind is not None:
        data = kind.imagine(resource.data, data)
    return Resource(resource.ref, data, resource.text, resource.document, resource.path)


def _chosen(assessment: Assessment, consent: Consent, unfixed: list[Unfixed]) -> list[Chosen]:
    out = []
    for finding in assessment.findings:
        if finding.outcome not in (Outcome.FAIL, Outcome.WARN) or (
            consent.only and finding.control not in consent.only
        ):
            continue
        verdict = assessment.verdicts[finding.fingerprint]
        resource = verdict.element.resource
        if resource.text is not None:
            continue
        if resource.ref.kind == "Component":
            unfixed.append(left(finding, _started_with(resource.data), verdict.runnable.control.fix))
            continue
        answer = choosing.chosen_for(finding, verdict, consent, live=True)
        if isinstance(answer, Chosen) and answer.edits:
            reason, proposal = _elsewhere(resource, answer)
            answer = left(finding, reason, proposal) if reason else answer
        if isinstance(answer, Unfixed):
            unfixed.append(answer)
        else:
            out.append(answer)
    return out


def _started_with(data: Mapping[str, Any]) -> str:
    """Where the settings of a program stand that is not changed while it runs."""
    flags = data.get("flags")
    file = (
        next((flags[name] for name in ("openshift-config", "config", "config-file") if name in flags), "")
        if isinstance(flags, dict)
        else ""
    )
    if file == "configz":
        return "a kubelet is changed on its node, one node at a time: bulkhead fix FILE there, then restart it"
    place = f"bulkhead fix {file}" if isinstance(file, str) and file else "bulkhead fix /etc/kubernetes/manifests"
    return f"a program is changed where its settings stand, on its machine: {place}, or its unit"


def _elsewhere(resource: Resource, item: Chosen) -> tuple[str, str]:
    """Why the repair belongs somewhere else, and the patch for that place; empty when it belongs here."""
    kind = channels.kind_of(resource.ref)
    if kind is None:
        return f"no channel changes a {resource.ref.kind} of this world", ""
    if kind is not kubernetes.OBJECT:
        return "", ""
    made_by = kubernetes.controller(resource.data)
    if made_by:
        return f"{made_by} would make it again: repair that", ""
    owner = kubernetes.owner(resource.data)
    if owner is None:
        return "", ""
    named = f"{owner.tool} ({owner.name})" if owner.name else owner.tool
    reason = f"{named} keeps this object and would put it back: the patch belongs into its repository"
    try:
        before = kind.record(resource.data)
        after = kind.record(changed(resource, item.edits).data)
        return reason, patches.text(before, after, why=f"{item.finding.control}: {item.finding.message}")
    except (DoesNotApply, CannotEdit, PlanRefused, *WRONG_SHAPE):
        return reason, ""


def _targets(chosen: Sequence[Chosen]) -> list[_Target]:
    found: dict[Ref, _Target] = {}
    for item in chosen:
        resource = item.verdict.element.resource
        kind = channels.kind_of(resource.ref)
        if item.edits and kind is not None:
            found.setdefault(resource.ref, _Target(resource, kind, [])).items.append(item)
    for target in found.values():
        target.items.sort(key=lambda item: (-item.finding.severity.rank, item.finding.control, item.finding.element))
    return list(found.values())


def _step(target: _Target, consent: Consent, unfixed: list[Unfixed]) -> Step | None:
    """One target's repairs as a step: one is added after the other, as far as they fit together and a method takes them."""
    kept: list[Chosen] = []
    edits: list[Edit] = []
    made: tuple[Any, Any, Method] | None = None
    for item in target.items:
        against = any(choosing.contradicts(mine, edit) for mine in item.edits for edit in edits)
        tried = edits + [edit for edit in item.edits if edit not in edits]
        try:
            if against:
                raise DoesNotApply("another repair of this plan changes the same place; run fix again")
            alone = _made(target, item.edits)[2]
            if not choosing.covers(consent, alone.asks, item.finding.control):
                asked = f"--consent {alone.asks}, or --control {item.finding.control}"
                raise DoesNotApply(f"{alone.asks}: it takes a {alone.name} of {target.resource.ref.name} ({asked})")
            made = _made(target, tried)
        except (DoesNotApply, CannotEdit, PlanRefused) as exc:
            unfixed.append(left(item.finding, str(exc)))
            continue
        except WRONG_SHAPE as exc:
            unfixed.append(left(item.finding, f"what is there has not the shape of its kind: {exc}"))
            continue
        edits = tried
        kept.append(item)
    if made is None or not kept:
        return None
    before, after, method = made
    return _built(target.resource.ref, target.kind, canonical(before), canonical(after), method, kept)


def _made(target: _Target, edits: Sequence[Edit]) -> tuple[Any, Any, Method]:
    before = target.kind.record(target.resource.data)
    after = target.kind.record(changed(target.resource, edits).data)
    paths: frozenset[DocumentPath] = frozenset(records.differences(before, after))
    if not paths:
        raise DoesNotApply("nothing is left to change there")
    return before, after, target.kind.method(before, paths)


def _built(ref: Ref, kind: Kind, before: bytes | None, change: bytes, method: Method, items: Sequence[Chosen]) -> Step:
    risks = [method.risk, *(item.mitigation.risk for item in items)]
    modes = [operations.mode(item.mitigation, item.verdict) for item in items]
    # What a running world takes without a pause interrupts nothing, whatever the same repair does to a file's workload.
    gravest = method.risk if method.name in ("update", "reload", "mode", "audit-rule") else max(risks, key=_RISKS.index)
    return Step(
        id=digest([msgspec.to_builtins(ref), change.hex()])[:12],
        channel=kind.channel,
        target="/".join(part for part in (ref.kind, ref.namespace, ref.name) if part),
        limit=1,
        needs=method.needs,
        before=before,
        change=change,
        repairs=tuple(
            Repair(
                fingerprint=item.finding.fingerprint, control=item.finding.control, mitigation=item.mitigation.id,
                mode=operations.mode(item.mitigation, item.verdict), edits=tuple(item.edits), note=item.finding.message,
            )
            for item in items
        ),
        verify=tuple(item.finding.fingerprint for item in items),
        undo=method.undo,
        ref=ref,
        method=method.name,
        risk=gravest,
        approval=max([method.asks, *modes], key=_CLASSES.index),
    )  # fmt: skip


def _creations(world: World, chosen: Sequence[Chosen], unfixed: list[Unfixed], root: str) -> list[Step]:
    """New objects of a cluster, one step each; the same object for several findings is made once."""
    made: dict[tuple[str, str, str], tuple[bytes, Ref, list[Chosen]]] = {}
    for item in chosen:
        for creation in item.creations:
            # A finding of the whole cluster stands in no place of it.
            origin = item.verdict.element.resource.ref.origin or root
            try:
                found = generate.objects(creation.generator, world, item.verdict, creation.content)
                for value in found:
                    ref = _ref_of(value, origin)
                    made.setdefault((ref.kind, ref.namespace, ref.name), (canonical(value), ref, []))[2].append(item)
            except DoesNotApply as exc:
                unfixed.append(left(item.finding, str(exc)))
            except WRONG_SHAPE as exc:
                unfixed.append(left(item.finding, f"what is there has not the shape of its kind: {exc}"))
    steps = []
    for data, ref, items in made.values():
        place = f" in {ref.namespace}" if ref.namespace else ""
        method = Method("create", (f"create and delete {ref.kind}{place}",), "delete the object")
        steps.append(_built(ref, kubernetes.OBJECT, None, data, method, items))
    return steps


def _ref_of(value: Mapping[str, Any], origin: str) -> Ref:
    metadata = value["metadata"]
    group, slash, _ = str(value["apiVersion"]).partition("/")
    return Ref(
        source="kubernetes", kind=str(value["kind"]), group=group if slash else "", namespace=str(metadata.get("namespace", "")),
        name=str(metadata["name"]), origin=origin,
    )  # fmt: skip


def _urgency(step: Step, assessment: Assessment) -> int:
    return max(assessment.verdicts[fingerprint].runnable.control.severity.rank for fingerprint in step.verify)


def _living(world: World) -> dict[tuple[str, str], int]:
    """How many resources that a channel changes live in each group."""
    return Counter(
        (resource.ref.origin, resource.ref.namespace)
        for resource in world.snapshot.resources
        if resource.text is None and channels.kind_of(resource.ref) is not None
    )


def _beyond(repair: Repair, step: Step, reason: str) -> Unfixed:
    return Unfixed(fingerprint=repair.fingerprint, control=repair.control, resource=step.target, reason=reason)
