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
from collections.abc import Iterable, Sequence

from bulkhead.core.canonical import digest
from bulkhead.core.errors import CannotEdit, ParseError, PlanRefused
from bulkhead.core.outcome import Outcome
from bulkhead.core.plan import Edit, Plan, Repair, Step, Unfixed
from bulkhead.core.resource import Text
from bulkhead.formats import texts
from bulkhead.mitigation import choosing, generate, operations
from bulkhead.mitigation.admissible import admissible
from bulkhead.mitigation.choosing import Chosen, Consent, choose, chosen_for, left, limited
from bulkhead.mitigation.operations import DoesNotApply
from bulkhead.posture.evaluate import Assessment
from bulkhead.posture.shapes import WRONG_SHAPE
from bulkhead.posture.world import World

__all__ = ["Consent", "choose", "make"]

_KUSTOMIZATIONS = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})


def make(world: World, assessment: Assessment, consent: Consent, *, tenant: str, root: str) -> Plan:
    """The plan for every failing finding of the assessment."""
    unfixed: list[Unfixed] = []
    chosen: list[Chosen] = []
    critical = {(id(item.text), item.document) for item in world.by_kind.get("Component", ())}
    for finding in assessment.findings:
        if finding.outcome not in (Outcome.FAIL, Outcome.WARN) or (
            consent.only and finding.control not in consent.only
        ):
            continue
        verdict = assessment.verdicts[finding.fingerprint]
        answer = chosen_for(finding, verdict, consent)
        if isinstance(answer, Chosen) and _stops_the_cluster(answer, critical, consent):
            answer = left(
                finding, f"it restarts a part of the control plane: applied only by name (--control {finding.control})"
            )
        if isinstance(answer, Unfixed):
            unfixed.append(answer)
        else:
            chosen.append(answer)
    chosen = limited(admissible(chosen, unfixed), unfixed)
    steps = _edit_steps(chosen, unfixed)
    steps += _create_steps(world, chosen, unfixed, frozenset(step.target for step in steps))
    identity = digest([(step.target, step.change.hex()) for step in steps])[:12]
    return Plan(id=identity, tenant=tenant, root=root, steps=tuple(steps), unfixed=tuple(unfixed))


def _stops_the_cluster(item: Chosen, critical: set[tuple[int, int]], consent: Consent) -> bool:
    """Whether a general repair of pods would change the pod that an API server, etcd or the like runs in.

    Such a pod needs the node's network and its files; what holds for every other pod can end the cluster there.
    """
    resource = item.verdict.element.resource
    return (
        resource.ref.kind != "Component"
        and (id(resource.text), resource.document) in critical
        and item.finding.control not in consent.controls
    )


def _edit_steps(chosen: Sequence[Chosen], unfixed: list[Unfixed]) -> list[Step]:
    by_text: dict[int, tuple[Text, list[Chosen]]] = {}
    for item in chosen:
        text = item.verdict.element.resource.text
        if item.edits and text is not None:
            by_text.setdefault(id(text), (text, []))[1].append(item)
    steps = []
    for text, items in sorted(by_text.values(), key=lambda entry: entry[0].path):
        if not _is_text(text.path):
            unfixed += [left(item.finding, "the file's name is not UTF-8; rename it first") for item in items]
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


def _applied(text: Text, items: list[Chosen], unfixed: list[Unfixed]) -> tuple[bytes, list[Chosen]]:
    kept: list[Chosen] = []
    edits: list[Edit] = []
    for item in items:
        against = next((edit for mine in item.edits for edit in edits if choosing.contradicts(mine, edit)), None)
        if against is None:
            kept.append(item)
            edits.extend(edit for edit in item.edits if edit not in edits)
        else:
            unfixed.append(left(item.finding, "another repair of this plan changes the same place; run fix again"))
    try:
        return texts.apply(text, edits), kept
    except (CannotEdit, PlanRefused, ParseError):
        return _one_by_one(text, kept, unfixed)


def _one_by_one(text: Text, items: list[Chosen], unfixed: list[Unfixed]) -> tuple[bytes, list[Chosen]]:
    kept: list[Chosen] = []
    edits: list[Edit] = []
    data = text.data
    for item in items:
        tried = edits + [edit for edit in item.edits if edit not in edits]
        try:
            data = texts.apply(text, tried)
        except (CannotEdit, PlanRefused, ParseError) as exc:
            unfixed.append(left(item.finding, f"the text cannot be changed safely: {exc.message}"))
            continue
        edits = tried
        kept.append(item)
    return data, kept


def _step(target: str, before: bytes | None, change: bytes, items: Iterable[Chosen]) -> Step:
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
    world: World, chosen: Sequence[Chosen], unfixed: list[Unfixed], taken: frozenset[str]
) -> list[Step]:  # fmt: skip
    made: dict[str, tuple[bytes, list[Chosen]]] = {}
    for item in chosen:
        for creation in item.creations:
            try:
                target, data = generate.make(creation.generator, world, item.verdict, creation.content)
            except DoesNotApply as exc:
                unfixed.append(left(item.finding, str(exc)))
                continue
            except WRONG_SHAPE as exc:
                unfixed.append(left(item.finding, f"what is there has not the shape of its kind: {exc}"))
                continue
            made.setdefault(target, (data, []))[1].append(item)
    listed = _listed(world, made, taken, unfixed)
    return [_step(target, None, data, items) for target, (data, items) in sorted(made.items())] + listed


def _listed(
    world: World, made: dict[str, tuple[bytes, list[Chosen]]], taken: frozenset[str], unfixed: list[Unfixed]
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
                unfixed.extend(left(item.finding, reason) for item in made.pop(target)[1])
            continue
        if beside:
            steps.append(_step(text.path, text.data, change, [item for target in beside for item in made[target][1]]))
    return steps
