"""Verdicts into one plan.

1. For every failing verdict the first mitigation that fits and that the caller consents to is chosen; the rest is
   listed as unfixed, with the reason and, where there is one, a concrete proposal.
2. Repairs of one text are put together in a fixed order (severity, then control, then place). An edit that repeats
   another is dropped; one that contradicts an earlier one loses and is listed.
3. The edits of a text are applied in memory. When the whole does not fit, repairs are applied one by one, so that one
   that cannot be written does not take the others with it.
4. Limits come last: a mitigation that would touch more than its limit is refused whole.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from bulkhead.core.canonical import digest
from bulkhead.core.control import Mitigation, MitigationClass
from bulkhead.core.errors import CannotEdit, ParseError, PlanRefused
from bulkhead.core.finding import Finding
from bulkhead.core.outcome import Outcome
from bulkhead.core.plan import Edit, Plan, Repair, Step, Unfixed
from bulkhead.core.resource import Text
from bulkhead.engines.cel.errors import CelError
from bulkhead.formats import texts
from bulkhead.mitigation import generate, operations
from bulkhead.mitigation.operations import DoesNotApply
from bulkhead.posture import compiled
from bulkhead.posture.evaluate import Assessment, Verdict
from bulkhead.posture.shapes import WRONG_SHAPE
from bulkhead.posture.world import World

_KUSTOMIZATIONS = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})
_CONSENT = {
    MitigationClass.AUTO: 0,
    MitigationClass.GUARDED: 1,
    MitigationClass.PROPOSE: 2,
    MitigationClass.MANUAL: 3,
}


class Consent(msgspec.Struct, frozen=True):
    """What the caller agrees to.

    Attributes:
        level: every mitigation up to this class is applied; a guarded one below that needs its evidence to hold.
        controls: ids applied whatever their class, because the user named them; empty for no such naming.
        only: when not empty, nothing else is planned.
        refused: fingerprints that an earlier round found wanting, with the reason.
    """

    level: MitigationClass = MitigationClass.AUTO
    controls: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    refused: Mapping[str, str] = msgspec.field(default_factory=dict)


class _Chosen(msgspec.Struct):
    finding: Finding
    verdict: Verdict
    mitigation: Mitigation
    edits: list[Edit]
    creations: list[operations.Creation]


def make(world: World, assessment: Assessment, consent: Consent, *, tenant: str, root: str) -> Plan:
    """The plan for every failing finding of the assessment."""
    unfixed: list[Unfixed] = []
    chosen: list[_Chosen] = []
    critical = {(id(item.text), item.document) for item in world.by_kind.get("Component", ())}
    for finding in assessment.findings:
        if finding.outcome not in (Outcome.FAIL, Outcome.WARN) or (
            consent.only and finding.control not in consent.only
        ):
            continue
        verdict = assessment.verdicts[finding.fingerprint]
        answer = _choose(finding, verdict, consent)
        if isinstance(answer, _Chosen) and _stops_the_cluster(answer, critical, consent):
            answer = _left(
                finding, f"it restarts a part of the control plane: applied only by name (--control {finding.control})"
            )
        if isinstance(answer, Unfixed):
            unfixed.append(answer)
        else:
            chosen.append(answer)
    chosen = _limited(chosen, unfixed)
    steps = _edit_steps(chosen, unfixed)
    steps += _create_steps(world, chosen, unfixed, frozenset(step.target for step in steps))
    identity = digest([(step.target, step.change.hex()) for step in steps])[:12]
    return Plan(id=identity, tenant=tenant, root=root, steps=tuple(steps), unfixed=tuple(unfixed))


def _stops_the_cluster(item: _Chosen, critical: set[tuple[int, int]], consent: Consent) -> bool:
    """Whether a general repair of pods would change the pod that an API server, etcd or the like runs in.

    Such a pod needs the node's network and its files; what holds for every other pod can end the cluster there.
    """
    resource = item.verdict.element.resource
    return (
        resource.ref.kind != "Component"
        and (id(resource.text), resource.document) in critical
        and item.finding.control not in consent.controls
    )


def choose(
    finding: Finding, verdict: Verdict, consent: Consent
) -> tuple[str, MitigationClass, tuple[Edit, ...]] | None:
    """The first mitigation that consent covers, its class and its edits of the rendered object; None when there is none."""
    if (
        finding.waiver is not None
        or finding.fingerprint in consent.refused
        or (consent.only and finding.control not in consent.only)
    ):
        return None
    for mitigation in verdict.runnable.control.mitigation:
        if not mitigation.patch or not operations.matches(mitigation, verdict):
            continue
        try:
            edits, creations = operations.edits(mitigation, verdict)
            refusal = _refusal(mitigation, verdict, consent)
        except DoesNotApply:
            continue
        if edits and not creations and not refusal:
            return mitigation.id, operations.mode(mitigation, verdict), tuple(edits)
    return None


def _left(finding: Finding, reason: str, proposal: str = "") -> Unfixed:
    ref = finding.resource
    name = "/".join(part for part in (ref.kind, ref.namespace, ref.name) if part)
    where = f"{finding.where.file}:{finding.where.line}" if finding.where.line else finding.where.file
    return Unfixed(
        fingerprint=finding.fingerprint,
        control=finding.control,
        resource=name,
        reason=reason,
        where=where,
        proposal=proposal,
    )


def _choose(finding: Finding, verdict: Verdict, consent: Consent) -> _Chosen | Unfixed:
    if finding.waiver is not None:
        return _left(finding, f"an exception covers it: {finding.waiver.reason}")
    if finding.fingerprint in consent.refused:
        return _left(finding, consent.refused[finding.fingerprint])
    text = verdict.element.resource.text
    mitigations = [item for item in verdict.runnable.control.mitigation if operations.matches(item, verdict)]
    if not mitigations:
        return _left(finding, "no mitigation is known; see: bulkhead controls explain " + finding.control)
    reason, proposal = "", ""
    for mitigation in mitigations:
        if not mitigation.patch:
            proposal = proposal or proposed(mitigation, verdict)
            reason = reason or "a person has to decide; a proposal is attached"
            continue
        if text is not None and text.generated:
            reason = f"the object was rendered by {text.generated}; its source is repaired, not its output"
            continue
        try:
            refusal = _refusal(mitigation, verdict, consent)
            edits, creations = operations.edits(mitigation, verdict)
        except DoesNotApply as exc:
            reason = str(exc)
            continue
        if refusal:
            reason = refusal
        elif not creations and text is None:
            reason = "the resource has no file to repair"
        elif not edits and not creations:
            reason = "nothing is left to change in this text"
        else:
            return _Chosen(finding, verdict, mitigation, edits, creations)
    return _left(finding, reason, proposal)


def proposed(mitigation: Mitigation, verdict: Verdict) -> str:
    """The proposal with its references filled in; a fact that cannot be told leaves a question mark."""
    parts = compiled.message_parts(mitigation.proposal)
    used = frozenset(part[0] for part in parts if isinstance(part, tuple) and isinstance(part[0], str))
    try:
        bound = dict(verdict.element.bindings(used))
    except CelError:
        bound = dict(verdict.element.bound)
    bound["params"] = verdict.runnable.params
    return compiled.render(parts, bound)


def _refusal(mitigation: Mitigation, verdict: Verdict, consent: Consent) -> str:
    """Why the caller's consent does not cover this mitigation; empty when it does."""
    control = verdict.runnable.control.id
    if control in consent.controls:
        return ""
    mode = operations.mode(mitigation, verdict)
    if _CONSENT[mode] <= _CONSENT[consent.level]:
        return ""
    if mode is MitigationClass.GUARDED and mitigation.when:
        if operations.evaluate(mitigation.when, verdict.element, verdict.runnable.params) is True:
            return ""
        return f"guarded: the files do not show that it is safe (use --consent guarded, or --control {control})"
    return f"{mode}: applied only on request (--consent {mode}, or --control {control})"


def _limited(chosen: list[_Chosen], unfixed: list[Unfixed]) -> list[_Chosen]:
    """A mitigation that would touch more than its limit is refused whole: half of a sweep is nobody's intention."""
    counts: dict[tuple[str, str], int] = {}
    for item in chosen:
        key = (item.finding.control, item.mitigation.id)
        counts[key] = counts.get(key, 0) + 1
    kept = []
    for item in chosen:
        count = counts[item.finding.control, item.mitigation.id]
        if count > item.mitigation.limit:
            unfixed.append(
                _left(item.finding, f"it would touch {count} elements, more than its limit of {item.mitigation.limit}")
            )
        else:
            kept.append(item)
    return kept


def _edit_steps(chosen: Sequence[_Chosen], unfixed: list[Unfixed]) -> list[Step]:
    by_text: dict[int, tuple[Text, list[_Chosen]]] = {}
    for item in chosen:
        text = item.verdict.element.resource.text
        if item.edits and text is not None:
            by_text.setdefault(id(text), (text, []))[1].append(item)
    steps = []
    for text, items in sorted(by_text.values(), key=lambda entry: entry[0].path):
        if not _is_text(text.path):
            unfixed += [_left(item.finding, "the file's name is not UTF-8; rename it first") for item in items]
            continue
        items.sort(
            key=lambda item: (
                -item.finding.severity.rank,
                item.finding.control,
                item.finding.where.line,
                item.finding.element,
            )
        )
        change, applied = _applied(text, items, unfixed)
        if change != text.data and applied:
            steps.append(_step(text.path, text.data, change, applied))
    return steps


def _is_text(name: str) -> bool:
    """Whether a file's name can stand in a journal: names that are not UTF-8 are read as lone surrogates."""
    return not any("\ud800" <= char <= "\udfff" for char in name)


def _applied(text: Text, items: list[_Chosen], unfixed: list[Unfixed]) -> tuple[bytes, list[_Chosen]]:
    kept: list[_Chosen] = []
    edits: list[Edit] = []
    for item in items:
        against = next((edit for mine in item.edits for edit in edits if _contradicts(mine, edit)), None)
        if against is None:
            kept.append(item)
            edits.extend(edit for edit in item.edits if edit not in edits)
        else:
            unfixed.append(_left(item.finding, "another repair of this plan changes the same place; run fix again"))
    try:
        return texts.apply(text, edits), kept
    except (CannotEdit, PlanRefused, ParseError):
        return _one_by_one(text, kept, unfixed)


def _one_by_one(text: Text, items: list[_Chosen], unfixed: list[Unfixed]) -> tuple[bytes, list[_Chosen]]:
    kept: list[_Chosen] = []
    edits: list[Edit] = []
    data = text.data
    for item in items:
        tried = edits + [edit for edit in item.edits if edit not in edits]
        try:
            data = texts.apply(text, tried)
        except (CannotEdit, PlanRefused, ParseError) as exc:
            unfixed.append(_left(item.finding, f"the text cannot be changed safely: {exc.message}"))
            continue
        edits = tried
        kept.append(item)
    return data, kept


def _contradicts(mine: Edit, other: Edit) -> bool:
    if mine.document != other.document or mine == other:
        return False
    if mine.path == other.path:
        return not (mine.op == other.op == "append") and not (
            mine.op.startswith("insert_") and other.op.startswith("insert_")
        )
    shorter, longer = sorted((mine, other), key=lambda edit: len(edit.path))
    covers = longer.path[: len(shorter.path)] == shorter.path
    return covers and shorter.op in ("remove", "set", "replace", "delete")


def _step(target: str, before: bytes | None, change: bytes, items: Iterable[_Chosen]) -> Step:
    items = list(items)
    return Step(
        id=digest([target, change.hex()])[:12],
        channel="file",
        target=target,
        limit=1,
        needs=("write the file",),
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
        undo="write back the bytes that were there" if before is not None else "remove the file",
    )  # fmt: skip


def _create_steps(
    world: World, chosen: Sequence[_Chosen], unfixed: list[Unfixed], taken: frozenset[str]
) -> list[Step]:  # fmt: skip
    made: dict[str, tuple[bytes, list[_Chosen]]] = {}
    for item in chosen:
        for creation in item.creations:
            try:
                target, data = generate.make(creation.generator, world, item.verdict, creation.content)
            except DoesNotApply as exc:
                unfixed.append(_left(item.finding, str(exc)))
                continue
            except WRONG_SHAPE as exc:
                unfixed.append(_left(item.finding, f"what is there has not the shape of its kind: {exc}"))
                continue
            made.setdefault(target, (data, []))[1].append(item)
    listed = _listed(world, made, taken, unfixed)
    return [_step(target, None, data, items) for target, (data, items) in sorted(made.items())] + listed


def _listed(
    world: World, made: dict[str, tuple[bytes, list[_Chosen]]], taken: frozenset[str], unfixed: list[Unfixed]
) -> list[Step]:  # fmt: skip
    """A new file beside a kustomization is listed in it, or it would never be applied: what cannot be listed is not made."""
    steps = []
    for kustomization in world.by_kind.get("Kustomization", ()):
        text = kustomization.text
        if text is None or text.generated or posixpath.basename(text.path) not in _KUSTOMIZATIONS:
            continue
        folder = posixpath.dirname(text.path)
        beside = [target for target in sorted(made) if posixpath.dirname(target) == folder and target.endswith(".yaml")]
        edits = [
            Edit(op="append", document=kustomization.document, path=("resources",), value=posixpath.basename(target))
            for target in beside
        ]
        try:
            if beside and text.path in taken:
                raise CannotEdit("another repair of this plan changes it; run fix again")
            change = texts.apply(text, edits) if beside else text.data
        except (CannotEdit, PlanRefused, ParseError) as exc:
            reason = f"the new object cannot be listed in {text.path}: {exc.message}"
            for target in beside:
                unfixed.extend(_left(item.finding, reason) for item in made.pop(target)[1])
            continue
        if beside:
            steps.append(_step(text.path, text.data, change, [item for target in beside for item in made[target][1]]))
    return steps
