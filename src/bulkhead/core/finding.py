"""One control, one resource, one outcome, with the evidence."""

from __future__ import annotations

import msgspec

from bulkhead.core.canonical import digest
from bulkhead.core.outcome import Outcome, Severity
from bulkhead.core.resource import DocumentPath, Ref


class Where(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where to look. Lines and columns count from 1; 0 means unknown. ``path`` is the element in its resource."""

    file: str = ""
    line: int = 0
    column: int = 0
    end_line: int = 0
    path: str = ""


class Waiver(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The exception that covers a finding: who agreed, why, until when (ISO date, empty when it never ends)."""

    reason: str
    owner: str = ""
    expires: str = ""
    origin: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A verdict worth telling.

    Attributes:
        fingerprint: tenant, control, resource reference and element path; never a line number.
        control: the control's id.
        revision: of the control that judged.
        outcome: fail, warn, error or manual; pass and skip only when asked for.
        element: the judged element as a path of stable names (``spec.containers[app]``).
        evidence: what was seen, as short text; never a secret's value.
        waiver: the exception that covers it, if any.
    """

    fingerprint: str
    tenant: str
    control: str
    revision: int
    outcome: Outcome
    severity: Severity
    title: str
    message: str
    resource: Ref
    element: str = ""
    where: Where = Where()
    evidence: str = ""
    waiver: Waiver | None = None


def fingerprint(tenant: str, control: str, resource: Ref, element: str) -> str:
    """32 hexadecimal digits that stay the same while the finding means the same."""
    return digest(
        (
            tenant,
            control,
            resource.source,
            resource.kind,
            resource.group,
            resource.namespace,
            resource.name,
            resource.origin,
            resource.uid,
            element,
        )
    )[:32]


def dotted(path: DocumentPath) -> str:
    """A path for people: ``spec.containers[0].image``."""
    out = ""
    for part in path:
        out += f"[{part}]" if isinstance(part, int) else (f".{part}" if out else str(part))
    return out
