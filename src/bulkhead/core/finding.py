"""One control, one resource, one outcome, with the evidence."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import msgspec

from bulkhead.core.canonical import canonical
from bulkhead.core.outcome import Outcome, Severity
from bulkhead.core.resource import DocumentPath, Ref


class Where(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to look. Lines and columns count from 1; 0 means unknown. ``path`` is the element in its resource."""

    file: str = ""
    line: int = 0
    column: int = 0
    end_line: int = 0
    path: str = ""


class Waiver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The exception that covers a finding: who agreed, why, until when (ISO date, empty when it never ends)."""

    reason: str
    owner: str = ""
    expires: str = ""
    origin: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
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


_spelled = lru_cache(maxsize=4096)(canonical)


class Fingerprints:
    """The fingerprints of one element's findings: all but the control is spelled once."""

    __slots__ = ("_head", "_tail")

    def __init__(self, tenant: str, resource: Ref, element: str) -> None:
        where = (
            resource.source, resource.kind, resource.group, resource.namespace, resource.name, resource.origin,
            resource.uid, element,
        )  # fmt: skip
        try:
            self._tail = b"," + canonical(where)[1:]
        except UnicodeEncodeError:
            # A file's name that is not UTF-8 stands as text with lone surrogates, which JSON cannot carry.
            self._tail = b"," + canonical([text.encode("utf-8", "surrogatepass").hex() for text in where])[1:]
        self._head = b"[" + canonical(tenant) + b","

    def of(self, control: str) -> str:
        """32 hexadecimal digits that stay the same while the finding means the same."""
        return hashlib.sha256(self._head + _spelled(control) + self._tail).hexdigest()[:32]


def fingerprint(tenant: str, control: str, resource: Ref, element: str) -> str:
    """The fingerprint of a single finding."""
    return Fingerprints(tenant, resource, element).of(control)


# Workloads of one kind keep the same things in the same places: a few hundred paths serve a large run.
@lru_cache(maxsize=4096)
def dotted(path: DocumentPath) -> str:
    """A path for people: ``spec.containers[0].image``."""
    return "".join([f"[{part}]" if isinstance(part, int) else f".{part}" for part in path]).removeprefix(".")
