"""The values that expressions of one Terraform folder may use: variables with defaults, locals, and policy documents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from bulkhead.core.resource import UNKNOWN
from bulkhead.formats.hcl.model import Block

_POLICY: Final = "data.aws_iam_policy_document."


def concerns(block: Block) -> bool:
    """Whether a block makes something known to the others of its folder."""
    return block.type in ("variable", "locals") or (
        block.type == "data" and block.labels[:1] == ("aws_iam_policy_document",)
    )


class Scope(msgspec.Struct, frozen=True):
    """Known values by name."""

    variables: dict[str, Any] = msgspec.field(default_factory=dict)
    local: dict[str, Any] = msgspec.field(default_factory=dict)
    policies: dict[str, Any] = msgspec.field(default_factory=dict)

    def lookup(self, address: str) -> Any:
        """The value of ``var.x`` or ``local.x.y``; UNKNOWN when it is not known here.

        ``data.aws_iam_policy_document.x.json`` is the body of that block, which says what the JSON would.
        """
        if address.startswith(_POLICY):
            name, _, attribute = address.removeprefix(_POLICY).partition(".")
            return self.policies.get(name, UNKNOWN) if attribute == "json" else UNKNOWN
        root, _, rest = address.partition(".")
        name, *attributes = rest.split(".")
        table = {"var": self.variables, "local": self.local}.get(root)
        value = UNKNOWN if table is None else table.get(name, UNKNOWN)
        for attribute in attributes:
            value = value.get(attribute, UNKNOWN) if isinstance(value, dict) else UNKNOWN
        return value


def scope_of(blocks: Iterable[Block]) -> Scope:
    """What the blocks of a folder make known. A later definition wins, as an override file's does."""
    variables: dict[str, Any] = {}
    local: dict[str, Any] = {}
    policies: dict[str, Any] = {}
    for block in blocks:
        if block.type == "variable" and block.labels and "default" in block.body:
            variables[block.labels[0]] = block.body["default"]
        elif block.type == "locals":
            local.update(block.body)
        elif block.type == "data" and len(block.labels) == 2 and concerns(block):
            policies[block.labels[1]] = block.body
    return Scope(variables, local, policies)
