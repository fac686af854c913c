"""How much of the catalogue is judged by a machine, and how much it can repair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from bulkhead.core.control import Control, MitigationClass


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of controls. ``patched`` have a mitigation that a machine applies, ``proposed`` only a concrete proposal."""

    controls: int
    checked: int
    manual: int
    patched: int
    proposed: int
    repairable: int
    repairable_without: tuple[str, ...]
    by_class: dict[str, int]
    by_severity: dict[str, int]
    by_practice: dict[str, int]


def patched(control: Control) -> bool:
    return any(mitigation.patch for mitigation in control.mitigation)


def proposed(control: Control) -> bool:
    return any(mitigation.proposal for mitigation in control.mitigation)


def count(controls: Sequence[Control]) -> Counts:
    """``repairable`` are the auto and guarded ones; ``repairable_without`` those of them that no patch repairs."""
    repairable = [item for item in controls if item.mode in (MitigationClass.AUTO, MitigationClass.GUARDED)]
    return Counts(
        controls=len(controls),
        checked=sum(bool(item.checks) for item in controls),
        manual=sum(not item.checks for item in controls),
        patched=sum(patched(item) for item in controls),
        proposed=sum(proposed(item) and not patched(item) for item in controls),
        repairable=len(repairable),
        repairable_without=tuple(item.id for item in repairable if not patched(item)),
        by_class=dict(Counter(str(item.mode) for item in controls)),
        by_severity=dict(Counter(str(item.severity) for item in controls)),
        by_practice=dict(sorted(Counter(practice for item in controls for practice in item.practices).items())),
    )


def text(counted: Counts) -> str:
    share = (counted.patched + counted.proposed) / max(1, counted.controls)
    covered = counted.repairable - len(counted.repairable_without)
    lines = [
        f"{counted.controls} controls: {counted.checked} judged by a machine, {counted.manual} manual",
        f"{counted.patched} with a patch, {counted.proposed} more with a concrete proposal: {share:.1%} of all",
        f"{covered} of {counted.repairable} auto and guarded controls have a patch",
    ]
    if counted.repairable_without:
        lines.append("without: " + ", ".join(counted.repairable_without))
    for name, counts in (
        ("class", counted.by_class),
        ("severity", counted.by_severity),
        ("practice", counted.by_practice),
    ):
        lines.append(f"by {name}: " + ", ".join(f"{key} {value}" for key, value in counts.items()))
    return "\n".join(lines) + "\n"
