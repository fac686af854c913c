"""A resource before it has its reference made unique."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from bulkhead.core.resource import DocumentPath, Ref, Resource, Text


class Shape(msgspec.Struct, frozen=True):
    """What a document, or a part of one, is.

    Attributes:
        kind: the field's own kind.
        data: JSON-shaped.
        name: empty when it has none.
        group: the Kubernetes API group.
        namespace: empty when none is named.
        path: where the data stands in the document.
        owner: what it is a part of, when that tells it apart from its like (the pod a component runs in).
    """

    kind: str
    data: Any
    name: str = ""
    group: str = ""
    namespace: str = ""
    path: DocumentPath = ()
    owner: str = ""


def resources(text: Text, found: Iterable[tuple[int, Shape]], origin: str = "") -> tuple[Resource, ...]:
    """The shapes of one text with references that differ: ``#2`` for the second that agrees in all else."""
    seen: dict[tuple[str, ...], int] = {}
    out = []
    for document, shape in found:
        identity = (shape.kind, shape.group, shape.namespace, shape.name, shape.owner)
        count = seen[identity] = seen.get(identity, 0) + 1
        ref = Ref(
            source="file",
            kind=shape.kind,
            group=shape.group,
            namespace=shape.namespace,
            name=shape.name,
            origin=origin or text.path,
            uid=shape.owner + (f"#{count}" if count > 1 else ""),
        )
        out.append(Resource(ref, shape.data, text, document, shape.path))
    return tuple(out)


def text_of(value: Any) -> str:
    """A name where there is one; unknown and missing names are empty."""
    return value if isinstance(value, str) else ""
