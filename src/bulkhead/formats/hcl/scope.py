"""The values that expressions of one Terraform folder may use: variables with defaults, and locals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bulkhead.core.resource import UNKNOWN
from bulkhead.formats.hcl.model import Block


@dataclass(frozen=True, slots=True)
class Scope:
    """Known values by name."""

    variables: dict[str, Any] = field(default_factory=dict)
    local: dict[str, Any] = field(default_factory=dict)

    def lookup(self, address: str) -> Any:
        """The value of ``var.x`` or ``local.x.y``; UNKNOWN when it is not known here."""
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
    for block in blocks:
        if block.type == "variable" and block.labels and "default" in block.body:
            variables[block.labels[0]] = block.body["default"]
        elif block.type == "locals":
            local.update(block.body)
    return Scope(variables, local)
