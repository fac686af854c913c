"""Terraform text as the parser's tree, and the small questions we ask of it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from bulkhead.core.errors import LimitExceeded, ParseError
from bulkhead.formats.model import Bounds
from bulkhead.formats.spans import BOM, decoded

_BOM = BOM.encode()


@lru_cache(maxsize=1)
def _parser() -> Any:
    """The parser, loaded when the first Terraform text comes: most scans have none."""
    import tree_sitter_hcl
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_hcl.language()))


def parsed(data: bytes, bounds: Bounds) -> Any:
    """The tree of a text; offsets count bytes, a byte order mark included.

    Raises:
        ParseError: the text is not HCL; with the line of the first thing that is not.
        LimitExceeded: it is too large or nested too deeply.
    """
    decoded(data, bounds)
    # A byte order mark becomes blanks, so that every offset stays what it is.
    tree = _parser().parse(b"   " + data[3:] if data.startswith(_BOM) else data)
    wrong = _first_error(tree.root_node, bounds)
    if wrong is not None:
        row, column = wrong.start_point
        raise ParseError("this is not HCL", line=row + 1, column=column + 1)
    return tree


def _first_error(root: Any, bounds: Bounds) -> Any:
    # Six levels of the grammar make one level of the language.
    limit = bounds.depth * 6
    cursor, depth = root.walk(), 0
    found = None
    while True:
        node = cursor.node
        if depth > limit:
            raise LimitExceeded(f"blocks and expressions are nested deeper than {bounds.depth}")
        if found is None and (node.type == "ERROR" or node.is_missing):
            found = node
        if cursor.goto_first_child():
            depth += 1
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return found
            depth -= 1


def blocks(root: Any) -> Iterator[Any]:
    """The top-level blocks in order."""
    for body in root.named_children:
        if body.type == "body":
            yield from (child for child in body.named_children if child.type == "block")


def text(node: Any) -> str:
    return bytes(node.text).decode()


def body_of(block: Any) -> Any:
    """A block's body; None when there is nothing in it."""
    return next((child for child in block.named_children if child.type == "body"), None)


def type_and_labels(block: Any) -> tuple[str, tuple[str, ...]]:
    words = [text(child).strip('"') for child in block.named_children if child.type in ("identifier", "string_lit")]
    return words[0], tuple(words[1:])


def attribute_parts(attribute: Any) -> tuple[str, Any]:
    """An attribute's name and its expression."""
    name, expression = attribute.named_children[0], attribute.named_children[-1]
    return text(name), expression


def unwrapped(node: Any) -> Any:
    """The expression without the layers of the grammar that mean nothing."""
    while node.type in ("expression", "literal_value", "collection_value", "template_expr"):
        inner = [child for child in node.named_children if child.type != "comment"]
        if len(inner) != 1:
            return node
        node = inner[0]
    return node
