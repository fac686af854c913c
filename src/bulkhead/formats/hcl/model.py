"""A top-level block of a Terraform file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bulkhead.core.resource import DocumentPath


@dataclass(frozen=True, slots=True)
class Block:
    """A block with its body as JSON-shaped data.

    Attributes:
        type: ``resource``, ``variable``, ``locals`` …
        labels: what stands between the type and the brace.
        body: attributes by name; nested blocks as lists of bodies under their type, a single one too.
        references: by path in the body, the address that an unresolved value refers to
            (``aws_kms_key.main.arn``).
    """

    type: str
    labels: tuple[str, ...]
    body: dict[str, Any]
    references: dict[DocumentPath, str] = field(default_factory=dict)
