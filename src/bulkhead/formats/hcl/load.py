"""Terraform text as blocks."""

from __future__ import annotations

from typing import Any

from bulkhead.core.errors import ParseError
from bulkhead.core.resource import UNKNOWN, DocumentPath
from bulkhead.formats.hcl import tree
from bulkhead.formats.hcl.model import Block
from bulkhead.formats.hcl.scope import Scope, scope_of
from bulkhead.formats.hcl.values import Reader
from bulkhead.formats.model import BOUNDS, Bounds, Loaded


def load(data: bytes, *, scope: Scope | None = None, bounds: Bounds = BOUNDS) -> Loaded:
    """All top-level blocks as ``Block``, with the values of ``scope`` put in, else those the text itself defines.

    Raises:
        LimitExceeded: the text is larger or deeper than the bounds allow.
    """
    try:
        parsed = tree.parsed(data, bounds)
    except ParseError as error:
        return Loaded((), (error,))
    if scope is None:
        scope = scope_of(_blocks(parsed, Scope()))
    return Loaded(tuple(_blocks(parsed, scope)))


def _blocks(parsed: Any, scope: Scope) -> list[Block]:
    out = []
    for node in tree.blocks(parsed.root_node):
        reader = Reader(scope)
        kind, labels = tree.type_and_labels(node)
        body = tree.body_of(node)
        out.append(Block(kind, labels, _body(body, (), reader) if body is not None else {}, reader.references))
    return out


def _body(body: Any, path: DocumentPath, reader: Reader) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for child in body.named_children:
        if child.type == "attribute":
            name, expression = tree.attribute_parts(child)
            out[name] = reader.value(expression, (*path, name))
        elif child.type == "block":
            kind, labels = tree.type_and_labels(child)
            if kind == "dynamic" and labels:
                # How many of the block there will be is not known here.
                out[labels[0]] = UNKNOWN
            inner = tree.body_of(child)
            same_kind = out.setdefault(kind, [])
            if isinstance(same_kind, list):
                value = _body(inner, (*path, kind, len(same_kind)), reader) if inner is not None else {}
                same_kind.append({labels[0]: value} if labels else value)
    return out
