"""How findings and journal entries may move from state to state; the same for every store.

Pure: no store, no clock. What is absent is fixed only when it could have been seen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from bulkhead.app.ports import EntryState, FindingState, StepState
from bulkhead.core.errors import Conflict
from bulkhead.core.finding import Finding, Where
from bulkhead.core.outcome import Outcome
from bulkhead.core.resource import Gap, Ref
from bulkhead.report.text import cut, said

_LONG, _KINDS = 500, 100
KEPT = frozenset({Outcome.FAIL, Outcome.ERROR, Outcome.WARN, Outcome.MANUAL})
"""Outcomes that are findings to keep; a pass or a skip in a report ends a finding like its absence does."""


def seen(before: FindingState | None, finding: Finding) -> FindingState:
    """The state of a finding that is in the run. A waiver that ended reopens what it covered."""
    if finding.waiver is not None:
        return FindingState.WAIVED
    if before is None:
        return FindingState.OPEN
    return FindingState.REOPENED if before in {FindingState.FIXED, FindingState.WAIVED} else before


def is_fixed(control: str, resource: Ref, where: Where, *, ran: Collection[str], gaps: Iterable[Gap]) -> bool:
    """Whether a finding that is absent from the run is gone, and not merely unseen."""
    return control in ran and not any(_hides(gap, resource, where) for gap in gaps)


def _hides(gap: Gap, resource: Ref, where: Where) -> bool:
    if "*" not in gap.hides and resource.kind not in gap.hides:
        return False
    # A gap without a place may be anywhere; one with a place hides that file, what lies below it, that kind or object.
    place = gap.where.rstrip("/")
    if place in {"", ".", "*"}:
        return True
    names = {where.file, resource.origin, resource.name, resource.kind, resource.uid} - {""}
    return any(name == place or name.startswith((place + "/", place + "!")) for name in names)


def readable(gap: Gap) -> Gap:
    """The gap as it is kept: bounded, and without a credential that slipped in."""
    return Gap(
        where=cut(said(gap.where), _LONG), code=cut(said(gap.code), _LONG), reason=cut(said(gap.reason), _LONG),
        hint=cut(said(gap.hint), _LONG), hides=tuple(cut(said(kind), _LONG) for kind in gap.hides[:_KINDS]), line=gap.line,
    )  # fmt: skip


_MOVES: dict[StepState, frozenset[StepState]] = {
    # Back to planned: recovery found that the target was never touched.
    StepState.PLANNED: frozenset({StepState.APPLYING, StepState.FAILED}),
    StepState.APPLYING: frozenset({StepState.APPLIED, StepState.FAILED, StepState.PLANNED, StepState.UNDONE}),
    StepState.APPLIED: frozenset({StepState.UNDOING}),
    StepState.UNDOING: frozenset({StepState.UNDONE, StepState.FAILED, StepState.APPLIED}),
    StepState.FAILED: frozenset({StepState.UNDOING}),
    StepState.UNDONE: frozenset(),
}
IN_DOUBT = frozenset({StepState.APPLYING, StepState.UNDOING})
UNFINISHED = frozenset({EntryState.PLANNED, EntryState.APPLYING})


def check_step(step: str, before: StepState, after: StepState) -> None:
    if after not in _MOVES[before]:
        raise Conflict(f"step is {before} and cannot become {after}", where=step)


def check_finish(entry: str, states: Collection[StepState], after: EntryState) -> None:
    """Refuses an end that the steps do not bear out."""
    held = set(states)
    if doubtful := held & IN_DOUBT:
        raise Conflict(f"entry cannot become {after} while a step is {min(doubtful)}", where=entry)
    allowed = {
        EntryState.APPLIED: StepState.APPLIED in held and not held & {StepState.PLANNED, StepState.FAILED},
        EntryState.UNDONE: StepState.APPLIED not in held,
        EntryState.FAILED: True,
    }
    if not allowed.get(after, False):
        told = ", ".join(sorted(held)) or "absent"
        raise Conflict(f"entry cannot become {after} while its steps are {told}", where=entry)
