"""The parser's tree of one block as nodes with byte places.

A body is a mapping of style ``body``, the blocks of one type in it a sequence of style ``blocks``; objects and tuples
are flow collections; every other expression is a scalar.
"""

from __future__ import annotations

from typing import Any

from bulkhead.formats.hcl import tree
from bulkhead.formats.hcl.values import object_key
from bulkhead.formats.model import Node


def block_node(block: Any) -> Node:
    """A block, from its type to its closing brace."""
    node = Node("map", block.start_byte, block.end_byte, style="body")
    body = tree.body_of(block)
    if body is None:
        return node
    groups: dict[str, Node] = {}
    for child in body.named_children:
        if child.type == "attribute":
            name, expression = tree.attribute_parts(child)
            key = Node("scalar", child.start_byte, child.start_byte + len(name.encode()), name)
            node.entries.append((key, _expression(expression)))
        elif child.type == "block":
            kind, labels = tree.type_and_labels(child)
            inner = _labelled(child, labels) if labels else block_node(child)
            group = groups.get(kind)
            if group is None:
                group = groups[kind] = Node("seq", child.start_byte, child.end_byte, style="blocks")
                node.entries.append((Node("scalar", child.start_byte, child.start_byte, kind), group))
            group.items.append(inner)
            group.end = child.end_byte
    return node


def _labelled(block: Any, labels: tuple[str, ...]) -> Node:
    outer = Node("map", block.start_byte, block.end_byte, style="labelled")
    outer.entries.append((Node("scalar", block.start_byte, block.start_byte, labels[0]), block_node(block)))
    return outer


def _expression(expression: Any) -> Node:
    inner = tree.unwrapped(expression)
    if inner.type == "function_call":
        inner = _encoded(inner)
    start, end = expression.start_byte, expression.end_byte
    if inner.type == "tuple":
        node = Node("seq", inner.start_byte, inner.end_byte, style="flow", outer=end)
        node.items = [_expression(child) for child in inner.named_children if child.type == "expression"]
        return node
    if inner.type == "object":
        node = Node("map", inner.start_byte, inner.end_byte, style="flow", outer=end)
        for element in inner.named_children:
            parts = [child for child in element.named_children if child.type == "expression"]
            name = object_key(parts[0]) if len(parts) == 2 else None
            if name is not None:
                quote = '"' if tree.text(parts[0]).startswith('"') else ""
                key = Node("scalar", parts[0].start_byte, parts[0].end_byte, name, quote)
                node.entries.append((key, _expression(parts[1])))
        return node
    return Node("scalar", start, end, tree.text(expression), inner.type)


def _encoded(call: Any) -> Any:
    """What stands inside ``jsonencode(...)``: its value is the object itself."""
    if tree.text(call.named_children[0]) not in ("jsonencode", "tolist", "toset", "tomap"):
        return call
    for part in call.named_children:
        if part.type == "function_arguments":
            arguments = [child for child in part.named_children if child.type == "expression"]
            if len(arguments) == 1:
                return tree.unwrapped(arguments[0])
    return call
