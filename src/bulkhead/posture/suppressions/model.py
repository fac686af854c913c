"""One exception, wherever it was written."""

from __future__ import annotations

from fnmatch import fnmatchcase

import msgspec

from bulkhead.core.finding import Finding, Waiver
from bulkhead.core.resource import Ref


class Exemption(msgspec.Struct, frozen=True):
    """What it covers, and the agreement behind it.

    Attributes:
        control: an id or an alias of the tool it was written for; ``*`` for all.
        origin: where it stands.
        ref: only this resource; None for any.
        file: only findings in files matching this pattern; empty for any.
        lines: only findings whose first line is in this range (both ends included); None for any.
        element: only elements whose name contains this (a container's name in brackets); empty for any.
        kind, name, namespace: patterns on the resource; empty for any.
    """

    control: str
    origin: str
    reason: str = ""
    owner: str = ""
    expires: str = ""
    ref: Ref | None = None
    file: str = ""
    lines: tuple[int, int] | None = None
    element: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""

    def waiver(self) -> Waiver:
        return Waiver(
            reason=self.reason or "no reason given", owner=self.owner, expires=self.expires, origin=self.origin
        )


def covers(exemption: Exemption, finding: Finding) -> bool:
    """Whether the exception is about this finding; the control is matched before."""
    ref = finding.resource
    if exemption.ref is not None and exemption.ref != ref:
        return False
    if exemption.element and f"[{exemption.element}]" not in finding.element:
        return False
    if exemption.lines is not None and not exemption.lines[0] <= finding.where.line <= exemption.lines[1]:
        return False
    patterns = (
        (exemption.file, finding.where.file or ref.origin),
        (exemption.kind, ref.kind),
        (exemption.name, ref.name),
        (exemption.namespace, ref.namespace),
    )
    return all(not pattern or fnmatchcase(value, pattern) for pattern, value in patterns)
