"""A top-level block of a Terraform file."""

from __future__ import annotations

from typing import Any

import msgspec

from bulkhead.core.resource import DocumentPath


class Block(msgspec.Struct, frozen=True):
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
    references: dict[DocumentPath, str] = msgspec.field(default_factory=dict)
