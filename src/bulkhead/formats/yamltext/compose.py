"""A text as nodes with exact places, for looking up and editing.

The parser's end marks of block collections and block scalars reach into what follows; a node ends with the last
character that belongs to it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import msgspec
import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from bulkhead.core.errors import LimitExceeded
from bulkhead.formats.model import Bounds, Node
from bulkhead.formats.yamltext import scalars, tags
from bulkhead.formats.yamltext.events import complaint, reader

_BLANK_TAIL = re.compile(r"(?:[ \t]*(?:\r\n|\n|\r))*[ \t]*\Z")
_ONE_BREAK = re.compile(r"(?:\r\n|\n|\r)\Z")


class Composed(msgspec.Struct):
    """One document.

    Attributes:
        root: its value; None when the document has nothing.
        anchors: the nodes that aliases stand for (the last of a name wins).
        aliased: names that an alias uses.
        names: keys whose name as a value differs from their text (``on`` is ``true``), by identity of the node.
        scalars: all scalars.
    """

    root: Node | None = None
    anchors: dict[str, Node] = msgspec.field(default_factory=dict)
    aliased: set[str] = msgspec.field(default_factory=set)
    names: dict[int, str] = msgspec.field(default_factory=dict)
    scalars: list[Node] = msgspec.field(default_factory=list)


def compose(text: str, wanted: Collection[int], bounds: Bounds) -> dict[int, Composed]:
    """The wanted documents of the text (without byte order mark); those that stand before a break in it.

    Raises:
        ParseError: the first event cannot be read.
        LimitExceeded: collections are nested too deeply.
    """
    documents: dict[int, Composed] = {}
    last = max(wanted, default=-1)
    get = reader(text)
    try:
        number = 0
        event = get()
        while event is not None and number <= last:
            if type(event) is DocumentStartEvent:
                if number in wanted:
                    documents[number] = _document(text, get, bounds)
                else:
                    while type(event) is not DocumentEndEvent:
                        event = get()
                number += 1
            event = get()
    except yaml.YAMLError as error:
        if not documents:
            raise complaint(error, text) from error
    return documents


def _document(text: str, get: Any, bounds: Bounds) -> Composed:
    done = Composed()
    stack: list[tuple[Node, list[Node]]] = []
    while True:
        event = get()
        kind = type(event)
        if kind is DocumentEndEvent:
            return done
        if kind is MappingStartEvent or kind is SequenceStartEvent:
            if len(stack) >= bounds.depth:
                raise LimitExceeded(f"collections are nested deeper than {bounds.depth}")
            node = Node(
                "map" if kind is MappingStartEvent else "seq",
                event.start_mark.index,
                event.end_mark.index,
                style="flow" if event.flow_style else "block",
                tag=event.tag or "",
                anchor=event.anchor or "",
            )
            stack.append((node, []))
            if node.anchor:
                done.anchors[node.anchor] = node
            continue
        if kind is ScalarEvent:
            node = _scalar(text, event)
            done.scalars.append(node)
            if node.anchor:
                done.anchors[node.anchor] = node
        elif kind is AliasEvent:
            node = Node("alias", event.start_mark.index, event.end_mark.index, value=event.anchor)
            done.aliased.add(event.anchor)
        else:
            node, children = stack.pop()
            _close(node, children, event, kind, done)
        if stack:
            stack[-1][1].append(node)
        else:
            done.root = node


def _scalar(text: str, event: Any) -> Node:
    start, end = event.start_mark.index, event.end_mark.index
    style = event.style or ""
    keep = False
    if style and style in "|>":
        header = text[start:end].splitlines()[0] if end > start else ""
        keep = "+" in header.partition("#")[0]
        tail = (_ONE_BREAK if keep else _BLANK_TAIL).search(text, start, end)
        end = tail.start() if tail else end
    return Node("scalar", start, end, event.value, style, event.tag or "", event.anchor or "", keep)


def _close(node: Node, children: list[Node], event: Any, kind: type, done: Composed) -> None:
    if kind is MappingEndEvent:
        pairs = list(zip(children[::2], children[1::2], strict=True))
        node.entries = pairs
        for key, _ in pairs:
            if key.kind == "scalar" and not key.style and not key.tag:
                name = scalars.key(scalars.plain(key.value))
                if name is not None and name != key.value:
                    done.names[id(key)] = name
    elif kind is SequenceEndEvent:
        node.items = children
    if node.flow:
        node.end = event.end_mark.index
    elif children:
        node.end = max(node.end, children[-1].end)


def function_of(node: Node, table: dict[str, str]) -> str:
    """The tag's meaning when the node's value is wrapped by it (``!Ref``), else empty."""
    return "" if node.tag in (tags.OVERRIDE, "") else table.get(node.tag, "")
