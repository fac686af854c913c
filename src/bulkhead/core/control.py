"""A control: a good condition we hold a resource to, how to judge it, and how to restore it.

The shape is DESIGN section 5; ``docs/controls.md`` explains it to authors.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

import msgspec

from bulkhead.core.outcome import Severity


class MitigationClass(StrEnum):
    """How much consent a repair needs.

    auto: applied by ``fix --apply``. guarded: applied when its condition of evidence holds or the user names it.
    propose: shown as a concrete patch, applied only when named. manual: instructions for a person.
    """

    AUTO = "auto"
    GUARDED = "guarded"
    PROPOSE = "propose"
    MANUAL = "manual"


class _Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    pass


class Needs(_Part, frozen=True, kw_only=True):
    """What must have been readable for the verdict to count.

    fields: paths (dotted) that must be present on the judged element's resource; missing means outcome error.
    kinds: resource kinds a cross-reference depends on; a Gap that may hide one turns a would-be pass into error.
    """

    fields: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


class Check(_Part, frozen=True, kw_only=True):
    """One test. Several may stand in a control, each for its own kinds.

    Attributes:
        applies_to: kinds or views (``container``, ``pod``, ``Deployment``, ``Dockerfile``, ``aws_ecr_repository``);
            empty for the control's own.
        each: what is judged inside the resource: empty for the resource itself, else a view or a dotted list path.
        when: CEL; the element is skipped where it is false.
        expression: CEL; true is pass.
        message: said on failure; ``{container.name}`` style references are filled from the bindings.
        points_at: dotted path below the element that the message is about.
        evidence: CEL giving a short text of what was seen.
    """

    expression: str
    message: str
    applies_to: tuple[str, ...] = ()
    each: str = ""
    when: str = ""
    points_at: str = ""
    evidence: str = ""
    outcome: Literal["fail", "warn"] = "fail"


class Operation(_Part, frozen=True, kw_only=True):
    """One change to the judged element.

    Attributes:
        op: set, remove, append, remove_item, set_item, create, Dockerfile operations (see docs/controls.md).
        path: dotted path below the element; may hold ``{cel}`` parts.
        value: literal value; or
        value_from: CEL giving the value.
        where: CEL over ``item`` choosing list items, for remove_item.
    """

    op: str
    path: str = ""
    value: Any = None
    value_from: str = ""
    where: str = ""
    when: str = ""


class Mitigation(_Part, frozen=True, kw_only=True):
    """A repair with its limit, its permissions and its way back (the inverse edit, kept in the journal).

    Attributes:
        on: kinds or views it applies to; empty for all the check applies to.
        when: CEL condition of evidence; a guarded repair is applied without being named only where it holds.
        risk: what may happen: none, restart, outage, data.
        patch: the operations; a proposal without machine patch has ``proposal`` text only.
    """

    id: str
    mode: MitigationClass | None = None
    on: tuple[str, ...] = ()
    when: str = ""
    risk: Literal["none", "restart", "outage", "data"] = "none"
    patch: tuple[Operation, ...] = ()
    proposal: str = ""
    permissions: tuple[str, ...] = ()
    limit: int = 1000


class Parameter(_Part, frozen=True, kw_only=True):
    default: Any
    description: str


class Examples(_Part, frozen=True, kw_only=True):
    """Resources that pass, fail and cannot be judged. They are the tests, the documentation and the demo."""

    passing: tuple[Any, ...] = msgspec.field(name="pass", default=())
    fail: tuple[Any, ...] = ()
    error: tuple[Any, ...] = ()


class Control(_Part, frozen=True, kw_only=True):
    id: str
    revision: int
    title: str
    severity: Severity
    status: Literal["active", "deprecated", "draft"]
    mode: MitigationClass = msgspec.field(name="class")
    applies_to: tuple[str, ...]
    needs: Needs
    rationale: str
    attack: str
    fix: str
    maps_to: dict[str, tuple[str, ...]]
    check: Check | tuple[Check, ...] | None = None
    instructions: str = ""
    live: bool = False
    practices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    parameters: dict[str, Parameter] = {}
    mitigation: tuple[Mitigation, ...] = ()
    references: tuple[str, ...] = ()

    @property
    def checks(self) -> tuple[Check, ...]:
        if self.check is None:
            return ()
        return self.check if isinstance(self.check, tuple) else (self.check,)


class Written(Control, frozen=True, kw_only=True):
    """A control as its file has it. A scan has no use for the examples, which are half of what is written."""

    examples: Examples
