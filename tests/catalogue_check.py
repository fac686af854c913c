"""What the catalogue tests itself with; ``python -m tests.catalogue_check ID…`` says what is wrong with some controls."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from bulkhead.app import live as applying
from bulkhead.bootstrap import catalogue as loading
from bulkhead.catalogue.index import Catalogue
from bulkhead.core.canonical import canonical
from bulkhead.core.control import Control, Examples, Mitigation, MitigationClass
from bulkhead.core.errors import BulkheadError
from bulkhead.core.outcome import Outcome
from bulkhead.core.plan import Plan, Rollout
from bulkhead.core.resource import Snapshot
from bulkhead.mitigation import channels, live
from bulkhead.mitigation import plan as planning
from bulkhead.mitigation.plan import Consent
from bulkhead.posture import blindness, examples
from bulkhead.posture.evaluate import Assessment, Request, evaluate
from bulkhead.posture.world import World

_PERSONS = re.compile(
    r"a person has to decide|no repair is known for|no channel changes a|a program is changed where its settings stand"
)
"""Why a finding has no patch where another kind's mitigation has one."""


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    return loading.load()


def written(control: Control) -> Examples:
    """The examples of one control."""
    return catalogue().examples[control.id]


def complaints(control: Control) -> Iterator[str]:
    """Everything that is wrong with one control; nothing when it is right."""
    yield from _shape(control)
    if not control.checks:
        return
    for number, example in enumerate(written(control).passing):
        yield from _expect(control, f"pass[{number}]", example, Outcome.PASS)
    for number, example in enumerate(written(control).fail):
        yield from _expect(control, f"fail[{number}]", example, Outcome.FAIL)
        yield from _mitigated(control, f"fail[{number}]", example)
    for number, example in enumerate(written(control).error):
        yield from _expect(control, f"error[{number}]", example, Outcome.ERROR)
    for trial in blindness.trials(catalogue(), control):
        if trial.blind:
            yield f"{trial.example}: passes without {trial.need}"


def _shape(control: Control) -> Iterator[str]:
    for field in ("title", "rationale", "attack", "fix"):
        if len(getattr(control, field).strip()) < 8:
            yield f"{field} is missing"
    if control.checks:
        for group in ("passing", "fail", "error"):
            if not getattr(written(control), group):
                yield f"no example under {group}"
        viewed = any(token.partition(":")[0] in ("pod", "container") for token in control.applies_to)
        if not control.needs.fields and not control.needs.kinds and not viewed:
            yield "needs nothing, so nothing shows that it notices blindness"
    if control.mode is not MitigationClass.MANUAL and not control.checks:
        yield "only a manual control may have no check"


def _assess(control: Control, snapshot: Snapshot) -> Assessment:
    return evaluate(snapshot, Request(catalogue(), [control], keep_passes=True))


def _expect(control: Control, name: str, example: Any, wanted: Outcome) -> Iterator[str]:
    try:
        control = examples.configured(control, example)
        snapshot = examples.snapshot(example, control)
        found = _assess(control, snapshot).findings
    except BulkheadError as exc:
        yield f"{name}: {exc}"
        return
    outcomes = [finding.outcome for finding in found]
    told = (
        [f"{finding.outcome}: {finding.message}" for finding in found]
        or [f"gap: {gap.reason}" for gap in snapshot.gaps]
        or ["nothing was judged"]
    )
    if wanted is Outcome.PASS and (set(outcomes) != {Outcome.PASS}):
        yield f"{name}: {'; '.join(told)}"
    elif wanted is Outcome.FAIL:
        count = sum(outcome in (Outcome.FAIL, Outcome.WARN) for outcome in outcomes)
        if (
            count < 1
            or Outcome.ERROR in outcomes
            or (isinstance(example, dict) and example.get("count", count) != count)
        ):
            yield f"{name}: {count} findings: {'; '.join(told)}"
        if any("?" in finding.message for finding in found if finding.outcome is Outcome.FAIL):
            yield f"{name}: the message has an empty reference: {told}"
    elif wanted is Outcome.ERROR and Outcome.ERROR not in outcomes:
        yield f"{name}: {'; '.join(told)}"


def _mitigated(control: Control, name: str, example: Any) -> Iterator[str]:
    """Applied, verified, undone: the plan closes every finding of the example and its inverse is the original."""
    control = examples.configured(control, example)
    files = examples.texts(example)
    patched = [mitigation for mitigation in control.mitigation if mitigation.patch]
    if not patched or example.get("mitigates") is False:
        return
    if not files:
        yield from _mitigated_live(control, name, example)
        return
    snapshot = examples.snapshot(example, control)
    plan = _plan(control, snapshot)
    failing = [
        finding for finding in _assess(control, snapshot).findings if finding.outcome in (Outcome.FAIL, Outcome.WARN)
    ]
    repaired = {fingerprint for step in plan.steps for fingerprint in step.verify}
    reasons = {item.fingerprint: item.reason for item in plan.unfixed}
    if failing and all(_PERSONS.match(reasons.get(item.fingerprint, "")) for item in failing):
        return
    for finding in failing:
        if finding.fingerprint not in repaired:
            reason = next((item.reason for item in plan.unfixed if item.fingerprint == finding.fingerprint), "?")
            yield f"{name}: not repaired: {reason}"
    changed = dict(files)
    for step in plan.steps:
        if changed.get(step.target) != step.before:
            yield f"{name}: the plan is not made from the example's bytes"
        changed[step.target] = step.change
    after = _assess(control, examples.snapshot(example, control, changed))
    yield from (
        f"{name}: after the repair: {item.message}"
        for item in after.findings
        if item.outcome in (Outcome.FAIL, Outcome.WARN, Outcome.ERROR)
    )
    for step in plan.steps:
        if step.before is None:
            del changed[step.target]
        else:
            changed[step.target] = step.before
    if changed != files:
        yield f"{name}: undone, it is not what it was"


def _mitigated_live(control: Control, name: str, example: Any) -> Iterator[str]:
    """The same for a live world: the resource as the plan would leave it passes, and the record before is the example's own."""
    snapshot = examples.snapshot(example, control)
    assessment = _assess(control, snapshot)
    consent = Consent(controls=frozenset({control.id}))
    plan = live.make(World(snapshot), assessment, consent, Rollout(), tenant="default", root="")
    failing = {item.fingerprint for item in assessment.findings if item.outcome in (Outcome.FAIL, Outcome.WARN)}
    reasons = {item.fingerprint: item.reason for item in plan.unfixed}
    if all(_PERSONS.match(reasons.get(item, "")) for item in failing):
        return
    repaired = {fingerprint for step in plan.steps for fingerprint in step.verify}
    yield from (f"{name}: not repaired: {reasons.get(item, '?')}" for item in failing - repaired)
    after = _assess(control, applying.imagined(snapshot, plan))
    yield from (
        f"{name}: after the repair: {item.message}"
        for item in after.findings
        if item.outcome in (Outcome.FAIL, Outcome.WARN, Outcome.ERROR)
    )
    for step in plan.steps:
        was = [item for item in snapshot.resources if item.ref == step.ref]
        kind = channels.kind_of(step.ref) if step.ref is not None else None
        if was and kind is not None and canonical(kind.record(was[0].data)) != step.before:
            yield f"{name}: the plan is not made from the example's record"


def _plan(control: Control, snapshot: Snapshot) -> Plan:
    assessment = _assess(control, snapshot)
    consent = Consent(controls=frozenset({control.id}))
    return planning.make(World(snapshot), assessment, consent, tenant="default", root="")


def proven(control: Control, mitigation: Mitigation) -> bool:
    """Whether some failing example exercises the mitigation's patch."""
    return bool(mitigation.patch) and any(
        examples.texts(example) and example.get("mitigates") is not False for example in written(control).fail
    )


def main(names: list[str]) -> int:
    bad = 0
    chosen = [control for name in names or ["*"] for control in catalogue().named(name)]
    for control in chosen:
        try:
            found = list(complaints(control))
        except BulkheadError as exc:
            found = [f"{type(exc).__name__}: {exc}"]
        for complaint in found:
            sys.stdout.write(f"{control.id}: {complaint}\n")
        bad += bool(found)
    sys.stdout.write(f"{len(chosen)} controls, {bad} with complaints\n")
    return 1 if bad else 0


if __name__ == "__main__":
    assert Path("src/bulkhead").is_dir()
    raise SystemExit(main(sys.argv[1:]))
