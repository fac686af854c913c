"""Which mitigation a finding gets: the first that fits and that the caller consents to; else why none."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from bulkhead.core.control import Mitigation, MitigationClass
from bulkhead.core.finding import Finding
from bulkhead.core.plan import Edit, Unfixed
from bulkhead.engines.cel.errors import CelError
from bulkhead.mitigation import operations
from bulkhead.mitigation.operations import DoesNotApply
from bulkhead.posture import compiled
from bulkhead.posture.evaluate import Verdict

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


class Chosen(msgspec.Struct):
    """A finding with the mitigation that it gets, as edits of its resource and objects to be made."""

    finding: Finding
    verdict: Verdict
    mitigation: Mitigation
    edits: list[Edit]
    creations: list[operations.Creation]


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


def left(finding: Finding, reason: str, proposal: str = "") -> Unfixed:
    ref = finding.resource
    name = "/".join(part for part in (ref.kind, ref.namespace, ref.name) if part)
    # A live resource is its own place.
    place = finding.where.file if ref.source in ("file", "image") else ""
    where = f"{finding.where.file}:{finding.where.line}" if finding.where.line else place
    return Unfixed(
        fingerprint=finding.fingerprint,
        control=finding.control,
        resource=name,
        reason=reason,
        where=where,
        proposal=proposal,
    )


def chosen_for(finding: Finding, verdict: Verdict, consent: Consent, *, live: bool = False) -> Chosen | Unfixed:
    """The finding's repair, or why it gets none. ``live``: a channel changes the resource where no file holds it."""
    if finding.waiver is not None:
        return left(finding, f"an exception covers it: {finding.waiver.reason}")
    if finding.fingerprint in consent.refused:
        return left(finding, consent.refused[finding.fingerprint])
    text = verdict.element.resource.text
    mitigations = [item for item in verdict.runnable.control.mitigation if operations.matches(item, verdict)]
    if not mitigations:
        reason = f"no repair is known for a {finding.resource.kind}; see: bulkhead controls explain {finding.control}"
        return left(finding, reason, verdict.runnable.control.fix)
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
        elif not creations and text is None and not live:
            reason = "the resource has no file to repair"
        elif not edits and not creations:
            reason = "nothing is left to change there"
        else:
            return Chosen(finding, verdict, mitigation, edits, creations)
    return left(finding, reason, proposal)


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


def covers(consent: Consent, asked: MitigationClass, control: str) -> bool:
    """Whether the caller agreed to this class, or named the control."""
    return control in consent.controls or _CONSENT[asked] <= _CONSENT[consent.level]


def _refusal(mitigation: Mitigation, verdict: Verdict, consent: Consent) -> str:
    """Why the caller's consent does not cover this mitigation; empty when it does."""
    control = verdict.runnable.control.id
    mode = operations.mode(mitigation, verdict)
    if covers(consent, mode, control):
        return ""
    if mode is MitigationClass.GUARDED and mitigation.when:
        if operations.evaluate(mitigation.when, verdict.element, verdict.runnable.params) is True:
            return ""
        return f"guarded: what was read does not show that it is safe (use --consent guarded, or --control {control})"
    return f"{mode}: applied only on request (--consent {mode}, or --control {control})"


def limited(chosen: list[Chosen], unfixed: list[Unfixed]) -> list[Chosen]:
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
                left(item.finding, f"it would touch {count} elements, more than its limit of {item.mitigation.limit}")
            )
        else:
            kept.append(item)
    return kept


def contradicts(mine: Edit, other: Edit) -> bool:
    """Whether one change would undo the other."""
    if mine.document != other.document or mine == other:
        return False
    if mine.path == other.path:
        return not (mine.op == other.op == "append") and not (
            mine.op.startswith("insert_") and other.op.startswith("insert_")
        )
    shorter, longer = sorted((mine, other), key=lambda edit: len(edit.path))
    covers = longer.path[: len(shorter.path)] == shorter.path
    return covers and shorter.op in ("remove", "set", "replace", "delete")
