"""Values straight from parser events: no tree of nodes is kept."""

from __future__ import annotations

from typing import Any, Final

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

from bulkhead.core.errors import LimitExceeded, ParseError
from bulkhead.core.resource import UNKNOWN
from bulkhead.formats.model import Bounds, Loaded
from bulkhead.formats.yamltext import scalars, tags
from bulkhead.formats.yamltext.events import complaint, named_template, reader

_MERGE: Final = object()
_NO_KEY: Final = object()
_COLLECTION_TAGS: Final = frozenset(("!", scalars.TAG + "map", scalars.TAG + "seq", scalars.TAG + "omap"))


def load(text: str, bounds: Bounds, *, native: bool) -> Loaded:
    """All documents; where the text breaks, the documents before the break and the complaint.

    Raises:
        LimitExceeded: the text is deeper or (aliases expanded) longer than the bounds allow.
    """
    try:
        builder = _Builder(text, bounds, native=native)
    except ParseError as error:
        return Loaded((), (error,))
    try:
        builder.run()
    except yaml.YAMLError as error:
        return Loaded(tuple(builder.documents), (complaint(error, text),))
    except ParseError as error:
        return Loaded(tuple(builder.documents), (named_template(error, text),))
    return Loaded(tuple(builder.documents))


class _Frame:
    """A collection being read."""

    __slots__ = ("anchor", "before", "key", "merged", "start", "tag", "value")

    def __init__(self, value: Any, event: Any, before: int) -> None:
        self.value = value
        self.before = before
        self.key: Any = _NO_KEY
        self.anchor: str | None = event.anchor
        self.tag: str | None = event.tag
        self.merged: list[Any] | None = None
        self.start = event.start_mark


class _Builder:
    def __init__(self, text: str, bounds: Bounds, *, native: bool) -> None:
        self.documents: list[Any] = []
        self._next = reader(text, native=native)
        self._bounds = bounds
        self._tags = tags.table_for(text)
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._nodes = 0
        self._stack: list[_Frame] = []

    def run(self) -> None:
        event = self._next()
        while event is not None:
            kind = type(event)
            if kind is DocumentStartEvent:
                self._document()
            event = self._next()

    def _document(self) -> None:
        """One document. The hot loop of a scan: the common cases come first and stay in line."""
        self._anchors = {}
        stack: list[_Frame] = []
        self._stack = stack
        self._root: Any = None
        get, limit = self._next, self._bounds.nodes
        while True:
            event = get()
            kind = type(event)
            self._nodes += 1
            if kind is ScalarEvent:
                if event.tag is not None:
                    value = self._tagged_scalar(event)
                elif event.style == "" or event.style is None:
                    text = event.value
                    value = scalars.plain(text)
                    if text == "<<" and stack and stack[-1].key is _NO_KEY and type(stack[-1].value) is dict:
                        value = _MERGE
                elif event.style in "|>":
                    value = event.value
                else:
                    value = scalars.quoted(event.value)
                if value is UNKNOWN and stack and stack[-1].key is _NO_KEY and type(stack[-1].value) is dict:
                    value = event.value
                if event.anchor is not None:
                    self._anchors[event.anchor] = (value, 1)
                self._add(value, event.start_mark)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                if len(stack) >= self._bounds.depth:
                    raise LimitExceeded(f"collections are nested deeper than {self._bounds.depth}")
                stack.append(_Frame({} if kind is MappingStartEvent else [], event, self._nodes))
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                self._close()
            elif kind is AliasEvent:
                self._alias(event)
            elif kind is DocumentEndEvent:
                self.documents.append(self._root)
                return
            if self._nodes > limit:
                raise LimitExceeded(f"the text holds more than {limit} values once its aliases are expanded")

    def _add(self, value: Any, mark: Any) -> None:
        if not self._stack:
            self._root = value
            return
        frame = self._stack[-1]
        if type(frame.value) is list:
            frame.value.append(value)
        elif frame.key is not _NO_KEY:
            if frame.key is _MERGE:
                self._merge(frame, value, mark)
            else:
                frame.value[frame.key] = value
            frame.key = _NO_KEY
        elif value is _MERGE:
            frame.key = value
        else:
            if type(value) is not str:
                name = scalars.key(value)
                if name is None:
                    raise ParseError("a key is not a text", line=mark.line + 1, column=mark.column + 1)
                value = name
            if value in frame.value:
                raise ParseError(f"the key {value!r} stands twice", line=mark.line + 1, column=mark.column + 1)
            # Holds the key's place in the order and lets a second one be seen.
            frame.value[value] = None
            frame.key = value

    def _merge(self, frame: _Frame, value: Any, mark: Any) -> None:
        sources = value if isinstance(value, list) else [value]
        if not all(isinstance(source, dict) for source in sources):
            raise ParseError("a merge key needs a mapping", line=mark.line + 1, column=mark.column + 1)
        if frame.merged is None:
            frame.merged = []
        frame.merged += sources

    def _close(self) -> None:
        frame = self._stack.pop()
        value = frame.value
        if frame.merged is not None:
            # Own keys win over merged ones, an earlier source over a later one (YAML merge key, 2005).
            for source in frame.merged:
                for key, item in source.items():
                    value.setdefault(key, item)
        if frame.tag is not None:
            value = self._tagged(frame.tag, value, frame.start)
        if frame.anchor is not None:
            self._anchors[frame.anchor] = (value, self._nodes - frame.before + 1)
        self._add(value, frame.start)

    def _alias(self, event: Any) -> None:
        found = self._anchors.get(event.anchor)
        mark = event.start_mark
        if found is None:
            raise ParseError(
                f"the alias *{event.anchor} has no anchor before it", line=mark.line + 1, column=mark.column + 1
            )
        value, size = found
        self._nodes += size
        if self._nodes > self._bounds.nodes:
            raise LimitExceeded(f"the text holds more than {self._bounds.nodes} values once its aliases are expanded")
        self._add(value, mark)

    def _tagged_scalar(self, event: Any) -> Any:
        if event.tag in self._tags:
            plain = event.style in ("", None)
            return self._tagged(event.tag, scalars.plain(event.value) if plain else event.value, event.start_mark)
        known, value = scalars.tagged(event.tag, event.value)
        return value if known else self._tagged(event.tag, value, event.start_mark)

    def _tagged(self, tag: str, value: Any, mark: Any) -> Any:
        if tag in self._tags:
            return tags.expanded(tag, self._tags[tag], value)
        if tag in _COLLECTION_TAGS and isinstance(value, dict | list):
            return value
        short = tag.replace(scalars.TAG, "!!")
        raise ParseError(f"the tag {short} is not known here", line=mark.line + 1, column=mark.column + 1)
