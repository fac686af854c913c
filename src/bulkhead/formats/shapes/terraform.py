"""Terraform blocks as resources: of the clouds by their own type, of the kubernetes provider as the object they make.

The kubernetes provider's ``kubernetes_deployment_v1`` and its like are there twice: as they are written, and as the
Kubernetes object (source kind ``Deployment``) whose path leads to the block.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bulkhead.core.resource import UNKNOWN, Text
from bulkhead.formats.model import Loaded
from bulkhead.formats.shapes.model import Shape, text_of
from bulkhead.formats.shapes.provider import kubernetes_object

if TYPE_CHECKING:
    from bulkhead.formats.hcl.scope import Scope


def load(text: Text, scope: Scope | None) -> Loaded:
    """The blocks of an HCL text, or the one document of its JSON form."""
    from bulkhead.formats import hcl, jsontext

    if text.format == "json":
        return jsontext.load(text.data)
    return hcl.load(text.data, scope=scope)


def shapes(number: int, document: Any) -> Iterator[tuple[int, Shape]]:
    """The resources of a block, or of all blocks of a ``.tf.json`` document."""
    from bulkhead.formats.hcl.model import Block

    if isinstance(document, Block):
        if len(document.labels) == 2 and document.type in ("resource", "data"):
            prefix = "data." if document.type == "data" else ""
            for shape in _resource(prefix + document.labels[0], document.labels[1], document.body):
                yield number, shape
        return
    for section, prefix in (("resource", ""), ("data", "data.")):
        kinds = document.get(section) if isinstance(document, dict) else None
        for kind, named in (kinds or {}).items() if isinstance(kinds, dict) else ():
            for name, body in named.items() if isinstance(named, dict) else ():
                if isinstance(body, dict):
                    for shape in _resource(prefix + kind, name, _unknowns(body), (section, kind, name)):
                        yield number, shape


def _resource(kind: str, name: str, body: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[Shape]:
    body = _present(body)
    definitions = body.get("container_definitions")
    if isinstance(definitions, str):
        body = {**body, "container_definitions": _definitions(definitions)}
    yield Shape(kind=kind, data=body, name=name, path=path)
    converted = kubernetes_object(kind, body)
    if converted is not None:
        yield Shape(
            kind=converted["kind"],
            data=converted,
            name=text_of(converted["metadata"].get("name")) or name,
            group=converted["apiVersion"].rpartition("/")[0],
            namespace=text_of(converted["metadata"].get("namespace")),
            path=path,
        )


def _present(value: Any) -> Any:
    """Without the attributes that are null: Terraform leaves such an argument out."""
    if isinstance(value, dict):
        return {key: _present(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_present(item) for item in value]
    return value


def _definitions(text: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return UNKNOWN
    return value if isinstance(value, list) else UNKNOWN


def _unknowns(value: Any) -> Any:
    """JSON syntax keeps expressions in strings; one with a template in it is not known here."""
    if isinstance(value, dict):
        return {key: _unknowns(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unknowns(item) for item in value]
    return UNKNOWN if isinstance(value, str) and ("${" in value or "%{" in value) else value
