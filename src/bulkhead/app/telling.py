"""A plan as the fixes of a report."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from bulkhead.core.plan import Plan, Step
from bulkhead.mitigation import diff
from bulkhead.report.model import FileChange, Fix


def fixes(plan: Plan) -> dict[str, tuple[Fix, ...]]:
    """For every finding that the plan closes, the change of its file."""
    out: dict[str, tuple[Fix, ...]] = {}
    for step in plan.steps:
        changes = tuple(_changes(step))
        shown = diff.unified(step)
        for repair in step.repairs:
            out[repair.fingerprint] = (
                Fix(description=f"{repair.mitigation}: {repair.note}", diff=shown, changes=changes),
            )
    return out


def _changes(step: Step) -> Iterator[FileChange]:
    """Whole changed lines, as byte regions of the file before."""
    before, after = diff.lines(step.before), diff.lines(step.change)
    starts = [0]
    for line in before:
        starts.append(starts[-1] + len(line.encode("utf-8", "surrogateescape")))
    for tag, first, last, new_first, new_last in difflib.SequenceMatcher(
        None, before, after, autojunk=False
    ).get_opcodes():
        if tag != "equal":
            inserted = "".join(after[new_first:new_last]).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            yield FileChange(
                path=step.target, start_line=first + 1, start_column=1, end_line=last + 1, end_column=1,
                start_byte=starts[first], end_byte=starts[last], inserted_text=inserted,
            )  # fmt: skip
