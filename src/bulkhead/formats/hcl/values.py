"""Expressions into values: literals, templates without unknown parts, variables, locals and jsonencode."""

from __future__ import annotations

import json
import re
from typing import Any

from bulkhead.core.resource import UNKNOWN, DocumentPath
from bulkhead.formats.hcl import tree
from bulkhead.formats.hcl.scope import Scope

_ESCAPE = re.compile(r'\\(?:([nrt"\\])|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))|([$%])\4\{')
_SIMPLE = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_PURE = {"tolist", "toset", "tomap", "tostring", "sensitive", "nonsensitive"}


class Reader:
    """Reads expressions in one scope and notes the references it meets."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self.references: dict[DocumentPath, str] = {}

    def value(self, expression: Any, path: DocumentPath) -> Any:
        node = tree.unwrapped(expression)
        kind = node.type
        if kind == "string_lit":
            return unescaped(
                "".join(tree.text(part) for part in node.named_children if part.type == "template_literal")
            )
        if kind == "numeric_lit":
            return _number(tree.text(node))
        if kind == "bool_lit":
            return tree.text(node) == "true"
        if kind == "null_lit":
            return None
        if kind == "tuple":
            items = [child for child in node.named_children if child.type == "expression"]
            return [self.value(item, (*path, index)) for index, item in enumerate(items)]
        if kind == "object":
            return self._object(node, path)
        if kind == "quoted_template":
            return self._template(node, path)
        if kind == "heredoc_template":
            return self._heredoc(node, path)
        if kind == "function_call":
            return self._call(node, path)
        if kind == "operation":
            return self._negative(node, path)
        if kind in ("expression", "variable_expr"):
            return self._reference(node, path)
        return UNKNOWN

    def _object(self, node: Any, path: DocumentPath) -> Any:
        out: dict[str, Any] = {}
        for element in node.named_children:
            if element.type != "object_elem":
                continue
            parts = [child for child in element.named_children if child.type == "expression"]
            name = object_key(parts[0]) if len(parts) == 2 else None
            if name is None:
                return UNKNOWN
            out[name] = self.value(parts[1], (*path, name))
        return out

    def _template(self, node: Any, path: DocumentPath) -> Any:
        out: list[str] = []
        for part in node.named_children:
            if part.type == "template_literal":
                out.append(unescaped(tree.text(part)))
            elif part.type == "template_interpolation":
                inner = next((child for child in part.named_children if child.type == "expression"), None)
                value = self.value(inner, path) if inner is not None else UNKNOWN
                if isinstance(value, bool) or not isinstance(value, str | int | float):
                    return UNKNOWN
                out.append(str(value))
            elif part.type not in ("quoted_template_start", "quoted_template_end"):
                return UNKNOWN
        return "".join(out)

    def _heredoc(self, node: Any, path: DocumentPath) -> Any:
        inner = [child.type for child in node.named_children]
        if any(kind in ("template_interpolation", "template_directive") for kind in inner):
            for part in node.named_children:
                if part.type == "template_interpolation":
                    for child in part.named_children:
                        if child.type == "expression":
                            self.value(child, path)
            return UNKNOWN
        lines = tree.text(node).splitlines(keepends=True)
        body = lines[1:-1]
        if lines[0].startswith("<<-"):
            filled = [line for line in body if line.strip()]
            margin = min((len(line) - len(line.lstrip(" \t")) for line in filled), default=0)
            body = [line[margin:] if line.strip() else line.lstrip(" \t") for line in body]
        return "".join(body).replace("$${", "${").replace("%%{", "%{")

    def _call(self, node: Any, path: DocumentPath) -> Any:
        name = tree.text(node.named_children[0])
        arguments = [
            child
            for part in node.named_children
            if part.type == "function_arguments"
            for child in part.named_children
            if child.type == "expression"
        ]
        if name in ("jsonencode", *_PURE) and len(arguments) == 1:
            return self.value(arguments[0], path)
        if name == "jsondecode" and len(arguments) == 1:
            value = self.value(arguments[0], path)
            return _decoded(value) if isinstance(value, str) else UNKNOWN
        return UNKNOWN

    def _negative(self, node: Any, path: DocumentPath) -> Any:
        inner = node.named_children[0] if node.named_children else None
        if inner is None or inner.type != "unary_operation" or not inner.named_children:
            return UNKNOWN
        value = self.value(inner.named_children[-1], path)
        if tree.text(inner).startswith("-") and isinstance(value, int | float) and not isinstance(value, bool):
            return -value
        if tree.text(inner).startswith("!") and isinstance(value, bool):
            return not value
        return UNKNOWN

    def _reference(self, node: Any, path: DocumentPath) -> Any:
        children = node.named_children if node.type == "expression" else [node]
        if not children or children[0].type != "variable_expr":
            return UNKNOWN
        address = tree.text(children[0])
        for child in children[1:]:
            address += tree.text(child).replace(" ", "")
        if any(child.type != "get_attr" for child in children[1:]):
            self.references[path] = address
            return UNKNOWN
        value = self._scope.lookup(address)
        if value is UNKNOWN:
            self.references[path] = address
        return value


def object_key(expression: Any) -> str | None:
    """An object's key: a word, or a string without parts to compute."""
    node = tree.unwrapped(expression)
    if node.type == "variable_expr":
        return tree.text(node)
    if node.type == "string_lit":
        return unescaped("".join(tree.text(part) for part in node.named_children if part.type == "template_literal"))
    return tree.text(node) if node.type in ("numeric_lit", "bool_lit", "null_lit") else None


def unescaped(text: str) -> str:
    """A quoted literal's text (HCL native syntax, Template Expressions)."""

    def one(match: re.Match[str]) -> str:
        if match[1]:
            return _SIMPLE[match[1]]
        if match[4]:
            return match[4] + "{"
        return chr(int(match[2] or match[3], 16)) if int(match[2] or match[3], 16) < 0x110000 else match[0]

    return _ESCAPE.sub(one, text)


def _number(text: str) -> Any:
    if len(text) > 100:
        return UNKNOWN
    try:
        return int(text)
    except ValueError:
        return float(text)


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return UNKNOWN
